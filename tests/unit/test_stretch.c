/*
 * What the jit takes for granted about M-mode's RAM and about halves of registers: edges of RAM, PMP entries that come
 * late, dirty readers, values that are not extended. The interpreter must come to the same state.
 */
#include <biscuit/debug.h>

#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"
#include "tests/unit/rig.h"

#define HANDLER (RIG_CODE + 0x1000)
#define RAM_END (BIS_RAM_BASE + RIG_RAM_SIZE)
#define WARM	400000 /* instructions after which loops have become traces */

enum { S2 = 18, S5 = 21, S6 = 22 };

#define ADDW(rd, rs1, rs2)  ASM_R(0, rs2, rs1, 0, rd, 0x3b)
#define SUBW(rd, rs1, rs2)  ASM_R(0x20, rs2, rs1, 0, rd, 0x3b)
#define ADDIW(rd, rs1, imm) (ASM_I(imm, rs1, 0, rd, 0x1b))
#define SRLIW(rd, rs1, n)   (ASM_I(n, rs1, 5, rd, 0x1b))
#define SLLIW(rd, rs1, n)   (ASM_I(n, rs1, 1, rd, 0x1b))
#define SRLI(rd, rs1, n)    (ASM_I(n, rs1, 5, rd, 0x13))
#define XOR(rd, rs1, rs2)   ASM_R(0, rs2, rs1, 4, rd, 0x33)
#define AND(rd, rs1, rs2)   ASM_R(0, rs2, rs1, 7, rd, 0x33)

/* Adds up where and why, and goes on behind. */
static const uint32_t handler[] = {
	CSRR(T1, CSR_MTVAL), ADD(S5, S5, T1), CSRR(T1, CSR_MCAUSE), ADD(S6, S6, T1),
	CSRR(T1, CSR_MEPC),  ADDI(T1, T1, 4), CSRW(CSR_MEPC, T1),   MRET,
};

struct twins {
	struct bis_machine *m[2]; /* jit and interpreter */
};

static struct bis_machine *make(const char *isa, const char *engine)
{
	struct bis_machine_config cfg = {.background = BIS_BACKGROUND_OFF,
					 .isa = isa,
					 .engine = engine,
					 .ram_size = RIG_RAM_SIZE,
					 .classes = bis_builtin_modules};
	struct bis_machine *m = NULL;

	if (bis_machine_create(&cfg, &m))
		return NULL;
	rig_add(m, "riscv");
	rig_add(m, "sv");
	assert_ok(bis_machine_start_paused(m));
	return m;
}

static void load(struct bis_machine *m, const uint32_t *code, size_t size)
{
	rig_write(m, RIG_CODE, code, size);
	RIG_LOAD(m, HANDLER, handler);
	for (unsigned reg = 1; reg < 32; reg++)
		bis_hart_set_reg(rig_hart(m), reg, 0);
	rig_set_csr(m, CSR_MTVEC, HANDLER);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

/* Ends the test where there is one engine alone. */
static struct twins twins_create(const char *isa, const uint32_t *code, size_t size)
{
	struct twins t = {{make(isa, "jit"), NULL}};

	if (!t.m[0])
		skip();
	t.m[1] = make(isa, "interp");
	for (unsigned i = 0; i < 2; i++)
		load(t.m[i], code, size);
	return t;
}

static void twins_destroy(struct twins *t)
{
	for (unsigned i = 0; i < 2; i++)
		bis_machine_destroy(t->m[i]);
}

static void set_both(struct twins *t, unsigned reg, uint64_t value)
{
	for (unsigned i = 0; i < 2; i++)
		bis_hart_set_reg(rig_hart(t->m[i]), reg, value);
}

static void step_both(struct twins *t, uint64_t count)
{
	for (unsigned i = 0; i < 2; i++)
		assert_ok(bis_machine_step(t->m[i], count));
	assert_int_equal(bis_hart_pc(rig_hart(t->m[0])), bis_hart_pc(rig_hart(t->m[1])));
	for (unsigned reg = 1; reg < 32; reg++)
		if (rig_reg(t->m[0], reg) != rig_reg(t->m[1], reg))
			fail_msg("x%u is 0x%llx and 0x%llx", reg, (unsigned long long)rig_reg(t->m[0], reg),
				 (unsigned long long)rig_reg(t->m[1], reg));
	assert_int_equal(rig_csr(t->m[0], CSR_MINSTRET), rig_csr(t->m[1], CSR_MINSTRET));
}

static void warm(struct twins *t)
{
	step_both(t, WARM);
	assert_true(bis_block_cache_stats(rig_hart(t->m[0])->cache).traces > 0);
}

/* From S0 on, S1 + 1 bytes again and again. */
static const uint32_t walk[] = {
	ADD(T0, S0, A0),  /* 0 */
	LW(A1, -4, T0),	  /* 4 */
	LB(A3, 7, T0),	  /* 8 */
	SW(A2, 4, T0),	  /* 12: the second of a pair */
	ADD(A2, A2, A1),  /* 16 */
	SH(A2, 2046, T0), /* 20 */
	ADD(A2, A2, A3),  /* 24 */
	ADDI(A0, A0, 52), /* 28 */
	AND(A0, A0, S1),  /* 32 */
	J(-36),		  /* 36 */
};

static void accesses_beyond_the_edges_of_ram_trap(void **state)
{
	static const struct {
		const char *isa;
		uint64_t base;
	} rows[] = {
		{"rv64gc", RAM_END - 0x2000},	 {"rv32gc", RAM_END - 0x2000},	  {"rv64gc", BIS_RAM_BASE - 0x8000},
		{"rv32gc", UINT32_MAX - 0x1000}, {"rv64gc", UINT64_MAX - 0x1000},
	};

	(void)state;
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		struct twins t = twins_create(rows[i].isa, walk, sizeof(walk));

		set_both(&t, S0, rows[i].base);
		set_both(&t, S1, 0x3fff);
		step_both(&t, WARM);
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 7);
		assert_true(rig_reg(t.m[0], S6) > 0);
		set_both(&t, S0, RIG_DATA);
		warm(&t);
		set_both(&t, S0, rows[i].base);
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 97);
		twins_destroy(&t);
	}
}

