/*
 * Operands of the 16-bit instructions (RISC-V unprivileged specification, chapter "C"). Each function fills in the
 * operands of the 32-bit instruction with the same effect and refuses what the specification reserves. Pure functions
 * of one instruction, called by the decoder on any thread.
 */
#include "riscv.h"

enum { X_ZERO = 0, X_RA = 1, X_SP = 2 };

/* Bits hi..lo of the instruction, moved to bit `to`. */
static uint32_t field(const struct bis_insn *i, unsigned hi, unsigned lo, unsigned to)
{
	return ((i->raw >> lo) & ((1u << (hi - lo + 1)) - 1)) << to;
}

static int64_t sign_extend(uint32_t value, unsigned width)
{
	uint32_t sign = 1u << (width - 1);

	return (int64_t)(value ^ sign) - (int64_t)sign;
}

/* The full register number in bits 11:7 and 6:2; the short one (x8-x15) in 9:7 and 4:2. */
static uint8_t reg_high(const struct bis_insn *i)
{
	return (uint8_t)field(i, 11, 7, 0);
}

static uint8_t reg_low(const struct bis_insn *i)
{
	return (uint8_t)field(i, 6, 2, 0);
}

static uint8_t short_high(const struct bis_insn *i)
{
	return (uint8_t)(8 + field(i, 9, 7, 0));
}

static uint8_t short_low(const struct bis_insn *i)
{
	return (uint8_t)(8 + field(i, 4, 2, 0));
}

/* Immediates in the layouts that several instructions share. */
static uint32_t uimm6(const struct bis_insn *i)
{
	return field(i, 12, 12, 5) | field(i, 6, 2, 0);
}

static int64_t simm6(const struct bis_insn *i)
{
	return sign_extend(uimm6(i), 6);
}

static uint32_t offset_w(const struct bis_insn *i)
{
	return field(i, 5, 5, 6) | field(i, 12, 10, 3) | field(i, 6, 6, 2);
}

static uint32_t offset_d(const struct bis_insn *i)
{
	return field(i, 6, 5, 6) | field(i, 12, 10, 3);
}

static uint32_t offset_wsp(const struct bis_insn *i)
{
	return field(i, 3, 2, 6) | field(i, 12, 12, 5) | field(i, 6, 4, 2);
}

static uint32_t offset_dsp(const struct bis_insn *i)
{
	return field(i, 4, 2, 6) | field(i, 12, 12, 5) | field(i, 6, 5, 3);
}

/* --- Quadrant 0 --- */

bool bis_rv_operands_c_addi4spn(struct bis_insn *i)
{
	i->rd = short_low(i);
	i->rs1 = X_SP;
	i->imm = field(i, 10, 7, 6) | field(i, 12, 11, 4) | field(i, 5, 5, 3) | field(i, 6, 6, 2);
	return i->imm != 0;
}

bool bis_rv_operands_c_load_w(struct bis_insn *i)
{
	i->rd = short_low(i);
	i->rs1 = short_high(i);
	i->imm = offset_w(i);
	return true;
}

bool bis_rv_operands_c_load_d(struct bis_insn *i)
{
	i->rd = short_low(i);
	i->rs1 = short_high(i);
	i->imm = offset_d(i);
	return true;
}

bool bis_rv_operands_c_store_w(struct bis_insn *i)
{
	i->rs2 = short_low(i);
	i->rs1 = short_high(i);
	i->imm = offset_w(i);
	return true;
}

bool bis_rv_operands_c_store_d(struct bis_insn *i)
{
	i->rs2 = short_low(i);
	i->rs1 = short_high(i);
	i->imm = offset_d(i);
	return true;
}

/* --- Quadrant 1 --- */

bool bis_rv_operands_c_nop(struct bis_insn *i)
{
	i->imm = simm6(i);
	return true;
}

bool bis_rv_operands_c_addi(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->rs1 = i->rd;
	i->imm = simm6(i);
	return true;
}

bool bis_rv_operands_c_addiw(struct bis_insn *i)
{
	return bis_rv_operands_c_addi(i) && i->rd != X_ZERO;
}

