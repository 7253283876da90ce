/*
 * table.c - draws rows of the instruction table and fills their operand fields
 * (unprivileged specification, "Base Instruction Formats" and "Compressed Instruction Formats").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

enum format {
#define FORMAT(name, operands, text) FMT_##name,
#include <biscuit/riscv_formats.def>
};

/* The letters of text are explained in riscv_formats.def; they tell what the generator has to know. */
static const struct format_info {
	const char *name, *text;
} formats[] = {
#define FORMAT(name, operands, text) {#name, text},
#include <biscuit/riscv_formats.def>
};

static bool format_has(const struct row *row, const char *letters)
{
	return strpbrk(formats[row->format].text, letters) != NULL;
}

static bool is_memory(const struct row *row)
{
	return strstr(formats[row->format].text, "(s)") != NULL;
}

enum { X32 = XLEN_32, X64 = XLEN_64 };

static const struct row all_rows[] = {
#define INSN(name, ext, xlens, match, mask, format)                                                                    \
	{#name, #ext, xlens, match, mask, FMT_##format, 0, KIND_PLAIN, false},
#include "modules/isa/riscv/insns.def"
};
enum { ROWS = sizeof(all_rows) / sizeof(all_rows[0]) };

static unsigned size_of(uint32_t raw)
{
	return (raw & 3) == 3 ? 4 : 2;
}

static enum kind kind_of(const struct row *row)
{
	if (!strcmp(row->name, "jalr") || row->format == FMT_C_JR || row->format == FMT_C_JALR)
		return KIND_JUMP_REG;
	if (row->format == FMT_LR)
		return KIND_LR;
	if (row->format == FMT_AMO && !strncmp(row->name, "sc_", 3))
		return KIND_SC;
	if (is_memory(row))
		return KIND_MEMORY;
	if (format_has(row, "p"))
		return format_has(row, "s") ? KIND_BRANCH : KIND_JUMP;
	if (format_has(row, "c"))
		return KIND_CSR;
	if (row->format == FMT_SFENCE || (row->format == FMT_NONE && (row->match & 0x7f) != 0x0f)) /* not the fences */
		return KIND_SYSTEM;
	return KIND_PLAIN;
}

void table_load(struct table *t, const struct isa *isa)
{
	t->isa = isa;
	t->count = ROWS;
	t->rows = calloc(ROWS, sizeof(*t->rows));
	if (!t->rows) {
		fputs("fuzz-diff: out of memory\n", stderr);
		exit(2);
	}
	for (size_t i = 0; i < ROWS; i++) {
		struct row *row = &t->rows[i];
		bool known, has;

		*row = all_rows[i];
		row->size = size_of(row->match);
		row->kind = kind_of(row);
		has = isa_has(isa, row->ext, &known);
		if (!known) {
			fprintf(stderr, "fuzz-diff: instruction %s: extension %s is not known; add it to isa_has()\n",
				row->name, row->ext);
			exit(2);
		}
		row->enabled = has && (row->xlens & (isa->xlen == 64 ? XLEN_64 : XLEN_32));
	}
}

void table_free(struct table *t)
{
	free(t->rows);
	t->rows = NULL;
}

const struct row *table_draw(const struct table *t, struct rng *r, int kind)
{
	for (;;) {
		const struct row *row = &t->rows[rng_below(r, (unsigned)t->count)];

		if (row->enabled && (kind < 0 || row->kind == (enum kind)kind))
			return row;
	}
}

const struct row *table_find(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].enabled && !strcmp(t->rows[i].name, name))
			return &t->rows[i];
	return NULL;
}

const struct row *table_match(const struct table *t, uint32_t raw)
{
	const struct row *best = NULL;
	unsigned size = size_of(raw);

	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];

		if (!row->enabled || row->size != size || (raw & row->mask) != row->match)
			continue;
		if (!best || __builtin_popcount(row->mask) > __builtin_popcount(best->mask))
			best = row;
	}
	return best;
}

static uint32_t random_rm(struct rng *r)
{
	if (rng_chance(r, 4))
		return 5 + rng_below(r, 2); /* reserved */
	return rng_chance(r, 40) ? 7 : rng_below(r, 5);
}

uint32_t table_encode(const struct table *t, const struct row *row, struct rng *r)
{
	for (;;) {
		uint32_t raw = row->match | ((uint32_t)rng_next(r) & ~row->mask);

		if (row->size == 2)
			raw &= 0xffff;
		if (format_has(row, "m"))
			raw = (raw & ~(uint32_t)0x7000) | random_rm(r) << 12;
		if (table_match(t, raw) == row)
			return raw;
	}
}

uint32_t table_illegal(const struct table *t, struct rng *r)
{
	for (;;) {
		const struct row *row = &t->rows[rng_below(r, (unsigned)t->count)];
		uint32_t raw = row->match | ((uint32_t)rng_next(r) & ~row->mask);

		if (row->enabled)
			for (unsigned flips = 1 + rng_below(r, 2); flips; flips--)
				raw ^= (uint32_t)1 << rng_below(r, 8 * row->size);
		if (row->size == 2)
			raw &= 0xffff;
		if (size_of(raw) != row->size || (row->size == 2 && !t->isa->c))
			continue;
		if (!t->isa->a && (raw & 0x707f) == 0x302f) /* see masks.h */
			continue;
		if (!table_match(t, raw))
			return raw;
	}
}

