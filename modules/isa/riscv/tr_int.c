/*
 * Translators of the integer instructions: RV32I and RV64I but loads, stores and jumps, and M (unprivileged
 * specification, chapters 2, 4 and 7). Called on a hart's thread; no state.
 */
#include "tr_rows.h"

REG_REG(sub, sub, sub32)
REG_REG(sll, shl, shl32)
REG_REG(srl, shr, shr32)
REG_REG(sra, sar, sar32)
REG_REG(slt, setlts, setlts32)
REG_REG(sltu, setltu, setltu)
REG_REG(xor, xor, xor)
REG_REG(or, or, or)
REG_REG(and, and, and)

REG_IMM(slti, setlts, setlts32)
REG_IMM(sltiu, setltu, setltu)
REG_IMM(xori, xor, xor)
REG_IMM(ori, or, or)
REG_IMM(andi, and, and)
REG_IMM(slli, shl, shl32)
REG_IMM(srli, shr, shr32)
REG_IMM(srai, sar, sar32)

REG_REG_W(addw, add32)
REG_REG_W(subw, sub32)
REG_REG_W(sllw, shl32)
REG_REG_W(srlw, shr32)
REG_REG_W(sraw, sar32)
REG_IMM_W(slliw, shl32)
REG_IMM_W(srliw, shr32)
REG_IMM_W(sraiw, sar32)

REG_REG(mul, mul, mul32)
REG_REG(mulh, mulhs, mulhs32)
REG_REG(mulhsu, mulhsu, mulhsu32)
REG_REG(mulhu, mulhu, mulhu32)
REG_REG(div, divs, divs32)
REG_REG(divu, divu, divu32)
REG_REG(rem, rems, rems32)
REG_REG(remu, remu, remu32)
REG_REG_W(mulw, mul32)
REG_REG_W(divw, divs32)
REG_REG_W(divuw, divu32)
REG_REG_W(remw, rems32)
REG_REG_W(remuw, remu32)

/* Additions of zero are the usual moves. */
void bis_rv_add(struct bis_ir *t, const struct bis_insn *i)
{
	if (i->rs1 == 0)
		bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_rv_x(i->rs2));
	else if (i->rs2 == 0)
		bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
	else
		rv_binary(t, i, BIS_IR_add, BIS_IR_add32, bis_rv_x(i->rs2));
}

void bis_rv_addi(struct bis_ir *t, const struct bis_insn *i)
{
	if (i->rs1 == 0)
		bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), rv_const(t, i->imm));
	else if (i->imm == 0)
		bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
	else
		rv_binary(t, i, BIS_IR_add, BIS_IR_add32, rv_const(t, i->imm));
}

void bis_rv_addiw(struct bis_ir *t, const struct bis_insn *i)
{
	if (i->imm == 0)
		bis_ir_op1(t, BIS_IR_sext32, bis_rv_xd(i->rd), bis_rv_x(i->rs1));
	else
		rv_binary_w(t, i, BIS_IR_add32, bis_const(i->imm));
}

void bis_rv_lui(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), rv_const(t, i->imm));
}

void bis_rv_auipc(struct bis_ir *t, const struct bis_insn *i)
{
	bis_ir_op1(t, BIS_IR_mov, bis_rv_xd(i->rd), bis_ir_pc(t, i->imm));
}
