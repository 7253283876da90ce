/*
 * Floats of a loop, which the jit keeps in SSE registers (src/engine/jit/loop_floats.c): each way in which one is
 * written, and each format, on both engines.
 */
#include "tests/unit/engines_rig.h"

#define F_OP(f7, rs2, rs1, f3, rd) ASM_R(f7, rs2, rs1, f3, rd, 0x53)
#define FADD_D(rd, a, b)	   F_OP(0x01, b, a, 7, rd)
#define FADD_D_RTZ(rd, a, b)	   F_OP(0x01, b, a, 1, rd)
#define FMUL_D(rd, a, b)	   F_OP(0x09, b, a, 7, rd)
#define FDIV_D(rd, a, b)	   F_OP(0x0d, b, a, 7, rd)
#define FSGNJN_D(rd, a, b)	   F_OP(0x11, b, a, 1, rd)
#define FEQ_D(rd, a, b)		   F_OP(0x51, b, a, 2, rd)
#define FCVT_D_W(rd, a)		   F_OP(0x69, 0, a, 7, rd)
#define FCVT_D_S(rd, a)		   F_OP(0x21, 0, a, 7, rd)
#define FCVT_W_D(rd, a)		   F_OP(0x61, 0, a, 1, rd)
#define FMV_D_X(rd, a)		   F_OP(0x79, 0, a, 0, rd)
#define FADD_S(rd, a, b)	   F_OP(0x00, b, a, 7, rd)
#define FSGNJN_S(rd, a, b)	   F_OP(0x10, b, a, 1, rd)
#define FCVT_S_W(rd, a)		   F_OP(0x68, 0, a, 7, rd)
#define FCVT_S_D(rd, a)		   F_OP(0x20, 1, a, 7, rd)
#define FMV_W_X(rd, a)		   F_OP(0x78, 0, a, 0, rd)
#define FLD(rd, imm, a)		   (ASM_I(imm, a, 3, rd, 0x07))
#define FLW(rd, imm, a)		   (ASM_I(imm, a, 2, rd, 0x07))
#define FSD(b, imm, a)		   ASM_S(imm, b, a, 3, 0x27)
#define FSW(b, imm, a)		   ASM_S(imm, b, a, 2, 0x27)
#define NOP			   ADDI(ZERO, ZERO, 0)

enum { WAY = 5, FS_DIRTY = 3 << 13 };

/* f1 to f4 are doubles, f4 is 0; f8 is a single. f2 is what is written. */
static const struct row {
	const char *name;
	bool wide;
	uint32_t way[WAY];
} rows[] = {
	{"an operation", false, {FMUL_D(2, 1, 3)}},
	{"a sum", false, {FADD_D(2, 2, 1)}},
	{"its sign", false, {FADD_D(2, 2, 1), FSGNJN_D(2, 2, 2), FADD_D(2, 2, 3)}},
	{"another sign", false, {FMUL_D(2, 1, 3), FSGNJN_D(2, 2, 1)}},
	{"an integer", false, {FCVT_D_W(2, A0)}},
	{"a load", false, {FCVT_D_W(6, A0), FSD(6, 0x108, S0), FLD(2, 0x108, S0)}},
	{"bits", true, {FCVT_D_W(6, A0), FSD(6, 0x108, S0), LD(T0, 0x108, S0), FMV_D_X(2, T0)}},
	{"no bits", true, {FADD_D(2, 2, 1), FADD_D(5, 5, 2), FMV_D_X(2, ZERO)}},
	{"a branch around it", true, {FADD_D(2, 2, 1), ANDI(T0, A0, 1), BEQ(T0, ZERO, 8), FMV_D_X(2, S1)}},
	{"C's result", false, {FDIV_D(2, 4, 4), FEQ_D(T0, 2, 2), ADD(A1, A1, T0), FADD_D(6, 1, 2), FADD_D(2, 1, 3)}},
	{"C's rounding", false, {FADD_D(2, 2, 1), FADD_D_RTZ(2, 2, 3)}},
	{"behind a call", false, {FADD_D(2, 2, 1), LW(T0, 0, S4) /* a device */, FADD_D(2, 2, 3)}},
	{"a single", false, {FADD_S(2, 8, 8), FCVT_D_S(2, 2)}},
	{"singles", false, {FCVT_S_W(5, A0), FADD_S(6, 6, 5), FSGNJN_S(7, 6, 8), FADD_S(7, 7, 5), FSW(7, 16, S0)}},
	{"a single's load", false, {FCVT_S_W(5, A0), FSW(5, 0x108, S0), FLW(6, 0x108, S0), FADD_S(7, 6, 8)}},
	{"a single's bits", false, {FMV_W_X(6, S2), FADD_S(7, 6, 8), FSW(7, 16, S0)}},
	{"a single read as a double", false, {FADD_S(7, 8, 8), FADD_D(6, 1, 7), FEQ_D(T0, 6, 6), ADD(A1, A1, T0)}},
	{"its load read so", false, {FLW(7, 0x104, S0), FADD_D(6, 1, 7), FEQ_D(T0, 6, 6), ADD(A1, A1, T0)}},
	{"rounded to a single", false, {FADD_D(2, 2, 3), FCVT_S_D(7, 2), FCVT_D_S(6, 7), FADD_D(2, 6, 1)}},
};

