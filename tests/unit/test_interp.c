/*
 * What the engines compute, compared with bis_ir_eval, the one definition of every operation: each operation in
 * each form, random runs for what is executed together, and branches.
 */
#include "tests/random.h"
#include "tests/unit/acts.h"

static const uint64_t edges[] = {
	0,
	1,
	2,
	3,
	31,
	32,
	33,
	63,
	64,
	127,
	255,
	0x7f,
	0x80,
	0x8000,
	0x7fff,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x80000001,
	0xfffff800,
	0x100000000,
	0x7fffffff80000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0x8000000000000001,
	0xffffffff80000000,
	0xffffffff7fffffff,
	0xfffffffffffffffe,
	0xffffffffffffffff,
	0x0123456789abcdef,
	0xfedcba9876543210,
};

#define EDGES BIS_ARRAY_SIZE(edges)

/* A machine with the edge values in their slots. */
static struct bis_machine *edges_create(const char *engine, const char *isa)
{
	struct bis_machine *m = acts_machine_on(engine, isa);

	for (size_t i = 0; i < EDGES; i++)
		bis_hart_set_reg(rig_hart(m), EDGE_SLOT + (unsigned)i, edges[i]);
	return m;
}

static const char *const op_names[] = {
#define IR_UNARY(name, help)		#name,
#define IR_BINARY(name, commutes, help) #name,
#include <biscuit/ir.def>
};

/* --- Pure operations --- */

enum form { SLOT_SLOT, SLOT_CONST, CONST_SLOT, CONST_CONST, FORMS };

static struct bis_val operand(bool constant, size_t edge)
{
	return constant ? bis_const((int64_t)edges[edge]) : bis_slot(EDGE_SLOT + (unsigned)edge);
}

/* All pairs of edges through one operation in one form. */
static void check_operation(struct bis_machine *m, enum bis_ir_op op, enum form form, bool sext)
{
	size_t pairs = op < BIS_IR_add ? EDGES : EDGES * EDGES;

	for (size_t at = 0; at < pairs; at += RESULTS) {
		unsigned count = (unsigned)(pairs - at < RESULTS ? pairs - at : RESULTS);

		for (unsigned i = 0; i < count; i++)
			program[i] = (struct action){
				.build = sext ? build_pure_sext : build_pure,
				.op = op,
				.d = RESULT_SLOT + i,
				.a = operand(form == CONST_SLOT || form == CONST_CONST, (at + i) % EDGES),
				.b = operand(form == SLOT_CONST || form == CONST_CONST, (at + i) / EDGES),
			};
		run_actions(m, 0, count, count);
		for (unsigned i = 0; i < count; i++) {
			uint64_t a = edges[(at + i) % EDGES], b = edges[(at + i) / EDGES];
			uint64_t want = bis_ir_eval(op, a, b), got = bis_hart_reg(rig_hart(m), RESULT_SLOT + i);

			if (sext)
				want = (uint64_t)(int64_t)(int32_t)want;
			if (got != want)
				fail_msg("%s%s(0x%llx, 0x%llx), form %d, is 0x%llx, expected 0x%llx", op_names[op],
					 sext ? " then sext32" : "", (unsigned long long)a, (unsigned long long)b, form,
					 (unsigned long long)got, (unsigned long long)want);
		}
	}
}

static void every_operation_is_what_it_says(const char *engine, const char *isa)
{
	struct bis_machine *m = edges_create(engine, isa);

	for (unsigned op = 0; op < BIS_IR_PURE_COUNT; op++) {
		check_operation(m, (enum bis_ir_op)op, SLOT_SLOT, false);
		check_operation(m, (enum bis_ir_op)op, CONST_CONST, false);
		if (op < BIS_IR_add)
			continue;
		check_operation(m, (enum bis_ir_op)op, SLOT_CONST, false);
		check_operation(m, (enum bis_ir_op)op, CONST_SLOT, false);
		check_operation(m, (enum bis_ir_op)op, SLOT_SLOT, true);
		check_operation(m, (enum bis_ir_op)op, SLOT_CONST, true);
	}
	bis_machine_destroy(m);
}

static void every_operation_is_what_it_says_64(void **state)
{
	every_operation_is_what_it_says(*state, "rv64");
}

static void every_operation_is_what_it_says_32(void **state)
{
	every_operation_is_what_it_says(*state, "rv32");
}

/* --- Random runs, for operations that are executed together --- */

#define POOL	     8 /* slots in play: RESULT_SLOT to RESULT_SLOT + POOL - 1 */
#define WINDOW_WORDS 8 /* memory in play, at RIG_DATA */
#define RUN	     48

static unsigned random_below(uint64_t *seed, unsigned n)
{
	return (unsigned)(xorshift(seed) >> 20) % n;
}

static struct bis_val random_operand(uint64_t *seed)
{
	static const int64_t small[] = {0, 1, -1, 8, 16, 31, 255, 2047, -2048};

