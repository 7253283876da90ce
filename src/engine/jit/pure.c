/* Lowering of pure operations. One of one operand without a row here, or that the host cannot do, is evaluated by C. */
#include <stdlib.h>

#include "src/engine/jit/lower_internal.h"

/* --- Anything, by C --- */

static void by_c(struct lowering *l, const struct ir_node *n)
{
	struct jit_site *s = jit_new_site(l, n);

	jit_free_acc(l);
	jit_copy(l, n->a, RAX);
	jit_copy(l, n->b, RDX);
	jit_call_thunk(l, JIT_PURE, s);
	jit_put(l, n->d, RAX);
}

/* --- One operand --- */

/* target = OP a, where OP reads its operand once. */
static void unary(struct lowering *l, const struct ir_node *n, enum x86_op op, bool wide)
{
	enum x86_reg to = jit_target(l, n->d);

	x86_op(&l->a, op, wide, to, jit_operand(l, n->a, RCX));
	jit_put(l, n->d, to);
}

static void in_place(struct lowering *l, const struct ir_node *n)
{
	enum x86_reg to = jit_target(l, n->d);

	jit_copy(l, n->a, to);
	x86_bswap(&l->a, to);
	jit_put(l, n->d, to);
}

static void move(struct lowering *l, const struct ir_node *n)
{
	enum x86_reg to = jit_target(l, n->d);

	/* A constant goes into memory at once, unless it is read again soon. */
	if (n->a.kind == BIS_VAL_CONST && jit_fits32(n->a.imm) && to == RAX && !hart_is_temp(n->d)) {
		jit_free_acc(l);
		jit_set_boxed(l, n->d, false);
		x86_store_const(&l->a, true, jit_slot_at(n->d), (int32_t)n->a.imm);
		jit_float_stored(l, n->d);
		return;
	}
	jit_copy(l, n->a, to);
	jit_put(l, n->d, to);
}

void jit_op1(struct lowering *l, const struct ir_node *n)
{
	const struct jit_host *host = &l->j->host;

	switch (n->op) {
	case BIS_IR_mov:
		move(l, n);
		break;
	case BIS_IR_sext8:
		unary(l, n, X86_MOVSX8, true);
		break;
	case BIS_IR_sext16:
		unary(l, n, X86_MOVSX16, true);
		break;
	case BIS_IR_sext32:
		unary(l, n, X86_MOVSXD, true);
		break;
	case BIS_IR_zext8:
		unary(l, n, X86_MOVZX8, false);
		break;
	case BIS_IR_zext16:
		unary(l, n, X86_MOVZX16, false);
		break;
	case BIS_IR_zext32:
		unary(l, n, X86_MOV, false);
		break;
	case BIS_IR_bswap:
		in_place(l, n);
		break;
	case BIS_IR_clz:
	case BIS_IR_clz32:
		if (host->lzcnt)
			unary(l, n, X86_LZCNT, n->op == BIS_IR_clz);
		else
			by_c(l, n);
		break;
	case BIS_IR_ctz:
	case BIS_IR_ctz32:
		if (host->tzcnt)
			unary(l, n, X86_TZCNT, n->op == BIS_IR_ctz);
		else
			by_c(l, n);
		break;
	case BIS_IR_cpop:
		if (host->popcnt)
			unary(l, n, X86_POPCNT, true);
		else
			by_c(l, n);
		break;
	default:
		by_c(l, n);
	}
}

/* --- Two operands --- */

/* The constant that n's right operand is, if it can be part of an instruction on that width. */
static bool constant(const struct ir_node *n, bool wide, int32_t *value)
{
	if (n->b.kind != BIS_VAL_CONST || (wide && !jit_fits32(n->b.imm)))
		return false;
	*value = (int32_t)n->b.imm;
	return true;
}

/* to = a OP b, with b where it is. */
static void combine(struct lowering *l, const struct ir_node *n, enum x86_op op, bool wide, bool commutes,
		    enum x86_reg to)
{
	struct x86_loc b = jit_operand(l, n->b, RCX);

	if (jit_is_in(l, n->a, to)) {
		x86_op(&l->a, op, wide, to, b);
	} else if (b.memory || b.reg != to) {
		jit_copy(l, n->a, to);
		x86_op(&l->a, op, wide, to, b);
	} else if (commutes) {
		x86_op(&l->a, op, wide, to, jit_operand(l, n->a, RDX));
	} else if (op == X86_SUB && n->a.kind == BIS_VAL_CONST && !n->a.imm) {
		x86_unary(&l->a, X86_NEG, wide, x86_in(to));
	} else { /* `to` holds b */
		jit_copy(l, n->a, RDX);
		x86_op(&l->a, op, wide, RDX, b);
		x86_op(&l->a, X86_MOV, true, to, x86_in(RDX));
	}
}

