/*
 * The block builder: appends operations to a struct bis_ir and folds what is constant. Used by the translators of
 * instruction-set modules on the hart's thread; allocates nothing.
 */
#include "src/translate/ir_eval.h"
#include "src/translate/ir_internal.h"

#include "src/cpu/hart_internal.h"

void bis_ir_begin(struct bis_ir *t, const struct bis_isa_spec *isa, unsigned fs, unsigned frm)
{
	t->isa = isa;
	t->hart = NULL;
	t->fs = fs;
	t->frm = frm;
	t->context = 0;
	t->stretch = NULL;
	t->nodes = t->insns = t->temps = 0;
	t->ended = t->trace = t->loop = t->asked_fs = false;
	t->scratch = 0;
}

void bis_ir_begin_for(struct bis_ir *t, struct bis_hart *h)
{
	bis_ir_begin(t, &h->isa, (unsigned)((h->block_key & BLOCK_KEY_FS) >> BLOCK_KEY_SHIFT), h->fp.rm);
	t->hart = h;
	t->context = (unsigned)(h->dtlb - h->tlb[0]) / TLB_ENTRIES;
	t->stretch = h->stretch_ram ? bis_stretch_choose(h) : NULL;
}

static unsigned current_offset(const struct bis_ir *t)
{
	return t->offset[t->insns - 1];
}

/* A translator that appends more than an instruction's share only loses operations of its own instruction. */
static struct ir_node *append(struct bis_ir *t, enum ir_kind kind, unsigned op, unsigned d)
{
	struct ir_node *n = &t->node[t->nodes < IR_MAX_NODES ? t->nodes++ : IR_MAX_NODES - 1];

	*n = (struct ir_node){
		.kind = (uint8_t)kind, .op = (uint8_t)op, .d = (uint8_t)d, .insn = (uint8_t)(t->insns - 1)};
	return n;
}

struct bis_val bis_ir_pc(const struct bis_ir *t, int64_t delta)
{
	return (struct bis_val){.kind = BIS_VAL_PCREL, .imm = (int64_t)current_offset(t) + delta};
}

struct bis_val bis_ir_temp(struct bis_ir *t)
{
	unsigned index = t->temps < HART_ZERO_SLOT - HART_TEMP_SLOT ? t->temps++ : 0;

	return bis_slot(HART_TEMP_SLOT + index);
}

unsigned bis_ir_xlen(const struct bis_ir *t)
{
	return t->isa->xlen;
}

bool bis_ir_has(const struct bis_ir *t, const char *ext)
{
	return bis_isa_has(t->isa, ext);
}

unsigned bis_ir_ialign(const struct bis_ir *t)
{
	return t->isa->ialign;
}

unsigned bis_ir_fs(struct bis_ir *t)
{
	t->asked_fs = true;
	return t->fs;
}

unsigned bis_ir_frm(const struct bis_ir *t)
{
	return t->frm;
}

uint32_t *bis_ir_scratch(struct bis_ir *t)
{
	return &t->scratch;
}

uint64_t bis_ir_eval(enum bis_ir_op op, uint64_t a, uint64_t b)
{
	switch (op) {
#define IR_UNARY(name, help)                                                                                           \
	case BIS_IR_##name:                                                                                            \
		return ir_##name(a, b);
#define IR_BINARY(name, commutes, help) IR_UNARY(name, help)
#include <biscuit/ir.def>
	default:
		return 0;
	}
}

static bool commutes(enum bis_ir_op op)
{
	static const bool table[BIS_IR_PURE_COUNT] = {
#define IR_UNARY(name, help)
#define IR_BINARY(name, commutes, help) [BIS_IR_##name] = commutes,
#include <biscuit/ir.def>
	};

	return table[op];
}

void bis_ir_op1(struct bis_ir *t, enum bis_ir_op op, unsigned d, struct bis_val a)
{
	struct ir_node *n;

	if (d == BIS_DISCARD || (op == BIS_IR_mov && a.kind == BIS_VAL_SLOT && a.slot == d))
		return;
	if (a.kind == BIS_VAL_CONST && op != BIS_IR_mov) {
		a = bis_const((int64_t)bis_ir_eval(op, (uint64_t)a.imm, 0));
		op = BIS_IR_mov;
	}
	n = append(t, IR_OP1, op, d);
	n->a = a;
}

/* Is `op` with constant right operand `b` the same as its left operand? */
static bool is_identity(enum bis_ir_op op, int64_t b)
{
	switch (op) {
	case BIS_IR_add:
	case BIS_IR_sub:
	case BIS_IR_or:
	case BIS_IR_xor:
	case BIS_IR_shl:
	case BIS_IR_shr:
	case BIS_IR_sar:
		return b == 0;
	case BIS_IR_and:
		return b == -1;
	default:
		return false;
	}
}