/* True for the compressed accesses that use the stack pointer. */
static bool is_sp_relative(const struct row *row)
{
	return row->size == 2 && strstr(formats[row->format].name, "SP");
}

unsigned table_base(const struct row *row, uint32_t raw)
{
	if (row->size == 4)
		return raw >> 15 & 0x1f;
	if (row->kind == KIND_JUMP_REG)
		return raw >> 7 & 0x1f;
	return is_sp_relative(row) ? 2 : 8 + (raw >> 7 & 7);
}

uint32_t table_set_base(const struct row *row, uint32_t raw, unsigned reg)
{
	if (row->size == 4)
		return (raw & ~(uint32_t)0xf8000) | reg << 15;
	if (row->kind == KIND_JUMP_REG)
		return reg ? (raw & ~(uint32_t)0xf80) | reg << 7 : raw;
	if (is_sp_relative(row) || reg < 8 || reg > 15)
		return raw;
	return (raw & ~(uint32_t)0x380) | (reg - 8) << 7;
}

static int sign12(uint32_t v)
{
	return (int)((v & 0xfff) ^ 0x800) - 0x800;
}

int table_offset(const struct row *row, uint32_t raw)
{
	switch (row->format) {
	case FMT_LOAD:
	case FMT_FLOAD:
		return sign12(raw >> 20);
	case FMT_STORE:
	case FMT_FSTORE:
		return sign12((raw >> 25) << 5 | (raw >> 7 & 0x1f));
	case FMT_C_LW:
	case FMT_C_FLW:
	case FMT_C_SW:
	case FMT_C_FSW:
		return (int)((raw >> 10 & 7) << 3 | (raw >> 6 & 1) << 2 | (raw >> 5 & 1) << 6);
	case FMT_C_LD:
	case FMT_C_FLD:
	case FMT_C_SD:
	case FMT_C_FSD:
		return (int)((raw >> 10 & 7) << 3 | (raw >> 5 & 3) << 6);
	case FMT_C_LWSP:
	case FMT_C_FLWSP:
		return (int)((raw >> 12 & 1) << 5 | (raw >> 4 & 7) << 2 | (raw >> 2 & 3) << 6);
	case FMT_C_LDSP:
	case FMT_C_FLDSP:
		return (int)((raw >> 12 & 1) << 5 | (raw >> 5 & 3) << 3 | (raw >> 2 & 7) << 6);
	case FMT_C_SWSP:
	case FMT_C_FSWSP:
		return (int)((raw >> 9 & 0xf) << 2 | (raw >> 7 & 3) << 6);
	case FMT_C_SDSP:
	case FMT_C_FSDSP:
		return (int)((raw >> 10 & 7) << 3 | (raw >> 7 & 7) << 6);
	default:
		return 0;
	}
}

uint32_t table_set_target(const struct row *row, uint32_t raw, int distance)
{
	uint32_t u = (uint32_t)distance;

	switch (row->format) {
	case FMT_B:
		return (raw & 0x01fff07f) | (u >> 11 & 1) << 7 | (u >> 1 & 0xf) << 8 | (u >> 5 & 0x3f) << 25 |
		       (u >> 12 & 1) << 31;
	case FMT_J:
		return (raw & 0xfff) | (u >> 12 & 0xff) << 12 | (u >> 11 & 1) << 20 | (u >> 1 & 0x3ff) << 21 |
		       (u >> 20 & 1) << 31;
	case FMT_C_B:
		return (raw & 0xe383) | (u >> 5 & 1) << 2 | (u >> 1 & 3) << 3 | (u >> 6 & 3) << 5 | (u >> 3 & 3) << 10 |
		       (u >> 8 & 1) << 12;
	case FMT_C_J:
	case FMT_C_JAL:
		return (raw & 0xe003) | (u >> 5 & 1) << 2 | (u >> 1 & 7) << 3 | (u >> 7 & 1) << 6 | (u >> 6 & 1) << 7 |
		       (u >> 10 & 1) << 8 | (u >> 8 & 3) << 9 | (u >> 4 & 1) << 11 | (u >> 11 & 1) << 12;
	default:
		return raw;
	}
}

uint32_t table_writes(const struct row *row, uint32_t raw)
{
	uint32_t one = 1;

	if (row->format == FMT_STORE || row->format == FMT_FSTORE || row->format == FMT_B || table_writes_float(row))
		return 0;
	if (row->size == 4)
		return one << (raw >> 7 & 0x1f);
	return one << (raw >> 7 & 0x1f) | one << (8 + (raw >> 7 & 7)) | one << (8 + (raw >> 2 & 7)) | one << 1;
}

unsigned table_alignment(const struct row *row)
{
	if (row->format != FMT_AMO && row->format != FMT_LR)
		return 1;
	return 1u << (row->match >> 12 & 3);
}

bool table_writes_float(const struct row *row)
{
	return formats[row->format].text[0] == 'D';
}
