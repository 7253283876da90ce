/*
 * What a translator may rely on: temporaries, discarded results, addresses of any size, helper calls with their
 * declared effects, and the limits of a block.
 */
#include "tests/unit/acts.h"

/* --- Temporaries and discarded results --- */

/* The low half both as it is and sign-extended: the first result is used again after the extension. */
static void build_both_halves(struct bis_ir *t, const struct action *act)
{
	struct bis_val low = bis_ir_temp(t);

	bis_ir_op2(t, BIS_IR_add32, low.slot, act->a, act->b);
	bis_ir_op1(t, BIS_IR_sext32, act->d, low);
	bis_ir_op1(t, BIS_IR_mov, act->d + 1, low);
}

static void a_temporary_lives_to_the_end_of_the_instruction(void **state)
{
	struct bis_machine *m = acts_machine("rv64");

	(void)state;
	program[0] = (struct action){
		.build = build_both_halves, .d = RESULT_SLOT, .a = bis_slot(EDGE_SLOT), .b = bis_const(-1)};
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, 0x180000000);
	run_actions(m, 0, 1, 1);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 0x7fffffff);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 1), 0x7fffffff);
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, 0x80000001);
	run_actions(m, 0, 1, 1);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 0xffffffff80000000);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 1), 0x80000000);
	bis_machine_destroy(m);
}

/* An access whose result nobody wants, between a temporary's making and its use. */
static void build_discarding(struct bis_ir *t, const struct action *act)
{
	struct bis_val next = bis_ir_temp(t);

	bis_ir_op2(t, BIS_IR_add, next.slot, act->a, bis_const(8));
	bis_ir_load(t, BIS_MEM_64, BIS_DISCARD, act->a, 0);
	bis_ir_fp(t, BIS_FP_ADD, 64, 0, BIS_DISCARD, act->a, act->a, bis_const(0));
	bis_ir_call(t, act->helper, BIS_DISCARD, act->a, act->b, 0);
	bis_ir_op1(t, BIS_IR_mov, act->d, next);
}

static uint64_t answer(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)h;
	return a * 3 + b * 5 + imm;
}

static void a_discarded_result_harms_nothing(void **state)
{
	static const struct bis_helper helper = {"answer", answer, 0};
	struct bis_machine *m = acts_machine("rv64");

	(void)state;
	program[0] = (struct action){
		.build = build_discarding, .d = RESULT_SLOT, .a = bis_slot(EDGE_SLOT), .helper = &helper};
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, RIG_DATA);
	rig_set64(m, RIG_DATA, 0x1111);
	run_actions(m, 0, 1, 1);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), RIG_DATA + 8);
	bis_machine_destroy(m);
}

/* --- Addresses --- */

static void an_address_is_base_plus_any_offset(const char *isa, uint64_t xmask)
{
	static const struct {
		uint64_t base;
		int64_t off;
		bool constant;
	} cases[] = {
		{RIG_DATA, 0, false},
		{RIG_DATA, 0, true},
		{RIG_DATA + 16, -16, false},
		{RIG_DATA + 16, -16, true},
		{0, (int64_t)RIG_DATA, false},
		{0, (int64_t)RIG_DATA, true},
		{RIG_DATA + 0x900000000, -0x900000000, false},
		{RIG_DATA + 8 - INT64_MAX, INT64_MAX - 8, false},
		{RIG_DATA + 0x900000000, -0x900000000, true},
	};
	struct bis_machine *m = acts_machine(isa);

	rig_set64(m, RIG_DATA, 0x8877665544332211);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		struct bis_val base = cases[i].constant ? bis_const((int64_t)cases[i].base) : bis_slot(EDGE_SLOT);

		if (((cases[i].base + (uint64_t)cases[i].off) & xmask) != RIG_DATA)
			continue;
		bis_hart_set_reg(rig_hart(m), EDGE_SLOT, cases[i].base);
		program[0] = (struct action){
			.build = build_load, .kind = BIS_MEM_U32, .d = RESULT_SLOT, .a = base, .imm = cases[i].off};
		program[1] = (struct action){.build = build_store,
					     .kind = BIS_MEM_U16,
					     .b = bis_const((int64_t)i),
					     .a = base,
					     .imm = cases[i].off + 6};
		run_actions(m, 0, 2, 2);
		assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 0x44332211);
		assert_int_equal(rig_get64(m, RIG_DATA), 0x665544332211 | (uint64_t)i << 48);
	}
	bis_machine_destroy(m);
}

