/*
 * Lowering: from the intermediate representation to the interpreter's code. Hart's thread.
 *
 * A block's code is: head, the operations, one end, then a stub for each direct exit. Where two adjacent operations
 * have a handler that does both, the first gets it; the second stays as it is, for when the first cannot finish.
 */
#include <string.h>

#include "src/engine/interp/interp_internal.h"

/* At most: two constants of two entries each before an operation of two entries. */
#define ENTRIES_PER_NODE  6
#define ENTRIES_PER_BLOCK 8

struct lowering {
	const struct bis_ir *t;
	struct bis_block *b;
	struct iop *at;
	struct iop *last; /* the operation just before `at`, if it is of one entry */
	enum iop_number last_number;
	bool wide;	  /* 64-bit guest */
	unsigned scratch; /* next slot for a materialised constant, downwards from the last */
};

size_t interp_room(const struct bis_ir *t)
{
	return (t->nodes * ENTRIES_PER_NODE + ENTRIES_PER_BLOCK) * sizeof(struct iop);
}

static const iop_fn handlers[IOP_COUNT] = {
#define HANDLER(name) interp_##name,
#include "src/engine/interp/handlers.def"
#undef HANDLER
};

static struct iop *put(struct lowering *l, enum iop_number number, const struct ir_node *n)
{
	struct iop *op = l->at++;
	iop_fn both = l->last ? interp_fused(l->last_number, number) : NULL;

	*op = (struct iop){.fn = handlers[number], .d = n->d, .insn = n->insn};
	if (both)
		l->last->fn = both;
	l->last = op;
	l->last_number = number;
	return op;
}

static struct iop_pointers *put_pointers(struct lowering *l, const void *p0, const void *p1)
{
	struct iop_pointers *entry = (struct iop_pointers *)(void *)l->at++;

	*entry = (struct iop_pointers){{p0, p1}};
	l->last = NULL;
	return entry;
}

static bool fits_s32(int64_t v)
{
	return v == (int32_t)v;
}

/* slot = v */
static void put_value(struct lowering *l, unsigned slot, struct bis_val v, const struct ir_node *n)
{
	struct iop *op;

	enum iop_number number = IOP_const_64;

	if (v.kind == BIS_VAL_SLOT)
		number = IOP_mov;
	else if (v.kind == BIS_VAL_PCREL)
		number = IOP_pcrel;
	else if (fits_s32(v.imm))
		number = IOP_const_s32;
	else if (v.imm >= 0 && v.imm <= (int64_t)UINT32_MAX)
		number = IOP_const_u32;
	op = put(l, number, n);
	op->d = (uint8_t)slot;
	op->a = v.slot;
	op->imm = (int32_t)v.imm;
	if (number == IOP_const_64)
		put_pointers(l, NULL, (const void *)(uintptr_t)v.imm);
}

/* The slot that holds v, which may first have to be put into a slot of its own. */
static uint8_t in_slot(struct lowering *l, struct bis_val v, const struct ir_node *n)
{
	if (v.kind == BIS_VAL_SLOT)
		return v.slot;
	if (v.kind == BIS_VAL_CONST && v.imm == 0)
		return HART_ZERO_SLOT;
	put_value(l, l->scratch, v, n);
	return (uint8_t)l->scratch--;
}

/* --- Pure operations --- */

/* The four forms of a binary operation, and whether it works on the low halves only. */
struct binary_forms {
	uint16_t rr, ri, rr_sx, ri_sx;
	bool low_half;
};

