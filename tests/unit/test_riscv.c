/*
 * The RISC-V translators: what every instruction's operations must obey (precise traps, x0, zero upper halves on rv32,
 * room), and that common instructions are as short as promised.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <biscuit/hart.h>

#include "modules/isa/riscv/riscv.h"
#include "src/translate/ir_internal.h"
#include "tests/random.h"
#include "tests/unit/unit.h"

enum { TRIES_PER_ROW = 300, MAX_SLOTS = 256 };

static uint64_t random_state = 0x7472616e736c6174;

static uint64_t random64(void)
{
	return xorshift(&random_state) * 0x2545f4914f6cdd1d;
}

struct fixture {
	struct bis_isa_spec spec;
	struct bis_decoder *decoder;
	struct bis_ir ir;
};

static struct fixture *open_fixture(const char *isa)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_ok(bis_isa_parse(isa, &f->spec));
	assert_ok(bis_decoder_create(&bis_rv_family, &bis_rv_rows, 1, &f->spec, &f->decoder));
	return f;
}

static void close_fixture(struct fixture *f)
{
	bis_decoder_destroy(f->decoder);
	free(f);
}

/* Translates one instruction at offset 0x100 of its page; false where it is illegal. */
static bool translate(struct fixture *f, uint32_t raw, unsigned fs, unsigned frm)
{
	struct bis_insn insn;

	if (!bis_decode(f->decoder, raw, &insn))
		return false;
	bis_ir_begin(&f->ir, &f->spec, fs, frm);
	bis_ir_begin_insn(&f->ir, 0x100, insn.row->len);
	insn.row->translate(&f->ir, &insn);
	return true;
}

static bool may_trap(const struct ir_node *n)
{
	switch (n->kind) {
	case IR_LOAD:
	case IR_STORE:
	case IR_LR:
	case IR_SC:
	case IR_AMO:
	case IR_TRAP:
		return true;
	case IR_CALL:
		return n->helper->flags & BIS_CALL_TRAPS;
	default:
		return false;
	}
}

static bool ends_block(const struct ir_node *n)
{
	return n->kind == IR_BRANCH || n->kind == IR_JUMP || n->kind == IR_JUMP_REG || n->kind == IR_TRAP ||
	       (n->kind == IR_CALL && (n->helper->flags & BIS_CALL_ENDS));
}

static bool reads_x0(const struct ir_node *n)
{
	bool a = n->kind != IR_FENCE && n->kind != IR_JUMP;
	bool b = a && n->kind != IR_OP1 && n->kind != IR_LOAD && n->kind != IR_LR && n->kind != IR_JUMP_REG &&
		 n->kind != IR_TRAP;
	bool c = n->kind == IR_FP;

	return (a && n->a.kind == BIS_VAL_SLOT && n->a.slot == 0) ||
	       (b && n->b.kind == BIS_VAL_SLOT && n->b.slot == 0) || (c && n->c.kind == BIS_VAL_SLOT && n->c.slot == 0);
}

/* The rules that hold for any instruction's operations. */
static const char *broken_rule(const struct bis_ir *t)
{
	bool written = false;

	if (t->nodes > IR_NODES_PER_INSN)
		return "more operations than an instruction's share";
	for (unsigned k = 0; k < t->nodes; k++) {
		const struct ir_node *n = &t->node[k];

		if (written && may_trap(n))
			return "may trap after a guest register is written";
		if (n->d == 0)
			return "writes x0";
		if (reads_x0(n))
			return "reads the slot of x0";
		if (ends_block(n) && k + 1 != t->nodes)
			return "goes on behind the end of the block";
		written |= n->d < BIS_IR_MAX_GUEST_SLOTS;
	}
	return NULL;
}

static void check_rules(const char *isa, unsigned width)
{
	struct fixture *f = open_fixture(isa);

	for (size_t n = 0; n < bis_rv_rows.count; n++) {
		const struct bis_insn_row *row = &bis_rv_rows.rows[n];

		for (unsigned try = 0; (row->xlens & width) && try < TRIES_PER_ROW; try++) {
			uint32_t raw = row->match | ((uint32_t)random64() & ~row->mask);
			const char *broken;

			if (!translate(f, raw, (unsigned)random64() & 3, (unsigned)random64() & 7))
				continue;
			broken = broken_rule(&f->ir);
			if (broken)
				print_error("%s 0x%08" PRIx32 " %s: %s\n", isa, raw, row->name, broken);
			assert_null(broken);
		}
	}
	close_fixture(f);
}

static void translations_obey_the_rules(void **state)
{
	(void)state;
	print_message("seed 0x%016" PRIx64 "\n", random_state);
	check_rules("rv32", BIS_X32);
	check_rules("rv64", BIS_X64);
	check_rules("rv32gb", BIS_X32);
	check_rules("rv64gb", BIS_X64);
}

