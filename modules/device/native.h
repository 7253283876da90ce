/*
 * What native devices share: the constants of native_regs.def (DEVICE_REGISTER, DEVICE_REGISTER_NAME), the status
 * register and the two kept halves by which RV32 reads and writes 64-bit registers. See docs/devices.md.
 */
#ifndef BISCUIT_MODULES_NATIVE_H
#define BISCUIT_MODULES_NATIVE_H

#include <errno.h>

#include <biscuit/device.h>
#include <biscuit/field.h>
#include <biscuit/types.h>

enum native_constant {
#define SLOT(device, slot, version, class_name, help)  device##_SLOT = (slot), device##_VERSION = (version),
#define REG(device, number, name, access, width, help) device##_##name = (number),
#define BIT(device, reg, bit, name, help)	       device##_##reg##_##name = 1 << (bit),
#define BITS(device, reg, low, count, name, help)                                                                      \
	device##_##reg##_##name##_SHIFT = (low), device##_##reg##_##name##_MASK = ((1 << (count)) - 1) << (low),
#define VALUE(device, reg, name, value, help) device##_##reg##_##name = (value),
#include "modules/device/native_regs.def"
};

/* The upper halves kept for HIGH: of the last wide read, and for the next wide write. */
struct native_high {
	uint32_t read, write;
};

#define NATIVE_HIGH_FIELDS(struct_type, member)                                                                        \
	{.name = "high_read",                                                                                          \
	 .type = BIS_FIELD_U32,                                                                                        \
	 .offset = offsetof(struct_type, member.read),                                                                 \
	 .count = 1,                                                                                                   \
	 .flags = BIS_FIELD_HEX,                                                                                       \
	 .help = "upper half of the last wide register read"},                                                         \
	{                                                                                                              \
		.name = "high_write", .type = BIS_FIELD_U32, .offset = offsetof(struct_type, member.write),            \
		.count = 1, .flags = BIS_FIELD_HEX, .help = "upper half for the next wide register written"            \
	}

static inline uint64_t native_wide_read(struct native_high *high, uint64_t value)
{
	high->read = (uint32_t)(value >> 32);
	return value;
}

static inline uint64_t native_wide_write(struct native_high *high, uint64_t value)
{
	value |= (uint64_t)high->write << 32;
	high->write = 0;
	return value;
}

/* Register 6 of a working device; `own` are the device's bits above 15. */
static inline uint64_t native_status(bool busy, bool interrupt, uint8_t error, uint32_t own)
{
	return NATIVE_STATUS_READY | (busy ? NATIVE_STATUS_BUSY : 0u) | (interrupt ? NATIVE_STATUS_INTERRUPT : 0u) |
	       (uint32_t)error << NATIVE_STATUS_ERROR_SHIFT | own;
}

/* The error code that a guest sees for 0 or a negative errno; what has no code of its own counts as IO. */
static inline uint8_t native_error(int err)
{
	switch (-err) {
	case 0:
		return NATIVE_ERROR_NONE;
	case EPERM:
	case EACCES:
		return NATIVE_ERROR_DENIED;
	case ENOENT:
		return NATIVE_ERROR_NOT_FOUND;
	case E2BIG:
		return NATIVE_ERROR_TOO_BIG;
	case EAGAIN:
	case ENOMEM:
		return NATIVE_ERROR_AGAIN;
	case EFAULT:
		return NATIVE_ERROR_ADDRESS;
	case EBUSY:
		return NATIVE_ERROR_BUSY;
	case EEXIST:
		return NATIVE_ERROR_EXISTS;
	case EINVAL:
		return NATIVE_ERROR_INVALID;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return NATIVE_ERROR_NO_SPACE;
	case EROFS:
		return NATIVE_ERROR_READ_ONLY;
	case ERANGE:
		return NATIVE_ERROR_RANGE;
	default:
		return NATIVE_ERROR_IO;
	}
}

#endif