static void arithmetic(struct lowering *l, const struct ir_node *n, enum x86_op op, enum x86_group group, bool wide,
		       bool commutes)
{
	enum x86_reg to = jit_target(l, n->d);
	int32_t value;

	if (constant(n, wide, &value)) {
		if (op == X86_ADD && n->a.kind == BIS_VAL_SLOT && !jit_loc(l, n->a.slot).memory &&
		    !jit_is_in(l, n->a, to)) {
			x86_op(&l->a, X86_LEA, wide, to, x86_at(jit_read(l, n->a, RDX), value));
		} else {
			jit_copy(l, n->a, to);
			x86_group(&l->a, group, wide, x86_in(to), value);
		}
	} else if (op == X86_ADD && n->a.kind == BIS_VAL_SLOT && n->b.kind == BIS_VAL_SLOT &&
		   !jit_loc(l, n->a.slot).memory && !jit_loc(l, n->b.slot).memory && !jit_is_in(l, n->a, to) &&
		   !jit_is_in(l, n->b, to)) {
		x86_op_index(&l->a, X86_LEA, wide, to, jit_read(l, n->a, RDX), jit_read(l, n->b, RCX), 0, 0);
	} else {
		combine(l, n, op, wide, commutes, to);
	}
	jit_put(l, n->d, to);
}

/* RCX = ~b; a OP that. */
static void with_inverse(struct lowering *l, const struct ir_node *n, enum x86_op op)
{
	jit_copy(l, n->b, RCX);
	x86_unary(&l->a, X86_NOT, true, x86_in(RCX));
	x86_op(&l->a, op, true, RCX, jit_operand(l, n->a, RDX));
	x86_op(&l->a, X86_MOV, true, RAX, x86_in(RCX));
	jit_put(l, n->d, RAX);
}

static void multiply(struct lowering *l, const struct ir_node *n, bool wide)
{
	enum x86_reg to = jit_target(l, n->d);
	int32_t value;

	if (constant(n, wide, &value))
		x86_imul_const(&l->a, wide, to, jit_operand(l, n->a, RDX), value);
	else
		combine(l, n, X86_IMUL, wide, true, to);
	jit_put(l, n->d, to);
}

static void shift(struct lowering *l, const struct ir_node *n, enum x86_shift op, bool wide)
{
	enum x86_reg to = jit_target(l, n->d);

	if (n->b.kind == BIS_VAL_CONST) {
		jit_copy(l, n->a, to);
		x86_shift(&l->a, op, wide, x86_in(to), (unsigned)n->b.imm & (wide ? 63 : 31));
		if (!wide && !((unsigned)n->b.imm & 31))
			x86_op(&l->a, X86_MOV, false, to, x86_in(to));
		jit_put(l, n->d, to);
		return;
	}
	jit_copy(l, n->b, RCX);
	jit_copy(l, n->a, to);
	if (!wide) /* a shift by 0 leaves the upper half */
		x86_op(&l->a, X86_MOV, false, to, x86_in(to));
	x86_shift_cl(&l->a, op, wide, x86_in(to));
	jit_put(l, n->d, to);
}

static void set_if(struct lowering *l, const struct ir_node *n, enum x86_cond cond, bool wide)
{
	enum x86_reg to = jit_target(l, n->d);
	int32_t value;

	if (constant(n, wide, &value)) {
		x86_group(&l->a, X86_G_CMP, wide, jit_operand(l, n->a, RDX), value);
	} else {
		enum x86_reg left = jit_read(l, n->a, RDX);

		x86_op(&l->a, X86_CMP, wide, left, jit_operand(l, n->b, RCX));
	}
	x86_setcc(&l->a, cond, RCX);
	x86_op(&l->a, X86_MOVZX8, false, to, x86_in(RCX));
	jit_put(l, n->d, to);
}

/* The left one, or the right one if cond(left, right). */
static void choose(struct lowering *l, const struct ir_node *n, enum x86_cond right_if, bool wide)
{
	jit_copy(l, n->b, RCX);
	jit_copy(l, n->a, RAX);
	x86_op(&l->a, X86_CMP, wide, RAX, x86_in(RCX));
	x86_op(&l->a, (enum x86_op)(X86_CMOV | right_if), wide, RAX, x86_in(RCX));
	jit_put(l, n->d, RAX);
}

