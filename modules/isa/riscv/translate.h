/*
 * What the RISC-V translators share. On rv32 every x slot holds a value whose upper half is zero; each translator keeps
 * that so. x0 is read as the constant 0, and results for it are discarded.
 */
#ifndef BISCUIT_MODULES_RISCV_TRANSLATE_H
#define BISCUIT_MODULES_RISCV_TRANSLATE_H

#include "riscv.h"

static inline bool rv_is_32(const struct bis_ir *t)
{
	return bis_ir_xlen(t) == 32;
}

/* A signed constant as an x register holds it. */
static inline struct bis_val rv_const(const struct bis_ir *t, int64_t value)
{
	return bis_const(rv_is_32(t) ? (int64_t)(uint32_t)value : value);
}

/* Raises the illegal-instruction exception for i. */
void bis_rv_trap_illegal(struct bis_ir *t, uint32_t raw);

#endif