	if (random_below(seed, 3))
		return bis_slot(RESULT_SLOT + random_below(seed, POOL));
	return bis_const(small[random_below(seed, BIS_ARRAY_SIZE(small))]);
}

static const uint8_t access_bytes[] = {1, 1, 2, 2, 4, 4, 8, 4};

static struct action random_action(uint64_t *seed, unsigned xlen)
{
	/* What real programs are made of, so that every pair of neighbours comes up. */
	static const enum bis_ir_op common[] = {BIS_IR_mov, BIS_IR_add,	  BIS_IR_and,	BIS_IR_xor,   BIS_IR_shl,
						BIS_IR_shr, BIS_IR_add32, BIS_IR_shl32, BIS_IR_shr32, BIS_IR_sub};
	struct action act = {.d = RESULT_SLOT + random_below(seed, POOL)};
	unsigned what = random_below(seed, 10);

	if (what < 6) {
		act.build = what < 2 ? build_pure_sext : build_pure;
		act.op = what == 5 ? (enum bis_ir_op)(BIS_IR_add + random_below(seed, BIS_IR_PURE_COUNT - BIS_IR_add))
				   : common[random_below(seed, BIS_ARRAY_SIZE(common))];
		if (what < 2)
			act.op = random_below(seed, 2) ? BIS_IR_add32 : BIS_IR_shl32;
		act.a = random_operand(seed);
		act.b = random_operand(seed);
		return act;
	}
	act.build = what < 8 ? build_load : build_store;
	act.kind = random_below(seed, BIS_MEM_BOXED32 + 1);
	if (act.kind == BIS_MEM_64 && xlen == 32)
		act.kind = BIS_MEM_U32;
	act.a = bis_slot(EDGE_SLOT); /* holds RIG_DATA */
	act.imm = random_below(seed, WINDOW_WORDS * 8 - 8);
	act.b = random_operand(seed);
	return act;
}

struct model {
	uint64_t pool[POOL];
	uint8_t window[WINDOW_WORDS * 8];
};

static uint64_t model_value(const struct model *s, struct bis_val v)
{
	return v.kind == BIS_VAL_CONST ? (uint64_t)v.imm : s->pool[v.slot - RESULT_SLOT];
}

static uint64_t model_load(const struct model *s, const struct action *act)
{
	unsigned bytes = access_bytes[act->kind];
	uint64_t v = 0;

	memcpy(&v, s->window + act->imm, bytes);
	switch ((enum bis_mem_kind)act->kind) {
	case BIS_MEM_S8:
		return (uint64_t)(int64_t)(int8_t)v;
	case BIS_MEM_S16:
		return (uint64_t)(int64_t)(int16_t)v;
	case BIS_MEM_S32:
		return (uint64_t)(int64_t)(int32_t)v;
	case BIS_MEM_BOXED32:
		return v | UINT64_C(0xffffffff00000000);
	default:
		return v;
	}
}

static void model_run(struct model *s, const struct action *act)
{
	uint64_t *d = &s->pool[act->d - RESULT_SLOT], a, b;

	if (act->build == build_load) {
		*d = model_load(s, act);
		return;
	}
	b = model_value(s, act->b);
	if (act->build == build_store) {
		memcpy(s->window + act->imm, &b, access_bytes[act->kind]);
		return;
	}
	a = model_value(s, act->a);
	*d = bis_ir_eval(act->op, a, b);
	if (act->build == build_pure_sext)
		*d = (uint64_t)(int64_t)(int32_t)*d;
}

/* Constants of fixed operations are 0 to 2047 and their negatives; a run stands for what a compiler emits. */
static void random_runs(const char *engine, const char *isa, unsigned xlen, uint64_t seed)
{
	struct bis_machine *m = edges_create(engine, isa);
	struct model model;

	print_message("seed 0x%llx\n", (unsigned long long)seed);
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, RIG_DATA);
	for (unsigned round = 0; round < 400; round++) {
		for (unsigned i = 0; i < POOL; i++) {
			model.pool[i] = xorshift(&seed);
			bis_hart_set_reg(rig_hart(m), RESULT_SLOT + i, model.pool[i]);
		}
		for (unsigned i = 0; i < sizeof(model.window); i++)
			model.window[i] = (uint8_t)xorshift(&seed);
		rig_write(m, RIG_DATA, model.window, sizeof(model.window));
		for (unsigned i = 0; i < RUN; i++) {
			program[i] = random_action(&seed, xlen);
			model_run(&model, &program[i]);
		}
		run_actions(m, 0, RUN, RUN);
		for (unsigned i = 0; i < POOL; i++)
			assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT + i), model.pool[i]);
		for (unsigned i = 0; i < WINDOW_WORDS; i++) {
			uint64_t want;

			memcpy(&want, model.window + 8 * i, 8);
			assert_int_equal(rig_get64(m, RIG_DATA + 8 * i), want);
		}
	}
	bis_machine_destroy(m);
}

