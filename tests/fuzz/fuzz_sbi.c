/*
 * Fuzz target: calls to the built-in SBI on a machine with two harts. The first 8 bytes choose the register width (bit
 * 0); the records behind them are a call each: extension (an index, or a6 of the record if it is none), function and
 * arguments.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>
#include <biscuit/chardev.h>

#define RAM_SIZE  0x100000
#define CODE	  BIS_RAM_BASE
#define CALLS_MAX 8

enum { REG_A0 = 10, REG_A6 = 16, REG_A7 = 17, CSR_STVEC = 0x105 };

struct record {
	uint8_t eid, fid, user, unused[5];
	bis_le64 arg[6];
};

static const uint32_t eids[] = {0, 1,	 2,	     3,	       4,	   5,	     6,		 7,
				8, 0x10, 0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x53525354, 0x4442434e};

static void must(bool held)
{
	if (!held)
		abort();
}

static struct bis_machine *make(const char *isa)
{
	struct bis_machine_config cfg = {.ram_size = RAM_SIZE, .harts = 2, .isa = isa, .classes = bis_builtin_modules};
	static const char *const modules[] = {"riscv", "sv", "sbi", "chardev-null"};
	struct bis_machine *m = NULL;

	must(!bis_machine_create(&cfg, &m));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(modules); i++)
		must(!bis_machine_add(m, modules[i], NULL));
	bis_machine_set_entry(m, CODE, 0, 0);
	must(!bis_machine_start(m) && !bis_machine_pause(m));
	return m;
}

/* What the call read into memory may have replaced the code. */
static void restore_code(struct bis_machine *m)
{
	static const uint32_t code[] = {0x73, 0x6f, 0x6f}; /* ecall, j ., j . */

	must(!bis_mem_write(bis_machine_memory(m), (bis_gpa){CODE}, code, sizeof(code)));
	must(!bis_hart_csr_set(bis_machine_hart(m, 0), CSR_STVEC, CODE + 8));
}

static void make_call(struct bis_machine *m, const struct record *r)
{
	struct bis_hart *h = bis_machine_hart(m, 0);

	restore_code(m);
	for (unsigned i = 0; i < 6; i++)
		bis_hart_set_reg(h, REG_A0 + i, bis_le64_get(r->arg[i]));
	bis_hart_set_reg(h, REG_A6, r->fid == 0xff ? bis_le64_get(r->arg[4]) : r->fid);
	bis_hart_set_reg(h, REG_A7, r->eid < BIS_ARRAY_SIZE(eids) ? eids[r->eid] : bis_le64_get(r->arg[5]));
	bis_hart_set_pc(h, CODE);
	bis_hart_set_priv(h, r->user == 1 ? BIS_PRIV_U : BIS_PRIV_S);
	must(!bis_machine_step(m, 1));
	/* Firmware never lets guest code into M-mode. */
	must(bis_hart_priv(h) != BIS_PRIV_M);
}

/* The machine as new, whatever the calls did to it. */
static void clean_up(struct bis_machine **m, const char *isa)
{
	enum bis_stop_reason why = BIS_STOP_HOST;
	int status;

	if (bis_machine_join(*m, 0, &why, &status) == 0 && why != BIS_STOP_RESET_REQUEST) {
		bis_machine_destroy(*m);
		*m = make(isa);
	}
	must(!bis_machine_reset(*m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const isas[] = {"rv32gc", "rv64gc"};
	static struct bis_machine *machines[2];
	struct bis_machine **m;
	unsigned wide;

	if (size < 8 + sizeof(struct record))
		return 0;
	wide = data[0] & 1;
	m = &machines[wide];
	if (!*m)
		*m = make(isas[wide]);
	bis_machine_lock_devices(*m);
	bis_chardev_input(bis_chardev_find(*m, "console"), data, size);
	bis_machine_unlock_devices(*m);
	for (size_t at = 8, calls = 0; size - at >= sizeof(struct record) && calls < CALLS_MAX; calls++) {
		struct record r;

		memcpy(&r, data + at, sizeof(r));
		at += sizeof(r);
		if (bis_hart_halted(bis_machine_hart(*m, 0)))
			must(!bis_machine_reset(*m));
		make_call(*m, &r);
	}
	clean_up(m, isas[wide]);
	return 0;
}

/* Every function of an extension, with arguments that work; for both widths. */
size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static const uint64_t args[] = {1, CODE + 0x1000, 0, 64, 0, 7};
	unsigned eid = index / 2;
	size_t size = 8;

	if (eid > BIS_ARRAY_SIZE(eids) || max < 8 + 4 * sizeof(struct record))
		return 0;
	memset(buf, 0, 8);
	buf[0] = index & 1;
	for (uint8_t fid = 0; fid < 4; fid++) {
		struct record r = {.eid = (uint8_t)eid, .fid = fid};

		for (unsigned i = 0; i < BIS_ARRAY_SIZE(args); i++)
			r.arg[i] = bis_le64_make(args[i]);
		memcpy(buf + size, &r, sizeof(r));
		size += sizeof(r);
	}
	return size;
}
