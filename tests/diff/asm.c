/*
 * asm.c - encoders for the base instruction formats (unprivileged specification, chapter "RV32I", section 2.2).
 */
#include <stdio.h>
#include <stdlib.h>

#include "asm.h"
#include "layout.h"

static void append(struct code *c, const uint8_t *bytes, size_t n)
{
	if (n > TEXT_MAX - c->len) {
		fputs("fuzz-diff: the test program outgrew its text area; use fewer instructions\n", stderr);
		exit(2);
	}
	if (n > c->cap - c->len) {
		size_t cap = c->cap ? c->cap * 2 : 65536;
		uint8_t *grown = realloc(c->bytes, cap);

		if (!grown) {
			fputs("fuzz-diff: out of memory\n", stderr);
			exit(2);
		}
		c->bytes = grown;
		c->cap = cap;
	}
	for (size_t i = 0; i < n; i++)
		c->bytes[c->len++] = bytes[i];
}

void as_half(struct code *c, uint32_t half)
{
	uint8_t b[2] = {(uint8_t)half, (uint8_t)(half >> 8)};

	append(c, b, sizeof(b));
}

void as_word(struct code *c, uint32_t word)
{
	uint8_t b[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};

	append(c, b, sizeof(b));
}

uint64_t as_here(const struct code *c)
{
	return TEXT + c->len;
}

static uint32_t word_at(const struct code *c, uint64_t at)
{
	const uint8_t *b = c->bytes + (at - TEXT);

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

void as_patch_bytes(struct code *c, uint64_t at, uint32_t word, unsigned size)
{
	uint8_t *b = c->bytes + (at - TEXT);

	for (unsigned i = 0; i < size; i++)
		b[i] = (uint8_t)(word >> (8 * i));
}

static void patch_word(struct code *c, uint64_t at, uint32_t word)
{
	as_patch_bytes(c, at, word, 4);
}

void as_r(struct code *c, uint32_t match, unsigned rd, unsigned rs1, unsigned rs2)
{
	as_word(c, match | rd << 7 | rs1 << 15 | rs2 << 20);
}

void as_i(struct code *c, uint32_t match, unsigned rd, unsigned rs1, int imm)
{
	as_word(c, match | rd << 7 | rs1 << 15 | ((uint32_t)imm & 0xfff) << 20);
}

void as_s(struct code *c, uint32_t match, unsigned rs2, unsigned rs1, int imm)
{
	uint32_t u = (uint32_t)imm;

	as_word(c, match | (u & 0x1f) << 7 | rs1 << 15 | rs2 << 20 | (u >> 5 & 0x7f) << 25);
}

void as_load(struct code *c, unsigned rd, unsigned rs1, int off)
{
	as_i(c, c->xlen == 64 ? I_LD : I_LW, rd, rs1, off);
}

void as_store(struct code *c, unsigned rs2, unsigned rs1, int off)
{
	as_s(c, c->xlen == 64 ? S_SD : S_SW, rs2, rs1, off);
}

static int low12(uint64_t value)
{
	return (int)((value & 0xfff) ^ 0x800) - 0x800;
}

void as_li(struct code *c, unsigned rd, uint64_t value)
{
	int64_t v = c->xlen == 64 ? (int64_t)value : (int64_t)(int32_t)value;
	int low = low12((uint64_t)v);

	if (v == low) {
		as_i(c, I_ADDI, rd, ZERO, low);
		return;
	}
	if (v == (int32_t)v) {
		as_word(c, 0x37 | rd << 7 | (((uint32_t)v + 0x800) & 0xfffff000));
		if (low)
			as_i(c, c->xlen == 64 ? I_ADDIW : I_ADDI, rd, rd, low);
		return;
	}
	/* value - low loses nothing: the sum wraps exactly as the instructions do. */
	uint64_t high = (uint64_t)v - (uint64_t)(int64_t)low;
	unsigned shift = 12;

	while (!(high >> shift & 1))
		shift++;
	as_li(c, rd, (uint64_t)((int64_t)high >> shift));
	as_i(c, I_SLLI, rd, rd, (int)shift);
	if (low)
		as_i(c, I_ADDI, rd, rd, low);
}

void as_csr(struct code *c, unsigned funct3, unsigned rd, unsigned csr, unsigned rs1)
{
	as_word(c, 0x73 | rd << 7 | funct3 << 12 | rs1 << 15 | csr << 20);
}

void as_csrr(struct code *c, unsigned rd, unsigned csr)
{
	as_csr(c, 2, rd, csr, ZERO);
}

void as_csrw(struct code *c, unsigned csr, unsigned rs1)
{
	as_csr(c, 1, ZERO, csr, rs1);
}

void as_csrs(struct code *c, unsigned csr, unsigned rs1)
{
	as_csr(c, 2, ZERO, csr, rs1);
}

void as_csrc(struct code *c, unsigned csr, unsigned rs1)
{
	as_csr(c, 3, ZERO, csr, rs1);
}

static uint32_t branch_offset(uint64_t from, uint64_t to)
{
	uint32_t u = (uint32_t)(to - from);

	return (u >> 11 & 1) << 7 | (u >> 1 & 0xf) << 8 | (u >> 5 & 0x3f) << 25 | (u >> 12 & 1) << 31;
}

static uint32_t jump_offset(uint64_t from, uint64_t to)
{
	uint32_t u = (uint32_t)(to - from);

	return (u >> 12 & 0xff) << 12 | (u >> 11 & 1) << 20 | (u >> 1 & 0x3ff) << 21 | (u >> 20 & 1) << 31;
}

void as_branch(struct code *c, uint32_t match, unsigned rs1, unsigned rs2, uint64_t target)
{
	as_word(c, match | rs1 << 15 | rs2 << 20 | branch_offset(as_here(c), target));
}

void as_jump(struct code *c, unsigned rd, uint64_t target)
{
	as_word(c, 0x6f | rd << 7 | jump_offset(as_here(c), target));
}

void as_far_call(struct code *c, unsigned rd, uint64_t target)
{
	uint32_t off = (uint32_t)(target - as_here(c));

	as_word(c, 0x17 | rd << 7 | ((off + 0x800) & 0xfffff000));
	as_i(c, I_JALR, rd, rd, low12(off));
}

void as_patch_branch(struct code *c, uint64_t at)
{
	patch_word(c, at, (word_at(c, at) & 0x01fff07f) | branch_offset(at, as_here(c)));
}

void as_patch_jump(struct code *c, uint64_t at)
{
	patch_word(c, at, (word_at(c, at) & 0xfff) | jump_offset(at, as_here(c)));
}

void as_la(struct code *c, unsigned rd, uint64_t target)
{
	uint32_t off = (uint32_t)(target - as_here(c));

	as_word(c, 0x17 | rd << 7 | ((off + 0x800) & 0xfffff000));
	as_i(c, I_ADDI, rd, rd, low12(off));
}

void as_patch_la(struct code *c, uint64_t at, int addend)
{
	uint32_t off = (uint32_t)(as_here(c) - at) + (uint32_t)addend;

	patch_word(c, at, (word_at(c, at) & 0xfff) | ((off + 0x800) & 0xfffff000));
	patch_word(c, at + 4, (word_at(c, at + 4) & 0xfffff) | (uint32_t)low12(off) << 20);
}