static void an_address_is_base_plus_any_offset_in_both_widths(void **state)
{
	(void)state;
	an_address_is_base_plus_any_offset("rv64", UINT64_MAX);
	an_address_is_base_plus_any_offset("rv32", UINT32_MAX);
}

/* --- Helper calls --- */

static uint64_t raise_here(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)b;
	(void)imm;
	if (a)
		bis_hart_raise(h, 24, a);
	return 99;
}

static uint64_t count_here(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	uint64_t count = 0;

	(void)a;
	(void)b;
	(void)imm;
	assert_ok(bis_hart_csr_get(h, CSR_MINSTRET, &count));
	return count << 32 | (bis_hart_pc(h) & 0xffff);
}

static uint64_t go_elsewhere(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	(void)b;
	bis_hart_set_pc(h, a);
	bis_hart_set_reg(h, RESULT_SLOT + 9, imm);
	return 7;
}

static struct action count_action(unsigned d)
{
	return (struct action){.build = build_pure, .op = BIS_IR_add, .d = d, .a = bis_slot(d), .b = bis_const(1)};
}

static void a_helper_gets_its_arguments(void **state)
{
	static const struct bis_helper helper = {"answer", answer, 0};
	struct bis_machine *m = acts_machine("rv64");

	(void)state;
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, 1000);
	program[0] = (struct action){.build = build_call,
				     .helper = &helper,
				     .d = RESULT_SLOT,
				     .a = bis_slot(EDGE_SLOT),
				     .b = bis_const(-1),
				     .imm = 0xffffffff};
	run_actions(m, 0, 1, 1);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 3000 - 5 + UINT64_C(0xffffffff));
	bis_machine_destroy(m);
}

static void a_trap_of_a_helper_is_precise(void **state)
{
	static const struct bis_helper helper = {"raise", raise_here, BIS_CALL_TRAPS};
	struct bis_machine *m = acts_machine("rv64");
	uint64_t before;

	(void)state;
	program[0] = count_action(RESULT_SLOT);
	program[1] =
		(struct action){.build = build_call, .helper = &helper, .d = RESULT_SLOT + 1, .a = bis_slot(EDGE_SLOT)};
	program[2] = count_action(RESULT_SLOT);
	program[3] = program[2];
	rig_set_csr(m, CSR_MTVEC, RIG_CODE + 0x800);
	rig_set32(m, RIG_CODE + 0x800, 4 << 8 | OPCODE);
	program[4] = count_action(RESULT_SLOT + 2);
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, 0);
	run_actions(m, 0, 4, 4);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 3);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 1), 99);
	bis_hart_set_reg(rig_hart(m), RESULT_SLOT, 0);
	bis_hart_set_reg(rig_hart(m), RESULT_SLOT + 1, 55);
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, 0x77);
	before = rig_csr(m, CSR_MINSTRET);
	run_actions(m, 0, 4, 2); /* the first, and the handler's */
	assert_int_equal(rig_csr(m, CSR_MINSTRET) - before, 2);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 1);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 1), 55);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 2), 1);
	assert_int_equal(rig_csr(m, CSR_MEPC), RIG_CODE + 4);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), 24);
	assert_int_equal(rig_csr(m, CSR_MTVAL), 0x77);
	bis_machine_destroy(m);
}

