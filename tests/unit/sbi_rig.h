/*
 * A machine on the built-in SBI for its tests: calls are made by hart 0 with the machine paused, one instruction at a
 * time; the console is a buffer.
 */
#ifndef BISCUIT_UNIT_SBI_RIG_H
#define BISCUIT_UNIT_SBI_RIG_H

#include <biscuit/chardev.h>

#include "tests/unit/rig.h"

enum { BASE = 0x10, TIME = 0x54494d45, IPI = 0x735049, RFENCE = 0x52464e43, HSM = 0x48534d };
enum { SRST = 0x53525354, DBCN = 0x4442434e };
enum { FAILED = -1, NOT_SUPPORTED = -2, INVALID_PARAM = -3, INVALID_ADDRESS = -5, ALREADY_AVAILABLE = -6 };
enum { CSR_SSTATUS = 0x100, CSR_SIE = 0x104, CSR_SIP = 0x144 };
enum { SSIP = 1 << BIS_LINE_SSIP, STIP = 1 << BIS_LINE_STIP };

#define OTHER  (RIG_CODE + 0x100) /* code for another hart, or after a call */
#define ENTRY  (RIG_CODE + 0x200) /* where the machine starts: an endless loop */
#define DTB    UINT64_C(0x80300000)
#define ALL    UINT64_MAX
#define EVENLY "rv32gc", "rv64gc"

/* --- The machine --- */

static struct {
	uint8_t out[200000];
	size_t len, room;
} tty;

static inline size_t tty_write(void *self, const uint8_t *buf, size_t len)
{
	size_t taken = len < tty.room ? len : tty.room;

	(void)self;
	memcpy(tty.out + tty.len, buf, taken);
	tty.len += taken;
	tty.room -= taken;
	return taken;
}

static inline struct bis_chardev *console(struct bis_machine *m)
{
	return bis_chardev_find(m, "console");
}

static inline void plug_console(struct bis_machine *m)
{
	static const struct bis_chardev_ops ops = {.write = tty_write};
	struct bis_chardev *c;

	tty.len = 0;
	tty.room = sizeof(tty.out);
	bis_machine_lock_devices(m);
	assert_ok(bis_chardev_create(m, "console", &ops, &tty, &c));
	bis_machine_unlock_devices(m);
}

static inline void type(struct bis_machine *m, const char *text)
{
	bis_machine_lock_devices(m);
	assert_int_equal(bis_chardev_input(console(m), (const uint8_t *)text, strlen(text)), strlen(text));
	bis_machine_unlock_devices(m);
}

/* The console takes `room` more bytes. */
static inline void make_room(struct bis_machine *m, size_t room)
{
	tty.room = room;
	bis_machine_lock_devices(m);
	bis_chardev_flush(console(m));
	bis_machine_unlock_devices(m);
}

/* A machine on the SBI that has started and is paused. */
static inline struct bis_machine *make(const char *isa, unsigned harts)
{
	static const uint32_t call_code[] = {ECALL, SPIN};
	struct bis_machine *m = rig_create(isa, harts);

	rig_add(m, "sbi");
	plug_console(m);
	RIG_LOAD(m, RIG_CODE, call_code);
	rig_set32(m, OTHER, SPIN);
	rig_set32(m, ENTRY, SPIN);
	bis_machine_set_entry(m, ENTRY, DTB, 0);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_pause(m));
	return m;
}

static inline bool narrow(struct bis_machine *m)
{
	return bis_hart_isa(rig_hart(m))->xlen == 32;
}

/* A register as a signed number. */
static inline int64_t signed_reg(struct bis_machine *m, unsigned reg)
{
	return narrow(m) ? (int32_t)rig_reg(m, reg) : (int64_t)rig_reg(m, reg);
}

/* --- Calls --- */

struct args {
	uint64_t a[6];
};

#define ARGS(...) ((struct args){{__VA_ARGS__}})

static inline void prepare(struct bis_machine *m, uint64_t eid, uint64_t fid, struct args args)
{
	struct bis_hart *h = rig_hart(m);

	for (unsigned i = 0; i < 6; i++)
		bis_hart_set_reg(h, A0 + i, args.a[i]);
	bis_hart_set_reg(h, A6, fid);
	bis_hart_set_reg(h, A7, eid);
	bis_hart_set_pc(h, RIG_CODE);
}

/* What a0 holds after a call from which hart 0 has returned. */
static inline int64_t call(struct bis_machine *m, uint64_t eid, uint64_t fid, struct args args)
{
	prepare(m, eid, fid, args);
	assert_ok(bis_machine_step(m, 1));
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 4);
	assert_int_equal(bis_hart_priv(rig_hart(m)), BIS_PRIV_S);
	return signed_reg(m, A0);
}

/* The call succeeds with this value. */
static inline void assert_value(struct bis_machine *m, uint64_t eid, uint64_t fid, struct args args, int64_t value)
{
	assert_int_equal(call(m, eid, fid, args), 0);
	assert_int_equal(signed_reg(m, A1), value);
}

static inline uint64_t sip_of(struct bis_machine *m, unsigned hart)
{
	uint64_t value = 0;

	assert_ok(bis_hart_csr_get(bis_machine_hart(m, hart), CSR_SIP, &value));
	return value & SSIP;
}

#endif
