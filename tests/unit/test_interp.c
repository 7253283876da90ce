/*
 * The block builder and the interpreter, driven by an instruction set that exists only here: instruction number n
 * carries out action[n], so each test builds the intermediate representation it is about. What the engine computes is
 * compared with bis_ir_eval, the one definition of every operation.
 */
#include <stdio.h>

#include <biscuit/isa.h>

#include "src/translate/ir_internal.h"
#include "tests/unit/rig.h"

#define MAX_ACTIONS 2048

enum { OPCODE = 0x0b, EDGE_SLOT = 32, RESULT_SLOT = 64, RESULTS = 64 };

/* What one instruction does. */
struct action {
	void (*build)(struct bis_ir *t, const struct action *act);
	enum bis_ir_op op;
	unsigned d;
	struct bis_val a, b;
	int64_t imm;
	unsigned kind; /* bis_mem_kind or bis_cond */
	const struct bis_helper *helper;
};

/* The program of the test that runs; translators have nothing else to look at. */
static struct action program[MAX_ACTIONS];

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

static void build_pure(struct bis_ir *t, const struct action *act)
{
	if (act->op < BIS_IR_add)
		bis_ir_op1(t, act->op, act->d, act->a);
	else
		bis_ir_op2(t, act->op, act->d, act->a, act->b);
}

static void build_pure_sext(struct bis_ir *t, const struct action *act)
{
	struct bis_val temp = bis_ir_temp(t);

	bis_ir_op2(t, act->op, temp.slot, act->a, act->b);
	bis_ir_op1(t, BIS_IR_sext32, act->d, temp);
}

static void build_load(struct bis_ir *t, const struct action *act)
{
	bis_ir_load(t, (enum bis_mem_kind)act->kind, act->d, act->a, act->imm);
}

static void build_store(struct bis_ir *t, const struct action *act)
{
	bis_ir_store(t, (enum bis_mem_kind)act->kind, act->a, act->imm, act->b);
}

static void build_branch(struct bis_ir *t, const struct action *act)
{
	bis_ir_branch(t, (enum bis_cond)act->kind, act->a, act->b, act->imm);
}

static void build_call(struct bis_ir *t, const struct action *act)
{
	bis_ir_call(t, act->helper, act->d, act->a, act->b, (uint32_t)act->imm);
}

static void build_pc(struct bis_ir *t, const struct action *act)
{
	bis_ir_op1(t, BIS_IR_mov, act->d, bis_ir_pc(t, act->imm));
}

/* --- The instruction set --- */

static void translate(struct bis_ir *t, const struct bis_insn *i)
{
	const struct action *act = &program[i->raw >> 8];

	act->build(t, act);
}

static unsigned length(uint16_t first)
{
	(void)first;
	return 4;
}

static bool operands(struct bis_insn *i)
{
	return i->raw >> 8 < MAX_ACTIONS && program[i->raw >> 8].build;
}

static int format_text(const struct bis_insn *i, unsigned xlen, uint64_t pc, char *buf, size_t size)
{
	(void)i;
	(void)xlen;
	(void)pc;
	return snprintf(buf, size, "act");
}

static void illegal(struct bis_ir *t, uint32_t raw)
{
	bis_ir_trap(t, BIS_CAUSE_ILLEGAL, bis_const((int64_t)raw));
}

static int create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = mod;
	return 0;
}

static int attach(struct bis_module *mod, void *self)
{
	static const struct bis_isa_family family = {
		.name = "acts", .length = length, .operands = operands, .format_text = format_text, .illegal = illegal};
	static const struct bis_insn_row row = {.name = "act",
						.ext = "xact",
						.xlens = BIS_X32 | BIS_X64,
						.len = 4,
						.match = OPCODE,
						.mask = 0xff,
						.translate = translate};

	(void)self;
	return bis_attach_isa(mod, &family, &row, 1);
}

static void destroy(void *self)
{
	(void)self;
}

static const struct bis_module_class acts_class = {.abi = BIS_MODULE_ABI,
						   .name = "acts",
						   .summary = "an instruction set of the test",
						   .create = create,
						   .attach = attach,
						   .destroy = destroy};

/* --- Running --- */

/* A paused machine with the edge values in their slots. It can make no instruction but `program`, so nothing spins. */
static struct bis_machine *acts_create(const char *isa)
{
	static const struct bis_module_class *const classes[] = {&acts_class, NULL};
	struct bis_machine *m = rig_create_with(isa, 1, classes);