static const struct binary_forms binary[BIS_IR_PURE_COUNT] = {
#define IR_UNARY(name, help)
#define IR_BINARY(name, commutes, help)                                                                                \
	[BIS_IR_##name] = {IOP_##name##_rr, IOP_##name##_ri, IOP_##name##_rr_sx, IOP_##name##_ri_sx,                   \
			   BIS_IR_##name >= BIS_IR_add32},
#include <biscuit/ir.def>
};

static const uint16_t unary[BIS_IR_PURE_COUNT] = {
#define IR_UNARY(name, help) [BIS_IR_##name] = IOP_##name,
#define IR_BINARY(name, commutes, help)
#include <biscuit/ir.def>
};

static void lower_op1(struct lowering *l, const struct ir_node *n)
{
	struct iop *op;
	uint8_t a;

	if (n->op == BIS_IR_mov) {
		put_value(l, n->d, n->a, n);
		return;
	}
	a = in_slot(l, n->a, n);
	op = put(l, (enum iop_number)unary[n->op], n);
	op->a = a;
}

/* The handler of an operation with a constant that is 32 bits, zero-extended; IOP_COUNT if there is none. */
static enum iop_number u32_form(const struct ir_node *n)
{
	if (n->b.kind != BIS_VAL_CONST || fits_s32(n->b.imm) || n->b.imm != (int64_t)(uint32_t)n->b.imm)
		return IOP_COUNT;
	switch (n->op) {
	case BIS_IR_and:
		return IOP_and_ri_u32;
	case BIS_IR_or:
		return IOP_or_ri_u32;
	case BIS_IR_xor:
		return IOP_xor_ri_u32;
	default:
		return IOP_COUNT;
	}
}

static void lower_op2(struct lowering *l, const struct ir_node *n, bool sext, unsigned d)
{
	const struct binary_forms *forms = &binary[n->op];
	uint8_t a = in_slot(l, n->a, n), b = 0;
	unsigned number = u32_form(n);
	struct iop *op;

	if (n->b.kind == BIS_VAL_CONST && (fits_s32(n->b.imm) || forms->low_half)) {
		number = sext ? forms->ri_sx : forms->ri;
	} else if (number == IOP_COUNT) {
		b = in_slot(l, n->b, n);
		number = sext ? forms->rr_sx : forms->rr;
	}
	op = put(l, (enum iop_number)number, n);
	op->a = a;
	op->b = b;
	op->imm = n->b.kind == BIS_VAL_CONST ? (int32_t)n->b.imm : 0;
	op->d = (uint8_t)d;
}

static bool is_slot(struct bis_val v, unsigned slot)
{
	return v.kind == BIS_VAL_SLOT && v.slot == slot;
}

/* Does instruction `insn`, at n or later, read the slot? */
static bool read_later(const struct ir_node *n, const struct ir_node *end, unsigned insn, unsigned slot)
{
	for (; n < end && n->insn == insn; n++)
		if (is_slot(n->a, slot) || is_slot(n->b, slot) || is_slot(n->c, slot))
			return true;
	return false;
}

/* A low-half operation into a temporary that the next operation sign-extends and no other reads: one handler does both.
 */
static bool sext_follows(const struct ir_node *n, const struct ir_node *end)
{
	const struct ir_node *next = n + 1;

	return next < end && next->kind == IR_OP1 && next->op == BIS_IR_sext32 && next->insn == n->insn &&
	       is_slot(next->a, n->d) && hart_is_temp(n->d) && binary[n->op].low_half &&
	       !read_later(n + 2, end, n->insn, n->d);
}

/* --- Memory --- */

#define ACCESS_ROW(kind, store)                                                                                        \
	[BIS_MEM_##kind] = {{IOP_load_##kind##_64, IOP_load_##kind##_32}, {IOP_##store##_64, IOP_##store##_32}}

/* [kind][is a store][guest is 32 bits wide] */
static const uint16_t accesses[][2][2] = {
	ACCESS_ROW(U8, store8),	  ACCESS_ROW(S8, store8),   ACCESS_ROW(U16, store16), ACCESS_ROW(S16, store16),
	ACCESS_ROW(U32, store32), ACCESS_ROW(S32, store32), ACCESS_ROW(64, store64),  ACCESS_ROW(BOXED32, store32),
};

/* A slot that holds a slot's value plus a constant of any size. */
static uint8_t put_sum(struct lowering *l, uint8_t slot, int64_t off, const struct ir_node *n)
{
	uint8_t sum = in_slot(l, bis_const(off), n);
	struct iop *op = put(l, IOP_add_rr, n);

	op->a = slot;
	op->b = sum;
	op->d = sum;
	return sum;
}

static void lower_access(struct lowering *l, const struct ir_node *n)
{
	struct bis_val base = n->a;
	int64_t off = n->imm;
	uint8_t a, b = 0;
	struct iop *op;

	if (base.kind != BIS_VAL_SLOT) {
		base.imm = (int64_t)((uint64_t)base.imm + (uint64_t)off);
		off = 0;
	}
	if (l->wide && !fits_s32(off)) {
		base = bis_slot(put_sum(l, base.slot, off, n));
		off = 0;
	}
	a = in_slot(l, base, n);
	if (n->kind == IR_STORE)
		b = in_slot(l, n->b, n);
	op = put(l, (enum iop_number)accesses[n->op][n->kind == IR_STORE][!l->wide], n);
	op->a = a;
	op->b = b;
	op->imm = (int32_t)off;
	if (n->kind == IR_LOAD && n->d == BIS_DISCARD)
		op->d = HART_SINK_SLOT;
}

static void lower_atomic(struct lowering *l, const struct ir_node *n, enum iop_number number)
{
	uint8_t a = in_slot(l, n->a, n), b = n->kind == IR_LR ? 0 : in_slot(l, n->b, n);
	struct iop *op = put(l, number, n);

	op->a = a;
	op->b = b;
	op->imm = n->bits / 8 | (n->kind == IR_AMO ? n->op << 8 : 0);
}

static void lower_fp(struct lowering *l, const struct ir_node *n)
{
	uint8_t a = in_slot(l, n->a, n), b = in_slot(l, n->b, n), c = in_slot(l, n->c, n);
	struct iop *op = put(l, n->bits == 32 ? IOP_fp32 : IOP_fp64, n);

	op->a = a;
	op->b = b;
	op->imm = n->op | n->rm << 8 | c << 16;
	if (n->d == BIS_DISCARD)
		op->d = HART_SINK_SLOT;
}

static void lower_call(struct lowering *l, const struct ir_node *n)
{
	uint8_t a = in_slot(l, n->a, n), b = in_slot(l, n->b, n);
	enum iop_number number = IOP_call;
	struct iop *op;

	if (n->helper->flags & BIS_CALL_ENDS)
		number = IOP_call_ends;
	else if (n->helper->flags & BIS_CALL_MAY_END)
		number = IOP_call_may_end;
	else if (n->helper->flags & (BIS_CALL_TRAPS | BIS_CALL_SEES_COUNT))
		number = IOP_call_traps;
	op = put(l, number, n);
	op->a = a;
	op->b = b;
	op->imm = (int32_t)n->imm;
	put_pointers(l, n->helper, l->b);
}

/* --- Ends --- */

static struct iop *put_head(struct lowering *l, unsigned insns)
{
	struct iop *head = l->at++;

	*head = (struct iop){.fn = interp_enter, .insn = (uint8_t)insns};
	put_pointers(l, l->b, NULL);
	return head;
}

/* Writes the stub of exit `index`, and has pointer `place` lead to it. */
static void put_exit(struct lowering *l, const struct ir_node *n, unsigned index, int64_t target, const void **place)
{
	const struct iop *head = put_head(l, 0);
	struct iop *stub = put(l, IOP_exit, n);
	struct bis_link *out;

	stub->d = (uint8_t)index;
	stub->imm = (int32_t)target;
	*place = head;
	out = &bis_block_exits(l->b)[index];
	*out = (struct bis_link){.site = bis_far(out, place), .stub = bis_far(out, head)};
}

#define BRANCH_ROW(cond, name)                                                                                         \
	[BIS_COND_##cond] = {{IOP_branch_##name##_64_rr, IOP_branch_##name##_64_ri},                                   \
			     {IOP_branch_##name##_32_rr, IOP_branch_##name##_32_ri}}

/* [condition][guest is 32 bits wide][right operand is a constant] */
static const uint16_t branches[][2][2] = {BRANCH_ROW(EQ, eq),	BRANCH_ROW(NE, ne),   BRANCH_ROW(LTS, lts),
					  BRANCH_ROW(GES, ges), BRANCH_ROW(LTU, ltu), BRANCH_ROW(GEU, geu)};

static void lower_branch(struct lowering *l, const struct ir_node *n)
{
	bool imm = n->b.kind == BIS_VAL_CONST && (fits_s32(n->b.imm) || !l->wide);
	uint8_t a = in_slot(l, n->a, n), b = imm ? 0 : in_slot(l, n->b, n);
	struct iop *op = put(l, (enum iop_number)branches[n->op][!l->wide][imm], n);
	struct iop_pointers *exits = put_pointers(l, NULL, NULL);

	op->a = a;
	op->b = b;
	op->imm = imm ? (int32_t)n->b.imm : 0;
	put_exit(l, n, 0, l->t->offset[n->insn + 1u], &exits->p[0]);
	put_exit(l, n, 1, n->imm, &exits->p[1]);
}

static void lower_jump(struct lowering *l, const struct ir_node *n)
{
	struct iop_pointers *exit;

	put(l, IOP_jump, n);
	exit = put_pointers(l, NULL, NULL);
	put_exit(l, n, 0, n->imm, &exit->p[0]);
}

static void lower_slot_end(struct lowering *l, const struct ir_node *n, enum iop_number number)
{
	uint8_t a = in_slot(l, n->a, n);
	struct iop *op = put(l, number, n);

	op->a = a;
	op->imm = (int32_t)n->imm;
}

static void lower_node(struct lowering *l, const struct ir_node *n)
{
	switch ((enum ir_kind)n->kind) {
	case IR_OP1:
		lower_op1(l, n);
		break;
	case IR_OP2:
		lower_op2(l, n, false, n->d);
		break;
	case IR_LOAD:
	case IR_STORE:
		lower_access(l, n);
		break;
	case IR_LR:
		lower_atomic(l, n, IOP_lr);
		break;
	case IR_SC:
		lower_atomic(l, n, IOP_sc);
		break;
	case IR_AMO:
		lower_atomic(l, n, IOP_amo);
		break;
	case IR_FENCE:
		put(l, n->op ? IOP_fence : IOP_fence_order, n);
		break;
	case IR_FP:
		lower_fp(l, n);
		break;
	case IR_CALL:
		lower_call(l, n);
		break;
	case IR_TAKE_UNLESS:
	case IR_LEAVE_IF: /* in traces, which are for other engines */
		break;
	case IR_BRANCH:
		lower_branch(l, n);
		break;
	case IR_JUMP:
		lower_jump(l, n);
		break;
	case IR_JUMP_REG:
		lower_slot_end(l, n, IOP_jump_reg);
		break;
	case IR_TRAP:
		lower_slot_end(l, n, IOP_trap);
		break;
	}
}

size_t interp_lower(const struct bis_hart *h, const struct bis_ir *t, struct bis_block *b, void *code, void *work)
{
	struct lowering l = {.t = t, .b = b, .at = code, .wide = t->isa->xlen == 64};
	const struct ir_node *end = t->node + t->nodes;

	(void)h;
	(void)work;
	put_head(&l, t->insns);
	if (t->asked_fs && b->tag != BLOCK_DEAD) /* links lead here whatever it is */
		put(&l, IOP_check_key, t->node)->imm = (int32_t)(b->tag >> BLOCK_KEY_SHIFT);
	for (const struct ir_node *n = t->node; n < end; n++) {
		l.scratch = HART_SLOTS - 1;
		if (n->kind == IR_OP2 && sext_follows(n, end)) {
			lower_op2(&l, n, true, n[1].d);
			n++;
		} else {
			lower_node(&l, n);
		}
	}
	b->code = code;
	return (size_t)((uint8_t *)l.at - (uint8_t *)code);
}
