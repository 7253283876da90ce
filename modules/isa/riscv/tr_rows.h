/*
 * Translators that are a row each: REG_REG(add, add, add32) is bis_rv_add() by the IR's operation for either width. On
 * a hart's thread; no state.
 */
#ifndef BISCUIT_MODULES_RISCV_TR_ROWS_H
#define BISCUIT_MODULES_RISCV_TR_ROWS_H

#include "translate.h"

/* d = op(rs1, b), with the 32-bit operation on rv32. */
static inline void rv_binary(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op64, enum bis_ir_op op32,
			     struct bis_val b)
{
	bis_ir_op2(t, rv_is_32(t) ? op32 : op64, bis_rv_xd(i->rd), bis_rv_x(i->rs1), b);
}

/* d = last(op(rs1, b)): the narrowing or widening that makes an operation on slots the guest's. */
static inline void rv_binary_then(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op, struct bis_val b,
				  enum bis_ir_op last)
{
	struct bis_val result = bis_ir_temp(t);

	if (i->rd == 0)
		return;
	bis_ir_op2(t, op, result.slot, bis_rv_x(i->rs1), b);
	bis_ir_op1(t, last, i->rd, result);
}

/* The W instructions of rv64: a 32-bit operation, its result sign-extended. */
static inline void rv_binary_w(struct bis_ir *t, const struct bis_insn *i, enum bis_ir_op op32, struct bis_val b)
{
	rv_binary_then(t, i, op32, b, BIS_IR_sext32);
}

#define REG_REG(name, op64, op32)                                                                                      \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		rv_binary(t, i, BIS_IR_##op64, BIS_IR_##op32, bis_rv_x(i->rs2));                                       \
	}
#define REG_IMM(name, op64, op32)                                                                                      \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		rv_binary(t, i, BIS_IR_##op64, BIS_IR_##op32, rv_const(t, i->imm));                                    \
	}
#define REG_REG_W(name, op32)                                                                                          \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		rv_binary_w(t, i, BIS_IR_##op32, bis_rv_x(i->rs2));                                                    \
	}
#define REG_IMM_W(name, op32)                                                                                          \
	void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i)                                                 \
	{                                                                                                              \
		rv_binary_w(t, i, BIS_IR_##op32, bis_const(i->imm));                                                   \
	}

#endif
