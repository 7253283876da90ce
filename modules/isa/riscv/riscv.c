/*
 * The RISC-V instruction set as a module: the rows of insns.def, their family, and the class that attaches them.
 * Constants only; an instance has no state.
 */
#include <biscuit/hart.h>
#include <biscuit/module.h>

#include "modules/modules.h"
#include "translate.h"

enum { X32 = BIS_X32, X64 = BIS_X64 };

/* The two lowest bits of a 4-byte instruction are ones. */
#define LENGTH(match) ((match) % 4 == 3 ? 4 : 2)

static const struct bis_insn_row rows[] = {
#define INSN_AS(name, ext, xlens, match, mask, format, as)                                                             \
	{#name, #ext, xlens, LENGTH(match), BIS_RV_##format, match, mask, bis_rv_##as},
#define INSN(name, ext, xlens, match, mask, format) INSN_AS(name, ext, xlens, match, mask, format, name)
#include "insns.def"
};

static unsigned length(uint16_t first)
{
	return LENGTH(first);
}

static bool operands(struct bis_insn *i)
{
	static bool (*const extract[])(struct bis_insn *) = {
#define FORMAT(name, operands, text) bis_rv_operands_##operands,
#include <biscuit/riscv_formats.def>
	};

	return i->row->format < BIS_RV_FORMAT_COUNT && extract[i->row->format](i);
}

void bis_rv_trap_illegal(struct bis_ir *t, uint32_t raw)
{
	if (length((uint16_t)raw) == 2)
		raw &= UINT16_MAX;
	bis_ir_trap(t, BIS_CAUSE_ILLEGAL, bis_const(raw));
}

/* What compilers use most by the calling convention: a5 to a0, then the stack pointer, s0, s1 and ra. */
static const uint8_t hot[] = {15, 14, 10, 13, 12, 11, 2, 8, 9, 1, 16, 17};

const struct bis_isa_family bis_rv_family = {
	.name = "riscv",
	.regs = bis_rv_regs,
	.n_regs = BIS_RV_SLOTS,
	.hot = hot,
	.n_hot = BIS_ARRAY_SIZE(hot),
	.length = length,
	.operands = operands,
	.format_text = bis_rv_format_text,
	.illegal = bis_rv_trap_illegal,
};

const struct bis_row_table bis_rv_rows = {rows, BIS_ARRAY_SIZE(rows)};

/* The instance is its own handle: there is nothing to make. */
static int create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = mod;
	return 0;
}

static void destroy(void *self)
{
	(void)self;
}

static int attach(struct bis_module *mod, void *self)
{
	(void)self;
	return bis_attach_isa(mod, &bis_rv_family, rows, BIS_ARRAY_SIZE(rows));
}

const struct bis_module_class bis_riscv_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "riscv",
	.summary = "instruction set RV32GC and RV64GC with Zba, Zbb and Zbs",
	.create = create,
	.attach = attach,
	.destroy = destroy,
};