static void shift_and_add(struct lowering *l, const struct ir_node *n, unsigned scale)
{
	enum x86_reg to = jit_target(l, n->d);
	enum x86_reg index = jit_read(l, n->a, RDX), base = jit_read(l, n->b, RCX);

	x86_op_index(&l->a, X86_LEA, true, to, base, index, scale, 0);
	jit_put(l, n->d, to);
}

static void bit(struct lowering *l, const struct ir_node *n, enum x86_op op, bool wide)
{
	enum x86_reg to = jit_target(l, n->d);

	jit_copy(l, n->b, RCX);
	jit_copy(l, n->a, to);
	if (!wide)
		x86_op(&l->a, X86_MOV, false, to, x86_in(to));
	x86_op(&l->a, op, wide, RCX, x86_in(to));
	jit_put(l, n->d, to);
}

static void extract_bit(struct lowering *l, const struct ir_node *n, bool wide)
{
	jit_copy(l, n->b, RCX);
	jit_copy(l, n->a, RAX);
	x86_shift_cl(&l->a, X86_SHR, wide, x86_in(RAX));
	x86_group(&l->a, X86_G_AND, false, x86_in(RAX), 1);
	jit_put(l, n->d, RAX);
}

/* The upper half of a product; RDX has it. */
static void multiply_high(struct lowering *l, const struct ir_node *n)
{
	struct x86_asm *a = &l->a;

	jit_free_acc(l);
	jit_copy(l, n->a, RAX);
	jit_copy(l, n->b, RCX);
	x86_unary(a, n->op == BIS_IR_mulhs ? X86_IMUL1 : X86_MUL, true, x86_in(RCX));
	if (n->op == BIS_IR_mulhsu) { /* less b where a is negative */
		jit_copy(l, n->a, RAX);
		x86_shift(a, X86_SAR, true, x86_in(RAX), 63);
		x86_op(a, X86_AND, true, RAX, x86_in(RCX));
		x86_op(a, X86_SUB, true, RDX, x86_in(RAX));
	}
	x86_op(a, X86_MOV, true, RAX, x86_in(RDX));
	jit_put(l, n->d, RAX);
}

/* reg = the low half of v, extended. */
static void copy_half(struct lowering *l, struct bis_val v, enum x86_reg reg, bool is_signed)
{
	x86_op(&l->a, is_signed ? X86_MOVSXD : X86_MOV, is_signed, reg, jit_operand(l, v, reg));
}

static void multiply_high32(struct lowering *l, const struct ir_node *n)
{
	jit_free_acc(l);
	copy_half(l, n->a, RAX, n->op != BIS_IR_mulhu32);
	copy_half(l, n->b, RCX, n->op == BIS_IR_mulhs32);
	x86_op(&l->a, X86_IMUL, true, RAX, x86_in(RCX));
	x86_shift(&l->a, X86_SHR, true, x86_in(RAX), 32);
	jit_put(l, n->d, RAX);
}

/* Division by zero gives what RISC-V, and the IR, say, and so does the one signed overflow: the host would trap. */
static void divide(struct lowering *l, const struct ir_node *n, bool is_signed, bool remainder, bool wide)
{
	struct x86_patch by_zero, by_minus_one = {NULL}, done, done_too = {NULL};
	struct x86_asm *a = &l->a;

	jit_free_acc(l);
	jit_copy(l, n->a, RAX);
	jit_copy(l, n->b, RCX);
	x86_op(a, X86_TEST, wide, RCX, x86_in(RCX));
	by_zero = x86_jcc_later(a, X86_E);
	if (is_signed) {
		x86_group(a, X86_G_CMP, wide, x86_in(RCX), -1);
		by_minus_one = x86_jcc_later(a, X86_E);
		x86_cqo(a, wide);
	} else {
		x86_op(a, X86_XOR, false, RDX, x86_in(RDX));
	}
	x86_unary(a, is_signed ? X86_IDIV : X86_DIV, wide, x86_in(RCX));
	if (remainder)
		x86_op(a, X86_MOV, wide, RAX, x86_in(RDX));
	done = x86_jmp_later(a);
	if (is_signed) {
		x86_bind(a, by_minus_one);
		if (remainder)
			x86_const(a, RAX, 0);
		else
			x86_unary(a, X86_NEG, wide, x86_in(RAX));
		done_too = x86_jmp_later(a);
	}
	x86_bind(a, by_zero);
	if (!remainder)
		x86_const(a, RAX, wide ? UINT64_MAX : UINT32_MAX);
	else if (!wide)
		x86_op(a, X86_MOV, false, RAX, x86_in(RAX));
	x86_bind(a, done);
	if (is_signed)
		x86_bind(a, done_too);
	jit_put(l, n->d, RAX);
}