static uint64_t value_of(struct bis_val v, const uint64_t *slot)
{
	return v.kind == BIS_VAL_SLOT ? slot[v.slot] : (uint64_t)v.imm;
}

/* Runs an instruction that has pure operations alone; false if it has others. */
static bool run_pure(const struct bis_ir *t, uint64_t *slot)
{
	for (unsigned k = 0; k < t->nodes; k++) {
		const struct ir_node *n = &t->node[k];

		if (n->kind != IR_OP1 && n->kind != IR_OP2)
			return false;
		if (n->a.kind == BIS_VAL_PCREL || n->b.kind == BIS_VAL_PCREL)
			return false;
		slot[n->d] = bis_ir_eval((enum bis_ir_op)n->op, value_of(n->a, slot), value_of(n->b, slot));
	}
	return true;
}

static void upper_halves_stay_zero_on_rv32(void **state)
{
	struct fixture *f = open_fixture("rv32");
	uint64_t slot[MAX_SLOTS];
	unsigned ran = 0;

	(void)state;
	for (size_t n = 0; n < bis_rv_rows.count; n++) {
		const struct bis_insn_row *row = &bis_rv_rows.rows[n];

		for (unsigned try = 0; (row->xlens & BIS_X32) && try < TRIES_PER_ROW; try++) {
			uint32_t raw = row->match | ((uint32_t)random64() & ~row->mask);

			for (unsigned k = 0; k < MAX_SLOTS; k++)
				slot[k] = k < 32 ? (uint32_t)random64() : random64();
			if (!translate(f, raw, 3, 0) || !run_pure(&f->ir, slot))
				continue;
			ran++;
			for (unsigned k = 0; k < 32; k++) {
				if (slot[k] > UINT32_MAX)
					print_error("0x%08" PRIx32 " %s: x%u is 0x%" PRIx64 "\n", raw, row->name, k,
						    slot[k]);
				assert_true(slot[k] <= UINT32_MAX);
			}
		}
	}
	assert_true(ran > 10000);
	close_fixture(f);
}

static void pure_results_are_the_specified_ones(void **state)
{
	/* a0 = op(a1, a2) for a1 = 0x8000000280000001, a2 = 0x123456789abcdef4 (their low halves on rv32) */
	static const struct {
		const char *isa;
		uint32_t raw;
		uint64_t result;
	} known[] = {
		{"rv64", 0x00c58533, 0x9234567b1abcdef5},
		{"rv32", 0x00c58533, 0x1abcdef5}, /* add */
		{"rv64", 0x00c5853b, 0x000000001abcdef5},
		{"rv64", 0x40c5853b, 0xffffffffe543210d}, /* addw, subw */
		{"rv64", 0xfff58513, 0x8000000280000000},
		{"rv32", 0xfff58513, 0x80000000}, /* addi -1 */
		{"rv64", 0xffe5851b, 0x000000007fffffff},
		{"rv64", 0x0005851b, 0xffffffff80000001}, /* addiw */
		{"rv64", 0xfff5f513, 0x8000000280000001},
		{"rv32", 0xfff5f513, 0x80000001}, /* andi -1 */
		{"rv64", 0xfff5c513, 0x7ffffffd7ffffffe},
		{"rv32", 0xfff5c513, 0x7ffffffe}, /* xori -1 */
		{"rv32", 0xfff5b513, 1},
		{"rv32", 0x0005a513, 1}, /* sltiu -1, slti 0 */
		{"rv64", 0x4015d513, 0xc000000140000000},
		{"rv32", 0x4015d513, 0xc0000000}, /* srai 1 */
		{"rv64", 0x0015d51b, 0x0000000040000000},
		{"rv64", 0x4015d51b, 0xffffffffc0000000}, /* srliw, sraiw 1 */
		{"rv64", 0x80000537, 0xffffffff80000000},
		{"rv32", 0x80000537, 0x80000000}, /* lui */
		{"rv64", 0xfff00513, UINT64_MAX},
		{"rv32", 0xfff00513, UINT32_MAX}, /* addi from x0 */
		{"rv32", 0x02c59533, 0x32a19085},
		{"rv32", 0x02c5b533, 0x4d5e6f7a}, /* mulh, mulhu */
		{"rv32", 0x0205c533, UINT32_MAX},
		{"rv64", 0x0205c53b, UINT64_MAX}, /* division by x0 */
		{"rv64", 0x08c5853b, 0x123456791abcdef5},
		{"rv64", 0x20c5c53b, 0x1234567a9abcdef8}, /* add.uw, sh2add.uw */
		{"rv32", 0x20c5e533, 0x9abcdefc},
		{"rv32", 0x40c5c533, 0xe543210a}, /* sh3add, xnor */
		{"rv32", 0x40c5e533, 0xe543210b},
		{"rv32", 0x60459513, 0x00000001}, /* orn, sext.b */
		{"rv32", 0x69865513, 0xf4debc9a},
		{"rv64", 0x6b865513, 0xf4debc9a78563412}, /* rev8 */
		{"rv32", 0x60461513, 0xfffffff4},
		{"rv64", 0x60461513, 0xfffffffffffffff4}, /* sext.b */
		{"rv64", 0x6025951b, 2},
		{"rv64", 0x6005951b, 0}, /* cpopw, clzw */
	};

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++) {
		struct fixture *f = open_fixture(known[n].isa);
		uint64_t slot[MAX_SLOTS] = {[11] = 0x8000000280000001, [12] = 0x123456789abcdef4};

		if (f->spec.xlen == 32) {
			slot[11] = (uint32_t)slot[11];
			slot[12] = (uint32_t)slot[12];
		}
		assert_true(translate(f, known[n].raw, 0, 0));
		assert_true(run_pure(&f->ir, slot));
		if (slot[10] != known[n].result)
			print_error("%s 0x%08" PRIx32 ": 0x%" PRIx64 "\n", known[n].isa, known[n].raw, slot[10]);
		assert_true(slot[10] == known[n].result);
		close_fixture(f);
	}
}