static void random_runs_match_the_model(void **state)
{
	random_runs(*state, "rv64", 64, 0x1d872b41c2a5f3e7);
	random_runs(*state, "rv32", 32, 0x9e3779b97f4a7c15);
}

/* --- Branches --- */

static bool condition(enum bis_cond cond, uint64_t a, uint64_t b, unsigned xlen)
{
	int64_t sa = xlen == 32 ? (int32_t)a : (int64_t)a, sb = xlen == 32 ? (int32_t)b : (int64_t)b;
	uint64_t ua = xlen == 32 ? (uint32_t)a : a, ub = xlen == 32 ? (uint32_t)b : b;

	switch (cond) {
	case BIS_COND_EQ:
		return ua == ub;
	case BIS_COND_NE:
		return ua != ub;
	case BIS_COND_LTS:
		return sa < sb;
	case BIS_COND_GES:
		return sa >= sb;
	case BIS_COND_LTU:
		return ua < ub;
	case BIS_COND_GEU:
		return ua >= ub;
	}
	return false;
}

/* Each edge against 1, -1, the extremes and itself. The branch is the second instruction, so neighbours may be fused.
 */
static void check_branches(struct bis_machine *m, unsigned xlen, enum bis_cond cond, enum form form)
{
	static const uint8_t others[] = {0, 1, 16, 17, 23, 28};

	for (size_t a = 0; a < EDGES; a++) {
		for (size_t k = 0; k <= BIS_ARRAY_SIZE(others); k++) {
			size_t b = k < BIS_ARRAY_SIZE(others) ? others[k] : a;
			bool taken = condition(cond, edges[a], edges[b], xlen);

			program[0] = (struct action){.build = build_pure,
						     .op = BIS_IR_add,
						     .d = RESULT_SLOT,
						     .a = bis_slot(EDGE_SLOT),
						     .b = bis_const(0)};
			program[1] = (struct action){.build = build_branch,
						     .kind = cond,
						     .imm = 0x40,
						     .a = operand(form == CONST_SLOT || form == CONST_CONST, a),
						     .b = operand(form == SLOT_CONST || form == CONST_CONST, b)};
			run_actions(m, 0, 2, 2);
			assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + (taken ? 0x44 : 8));
		}
	}
}

static void branches_compare_in_the_guests_width(void **state)
{
	static const unsigned widths[] = {64, 32};

	for (size_t w = 0; w < BIS_ARRAY_SIZE(widths); w++) {
		struct bis_machine *m = edges_create(*state, widths[w] == 64 ? "rv64" : "rv32");

		for (unsigned cond = BIS_COND_EQ; cond <= BIS_COND_GEU; cond++)
			for (unsigned form = SLOT_SLOT; form < FORMS; form++)
				check_branches(m, widths[w], (enum bis_cond)cond, (enum form)form);
		bis_machine_destroy(m);
	}
}

/* Backwards, over the page border and far away; also the value of pc there. */
static void jumps_reach_any_distance(void **state)
{
	static const int64_t distance[] = {-4, 4, 0x1000, -0x1000, 0xffc, 0x100000, -0x7fffff00, 0x7ffff000};
	struct bis_machine *m = edges_create(*state, "rv64");

	for (size_t i = 0; i < BIS_ARRAY_SIZE(distance); i++) {
		program[0] = (struct action){.build = build_pc, .d = RESULT_SLOT, .imm = distance[i]};
		program[1] = (struct action){.build = build_branch,
					     .kind = BIS_COND_EQ,
					     .a = bis_const(0),
					     .b = bis_const(0),
					     .imm = distance[i]};
		run_actions(m, 0, 2, 2);
		assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), RIG_CODE + (uint64_t)distance[i]);
		assert_int_equal(bis_hart_pc(rig_hart(m)), RIG_CODE + 4 + (uint64_t)distance[i]);
	}
	bis_machine_destroy(m);
}

#define T(name, engine) cmocka_unit_test_prestate(name, engine)
#define TESTS(engine)                                                                                                  \
	T(every_operation_is_what_it_says_64, engine), T(every_operation_is_what_it_says_32, engine),                  \
		T(random_runs_match_the_model, engine), T(branches_compare_in_the_guests_width, engine),               \
		T(jumps_reach_any_distance, engine)

int main(void)
{
	static char interp[] = "interp";
	const struct CMUnitTest tests[] = {TESTS(interp)};
	int failed = cmocka_run_group_tests_name("interp", tests, NULL, NULL);
#ifdef HAVE_JIT
	static char jit[] = "jit";
	const struct CMUnitTest also[] = {TESTS(jit)};

	failed += cmocka_run_group_tests_name("jit", also, NULL, NULL);
#endif
	return failed;
}