static void a_locked_pmp_entry_closes_a_page_late(void **state)
{
	struct twins t = twins_create("rv64gc", walk, sizeof(walk));

	(void)state;
	set_both(&t, S0, RIG_DATA);
	set_both(&t, S1, 0x3fff);
	warm(&t);
	assert_int_equal(rig_reg(t.m[0], S6), 0);
	for (unsigned i = 0; i < 2; i++) {
		rig_set_csr(t.m[i], CSR_PMPADDR0, (RIG_DATA + 0x2000) >> 2 | 0x1ff);
		rig_set_csr(t.m[i], CSR_PMPCFG0, 0x98); /* locked, 4 KiB, nothing allowed */
	}
	for (unsigned k = 0; k < 50; k++)
		step_both(&t, 1 + k * 97);
	warm(&t);
	assert_true(rig_reg(t.m[0], S6) > 0);
	twins_destroy(&t);
}

static void dirty_readers_hear_of_every_page_after_each_look(void **state)
{
	struct twins t = twins_create("rv64gc", walk, sizeof(walk));
	struct bis_dirty *d;

	(void)state;
	set_both(&t, S0, RIG_DATA);
	set_both(&t, S1, 0x3fff);
	warm(&t);
	assert_ok(bis_dirty_create(bis_machine_memory(t.m[0]), &d));
	for (unsigned i = 0; i < 5; i++) {
		uint64_t bits = 0;

		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 4, &bits));
		step_both(&t, 30000);
		assert_ok(bis_dirty_fetch(d, (bis_gpa){RIG_DATA}, 4, &bits));
		assert_int_equal(bits & 15, 15);
	}
	bis_dirty_destroy(d);
	twins_destroy(&t);
}

/* --- Halves of registers --- */

/* 32-bit values in a loop with a side path; A6 is only compared, S2 only xored, T0's access traps now and then. */
static const uint32_t halves[] = {
	ADDW(A1, A1, A0),  /* 0 */
	XOR(A2, A1, S2),   /* 4 */
	SRLIW(A3, A2, 7),  /* 8 */
	SUBW(A1, A1, A3),  /* 12 */
	SLLI(T0, A3, 32),  /* 16 */
	SRLI(T0, T0, 30),  /* 20 */
	AND(T0, T0, S1),   /* 24 */
	ADD(T0, T0, S0),   /* 28 */
	LW(A4, 0, T0),	   /* 32 */
	BLTU(A1, A6, 12),  /* 36 */
	SLLIW(A1, A1, 3),  /* 40 */
	SW(A1, 4, T0),	   /* 44 */
	BEQ(A2, ZERO, 8),  /* 48 */
	ADDIW(A5, A2, 0),  /* 52 */
	ADDIW(A0, A0, 77), /* 56 */
	BNE(A0, A7, -60),  /* 60 */
	ADD(A1, A1, A5),   /* 64: what lies above is seen */
	J(-68),		   /* 68 */
};

static void values_of_32_bits_are_extended_where_they_are_seen(void **state)
{
	static const uint64_t values[] = {0x12345678, 0xffffffff80000000, 0xfedcba9876543210, 0x80000000};

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		struct twins t = twins_create("rv64gc", halves, sizeof(halves));

		set_both(&t, S0, RAM_END - 0x1000);
		set_both(&t, S1, 0x1ffc);
		set_both(&t, S2, values[i % 4]);
		set_both(&t, A6, values[i / 4]);
		set_both(&t, A7, i & 1 ? 77 * 300 : 1);
		warm(&t);
		for (unsigned k = 0; k < 100; k++)
			step_both(&t, 1 + k % 23);
		set_both(&t, A1, values[(i + 1) % 4]);
		set_both(&t, A0, values[(i + 2) % 4]);
		for (unsigned k = 0; k < 50; k++)
			step_both(&t, 1 + k * 31);
		twins_destroy(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accesses_beyond_the_edges_of_ram_trap),
		cmocka_unit_test(a_locked_pmp_entry_closes_a_page_late),
		cmocka_unit_test(dirty_readers_hear_of_every_page_after_each_look),
		cmocka_unit_test(values_of_32_bits_are_extended_where_they_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