static void common_instructions_are_short(void **state)
{
	static const struct {
		const char *isa;
		uint32_t raw;
		unsigned nodes;
	} known[] = {
		{"rv64", 0x00150513, 1}, {"rv32", 0x00150513, 1}, /* addi */
		{"rv64", 0x00b50533, 1}, {"rv32", 0x00b50533, 1}, /* add */
		{"rv64", 0x00812503, 1}, {"rv32", 0x00812503, 1}, /* lw */
		{"rv64", 0x00a12423, 1}, {"rv32", 0x00810503, 2}, /* sw, lb on rv32 */
		{"rv64", 0x00b5053b, 2}, {"rv64", 0x0005051b, 1}, /* addw, sext.w */
		{"rv64", 0x00b50463, 1}, {"rv64", 0x008000ef, 2}, /* beq, jal ra */
		{"rv64", 0x0080006f, 1}, {"rv64", 0x00008067, 1}, /* j, ret */
		{"rv64", 0x852e, 1},	 {"rv64", 0x0001, 0},	  /* c.mv, c.nop */
		{"rv64", 0x00000013, 0}, {"rv64", 0x00b50033, 0}, /* results for x0 */
		{"rv64", 0x00012003, 1},			  /* but a load for x0 is done */
		{"rv64", 0x02b57553, 1}, {"rv64", 0x22b58553, 1}, /* fadd.d, fmv.d */
	};

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++) {
		struct fixture *f = open_fixture(known[n].isa);

		assert_true(translate(f, known[n].raw, 3, 0));
		if (f->ir.nodes != known[n].nodes)
			print_error("%s 0x%08" PRIx32 ": %u operations\n", known[n].isa, known[n].raw, f->ir.nodes);
		assert_int_equal(f->ir.nodes, known[n].nodes);
		close_fixture(f);
	}
}

static bool is_illegal_trap(const struct bis_ir *t, uint32_t raw)
{
	const struct ir_node *n = &t->node[0];

	return t->nodes == 1 && n->kind == IR_TRAP && n->imm == BIS_CAUSE_ILLEGAL && n->a.kind == BIS_VAL_CONST &&
	       n->a.imm == raw;
}

static void floating_point_needs_fs_and_a_valid_mode(void **state)
{
	static const uint32_t needs_fs[] = {0x00012507, 0x00a12027, 0x00b57553, 0x02b57553, 0xe0050553,
					    0xf0050553, 0x22a50553, 0xe0051553, 0xa0b52553, 0x2108};
	struct fixture *f = open_fixture("rv64");

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(needs_fs); n++) {
		assert_true(translate(f, needs_fs[n], 0, 0));
		assert_true(is_illegal_trap(&f->ir, needs_fs[n]));
		assert_true(translate(f, needs_fs[n], 1, 0));
		assert_false(is_illegal_trap(&f->ir, needs_fs[n]));
	}
	for (unsigned frm = 0; frm < 8; frm++) {
		assert_true(translate(f, 0x00b57553, 3, frm)); /* fadd.s, dynamic */
		assert_int_equal(is_illegal_trap(&f->ir, 0x00b57553), frm > 4);
		assert_true(translate(f, 0x00b51553, 3, frm)); /* fadd.s, rtz */
		assert_int_equal(f->ir.node[0].rm, 1);
		assert_true(translate(f, 0x20b50553, 3, frm)); /* fsgnj.s has no mode */
		assert_false(is_illegal_trap(&f->ir, 0x20b50553));
	}
	close_fixture(f);
}

