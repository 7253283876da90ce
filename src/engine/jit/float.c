/*
 * Lowering of floating point: on SSE registers, with operands and results in the hart, rounding to nearest. The host's
 * status register gathers the flags, which mean the same. What is not done here - other rounding modes, operands that
 * are not boxed, results that are NaN - C does, on the same operands and exactly.
 */
#include "src/engine/jit/lower_internal.h"

static void copy_operands(struct lowering *l, const struct ir_node *n)
{
	jit_copy(l, n->a, RAX);
	jit_copy(l, n->b, RDX);
}

/* Zero where there is no third operand. */
static struct jit_site *site_of(struct lowering *l, const struct ir_node *n)
{
	struct jit_site *s = jit_new_site(l, n);

	s->slot = n->c.kind == BIS_VAL_SLOT ? n->c.slot : HART_ZERO_SLOT;
	return s;
}

static void by_c(struct lowering *l, const struct ir_node *n)
{
	copy_operands(l, n);
	jit_call_thunk(l, JIT_FP, site_of(l, n));
	jit_put(l, n->d, RAX);
	jit_free_acc(l);
}

/* slot = RAX */
static void put_in_memory(struct lowering *l, unsigned slot)
{
	x86_op(&l->a, X86_MOV_TO, true, RAX, jit_slot_at(slot));
	jit_float_written(l, slot, RAX);
}

/* The way through C of something that was begun here: the result goes where the operation would have put it. */
static void write_slow(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	l->acc = HART_SLOTS;
	copy_operands(l, s->node);
	jit_call_thunk(l, JIT_FP, s->site);
	if (s->reg != RAX || s->node->d == BIS_DISCARD)
		x86_op(&l->a, X86_MOV, true, s->reg, x86_in(RAX));
	else
		put_in_memory(l, s->node->d);
	x86_jmp(&l->a, s->to);
}

#define SLOW_MAX 4

/* One operation: its ways into C, which all come back to where it ends. */
struct operation {
	struct lowering *l;
	const struct ir_node *n;
	struct jit_site *site;
	struct jit_stub *slow[SLOW_MAX];
	unsigned n_slow;
};

static void slow_if(struct operation *o, enum x86_cond cond)
{
	struct jit_stub *s = jit_new_stub(o->l, o->n, write_slow);

	s->site = o->site;
	s->reg = RAX;
	s->from = x86_jcc_later(&o->l->a, cond);
	o->slow[o->n_slow++] = s;
}

/* The operation's end, with its result in the slot already, or in `reg`. */
static void end(struct operation *o, enum x86_reg reg)
{
	for (unsigned i = 0; i < o->n_slow; i++) {
		o->slow[i]->to = x86_here(&o->l->a);
		o->slow[i]->reg = (uint8_t)reg;
	}
}

static struct x86_loc upper_half(struct x86_loc at)
{
	at.disp += 4;
	return at;
}

static void check_box(struct operation *o, struct bis_val v)
{
	if (o->n->bits != 32 || jit_is_boxed(o->l, v.slot))
		return;
	x86_group(&o->l->a, X86_G_CMP, false, upper_half(jit_slot_at(v.slot)), -1);
	slow_if(o, X86_NE);
}

static enum x86_sse sized(const struct ir_node *n, enum x86_sse op)
{
	return n->bits == 64 ? op : X86_SINGLE(op);
}

static void sse_slot(struct operation *o, enum x86_sse op, unsigned xmm, struct bis_val v)
{
	x86_sse(&o->l->a, op, false, xmm, jit_float_at(o->l, v.slot));
}

/* xmm = v; the whole register, as a move of its lower part would wait for what it held. */
static void load_float(struct operation *o, unsigned xmm, struct bis_val v)
{
	struct x86_loc at = jit_float_at(o->l, v.slot);

	x86_sse(&o->l->a, at.memory ? sized(o->n, X86_MOVSD) : X86_MOVAPS, false, xmm, at);
}

/* XMM0 is the result, as a float of `bits`; a NaN is left to C. */
static void put_float(struct operation *o, unsigned bits)
{
	struct lowering *l = o->l;
	unsigned d = o->n->d;

	x86_sse(&l->a, bits == 64 ? X86_UCOMISD : X86_SINGLE(X86_UCOMISD), false, XMM0, x86_in(XMM0));
	slow_if(o, X86_P);
	x86_sse(&l->a, bits == 64 ? X86_MOVSD_TO : X86_MOVSS_TO, false, XMM0, jit_slot_at(d));
	if (bits == 32 && !jit_is_boxed(l, d))
		x86_store_const(&l->a, false, upper_half(jit_slot_at(d)), -1);
	if (l->floats && l->xmm[d])
		x86_sse(&l->a, X86_MOVAPS, false, l->xmm[d], x86_in(XMM0));
	jit_set_boxed(l, d, bits == 32);
	end(o, RAX);
}

