/*
 * Native console (slot 1, docs/devices.md): bytes to and from a character device. Runs on a hart's thread or, when the
 * character device has news, on the controller thread, always with the device lock held.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/chardev.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/device/native.h"
#include "modules/modules.h"

#define WRITE_MAX 65536u

struct console {
	struct bis_memory *memory;
	struct bis_irq *irq;
	struct bis_chardev *chardev;
	uint64_t address;
	uint32_t written; /* bytes taken by the last WRITE */
	uint32_t enable;
	uint8_t error;
	struct native_high high;
};

static const struct bis_field console_fields[] = {
	BIS_FIELD(struct console, address, U64, BIS_FIELD_HEX, "physical address of the bytes to send"),
	BIS_FIELD(struct console, written, U32, 0, "bytes taken by the last WRITE"),
	BIS_FIELD(struct console, enable, U32, BIS_FIELD_HEX, "interrupt conditions"),
	BIS_FIELD(struct console, error, U8, 0, "error code in STATUS"),
	NATIVE_HIGH_FIELDS(struct console, high),
	BIS_FIELD_END,
};

static const struct bis_option console_options[] = {
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device behind it"},
	{0},
};

/* The conditions that hold now, numbered as in ENABLE. */
static uint32_t conditions(const struct console *c)
{
	uint32_t now = 0;

	if (bis_chardev_readable(c->chardev))
		now |= CONSOLE_ENABLE_INPUT;
	if (bis_chardev_at_eof(c->chardev))
		now |= CONSOLE_ENABLE_END;
	if (bis_chardev_room(c->chardev))
		now |= CONSOLE_ENABLE_ROOM;
	return now;
}

static void update_irq(struct console *c)
{
	bis_irq_set(c->irq, (conditions(c) & c->enable) != 0);
}

static void console_notify(void *arg)
{
	update_irq(arg);
}

static uint64_t status(const struct console *c)
{
	uint32_t now = conditions(c);
	uint32_t own = 0;

	if (bis_chardev_interactive(c->chardev))
		own |= CONSOLE_STATUS_INTERACTIVE;
	if (now & CONSOLE_ENABLE_END)
		own |= CONSOLE_STATUS_END;
	if (!(now & CONSOLE_ENABLE_ROOM))
		own |= CONSOLE_STATUS_FULL;
	if (now & CONSOLE_ENABLE_INPUT)
		own |= CONSOLE_STATUS_INPUT;
	return native_status(false, (now & c->enable) != 0, c->error, own);
}

static uint64_t read_data(struct console *c)
{
	uint8_t byte;

	if (bis_chardev_read(c->chardev, &byte, 1) == 1) {
		update_irq(c);
		return byte;
	}
	return CONSOLE_DATA_EMPTY | (bis_chardev_at_eof(c->chardev) ? CONSOLE_DATA_END : 0u);
}

static void write_data(struct console *c, uint8_t byte)
{
	c->error = bis_chardev_write(c->chardev, &byte, 1) == 1 ? NATIVE_ERROR_NONE : NATIVE_ERROR_AGAIN;
	update_irq(c);
}

static void write_buffer(struct console *c, uint64_t len)
{
	uint8_t buf[4096];

	c->written = 0;
	c->error = NATIVE_ERROR_NONE;
	if (len > WRITE_MAX)
		c->error = NATIVE_ERROR_TOO_BIG;
	else if (!bis_mem_is_ram(c->memory, (bis_gpa){c->address}, len))
		c->error = NATIVE_ERROR_ADDRESS;
	while (!c->error && c->written < len) {
		size_t part = len - c->written < sizeof(buf) ? (size_t)len - c->written : sizeof(buf);
		size_t taken;

		if (bis_mem_read(c->memory, (bis_gpa){c->address + c->written}, buf, part)) {
			c->error = NATIVE_ERROR_ADDRESS;
			break;
		}
		taken = bis_chardev_write(c->chardev, buf, part);
		c->written += (uint32_t)taken;
		if (taken < part)
			c->error = NATIVE_ERROR_AGAIN;
	}
	update_irq(c);
}

static uint64_t console_read(void *self, unsigned reg)
{
	struct console *c = self;

	switch (reg) {
	case CONSOLE_DATA:
		return read_data(c);
	case CONSOLE_COUNT:
		return bis_chardev_readable(c->chardev);
	case CONSOLE_ADDRESS:
		return native_wide_read(&c->high, c->address);
	case CONSOLE_WRITE:
		return c->written;
	case CONSOLE_ENABLE:
		return c->enable;
	case CONSOLE_HIGH:
		return c->high.read;
	case NATIVE_STATUS:
		return status(c);
	default:
		return 0;
	}
}

static void console_write(void *self, unsigned reg, uint64_t val)
{
	struct console *c = self;

	switch (reg) {
	case CONSOLE_DATA:
		write_data(c, (uint8_t)val);
		break;
	case CONSOLE_ADDRESS:
		c->address = native_wide_write(&c->high, val);
		break;
	case CONSOLE_WRITE:
		write_buffer(c, val);
		break;
	case CONSOLE_ENABLE:
		c->enable = val & (CONSOLE_ENABLE_INPUT | CONSOLE_ENABLE_END | CONSOLE_ENABLE_ROOM);
		update_irq(c);
		break;
	case CONSOLE_HIGH:
		c->high.write = (uint32_t)val;
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT)
			c->error = NATIVE_ERROR_NONE;
		break;
	default:
		break;
	}
}

static void console_reset(void *self)
{
	struct console *c = self;

	c->address = 0;
	c->written = 0;
	c->enable = 0;
	c->error = NATIVE_ERROR_NONE;
	c->high = (struct native_high){0};
	update_irq(c);
}

static void console_resume(void *self)
{
	update_irq(self);
}

static int console_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct console *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	c->memory = bis_module_memory(mod);
	c->irq = bis_module_irq(mod, 0);
	err = bis_chardev_open(bis_module_machine(mod), bis_option_text(options, "chardev"), &c->chardev);
	if (!err)
		err = bis_chardev_attach(c->chardev, console_notify, c);
	if (err) {
		free(c);
		return err;
	}
	*self = c;
	return 0;
}

static int console_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.read = console_read, .write = console_write};

	(void)self;
	return bis_attach_devcsr(mod, &registers);
}

static void console_destroy(void *self)
{
	struct console *c = self;

	bis_chardev_detach(c->chardev, c);
	free(c);
}

const struct bis_module_class bis_console_class = {
	.abi = BIS_MODULE_ABI,
	.version = CONSOLE_VERSION,
	.migratable = true,
	.irqs = 1,
	.name = "console",
	.summary = "native byte console",
	.options = console_options,
	.fields = console_fields,
	.create = console_create,
	.attach = console_attach,
	.resume = console_resume,
	.reset = console_reset,
	.destroy = console_destroy,
};