static void the_first_change_of_floating_point_state_ends_the_block(void **state)
{
	struct fixture *f = open_fixture("rv64");

	(void)state;
	for (unsigned fs = 1; fs <= 3; fs++) {
		assert_true(translate(f, 0x02b57553, fs, 0)); /* fadd.d */
		assert_int_equal(f->ir.ended, fs != 3);
		assert_true(translate(f, 0x00012507, fs, 0)); /* flw */
		assert_int_equal(f->ir.ended, fs != 3);
		assert_true(translate(f, 0x00a12027, fs, 0)); /* fsw changes nothing */
		assert_false(f->ir.ended);
	}
	close_fixture(f);
}

static void jumps_name_calls_and_returns(void **state)
{
	static const struct {
		uint32_t raw;
		enum bis_jump_hint hint;
	} known[] = {
		{0x00008067, BIS_JUMP_RETURN}, {0x00028067, BIS_JUMP_RETURN}, {0x8082, BIS_JUMP_RETURN},
		{0x000500e7, BIS_JUMP_CALL},   {0x000502e7, BIS_JUMP_CALL},   {0x9502, BIS_JUMP_CALL},
		{0x00050067, BIS_JUMP_PLAIN},  {0x8502, BIS_JUMP_PLAIN},      {0x000080e7, BIS_JUMP_CALL},
	};
	struct fixture *f = open_fixture("rv64");

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++) {
		assert_true(translate(f, known[n].raw, 0, 0));
		assert_int_equal(f->ir.node[f->ir.nodes - 1].kind, IR_JUMP_REG);
		assert_int_equal(f->ir.node[f->ir.nodes - 1].op, known[n].hint);
	}
	/* jalr ra, 0(ra): the target is read before the link is written. */
	assert_int_equal(f->ir.nodes, 3);
	assert_int_equal(f->ir.node[1].d, 1);
	assert_true(f->ir.node[2].a.kind == BIS_VAL_SLOT && f->ir.node[2].a.slot != 1);
	close_fixture(f);
}

static void misaligned_targets_trap_without_compressed_instructions(void **state)
{
	struct fixture *with = open_fixture("rv64gc"), *without = open_fixture("rv64g");
	const struct ir_node *n = &without->ir.node[0];

	(void)state;
	assert_true(translate(with, 0x006000ef, 0, 0)); /* jal ra, .+6 */
	assert_int_equal(with->ir.node[with->ir.nodes - 1].kind, IR_JUMP);
	assert_true(translate(without, 0x006000ef, 0, 0));
	assert_int_equal(without->ir.nodes, 1);
	assert_true(n->kind == IR_TRAP && n->imm == BIS_CAUSE_FETCH_MISALIGNED);
	assert_true(n->a.kind == BIS_VAL_PCREL && n->a.imm == 0x106);
	assert_true(translate(without, 0x00b50363, 0, 0)); /* beq a0, a1, .+6: only if it is taken */
	assert_false(without->ir.ended);
	assert_true(n[1].kind == IR_CALL && (n[1].helper->flags & BIS_CALL_TRAPS));
	assert_true(translate(without, 0x00050067, 0, 0)); /* jalr zero, 0(a0) */
	assert_true(n->kind == IR_CALL && (n->helper->flags & BIS_CALL_TRAPS));
	close_fixture(with);
	close_fixture(without);
}

static void csr_accesses_end_a_block_where_they_can_matter(void **state)
{
	static const struct {
		uint32_t raw;
		bool ends;
	} known[] = {
		{0x30002573, false}, {0x30051073, false}, /* read and write mstatus */
		{0x14051573, false}, {0x34051573, false}, /* swap sscratch, mscratch */
		{0x18051073, true},  {0xc0102573, false}, /* satp, time */
		{0x5c002573, true},  {0x9c002573, true},  /* registers of devices */
		{0x0030e573, false}, {0x00302573, false}, /* set and read fcsr */
	};
	struct fixture *f = open_fixture("rv64");

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++) {
		assert_true(translate(f, known[n].raw, 3, 0));
		assert_int_equal(f->ir.ended, known[n].ends);
	}
	close_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translations_obey_the_rules),
		cmocka_unit_test(upper_halves_stay_zero_on_rv32),
		cmocka_unit_test(pure_results_are_the_specified_ones),
		cmocka_unit_test(common_instructions_are_short),
		cmocka_unit_test(floating_point_needs_fs_and_a_valid_mode),
		cmocka_unit_test(the_first_change_of_floating_point_state_ends_the_block),
		cmocka_unit_test(jumps_name_calls_and_returns),
		cmocka_unit_test(misaligned_targets_trap_without_compressed_instructions),
		cmocka_unit_test(csr_accesses_end_a_block_where_they_can_matter),
	};

	return cmocka_run_group_tests_name("riscv", tests, NULL, NULL);
}
