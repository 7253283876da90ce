/*
 * What a module needs to add instructions to the RISC-V family: the operand formats its rows may have, and the slots of
 * the registers in the intermediate representation.
 */
#ifndef BISCUIT_RISCV_H
#define BISCUIT_RISCV_H

#include <biscuit/ir.h>
#include <biscuit/isa.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Operand formats, for struct bis_insn_row.format: BIS_RV_R and so on. */
enum bis_rv_format {
#define FORMAT(name, operands, text) BIS_RV_##name,
#include <biscuit/riscv_formats.def>
	BIS_RV_FORMAT_COUNT
};

/* Slots 0-31 are x0-x31, 32-63 are f0-f31. On rv32 the upper half of an x slot is zero and has to stay so. */
#define BIS_RV_SLOTS  64
#define BIS_RV_SLOT_F 32

/* x register as a source: x0 is the constant 0. */
static inline struct bis_val bis_rv_x(unsigned reg)
{
	return reg ? bis_slot(reg) : bis_const(0);
}

/* x register as a destination: a result for x0 is discarded. */
static inline unsigned bis_rv_xd(unsigned reg)
{
	return reg ? reg : BIS_DISCARD;
}

/* f register as a source; as a destination it is BIS_RV_SLOT_F + reg. */
static inline struct bis_val bis_rv_f(unsigned reg)
{
	return bis_slot(BIS_RV_SLOT_F + reg);
}

#ifdef __cplusplus
}
#endif
#endif
