/* Traces of several paths: where one goes on behind or inside another, the interpreter goes, too. */
#include "src/machine/snapshot_internal.h"
#include "tests/unit/engines_rig.h"

enum { CSR_FRM = 2, CSR_SSCRATCH = 0x140, FS_DIRTY = 3 << 13 };

/* Both run the program, one instruction after another and in longer stretches: how many traces were made. */
static uint64_t assert_alike(const char *isa, const uint32_t *code, size_t size, unsigned turns)
{
	struct twins t = twins_create((struct bis_machine_config){.isa = isa});
	struct bis_machine *both[] = {t.jit, t.interp};
	uint64_t seed = 88172645463325252, made;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(both); i++) {
		rig_write(both[i], RIG_CODE, code, size);
		rig_set_csr(both[i], CSR_MSTATUS, FS_DIRTY);
		for (unsigned reg = 1; reg < 32; reg++)
			bis_hart_set_reg(rig_hart(both[i]), reg, 0);
		bis_hart_set_reg(rig_hart(both[i]), S0, RIG_DATA);
		bis_hart_set_pc(rig_hart(both[i]), RIG_CODE);
	}
	for (unsigned i = 0; i < turns; i++)
		step_both(&t, 1 + random_next(&seed) % 30000);
	made = traces(t.jit);
	twins_destroy(&t);
	return made;
}

#define ASSERT_ALIKE(code) assert_true(assert_alike(NULL, (code), sizeof(code), 400))

/* The beq is made into values that are taken or not, before it is known who jumps behind it. */
static void a_side_path_leads_behind_a_short_jump(void **state)
{
	static const uint32_t code[] = {
		ADDI(A0, A0, 1),  /* 0 */
		ANDI(T0, A0, 1),  /* 4 */
		BEQ(T0, ZERO, 8), /* 8 */
		ADDI(A2, A2, 1),  /* 12 */
		ANDI(T1, A0, 7),  /* 16 */
		BEQ(T1, ZERO, 8), /* 20 */
		J(-24),		  /* 24 */
		ADDI(A3, A3, 1),  /* 28 */
		ADDI(A0, A0, 1),  /* 32 */
		J(-24),		  /* 36: to 12 */
	};

	(void)state;
	ASSERT_ALIKE(code);
}

/* What the rounding mode keys ends behind the write; in the trace of what follows it, that is the last instruction. */
static void a_path_ends_with_what_may_end_it(void **state)
{
	static const uint32_t with_side_path[] = {
		CSRW(CSR_FRM, T1), /* 0 */
		ADDI(A0, A0, 1),   /* 4 */
		ANDI(T0, A0, 7),   /* 8 */
		BEQ(T0, ZERO, 16), /* 12 */
		ADD(A2, A2, A0),   /* 16 */
		ANDI(T1, A0, 3),   /* 20 */
		J(-24),		   /* 24 */
		ADDI(A3, A3, 1),   /* 28 */
		ANDI(T1, A0, 1),   /* 32 */
		J(-36),		   /* 36 */
	};
	static const uint32_t unrolled[] = {
		CSRW(CSR_FRM, T1), /* 0 */
		ADDI(A0, A0, 1),   /* 4 */
		SRLI(T1, A0, 5),   /* 8 */
		ANDI(T1, T1, 3),   /* 12 */
		J(-16),		   /* 16 */
	};

	(void)state;
	ASSERT_ALIKE(with_side_path);
	ASSERT_ALIKE(unrolled);
}

static unsigned below(uint64_t *seed, unsigned limit)
{
	return (unsigned)(random_next(seed) % limit);
}

