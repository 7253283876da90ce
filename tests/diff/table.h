/*
 * table.h - the project's instruction table as the generator sees it: which rows exist, what their operands are.
 * A row added to modules/isa/riscv/insns.def is drawn without a change here, if its format and extension are known.
 */
#ifndef BISCUIT_TESTS_DIFF_TABLE_H
#define BISCUIT_TESTS_DIFF_TABLE_H

#include "isa.h"
#include "rng.h"

/* How the generator has to treat an instruction. */
enum kind {
	KIND_PLAIN,  /* registers to registers: any operands */
	KIND_MEMORY, /* needs an address in its base register */
	KIND_LR,     /* load-reserved and store-conditional are emitted in pairs */
	KIND_SC,
	KIND_BRANCH, /* pc-relative: needs a target ahead */
	KIND_JUMP,
	KIND_JUMP_REG,
	KIND_CSR,
	KIND_SYSTEM, /* ecall, ebreak and the privileged ones */
};

struct row {
	const char *name;
	const char *ext;
	unsigned xlens; /* XLEN_32 | XLEN_64 */
	uint32_t match;
	uint32_t mask;
	unsigned format;
	unsigned size; /* bytes: 2 or 4 */
	enum kind kind;
	bool enabled;
};

enum { XLEN_32 = 1, XLEN_64 = 2 };

struct table {
	const struct isa *isa;
	struct row *rows;
	size_t count;
};

/* Loads the table for isa. Ends the program with a message if a row names an extension this test does not know. */
void table_load(struct table *t, const struct isa *isa);
void table_free(struct table *t);
/* A random enabled row of the kind, or of any kind if kind is negative. */
const struct row *table_draw(const struct table *t, struct rng *r, int kind);
/* The enabled row with this name, or null. */
const struct row *table_find(const struct table *t, const char *name);
/* The enabled row raw belongs to (most mask bits win), or null: raw is illegal. raw has 2 or 4 meaningful bytes by its
 * low bits. */
const struct row *table_match(const struct table *t, uint32_t raw);
/* Random operands for row: a raw instruction that belongs to it. Rounding modes are mostly valid ones. */
uint32_t table_encode(const struct table *t, const struct row *row, struct rng *r);
/* An encoding that belongs to no enabled row. */
uint32_t table_illegal(const struct table *t, struct rng *r);

/* Operand fields of a raw instruction of a row. The base is rs1 of a memory access, a jump, any four-byte instruction.
 */
unsigned table_base(const struct row *row, uint32_t raw);
uint32_t table_set_base(const struct row *row, uint32_t raw, unsigned reg); /* unchanged if reg does not fit */
int table_offset(const struct row *row, uint32_t raw); /* what a memory access or jalr adds to it */
uint32_t table_set_target(const struct row *row, uint32_t raw, int distance); /* branch or jump */
/* Registers that raw may write, as a bit set; may name more than it does write. */
uint32_t table_writes(const struct row *row, uint32_t raw);
/* Bytes an atomic needs as alignment; 1 for others. */
unsigned table_alignment(const struct row *row);
bool table_writes_float(const struct row *row);

#endif
