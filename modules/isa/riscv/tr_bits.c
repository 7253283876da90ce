/*
 * Translators of the bit-manipulation instructions: Zba, Zbb and Zbs (unprivileged specification, chapter "B"). Called
 * on a hart's thread; no state.
 */
#include "tr_rows.h"

static void unary_then(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op, enum bis_ir_op last)
{
	struct bis_val result = bis_ir_temp(t);

	if (i->rd == 0)
		return;
	bis_ir_op1(t, op, result.slot, bis_rv_x(i->rs1));
	bis_ir_op1(t, last, i->rd, result);
}

/* An operation whose 64-bit result has to be cut to 32 bits on rv32. */
static void binary_cut(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op)
{
	if (rv_is_32(t))
		rv_binary_then(t, i, op, bis_rv_x(i->rs2), BIS_IR_zext32);
	else
		bis_ir_op2(t, op, bis_rv_xd(i->rd), bis_rv_x(i->rs1), bis_rv_x(i->rs2));
}

static void unary_cut(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op)
{
	if (rv_is_32(t))
		unary_then(t, i, op, BIS_IR_zext32);
	else
		bis_ir_op1(t, op, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
}

#define REG_REG_CUT(name, op)                                                                                          \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		binary_cut(t, i, BIS_IR_##op);                                                                         \
	}
#define UNARY(name, op64, op32)                                                                                        \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		bis_ir_op1(t, rv_is_32(t) ? BIS_IR_##op32 : BIS_IR_##op64, bis_rv_xd(i->rd), bis_rv_x(i->rs1));        \
	}
#define UNARY_CUT(name, op)                                                                                            \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		unary_cut(t, i, BIS_IR_##op);                                                                          \
	}

REG_REG_CUT(sh1add, sh1add)
REG_REG_CUT(sh2add, sh2add)
REG_REG_CUT(sh3add, sh3add)

REG_REG(andn, andn, andn)
REG_REG_CUT(orn, orn)
REG_REG_CUT(xnor, xnor)
REG_REG(min, mins, mins32)
REG_REG(minu, minu, minu)
REG_REG(max, maxs, maxs32)
REG_REG(maxu, maxu, maxu)
REG_REG(rol, rol, rol32)
REG_REG(ror, ror, ror32)
REG_IMM(rori, ror, ror32)
REG_REG_W(rolw, rol32)
REG_REG_W(rorw, ror32)
UNARY(clz, clz, clz32)
UNARY(ctz, ctz, ctz32)
UNARY(clzw, clz32, clz32)
UNARY(ctzw, ctz32, ctz32)
UNARY(cpop, cpop, cpop)
UNARY(orc_b, orcb, orcb)
UNARY(zext_h, zext16, zext16)
UNARY_CUT(sext_b, sext8)
UNARY_CUT(sext_h, sext16)

REG_REG(bclr, bclr, bclr32)
REG_REG(bext, bext, bext32)
REG_REG(binv, binv, binv32)
REG_REG(bset, bset, bset32)
REG_IMM(bclri, bclr, bclr32)
REG_IMM(bexti, bext, bext32)
REG_IMM(binvi, binv, binv32)
REG_IMM(bseti, bset, bset32)

/* The .uw instructions take the low half of rs1, zero-extended. */
static void with_low_half(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op, struct bis_val b)
{
	struct bis_val low = bis_ir_temp(t);

	if (i->rd == 0)
		return;
	bis_ir_op1(t, BIS_IR_zext32, low.slot, bis_rv_x(i->rs1));
	bis_ir_op2(t, op, i->rd, low, b);
}

void bis_rv_add_uw(struct bis_ir *t, const struct bis_insn *i)
{
	if (i->rs2 == 0)
		bis_ir_op1(t, BIS_IR_zext32, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
	else
		with_low_half(t, i, BIS_IR_add, bis_rv_x(i->rs2));
}

void bis_rv_sh1add_uw(struct bis_ir *t, const struct bis_insn *i)
{
	with_low_half(t, i, BIS_IR_sh1add, bis_rv_x(i->rs2));
}

void bis_rv_sh2add_uw(struct bis_ir *t, const struct bis_insn *i)
{
	with_low_half(t, i, BIS_IR_sh2add, bis_rv_x(i->rs2));
}

void bis_rv_sh3add_uw(struct bis_ir *t, const struct bis_insn *i)
{
	with_low_half(t, i, BIS_IR_sh3add, bis_rv_x(i->rs2));
}

void bis_rv_slli_uw(struct bis_ir *t, const struct bis_insn *i)
{
	with_low_half(t, i, BIS_IR_shl, bis_const(i->imm));
}

void bis_rv_cpopw(struct bis_ir *t, const struct bis_insn *i)
{
	unary_then(t, i, BIS_IR_zext32, BIS_IR_cpop);
}

void bis_rv_roriw(struct bis_ir *t, const struct bis_insn *i)
{
	rv_binary_w(t, i, BIS_IR_ror32, bis_const(i->imm));
}

/* On rv32 the four bytes come out of the reversal on top. */
void bis_rv_rev8(struct bis_ir *t, const struct bis_insn *i)
{
	struct bis_val reversed = bis_ir_temp(t);

	if (!rv_is_32(t)) {
		bis_ir_op1(t, BIS_IR_bswap, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
		return;
	}
	if (i->rd == 0)
		return;
	bis_ir_op1(t, BIS_IR_bswap, reversed.slot, bis_rv_x(i->rs1));
	bis_ir_op2(t, BIS_IR_shr, i->rd, reversed, bis_const(32));
}