bool bis_rv_operands_c_li(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->imm = simm6(i);
	return true;
}

bool bis_rv_operands_c_lui(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->imm = simm6(i) * 4096;
	return i->imm != 0;
}

bool bis_rv_operands_c_addi16sp(struct bis_insn *i)
{
	i->rd = X_SP;
	i->rs1 = X_SP;
	i->imm = sign_extend(field(i, 12, 12, 9) | field(i, 4, 3, 7) | field(i, 5, 5, 6) | field(i, 2, 2, 5) |
				     field(i, 6, 6, 4),
			     10);
	return i->imm != 0;
}

bool bis_rv_operands_c_shift(struct bis_insn *i)
{
	i->rd = short_high(i);
	i->rs1 = i->rd;
	i->imm = uimm6(i);
	return true;
}

bool bis_rv_operands_c_andi(struct bis_insn *i)
{
	i->rd = short_high(i);
	i->rs1 = i->rd;
	i->imm = simm6(i);
	return true;
}

bool bis_rv_operands_c_rr(struct bis_insn *i)
{
	i->rd = short_high(i);
	i->rs1 = i->rd;
	i->rs2 = short_low(i);
	return true;
}

bool bis_rv_operands_c_j(struct bis_insn *i)
{
	i->imm = sign_extend(field(i, 12, 12, 11) | field(i, 8, 8, 10) | field(i, 10, 9, 8) | field(i, 6, 6, 7) |
				     field(i, 7, 7, 6) | field(i, 2, 2, 5) | field(i, 11, 11, 4) | field(i, 5, 3, 1),
			     12);
	return true;
}

bool bis_rv_operands_c_jal(struct bis_insn *i)
{
	i->rd = X_RA;
	return bis_rv_operands_c_j(i);
}

bool bis_rv_operands_c_b(struct bis_insn *i)
{
	i->rs1 = short_high(i);
	i->imm = sign_extend(field(i, 12, 12, 8) | field(i, 6, 5, 6) | field(i, 2, 2, 5) | field(i, 11, 10, 3) |
				     field(i, 4, 3, 1),
			     9);
	return true;
}

/* --- Quadrant 2 --- */

bool bis_rv_operands_c_slli(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->rs1 = i->rd;
	i->imm = uimm6(i);
	return true;
}

bool bis_rv_operands_c_flwsp(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->rs1 = X_SP;
	i->imm = offset_wsp(i);
	return true;
}

bool bis_rv_operands_c_fldsp(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->rs1 = X_SP;
	i->imm = offset_dsp(i);
	return true;
}

bool bis_rv_operands_c_lwsp(struct bis_insn *i)
{
	return bis_rv_operands_c_flwsp(i) && i->rd != X_ZERO;
}

bool bis_rv_operands_c_ldsp(struct bis_insn *i)
{
	return bis_rv_operands_c_fldsp(i) && i->rd != X_ZERO;
}

bool bis_rv_operands_c_store_wsp(struct bis_insn *i)
{
	i->rs2 = reg_low(i);
	i->rs1 = X_SP;
	i->imm = field(i, 8, 7, 6) | field(i, 12, 9, 2);
	return true;
}

bool bis_rv_operands_c_store_dsp(struct bis_insn *i)
{
	i->rs2 = reg_low(i);
	i->rs1 = X_SP;
	i->imm = field(i, 9, 7, 6) | field(i, 12, 10, 3);
	return true;
}

bool bis_rv_operands_c_jr(struct bis_insn *i)
{
	i->rs1 = reg_high(i);
	return i->rs1 != X_ZERO;
}

bool bis_rv_operands_c_jalr(struct bis_insn *i)
{
	i->rd = X_RA;
	i->rs1 = reg_high(i);
	return true;
}

bool bis_rv_operands_c_mv(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->rs2 = reg_low(i);
	return true;
}

bool bis_rv_operands_c_add(struct bis_insn *i)
{
	i->rd = reg_high(i);
	i->rs1 = i->rd;
	i->rs2 = reg_low(i);
	return true;
}
