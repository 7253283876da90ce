/*
 * Instruction sets as data: one row an instruction, from which decoding, disassembly, documentation and tests come; and
 * the ISA string that selects rows.
 */
#ifndef BISCUIT_ISA_H
#define BISCUIT_ISA_H

#include <biscuit/ir.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- ISA string (RISC-V unprivileged specification, "ISA extension naming conventions") --- */

struct bis_isa_spec {
	unsigned xlen;	 /* 32 or 64 */
	uint64_t exts;	 /* bit n: entry n of the extension table */
	uint32_t misa;	 /* misa extension bits (letters), with S and U */
	unsigned ialign; /* instructions begin at multiples of 2 or 4 bytes */
};

/*
 * Parses "rv64gc_zba_zbb", case-insensitively; implied extensions are added (g, b, c with f/d, d needs f; zicsr
 * and zicntr always). `text` may also name a default: "rv64" and "rv32" mean everything Biscuit has. -EINVAL with a
 * message naming the unknown or missing part and the nearest valid one.
 */
BIS_MUST_CHECK int bis_isa_parse(const char *text, struct bis_isa_spec *out);
/* Is the extension (lower case, "a", "zba", "sstc", "zcd") in the set? Unknown names are not; "priv" always is. */
bool bis_isa_has(const struct bis_isa_spec *spec, const char *ext);
/* Canonical string, e.g. for the device tree's riscv,isa. Returns the length as snprintf does. */
int bis_isa_format(const struct bis_isa_spec *spec, char *buf, size_t size);
/* Extension `index` of the table: name and one-line help; NULL beyond the last. */
const char *bis_isa_ext_name(size_t index, const char **help);

/* --- Rows --- */

enum bis_xlens { BIS_X32 = 1, BIS_X64 = 2 };

struct bis_insn;

/* One instruction. `match` has no bit outside `mask`. Compressed rows (len 2) use the low 16 bits. */
struct bis_insn_row {
	const char *name; /* assembler mnemonic, with '_' for '.' */
	const char *ext;  /* extension that brings it: "i", "m", "zicsr", "zca", "zcd"; "x…" comes with its module */
	uint8_t xlens;	  /* BIS_X32 | BIS_X64 */
	uint8_t len;	  /* 2 or 4 bytes */
	uint8_t format;	  /* the family's operand format */
	uint32_t match, mask;
	void (*translate)(struct bis_ir *t, const struct bis_insn *i);
};

/* One decoded instruction: the row and its operands as the format defines them. */
struct bis_insn {
	const struct bis_insn_row *row;
	uint32_t raw;
	uint8_t rd, rs1, rs2, rs3;
	uint8_t rm; /* rounding mode, or fence/aq-rl bits where the format has them */
	uint16_t csr;
	int64_t imm;
};

/* One guest register slot of a family, for display and for gdb. */
struct bis_reg_desc {
	uint8_t slot;
	const char *name;  /* "x10", "f3" */
	const char *alias; /* "a0", "ft3" */
};

/* What an instruction-set family provides besides its rows. */
struct bis_isa_family {
	const char *name; /* "riscv" */
	const struct bis_reg_desc *regs;
	size_t n_regs;
	/* Slots that programs use most, the most used one first: engines may keep them in host registers. */
	const uint8_t *hot;
	size_t n_hot;
	/* Length in bytes (2 or 4) of the instruction whose first 16 bits are `first`. */
	unsigned (*length)(uint16_t first);
	/*
	 * Fills the operands of i (zero before) from i->raw according to i->row->format. False where these operands are
	 * a reserved encoding: the instruction is then illegal, whatever less specific rows there are.
	 */
	bool (*operands)(struct bis_insn *i);
	/* Writes the assembler text ("addi a0, a0, 1"); `pc` is used for branch targets. Returns as snprintf. */
	int (*format_text)(const struct bis_insn *i, unsigned xlen, uint64_t pc, char *buf, size_t size);
	/* Translates a raw instruction that no row matches (normally: an illegal-instruction trap). */
	void (*illegal)(struct bis_ir *t, uint32_t raw);
};

/* --- Decoder: rows of all attached modules, chosen by an ISA spec --- */

struct bis_decoder;

struct bis_row_table {
	const struct bis_insn_row *rows;
	size_t count;
};
/*
 * Builds a decoder from the rows that the spec's width and extensions enable; rows of non-standard extensions ("x…")
 * are always enabled. The rows must outlive the decoder; the tables need not. -EEXIST with a message naming both rows
 * where two enabled rows overlap and neither is more specific; -EINVAL naming a malformed row; -ENOMEM.
 */
BIS_MUST_CHECK int bis_decoder_create(const struct bis_isa_family *family, const struct bis_row_table *tables,
				      size_t n_tables, const struct bis_isa_spec *spec, struct bis_decoder **out);
void bis_decoder_destroy(struct bis_decoder *d);
/*
 * The row that `raw` matches (the most specific one), or NULL where it is illegal. Fills *out, where out is not NULL:
 * row, raw (the upper half of a 2-byte instruction cleared) and operands; row and operands are zero without a match.
 * Thread-safe.
 */
const struct bis_insn_row *bis_decode(const struct bis_decoder *d, uint32_t raw, struct bis_insn *out);
/* Assembler text of raw at pc, or ".2byte 0x…"/".4byte 0x…" where it is illegal. Returns the instruction's length in
 * bytes. */
unsigned bis_disassemble(const struct bis_decoder *d, uint32_t raw, uint64_t pc, char *buf, size_t size);

#ifdef __cplusplus
}
#endif
#endif
