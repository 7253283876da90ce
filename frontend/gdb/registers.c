/*
 * Registers over the gdb remote protocol: numbered as gdb does for RISC-V (x0-x31, pc, f0-f31, CSRs by address, the
 * privilege). Each packet is answered from one safepoint.
 */
#include <errno.h>

#include "frontend/gdb/session.h"

#define F_SLOT 32 /* register slot of f0 */

/* Bytes of an f register; 0 without any. */
static unsigned f_size(const struct bis_hart *h)
{
	const struct bis_isa_spec *isa = bis_hart_isa(h);

	return bis_isa_has(isa, "d") ? 8 : bis_isa_has(isa, "f") ? 4 : 0;
}

static bool is_f(unsigned number)
{
	return number >= GDB_REG_F && number < GDB_REG_F + 32;
}

static bool is_csr(unsigned number)
{
	return number >= GDB_REG_CSR && number < GDB_REG_CSR + 0x1000;
}

int gdb_register_get(struct bis_hart *h, unsigned number, uint64_t *out, unsigned *size)
{
	*size = bis_hart_isa(h)->xlen / 8;
	if (number < 32) {
		*out = bis_hart_reg(h, number);
	} else if (number == GDB_REG_PC) {
		*out = bis_hart_pc(h);
	} else if (number == GDB_REG_PRIV) {
		*out = bis_hart_priv(h);
	} else if (is_csr(number)) {
		return bis_hart_csr_get(h, number - GDB_REG_CSR, out);
	} else if (is_f(number) && f_size(h)) {
		*size = f_size(h);
		*out = bis_hart_reg(h, number - GDB_REG_F + F_SLOT);
	} else {
		return -ENOENT;
	}
	return 0;
}

static int set_priv(struct bis_hart *h, uint64_t value)
{
	const struct bis_isa_spec *isa = bis_hart_isa(h);

	if (value != BIS_PRIV_M && !(value == BIS_PRIV_S && isa->misa >> 18 & 1) &&
	    !(value == BIS_PRIV_U && isa->misa >> 20 & 1))
		return -EINVAL;
	bis_hart_set_priv(h, (enum bis_priv)value);
	return 0;
}

static int set_register(struct bis_hart *h, unsigned number, uint64_t value)
{
	if (number < 32)
		bis_hart_set_reg(h, number, value);
	else if (number == GDB_REG_PC)
		bis_hart_set_pc(h, value);
	else if (number == GDB_REG_PRIV)
		return set_priv(h, value);
	else if (is_csr(number))
		return bis_hart_csr_set(h, number - GDB_REG_CSR, value);
	else if (is_f(number) && f_size(h))
		/* A single-precision value in a wider register is boxed: the upper half is ones. */
		bis_hart_set_reg(h, number - GDB_REG_F + F_SLOT,
				 f_size(h) == 4 ? value | ~(uint64_t)UINT32_MAX : value);
	else
		return -ENOENT;
	return 0;
}

/* --- Packets --- */

struct job {
	struct gdb_session *s;
	struct gdb_text *t;
	unsigned number;
	uint64_t value;
};

static int read_all(void *arg)
{
	struct job *j = arg;
	struct bis_hart *h = gdb_hart(j->s);
	struct gdb_out *o = gdb_answer(j->s);
	uint64_t value;
	unsigned size;

	for (unsigned i = 0; i < GDB_REG_CSR; i++)
		if (!gdb_register_get(h, i, &value, &size))
			gdb_put_value(o, value, size);
	return 0;
}

void gdb_read_all_registers(struct gdb_session *s)
{
	struct job j = {.s = s};

	(void)bis_machine_at_safepoint(s->m, read_all, &j);
	gdb_send(s);
}

static bool take_value(struct gdb_text *t, unsigned size, uint64_t *out)
{
	bis_le64 le = {{0}};

	if (!gdb_take_bytes(t, le.b, size))
		return false;
	*out = bis_le64_get(le);
	return true;
}

/* x registers and pc, and f registers where they are given: all of them or none. */
static int write_all(void *arg)
{
	struct job *j = arg;
	struct bis_hart *h = gdb_hart(j->s);
	uint64_t values[GDB_REG_CSR], old;
	unsigned count = 0, size;
	int err = 0;

	while (count < GDB_REG_CSR && !gdb_at_end(j->t)) {
		err = gdb_register_get(h, count, &old, &size);
		if (err || !take_value(j->t, size, &values[count]))
			return -EINVAL;
		count++;
	}
	if (!gdb_at_end(j->t) || count < GDB_REG_F)
		return -EINVAL;
	for (unsigned i = 0; i < count && !err; i++)
		err = set_register(h, i, values[i]);
	return err;
}

void gdb_write_all_registers(struct gdb_session *s, struct gdb_text *t)
{
	struct job j = {.s = s, .t = t};
	int err = bis_machine_at_safepoint(s->m, write_all, &j);

	if (err)
		gdb_error(s, err);
	else
		gdb_ok(s);
}

static int read_one(void *arg)
{
	struct job *j = arg;
	uint64_t value;
	unsigned size;
	int err = gdb_register_get(gdb_hart(j->s), j->number, &value, &size);

	if (!err)
		gdb_put_value(gdb_answer(j->s), value, size);
	return err;
}

/* A register's number. */
static bool take_number(struct gdb_text *t, unsigned *out)
{
	uint64_t v;

	if (!gdb_take_hex(t, &v) || v > GDB_REG_PRIV)
		return false;
	*out = (unsigned)v;
	return true;
}

void gdb_read_register(struct gdb_session *s, struct gdb_text *t)
{
	struct job j = {.s = s};
	int err = take_number(t, &j.number) && gdb_at_end(t) ? 0 : -EINVAL;

	if (!err)
		err = bis_machine_at_safepoint(s->m, read_one, &j);
	if (err)
		gdb_error(s, err);
	else
		gdb_send(s);
}

static int write_one(void *arg)
{
	struct job *j = arg;
	struct bis_hart *h = gdb_hart(j->s);
	uint64_t value, old;
	unsigned size;
	int err = gdb_register_get(h, j->number, &old, &size);

	if (err)
		return err;
	if (!take_value(j->t, size, &value) || !gdb_at_end(j->t))
		return -EINVAL;
	return set_register(h, j->number, value);
}

void gdb_write_register(struct gdb_session *s, struct gdb_text *t)
{
	struct job j = {.s = s, .t = t};
	int err = take_number(t, &j.number) && gdb_take_char(t, '=') ? 0 : -EINVAL;

	if (!err)
		err = bis_machine_at_safepoint(s->m, write_one, &j);
	if (err)
		gdb_error(s, err);
	else
		gdb_ok(s);
}
