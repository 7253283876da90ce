/*
 * The RISC-V instruction-set module's own declarations: the functions that the rows of insns.def
 * and riscv_formats.def refer to.
 */
#ifndef BISCUIT_MODULES_RISCV_H
#define BISCUIT_MODULES_RISCV_H

#include <biscuit/riscv.h>

/* Operand extraction: fills the fields of i from i->raw; false where the operands are a reserved encoding. */
#define FORMAT(name, operands, text) bool bis_rv_operands_##operands(struct bis_insn *i);
#include <biscuit/riscv_formats.def>

/* Translators: one an instruction, bis_rv_addi and so on. */
#define INSN(name, ext, xlens, match, mask, format) void bis_rv_##name(struct bis_ir *t, const struct bis_insn *i);
#define INSN_AS(name, ext, xlens, match, mask, format, as)
#include "insns.def"

/* The family's format_text (isa.h). */
int bis_rv_format_text(const struct bis_insn *i, unsigned xlen, uint64_t pc, char *buf, size_t size);

/* What the module attaches. */
extern const struct bis_isa_family bis_rv_family;
extern const struct bis_row_table bis_rv_rows;

/* ABI names of the registers. */
extern const struct bis_reg_desc bis_rv_regs[BIS_RV_SLOTS];

#endif