/* Jumps from anywhere to anywhere, most of them a short way ahead, over few registers. */
static uint32_t random_insn(uint64_t *seed, unsigned at, unsigned count)
{
	unsigned d = A0 + below(seed, 5), s = A0 + below(seed, 5), near = at + 2 + below(seed, 2);
	unsigned to = below(seed, 3) ? near : below(seed, count);
	int far = 4 * ((int)(to < count ? to : count - 1) - (int)at);

	switch (below(seed, 12)) {
	case 0:
	case 1:
		return BEQ(d, s, far);
	case 2:
		return BNE(d, s, far);
	case 3:
		return BLT(d, below(seed, 2) ? s : ZERO, far);
	case 4:
		return J(far);
	case 5:
		return ADD(d, d, s);
	case 6:
		return SUB(d, s, d);
	case 7:
		return ANDI(d, s, below(seed, 16));
	case 8:
		return LW(d, 4 * below(seed, 8), S0);
	case 9:
		return SW(s, 4 * below(seed, 8), S0);
	case 10:
		return below(seed, 3) ? XORI(d, s, below(seed, 32)) : CSRW(CSR_FRM, s);
	default:
		return ADDI(d, d, 1);
	}
}

static void random_paths_are_the_same(void **state)
{
	enum { PROGRAMS = 150, INSNS_MAX = 60 };
	uint32_t code[INSNS_MAX + 1];
	uint64_t made = 0;

	(void)state;
	for (unsigned i = 0; i < PROGRAMS; i++) {
		uint64_t seed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
		unsigned count = 6 + below(&seed, INSNS_MAX - 6);

		for (unsigned k = 0; k < count; k++)
			code[k] = random_insn(&seed, k, count);
		code[count] = J(-4 * (int)count);
		made += assert_alike(i % 3 ? "rv64gc" : "rv32gc", code, (count + 1) * sizeof(code[0]), 20);
	}
	assert_true(made > PROGRAMS / 2);
}

/* From the last page of 32 bits to the first and back, out of blocks and out of traces. */
static void jumps_over_the_end_of_32_bits_begin_anew(void **state)
{
	enum { LAST = 0x3000, FIRST = 0x4000, LAST_PAGE = 0xfffff000 };
	static const uint32_t last[] = {ADDI(A0, A0, 1), ANDI(T0, A0, 63), BNE(T0, ZERO, -8), J(4096 - 12)};
	static const uint32_t first[] = {ADD(A1, A1, A0), ADDI(T1, T1, 1), ANDI(T0, T1, 31), BNE(T0, ZERO, -12),
					 J(-4096 - 16)};
	struct twins t = twins_create((struct bis_machine_config){.isa = "rv32gc"});
	struct bis_machine *both[] = {t.jit, t.interp};
	uint64_t seed = 362436069;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(both); i++) {
		struct rig_tables tables = rig_tables_at(both[i], RIG_DATA + 0x1000);

		RIG_LOAD(both[i], RIG_CODE + LAST, last);
		RIG_LOAD(both[i], RIG_CODE + FIRST, first);
		rig_map(&tables, LAST_PAGE, RIG_CODE + LAST, 0, PTE_RWX);
		rig_map(&tables, 0, RIG_CODE + FIRST, 0, PTE_RWX);
		rig_enter_s(&tables);
		bis_hart_set_pc(rig_hart(both[i]), LAST_PAGE);
	}
	for (unsigned i = 0; i < 100; i++)
		step_both(&t, 1 + random_next(&seed) % 30000);
	assert_true(traces(t.jit) > 1);
	assert_true(rig_reg(t.jit, T1) > 100);
	twins_destroy(&t);
}