static void a_helper_sees_exact_counts_and_pc(void **state)
{
	static const struct bis_helper helper = {"count", count_here, BIS_CALL_SEES_COUNT};
	struct bis_machine *m = acts_machine("rv64");
	uint64_t start = rig_csr(m, CSR_MINSTRET);

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		program[i] = i % 3 ? count_action(RESULT_SLOT + 50)
				   : (struct action){.build = build_call, .helper = &helper, .d = RESULT_SLOT + i};
	run_actions(m, 0, 40, 40);
	for (unsigned i = 0; i < 40; i += 3)
		assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + i), (start + i) << 32 | 4 * i);
	bis_machine_destroy(m);
}

static void a_helper_may_end_the_block(void **state)
{
	static const struct bis_helper leaves = {"go", go_elsewhere, BIS_CALL_ENDS | BIS_CALL_WRITES_REGS};
	static const struct bis_helper stays = {"answer", answer, BIS_CALL_ENDS};
	struct bis_machine *m = acts_machine("rv64");

	(void)state;
	program[0] = (struct action){.build = build_call, .helper = &stays, .d = RESULT_SLOT, .a = bis_const(2)};
	program[1] = (struct action){.build = build_call,
				     .helper = &leaves,
				     .d = RESULT_SLOT + 1,
				     .a = bis_const((int64_t)RIG_CODE + 0x2400),
				     .imm = 66};
	run_actions(m, 0, 2, 2);
	assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 0x2400);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), 6);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 1), 7);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + 9), 66);
	bis_machine_destroy(m);
}

/* --- Limits of the builder --- */

/* As many operations as one instruction may have, each with a constant of its own. */
static void build_long(struct bis_ir *t, const struct action *act)
{
	for (int64_t i = 0; i < IR_NODES_PER_INSN; i++)
		bis_ir_op2(t, BIS_IR_xor, act->d, bis_slot(act->d), bis_const((int64_t)0x123456789 << i));
}

static void long_instructions_fill_blocks_safely(void **state)
{
	struct bis_machine *m = acts_machine("rv64");
	uint64_t want = 0;

	(void)state;
	for (unsigned i = 0; i < IR_NODES_PER_INSN; i++)
		want ^= (uint64_t)0x123456789 << i;
	for (unsigned i = 0; i < 999; i++)
		program[i] = (struct action){.build = build_long, .d = RESULT_SLOT};
	run_actions(m, 0, 999, 999);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), want);
	for (unsigned steps = 1; steps < 100; steps++) {
		bis_hart_set_reg(rig_hart(m), RESULT_SLOT, 0);
		rig_step_at(m, RIG_CODE, steps);
		assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 4 * steps);
		assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), steps % 2 ? want : 0);
	}
	bis_machine_destroy(m);
}

static void what_no_row_matches_is_illegal(void **state)
{
	struct bis_machine *m = acts_machine("rv64");

	(void)state;
	rig_set32(m, RIG_CODE, 0x12345678);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_csr(m, CSR_MEPC), 0); /* the handler at 0 cannot be fetched either */
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_FETCH_ACCESS);
	rig_set_csr(m, CSR_MTVEC, RIG_CODE + 0x100);
	rig_set32(m, RIG_CODE + 0x100, OPCODE);
	rig_step_at(m, RIG_CODE, 1);
	assert_int_equal(rig_csr(m, CSR_MCAUSE), BIS_CAUSE_ILLEGAL);
	assert_int_equal(rig_csr(m, CSR_MTVAL), 0x12345678);
	assert_int_equal(rig_csr(m, CSR_MEPC), RIG_CODE);
	bis_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_temporary_lives_to_the_end_of_the_instruction),
		cmocka_unit_test(a_discarded_result_harms_nothing),
		cmocka_unit_test(an_address_is_base_plus_any_offset_in_both_widths),
		cmocka_unit_test(a_helper_gets_its_arguments),
		cmocka_unit_test(a_trap_of_a_helper_is_precise),
		cmocka_unit_test(a_helper_sees_exact_counts_and_pc),
		cmocka_unit_test(a_helper_may_end_the_block),
		cmocka_unit_test(long_instructions_fill_blocks_safely),
		cmocka_unit_test(what_no_row_matches_is_illegal),
	};

	return cmocka_run_group_tests_name("builder", tests, NULL, NULL);
}