void jit_op2(struct lowering *l, const struct ir_node *n)
{
	switch ((enum bis_ir_op)n->op) {
	case BIS_IR_add:
	case BIS_IR_add32:
		arithmetic(l, n, X86_ADD, X86_G_ADD, n->op == BIS_IR_add, true);
		break;
	case BIS_IR_sub:
	case BIS_IR_sub32:
		arithmetic(l, n, X86_SUB, X86_G_SUB, n->op == BIS_IR_sub, false);
		break;
	case BIS_IR_and:
		arithmetic(l, n, X86_AND, X86_G_AND, true, true);
		break;
	case BIS_IR_or:
		arithmetic(l, n, X86_OR, X86_G_OR, true, true);
		break;
	case BIS_IR_xor:
		arithmetic(l, n, X86_XOR, X86_G_XOR, true, true);
		break;
	case BIS_IR_andn:
		with_inverse(l, n, X86_AND);
		break;
	case BIS_IR_orn:
		with_inverse(l, n, X86_OR);
		break;
	case BIS_IR_xnor:
		with_inverse(l, n, X86_XOR);
		break;
	case BIS_IR_shl:
	case BIS_IR_shl32:
		shift(l, n, X86_SHL, n->op == BIS_IR_shl);
		break;
	case BIS_IR_shr:
	case BIS_IR_shr32:
		shift(l, n, X86_SHR, n->op == BIS_IR_shr);
		break;
	case BIS_IR_sar:
	case BIS_IR_sar32:
		shift(l, n, X86_SAR, n->op == BIS_IR_sar);
		break;
	case BIS_IR_rol:
	case BIS_IR_rol32:
		shift(l, n, X86_ROL, n->op == BIS_IR_rol);
		break;
	case BIS_IR_ror:
	case BIS_IR_ror32:
		shift(l, n, X86_ROR, n->op == BIS_IR_ror);
		break;
	case BIS_IR_mul:
	case BIS_IR_mul32:
		multiply(l, n, n->op == BIS_IR_mul);
		break;
	case BIS_IR_mulhu:
	case BIS_IR_mulhs:
	case BIS_IR_mulhsu:
		multiply_high(l, n);
		break;
	case BIS_IR_mulhu32:
	case BIS_IR_mulhs32:
	case BIS_IR_mulhsu32:
		multiply_high32(l, n);
		break;
	case BIS_IR_divu:
	case BIS_IR_divu32:
		divide(l, n, false, false, n->op == BIS_IR_divu);
		break;
	case BIS_IR_divs:
	case BIS_IR_divs32:
		divide(l, n, true, false, n->op == BIS_IR_divs);
		break;
	case BIS_IR_remu:
	case BIS_IR_remu32:
		divide(l, n, false, true, n->op == BIS_IR_remu);
		break;
	case BIS_IR_rems:
	case BIS_IR_rems32:
		divide(l, n, true, true, n->op == BIS_IR_rems);
		break;
	case BIS_IR_minu:
		choose(l, n, X86_A, true);
		break;
	case BIS_IR_mins:
	case BIS_IR_mins32:
		choose(l, n, X86_G, n->op == BIS_IR_mins);
		break;
	case BIS_IR_maxu:
		choose(l, n, X86_B, true);
		break;
	case BIS_IR_maxs:
	case BIS_IR_maxs32:
		choose(l, n, X86_L, n->op == BIS_IR_maxs);
		break;
	case BIS_IR_seteq:
		set_if(l, n, X86_E, true);
		break;
	case BIS_IR_setne:
		set_if(l, n, X86_NE, true);
		break;
	case BIS_IR_setltu:
		set_if(l, n, X86_B, true);
		break;
	case BIS_IR_setlts:
	case BIS_IR_setlts32:
		set_if(l, n, X86_L, n->op == BIS_IR_setlts);
		break;
	case BIS_IR_sh1add:
	case BIS_IR_sh2add:
	case BIS_IR_sh3add:
		shift_and_add(l, n, n->op - BIS_IR_sh1add + 1u);
		break;
	case BIS_IR_bext:
	case BIS_IR_bext32:
		extract_bit(l, n, n->op == BIS_IR_bext);
		break;
	case BIS_IR_bset:
	case BIS_IR_bset32:
		bit(l, n, X86_BTS, n->op == BIS_IR_bset);
		break;
	case BIS_IR_bclr:
	case BIS_IR_bclr32:
		bit(l, n, X86_BTR, n->op == BIS_IR_bclr);
		break;
	case BIS_IR_binv:
	case BIS_IR_binv32:
		bit(l, n, X86_BTC, n->op == BIS_IR_binv);
		break;
	default:
		abort(); /* each has its row */
	}
}