static void arithmetic(struct operation *o, enum x86_sse op)
{
	check_box(o, o->n->a);
	check_box(o, o->n->b);
	load_float(o, XMM0, o->n->a);
	sse_slot(o, sized(o->n, op), XMM0, o->n->b);
	put_float(o, o->n->bits);
}

static void square_root(struct operation *o)
{
	check_box(o, o->n->a);
	load_float(o, XMM0, o->n->a);
	x86_sse(&o->l->a, sized(o->n, X86_SQRTSD), false, XMM0, x86_in(XMM0));
	put_float(o, o->n->bits);
}

static void fused(struct operation *o, enum x86_fma op)
{
	check_box(o, o->n->a);
	check_box(o, o->n->b);
	check_box(o, o->n->c);
	load_float(o, XMM0, o->n->a);
	load_float(o, XMM1, o->n->b);
	load_float(o, XMM2, o->n->c);
	x86_fma(&o->l->a, op, o->n->bits == 64, XMM0, XMM1, XMM2);
	put_float(o, o->n->bits);
}

/* A result of 0 or 1. Unordered operands compare as neither. */
static void compare(struct operation *o)
{
	const struct ir_node *n = o->n;
	enum x86_reg to = n->d == BIS_DISCARD ? RAX : jit_target(o->l, n->d);
	struct x86_asm *a = &o->l->a;

	check_box(o, n->a);
	check_box(o, n->b);
	if (n->op == BIS_FP_EQ) {
		load_float(o, XMM0, n->a);
		sse_slot(o, sized(n, X86_UCOMISD), XMM0, n->b);
		x86_setcc(a, X86_NP, RAX);
		x86_setcc(a, X86_E, RCX);
		x86_op(a, X86_AND, false, RCX, x86_in(RAX));
	} else { /* b against a, as only "above" is false for unordered ones */
		load_float(o, XMM0, n->b);
		sse_slot(o, sized(n, X86_COMISD), XMM0, n->a);
		x86_setcc(a, n->op == BIS_FP_LT ? X86_A : X86_AE, RCX);
	}
	x86_op(a, X86_MOVZX8, false, to, x86_in(RCX));
	end(o, to);
	jit_put(o->l, n->d, to);
}

/* To a signed integer, rounding to nearest or towards zero; the host's answer for what has none is left to C. */
static void to_integer(struct operation *o, bool wide)
{
	const struct ir_node *n = o->n;
	enum x86_reg to = n->d == BIS_DISCARD ? RAX : jit_target(o->l, n->d);
	struct x86_asm *a = &o->l->a;

	check_box(o, n->a);
	x86_sse(a, sized(n, n->rm ? X86_CVTTSD2SI : X86_CVTSD2SI), wide, RAX, jit_float_at(o->l, n->a.slot));
	x86_group(a, X86_G_CMP, wide, x86_in(RAX), 1); /* overflows for that answer alone */
	slow_if(o, X86_O);
	x86_op(a, wide ? X86_MOV : X86_MOVSXD, true, to, x86_in(RAX));
	if (!o->l->wide)
		x86_op(a, X86_MOV, false, to, x86_in(to));
	end(o, to);
	jit_put(o->l, n->d, to);
}

static void from_integer(struct operation *o)
{
	const struct ir_node *n = o->n;
	struct x86_asm *a = &o->l->a;

	x86_sse(a, X86_XORPS, false, XMM0, x86_in(XMM0));
	if (n->op == BIS_FP_FROM_U32) {
		x86_op(a, X86_MOV, false, RAX, jit_operand(o->l, n->a, RAX));
		x86_sse(a, sized(n, X86_CVTSI2SD), true, XMM0, x86_in(RAX));
	} else {
		x86_sse(a, sized(n, X86_CVTSI2SD), n->op == BIS_FP_FROM_S64, XMM0, jit_operand(o->l, n->a, RAX));
	}
	put_float(o, n->bits);
}

static void convert(struct operation *o, enum x86_sse op, unsigned bits)
{
	check_box(o, o->n->a);
	x86_sse(&o->l->a, X86_XORPS, false, XMM0, x86_in(XMM0));
	sse_slot(o, op, XMM0, o->n->a);
	put_float(o, bits);
}