void bis_ir_op2(struct bis_ir *t, enum bis_ir_op op, unsigned d, struct bis_val a, struct bis_val b)
{
	struct ir_node *n;

	if (d == BIS_DISCARD)
		return;
	if (a.kind == BIS_VAL_CONST && b.kind == BIS_VAL_CONST) {
		bis_ir_op1(t, BIS_IR_mov, d, bis_const((int64_t)bis_ir_eval(op, (uint64_t)a.imm, (uint64_t)b.imm)));
		return;
	}
	if (a.kind == BIS_VAL_CONST && commutes(op)) {
		struct bis_val swap = a;

		a = b;
		b = swap;
	}
	if (b.kind == BIS_VAL_CONST && is_identity(op, b.imm)) {
		bis_ir_op1(t, BIS_IR_mov, d, a);
		return;
	}
	n = append(t, IR_OP2, op, d);
	n->a = a;
	n->b = b;
}

void bis_ir_load(struct bis_ir *t, enum bis_mem_kind kind, unsigned d, struct bis_val base, int64_t off)
{
	struct ir_node *n = append(t, IR_LOAD, kind, d);

	n->a = base;
	n->imm = off;
}

void bis_ir_store(struct bis_ir *t, enum bis_mem_kind kind, struct bis_val base, int64_t off, struct bis_val value)
{
	struct ir_node *n = append(t, IR_STORE, kind, BIS_DISCARD);

	n->a = base;
	n->b = value;
	n->imm = off;
}

void bis_ir_lr(struct bis_ir *t, unsigned bits, unsigned d, struct bis_val addr)
{
	struct ir_node *n = append(t, IR_LR, 0, d);

	n->bits = (uint8_t)bits;
	n->a = addr;
}

void bis_ir_sc(struct bis_ir *t, unsigned bits, unsigned d, struct bis_val addr, struct bis_val value)
{
	struct ir_node *n = append(t, IR_SC, 0, d);

	n->bits = (uint8_t)bits;
	n->a = addr;
	n->b = value;
}

void bis_ir_amo(struct bis_ir *t, enum bis_amo op, unsigned bits, unsigned d, struct bis_val addr, struct bis_val value)
{
	struct ir_node *n = append(t, IR_AMO, op, d);

	n->bits = (uint8_t)bits;
	n->a = addr;
	n->b = value;
}

void bis_ir_fence(struct bis_ir *t, bool full)
{
	append(t, IR_FENCE, full, BIS_DISCARD);
}

void bis_ir_fp(struct bis_ir *t, enum bis_fp_op op, unsigned bits, unsigned rm, unsigned d, struct bis_val a,
	       struct bis_val b, struct bis_val c)
{
	struct ir_node *n = append(t, IR_FP, op, d);

	n->bits = (uint8_t)bits;
	n->rm = (uint8_t)rm;
	n->a = a;
	n->b = b;
	n->c = c;
}

void bis_ir_call(struct bis_ir *t, const struct bis_helper *helper, unsigned d, struct bis_val a, struct bis_val b,
		 uint32_t imm)
{
	struct ir_node *n = append(t, IR_CALL, 0, d);

	n->helper = helper;
	n->a = a;
	n->b = b;
	n->imm = imm;
	if (helper->flags & BIS_CALL_ENDS)
		t->ended = true;
}

void bis_ir_branch(struct bis_ir *t, enum bis_cond cond, struct bis_val a, struct bis_val b, int64_t delta)
{
	struct ir_node *n = append(t, IR_BRANCH, cond, BIS_DISCARD);

	n->a = a;
	n->b = b;
	n->imm = (int64_t)current_offset(t) + delta;
	t->ended = true;
}

void bis_ir_jump(struct bis_ir *t, int64_t delta)
{
	append(t, IR_JUMP, 0, BIS_DISCARD)->imm = (int64_t)current_offset(t) + delta;
	t->ended = true;
}

void bis_ir_jump_reg(struct bis_ir *t, struct bis_val target, enum bis_jump_hint hint)
{
	append(t, IR_JUMP_REG, hint, BIS_DISCARD)->a = target;
	t->ended = true;
}

void bis_ir_trap(struct bis_ir *t, uint64_t cause, struct bis_val tval)
{
	struct ir_node *n = append(t, IR_TRAP, 0, BIS_DISCARD);

	n->imm = (int64_t)cause;
	n->a = tval;
	t->ended = true;
}