/* The code at an address is another one's after each fence, be it of all pages or of that one. */
static void jumps_follow_a_page_of_code_that_moves(void **state)
{
	enum { HERE = 0x3000, THERE = 0x4000, VIRTUAL = 0x40005000 };
	static const uint32_t here[] = {ADDI(A1, A1, 1), RET}, there[] = {ADDI(A1, A1, 16), ADD(A2, A2, A1), RET};
	uint64_t seed = 521288629;

	(void)state;
	for (unsigned one_page = 0; one_page < 2; one_page++) {
		const uint32_t code[] = {
			ADDI(A0, A0, 1),
			JALR(RA, 0, S0),
			ANDI(T0, A0, 31),
			BNE(T0, ZERO, -12),
			LD(T1, 0, S1),
			ADD(T1, T1, S2),
			SUB(S2, ZERO, S2),
			SD(T1, 0, S1),
			SFENCE_VMA(one_page ? S0 : ZERO, ZERO),
			J(-36),
		};
		struct twins t = twins_create((struct bis_machine_config){0});
		struct bis_machine *both[] = {t.jit, t.interp};

		for (size_t i = 0; i < BIS_ARRAY_SIZE(both); i++) {
			struct rig_tables tables = rig_tables_at(both[i], RIG_DATA + 0x1000);
			uint64_t entry = rig_pte_at(&tables, VIRTUAL, 0);

			RIG_LOAD(both[i], RIG_CODE, code);
			RIG_LOAD(both[i], RIG_CODE + HERE, here);
			RIG_LOAD(both[i], RIG_CODE + THERE, there);
			rig_map(&tables, RIG_CODE, RIG_CODE, 0, PTE_RWX);
			rig_map(&tables, VIRTUAL, RIG_CODE + HERE, 0, PTE_RWX);
			rig_map(&tables, entry & ~UINT64_C(0xfff), entry & ~UINT64_C(0xfff), 0, PTE_RWX);
			bis_hart_set_reg(rig_hart(both[i]), S0, VIRTUAL);
			bis_hart_set_reg(rig_hart(both[i]), S1, entry);
			bis_hart_set_reg(rig_hart(both[i]), S2, (THERE - HERE) >> 12 << 10);
			rig_enter_s(&tables);
			bis_hart_set_pc(rig_hart(both[i]), RIG_CODE);
		}
		for (unsigned i = 0; i < 50; i++)
			step_both(&t, 1 + random_next(&seed) % 20000);
		assert_true(rig_reg(t.jit, A2) > 1000);
		twins_destroy(&t);
	}
}

/* What a snapshot brings is as wide as the hart: translated code takes addresses as they are. */
static void restored_registers_are_as_wide_as_the_hart(void **state)
{
	static const unsigned numbers[] = {CSR_MSTATUS, CSR_MSCRATCH, CSR_MEPC, CSR_MCAUSE, CSR_MTVAL, CSR_SSCRATCH};
	struct bis_machine *m = make_jit((struct bis_machine_config){.isa = "rv32gc"});
	struct bis_hart *h = rig_hart(m);

	(void)state;
	assert_ok(bis_machine_start_paused(m));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(numbers); i++) {
		const uint32_t code[] = {CSRR(A0, numbers[i]), SPIN};

		RIG_LOAD(m, RIG_CODE, code);
		memset(&h->slots[HART_STATE_SLOT], 0xff, (HART_SLOTS - HART_STATE_SLOT) * sizeof(h->slots[0]));
		bis_hart_restored(h);
		rig_step_at(m, RIG_CODE, 2);
		assert_in_range(rig_reg(m, A0), 1, UINT32_MAX);
	}
	bis_machine_destroy(m);
}

/* Another hart may have changed the block's instruction into one that goes on in a page that cannot be fetched. */
static void a_trace_that_cannot_be_made_raises_nothing(void **state)
{
	uint64_t va = BIS_RAM_BASE + RIG_RAM_SIZE - 2;
	struct bis_machine *m = make_jit((struct bis_machine_config){0});
	const uint16_t c_nop = 1, half_of_addi = 0x13;
	struct bis_hart *h = rig_hart(m);
	struct bis_mem_page page = {0};

	(void)state;
	assert_ok(bis_machine_start_paused(m));
	rig_write(m, va, &c_nop, sizeof(c_nop));
	assert_non_null(bis_block_get(h, va));
	assert_true(bis_mem_page(m->memory, va, &page));
	memcpy(page.host + BIS_PAGE_SIZE - 2, &half_of_addi, sizeof(half_of_addi));
	for (unsigned i = 0; i < 4; i++)
		bis_block_heat(h, va);
	assert_false(h->exception);
	assert_int_equal(traces(m), 0);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_side_path_leads_behind_a_short_jump),
		cmocka_unit_test(a_path_ends_with_what_may_end_it),
		cmocka_unit_test(random_paths_are_the_same),
		cmocka_unit_test(a_trace_that_cannot_be_made_raises_nothing),
		cmocka_unit_test(jumps_over_the_end_of_32_bits_begin_anew),
		cmocka_unit_test(jumps_follow_a_page_of_code_that_moves),
		cmocka_unit_test(restored_registers_are_as_wide_as_the_hart),
	};

	return cmocka_run_group_tests_name("engine_paths", tests, NULL, NULL);
}
