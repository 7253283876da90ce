/*
 * Operands of the 32-bit instructions (RISC-V unprivileged specification, section "Immediate encoding variants").
 * Pure functions of one instruction, called by the decoder on any thread.
 */
#include "riscv.h"

enum { RM_RESERVED_5 = 5, RM_RESERVED_6 = 6 };

/* Bits hi..lo of raw. */
static uint32_t bits(uint32_t raw, unsigned hi, unsigned lo)
{
	return (raw >> lo) & ((1u << (hi - lo + 1)) - 1);
}

/* Bits 31..lo of raw as a signed number. */
static int64_t signed_top(uint32_t raw, unsigned lo)
{
	return (int64_t)(int32_t)raw >> lo;
}

static void take_rd(struct bis_insn *i)
{
	i->rd = (uint8_t)bits(i->raw, 11, 7);
}

static void take_rs1(struct bis_insn *i)
{
	i->rs1 = (uint8_t)bits(i->raw, 19, 15);
}

static void take_rs2(struct bis_insn *i)
{
	i->rs2 = (uint8_t)bits(i->raw, 24, 20);
}

/* The rounding mode: 5 and 6 are reserved, 7 means the one in fcsr. */
static bool take_rm(struct bis_insn *i)
{
	i->rm = (uint8_t)bits(i->raw, 14, 12);
	return i->rm != RM_RESERVED_5 && i->rm != RM_RESERVED_6;
}

bool bis_rv_operands_none(struct bis_insn *i)
{
	(void)i;
	return true;
}

bool bis_rv_operands_r(struct bis_insn *i)
{
	take_rd(i);
	take_rs1(i);
	take_rs2(i);
	return true;
}

bool bis_rv_operands_r1(struct bis_insn *i)
{
	take_rd(i);
	take_rs1(i);
	return true;
}

bool bis_rv_operands_r4_rm(struct bis_insn *i)
{
	i->rs3 = (uint8_t)bits(i->raw, 31, 27);
	return bis_rv_operands_r(i) && take_rm(i);
}

bool bis_rv_operands_r_rm(struct bis_insn *i)
{
	return bis_rv_operands_r(i) && take_rm(i);
}

bool bis_rv_operands_r1_rm(struct bis_insn *i)
{
	return bis_rv_operands_r1(i) && take_rm(i);
}

bool bis_rv_operands_i(struct bis_insn *i)
{
	take_rd(i);
	take_rs1(i);
	i->imm = signed_top(i->raw, 20);
	return true;
}

/* Six bits of shift amount; the masks of the rows say where only five are legal. */
bool bis_rv_operands_shift(struct bis_insn *i)
{
	take_rd(i);
	take_rs1(i);
	i->imm = bits(i->raw, 25, 20);
	return true;
}

bool bis_rv_operands_s(struct bis_insn *i)
{
	take_rs1(i);
	take_rs2(i);
	i->imm = signed_top(i->raw, 25) * 32 + bits(i->raw, 11, 7);
	return true;
}

bool bis_rv_operands_b(struct bis_insn *i)
{
	take_rs1(i);
	take_rs2(i);
	i->imm = signed_top(i->raw, 31) * 4096 +
		 (bits(i->raw, 7, 7) << 11 | bits(i->raw, 30, 25) << 5 | bits(i->raw, 11, 8) << 1);
	return true;
}

bool bis_rv_operands_u(struct bis_insn *i)
{
	take_rd(i);
	i->imm = (int32_t)(i->raw & 0xfffff000u);
	return true;
}

bool bis_rv_operands_j(struct bis_insn *i)
{
	take_rd(i);
	i->imm = signed_top(i->raw, 31) * 0x100000 +
		 (bits(i->raw, 19, 12) << 12 | bits(i->raw, 20, 20) << 11 | bits(i->raw, 30, 21) << 1);
	return true;
}

bool bis_rv_operands_csr(struct bis_insn *i)
{
	take_rd(i);
	take_rs1(i);
	i->csr = (uint16_t)bits(i->raw, 31, 20);
	return true;
}

/* rm: predecessor set in bits 7:4, successor set in bits 3:0. The fields fm, rs1 and rd are ignored, as required. */
bool bis_rv_operands_fence(struct bis_insn *i)
{
	i->rm = (uint8_t)bits(i->raw, 27, 20);
	return true;
}

/* rm: aq in bit 1, rl in bit 0. */
bool bis_rv_operands_amo(struct bis_insn *i)
{
	i->rm = (uint8_t)bits(i->raw, 26, 25);
	return bis_rv_operands_r(i);
}