static void put(struct bis_machine *m, const struct row *r)
{
	static const uint32_t before[] = {FLD(1, 0x100, S0), FLD(2, 0x100, S0), FLD(3, 0x110, S0), FLW(8, 0x104, S0)};
	uint32_t behind[] = {FADD_D(9, 9, 2), FSD(9, 0, S0),   FSD(2, 8, S0),	FCVT_W_D(T1, 9),
			     FSD(6, 24, S0),  ADD(A1, A1, T1), ADDI(A0, A0, 1), J(-4 * (WAY + 7))};
	uint32_t way[WAY];

	for (size_t i = 0; i < WAY; i++)
		way[i] = r->way[i] ? r->way[i] : NOP;
	rig_write(m, RIG_CODE, before, sizeof(before));
	rig_write(m, RIG_CODE + sizeof(before), way, sizeof(way));
	rig_write(m, RIG_CODE + sizeof(before) + sizeof(way), behind, sizeof(behind));
	rig_set64(m, RIG_DATA + 0x100, UINT64_C(0x3ff8000000000000)); /* 1.5 */
	rig_set64(m, RIG_DATA + 0x110, UINT64_C(0x3fb999999999999a)); /* 0.1 */
	rig_set_csr(m, CSR_MSTATUS, FS_DIRTY);
	bis_hart_set_reg(rig_hart(m), S0, RIG_DATA);
	bis_hart_set_reg(rig_hart(m), S1, UINT64_C(0x4004000000000000));
	bis_hart_set_reg(rig_hart(m), S2, 0x40490fdb);
	bis_hart_set_reg(rig_hart(m), S4, MTIMECMP);
	bis_hart_set_pc(rig_hart(m), RIG_CODE);
}

static void assert_same_floats(struct twins *t, const char *name)
{
	for (uint64_t at = RIG_DATA; at < RIG_DATA + 32; at += 8)
		if (rig_get64(t->jit, at) != rig_get64(t->interp, at))
			fail_msg("%s: 0x%llx and 0x%llx", name, (unsigned long long)rig_get64(t->jit, at),
				 (unsigned long long)rig_get64(t->interp, at));
	for (unsigned f = 0; f < 32; f++)
		if (rig_hart(t->jit)->slots[32 + f] != rig_hart(t->interp)->slots[32 + f])
			fail_msg("%s: f%u", name, f);
	assert_int_equal(rig_csr(t->jit, 1), rig_csr(t->interp, 1));
}

static void floats_of_loops_are_what_was_written(void **state)
{
	static const char *const isas[] = {"rv64", "rv32"};

	(void)state;
	for (size_t i = 0; i < 2 * BIS_ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i / 2];
		struct twins t;

		if (r->wide && i % 2)
			continue;
		t = twins_create((struct bis_machine_config){.isa = isas[i % 2], .clock = BIS_CLOCK_VIRTUAL});
		put(t.jit, r);
		put(t.interp, r);
		step_both(&t, WARM);
		assert_true(traces(t.jit) > 0);
		for (unsigned step = 1; step < 60; step++) {
			step_both(&t, step);
			assert_same_floats(&t, r->name);
		}
		step_both(&t, 10007);
		assert_same_floats(&t, r->name);
		twins_destroy(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floats_of_loops_are_what_was_written),
	};

	return cmocka_run_group_tests_name("engine_floats", tests, NULL, NULL);
}
