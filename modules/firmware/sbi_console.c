/*
 * SBI: the debug console (DBCN extension, SBI 2.0 chapter 12, and the legacy console) on a character device. Runs on
 * the thread of the hart that calls and takes the device lock for each piece.
 */
#include "modules/firmware/sbi.h"

#define PIECE	 1024u
#define CALL_MAX 65536u /* bytes; a call moves no more and says so */

static size_t transmit(const struct sbi *s, const uint8_t *buf, size_t len)
{
	size_t taken;

	bis_machine_lock_devices(s->machine);
	taken = bis_chardev_write(s->console, buf, len);
	bis_machine_unlock_devices(s->machine);
	return taken;
}

static size_t receive(const struct sbi *s, uint8_t *buf, size_t len)
{
	size_t got;

	bis_machine_lock_devices(s->machine);
	got = bis_chardev_read(s->console, buf, len);
	bis_machine_unlock_devices(s->machine);
	return got;
}

/* The memory that the arguments of a read or write name: bytes, low and high part of the address. False: not RAM. */
static bool named_memory(const struct sbi_call *c, bis_gpa *pa, uint64_t *len)
{
	pa->v = c->arg[1];
	if (c->ones == UINT32_MAX)
		pa->v |= c->arg[2] << 32;
	else if (c->arg[2])
		return false;
	if (!bis_mem_is_ram(c->sbi->memory, *pa, c->arg[0]))
		return false;
	*len = c->arg[0] < CALL_MAX ? c->arg[0] : CALL_MAX;
	return true;
}

/* Does not wait: `value` is how many bytes the console has taken. */
int64_t bis_sbi_console_write(struct sbi_call *c)
{
	uint8_t buf[PIECE];
	uint64_t len, done = 0;
	bis_gpa pa;

	if (!named_memory(c, &pa, &len))
		return SBI_ERR_INVALID_PARAM;
	while (done < len) {
		size_t part = len - done < PIECE ? (size_t)(len - done) : PIECE, taken;

		if (bis_mem_read(c->sbi->memory, (bis_gpa){pa.v + done}, buf, part))
			return SBI_ERR_FAILED;
		taken = transmit(c->sbi, buf, part);
		done += taken;
		if (taken < part)
			break;
	}
	c->value = done;
	return SBI_SUCCESS;
}

int64_t bis_sbi_console_read(struct sbi_call *c)
{
	uint8_t buf[PIECE];
	uint64_t len, done = 0;
	bis_gpa pa;

	if (!named_memory(c, &pa, &len))
		return SBI_ERR_INVALID_PARAM;
	while (done < len) {
		size_t part = len - done < PIECE ? (size_t)(len - done) : PIECE, got;

		got = receive(c->sbi, buf, part);
		if (bis_mem_write(c->sbi->memory, (bis_gpa){pa.v + done}, buf, got))
			return SBI_ERR_FAILED;
		done += got;
		if (got < part)
			break;
	}
	c->value = done;
	return SBI_SUCCESS;
}

/* Waits for room by making the call again: the guest takes interrupts meanwhile, and the machine can be paused. */
int64_t bis_sbi_console_write_byte(struct sbi_call *c)
{
	uint8_t byte = (uint8_t)c->arg[0];

	if (transmit(c->sbi, &byte, 1) == 0)
		c->flow = SBI_REPEATS;
	return SBI_SUCCESS;
}

/* -1 when there is no input. */
int64_t bis_sbi_console_getchar(struct sbi_call *c)
{
	uint8_t byte;

	return receive(c->sbi, &byte, 1) ? byte : -1;
}