/* The sign of a replaced by that of b, its opposite, or the exclusive or of both. */
static void sign(struct operation *o)
{
	const struct ir_node *n = o->n;
	struct x86_asm *a = &o->l->a;
	bool wide = n->bits == 64;

	check_box(o, n->a);
	check_box(o, n->b);
	x86_op(a, X86_MOV, wide, RAX, jit_slot_at(n->a.slot));
	if (n->op != BIS_FP_SGNJ || n->a.slot != n->b.slot) {
		x86_op(a, X86_MOV, wide, RCX, jit_slot_at(n->b.slot));
		if (n->op != BIS_FP_SGNJX)
			x86_op(a, X86_XOR, wide, RCX, x86_in(RAX));
		if (n->op == BIS_FP_SGNJN)
			x86_unary(a, X86_NOT, wide, x86_in(RCX));
		x86_shift(a, X86_SHR, wide, x86_in(RCX), wide ? 63 : 31);
		x86_shift(a, X86_SHL, wide, x86_in(RCX), wide ? 63 : 31);
		x86_op(a, X86_XOR, wide, RAX, x86_in(RCX));
	}
	x86_store(a, wide ? 8 : 4, jit_slot_at(n->d), RAX);
	if (!wide && !jit_is_boxed(o->l, n->d))
		x86_store_const(a, false, upper_half(jit_slot_at(n->d)), -1);
	jit_float_written(o->l, n->d, RAX);
	jit_set_boxed(o->l, n->d, !wide);
	end(o, RAX);
}

/* Are all operands in the hart, and the result too where it is a float? */
static bool in_memory(const struct lowering *l, const struct ir_node *n)
{
	const struct bis_val *all[] = {&n->a, &n->b, &n->c};
	bool from = n->op >= BIS_FP_FROM_S32 && n->op <= BIS_FP_FROM_U64;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(all) && !from; i++)
		if (all[i]->kind == BIS_VAL_SLOT ? l->pin[all[i]->slot] != JIT_NO_PIN : i == 0)
			return false;
	if ((n->op >= BIS_FP_EQ && n->op <= BIS_FP_LE) || (n->op >= BIS_FP_CLASS && n->op <= BIS_FP_TO_U64))
		return true;
	return n->d != BIS_DISCARD && l->pin[n->d] == JIT_NO_PIN;
}

static bool two_slots(const struct ir_node *n)
{
	return n->b.kind == BIS_VAL_SLOT;
}

/* True if it was done here. */
static bool inline_float(struct lowering *l, const struct ir_node *n, struct operation *o)
{
	bool fma = l->j->host.fma && n->rm == 0 && two_slots(n) && n->c.kind == BIS_VAL_SLOT;
	bool nearest = n->rm == 0;

	switch ((enum bis_fp_op)n->op) {
	case BIS_FP_ADD:
	case BIS_FP_SUB:
	case BIS_FP_MUL:
	case BIS_FP_DIV: {
		static const enum x86_sse ops[] = {X86_ADDSD, X86_SUBSD, X86_MULSD, X86_DIVSD};

		if (!nearest || !two_slots(n))
			return false;
		arithmetic(o, ops[n->op - BIS_FP_ADD]);
		return true;
	}
	case BIS_FP_SQRT:
		if (nearest)
			square_root(o);
		return nearest;
	case BIS_FP_MADD:
	case BIS_FP_MSUB:
	case BIS_FP_NMSUB:
	case BIS_FP_NMADD: {
		static const enum x86_fma ops[] = {X86_VFMADD213, X86_VFMSUB213, X86_VFNMADD213, X86_VFNMSUB213};

		if (fma)
			fused(o, ops[n->op - BIS_FP_MADD]);
		return fma;
	}
	case BIS_FP_EQ:
	case BIS_FP_LT:
	case BIS_FP_LE:
		if (two_slots(n))
			compare(o);
		return two_slots(n);
	case BIS_FP_SGNJ:
	case BIS_FP_SGNJN:
	case BIS_FP_SGNJX:
		if (two_slots(n))
			sign(o);
		return two_slots(n);
	case BIS_FP_TO_S32:
	case BIS_FP_TO_S64:
		if (n->rm <= 1)
			to_integer(o, n->op == BIS_FP_TO_S64);
		return n->rm <= 1;
	case BIS_FP_FROM_S32:
	case BIS_FP_FROM_U32:
	case BIS_FP_FROM_S64:
		if (nearest)
			from_integer(o);
		return nearest;
	case BIS_FP_TO_F32:
		if (nearest)
			convert(o, X86_CVTSD2SS, 32);
		return nearest;
	case BIS_FP_TO_F64:
		convert(o, X86_CVTSS2SD, 64);
		return true;
	default:
		return false;
	}
}

void jit_float(struct lowering *l, const struct ir_node *n)
{
	struct operation o = {.l = l, .n = n};

	jit_free_acc(l);
	if (in_memory(l, n)) {
		o.site = site_of(l, n);
		if (inline_float(l, n, &o))
			return;
		l->sites--;
	}
	by_c(l, n);
}