	memset(program, 0, sizeof(program));
	rig_add(m, "acts");
	bis_machine_set_entry(m, RIG_CODE, 0);
	program[0] = (struct action){.build = build_branch, .kind = BIS_COND_EQ, .a = bis_const(0), .b = bis_const(0)};
	rig_set32(m, RIG_CODE, OPCODE);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_pause(m));
	for (size_t i = 0; i < EDGES; i++)
		bis_hart_set_reg(rig_hart(m), EDGE_SLOT + (unsigned)i, edges[i]);
	return m;
}

/* Lays out program[first..first+count-1] at RIG_CODE and runs `steps` instructions from there. */
static void run_actions(struct bis_machine *m, unsigned first, unsigned count, unsigned steps)
{
	uint32_t words[MAX_ACTIONS];

	for (unsigned i = 0; i < count; i++)
		words[i] = (first + i) << 8 | OPCODE;
	rig_write(m, RIG_CODE, words, count * sizeof(words[0]));
	rig_step_at(m, RIG_CODE, steps);
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

static void every_operation_is_what_it_says(const char *isa)
{
	struct bis_machine *m = acts_create(isa);

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
	(void)state;
	every_operation_is_what_it_says("rv64");
}

static void every_operation_is_what_it_says_32(void **state)
{
	(void)state;
	every_operation_is_what_it_says("rv32");
}

/* --- Random runs, for operations that are executed together --- */

#define POOL	     8 /* slots in play: RESULT_SLOT to RESULT_SLOT + POOL - 1 */
#define WINDOW_WORDS 8 /* memory in play, at RIG_DATA */
#define RUN	     48

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static unsigned random_below(uint64_t *seed, unsigned n)
{
	return (unsigned)(random_next(seed) >> 20) % n;
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
static void random_runs(const char *isa, unsigned xlen, uint64_t seed)
{
	struct bis_machine *m = acts_create(isa);
	struct model model;

	print_message("seed 0x%llx\n", (unsigned long long)seed);
	bis_hart_set_reg(rig_hart(m), EDGE_SLOT, RIG_DATA);
	for (unsigned round = 0; round < 400; round++) {
		for (unsigned i = 0; i < POOL; i++) {
			model.pool[i] = random_next(&seed);
			bis_hart_set_reg(rig_hart(m), RESULT_SLOT + i, model.pool[i]);
		}
		for (unsigned i = 0; i < sizeof(model.window); i++)
			model.window[i] = (uint8_t)random_next(&seed);
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
	(void)state;
	random_runs("rv64", 64, 0x1d872b41c2a5f3e7);
	random_runs("rv32", 32, 0x9e3779b97f4a7c15);
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

	(void)state;
	for (size_t w = 0; w < BIS_ARRAY_SIZE(widths); w++) {
		struct bis_machine *m = acts_create(widths[w] == 64 ? "rv64" : "rv32");

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
	struct bis_machine *m = acts_create("rv64");

	(void)state;
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
	struct bis_machine *m = acts_create("rv64");

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
	struct bis_machine *m = acts_create("rv64");

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
	struct bis_machine *m = acts_create(isa);

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
	struct bis_machine *m = acts_create("rv64");

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
	struct bis_machine *m = acts_create("rv64");
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
	struct bis_machine *m = acts_create("rv64");
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
	struct bis_machine *m = acts_create("rv64");

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
	struct bis_machine *m = acts_create("rv64");
	uint64_t want = 0;

	(void)state;
	for (unsigned i = 0; i < IR_NODES_PER_INSN; i++)
		want ^= (uint64_t)0x123456789 << i;
	for (unsigned i = 0; i < 999; i++)
		program[i] = (struct action){.build = build_long, .d = RESULT_SLOT};
	run_actions(m, 0, 999, 999);
	assert_int_equal(bis_hart_reg(rig_hart(m), RESULT_SLOT), want);
	bis_machine_destroy(m);
}

static void what_no_row_matches_is_illegal(void **state)
{
	struct bis_machine *m = acts_create("rv64");

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
		cmocka_unit_test(every_operation_is_what_it_says_64),
		cmocka_unit_test(every_operation_is_what_it_says_32),
		cmocka_unit_test(random_runs_match_the_model),
		cmocka_unit_test(branches_compare_in_the_guests_width),
		cmocka_unit_test(jumps_reach_any_distance),
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

	return cmocka_run_group_tests_name("interp", tests, NULL, NULL);
}
