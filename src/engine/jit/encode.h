/*
 * How x86-64 instructions become bytes. Inline, as callers know most of what is decided here: translating is mostly
 * this. Encodings: AMD64 Architecture Programmer's Manual, volume 3, chapter 1.
 */
#ifndef BISCUIT_ENGINE_JIT_ENCODE_H
#define BISCUIT_ENGINE_JIT_ENCODE_H

#include <string.h>

#include <biscuit/types.h>

enum x86_reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
#define XMM0 0u
#define XMM1 1u
#define XMM2 2u

/* Conditions as they are encoded. */
enum x86_cond {
	X86_O,
	X86_NO,
	X86_B,
	X86_AE,
	X86_E,
	X86_NE,
	X86_BE,
	X86_A,
	X86_S,
	X86_NS,
	X86_P,
	X86_NP,
	X86_L,
	X86_GE,
	X86_LE,
	X86_G
};

/* Opcodes of "reg = reg OP reg-or-memory", with their prefixes in the upper bytes: 0x0f.. is a two-byte opcode. */
enum x86_op {
	X86_ADD = 0x03,
	X86_OR_TO = 0x09, /* reg-or-memory OP= reg */
	X86_AND_TO = 0x21,
	X86_XOR_TO = 0x31,
	X86_OR = 0x0b,
	X86_AND = 0x23,
	X86_SUB = 0x2b,
	X86_XOR = 0x33,
	X86_CMP = 0x3b,
	X86_MOV = 0x8b,
	X86_MOV_TO = 0x89, /* reg-or-memory = reg */
	X86_MOV8_TO = 0x88,
	X86_LEA = 0x8d,
	X86_TEST = 0x85,
	X86_XCHG = 0x87,
	X86_MOVSXD = 0x63,
	X86_IMUL = 0x0faf,
	X86_MOVZX8 = 0x0fb6,
	X86_MOVZX16 = 0x0fb7,
	X86_MOVSX8 = 0x0fbe,
	X86_MOVSX16 = 0x0fbf,
	X86_BT = 0x0fa3,  /* reg-or-memory tested at bit reg */
	X86_BTS = 0x0fab, /* and set, */
	X86_BTR = 0x0fb3, /* cleared, */
	X86_BTC = 0x0fbb, /* inverted */
	X86_POPCNT = 0xf30fb8,
	X86_LZCNT = 0xf30fbd,
	X86_TZCNT = 0xf30fbc,
	X86_CMPXCHG = 0x0fb1,
	X86_XADD = 0x0fc1,
	X86_CMOV = 0x0f40 /* + condition */
};

/* Extensions of opcodes that have one operand, or a constant. */
enum x86_group { X86_G_ADD, X86_G_OR, X86_G_AND = 4, X86_G_SUB, X86_G_XOR, X86_G_CMP };
enum x86_shift { X86_ROL, X86_ROR, X86_SHL = 4, X86_SHR, X86_SAR = 7 };
enum x86_unary { X86_NOT = 2, X86_NEG, X86_MUL, X86_IMUL1, X86_DIV, X86_IDIV };

struct x86_asm {
	uint8_t *at, *end; /* the last instruction needs 16 bytes before `end`; without them `at` gets beyond it */
	ptrdiff_t exec;
	uint8_t spare[16]; /* takes what has no place any more */
};

/* A register, or the 64 bits at base + disp. */
struct x86_loc {
	bool memory;
	uint8_t reg; /* or the base */
	int32_t disp;
};

static inline struct x86_loc x86_in(unsigned reg)
{
	return (struct x86_loc){.reg = (uint8_t)reg};
}

static inline struct x86_loc x86_at(enum x86_reg base, int32_t disp)
{
	return (struct x86_loc){.memory = true, .reg = (uint8_t)base, .disp = disp};
}

static inline const uint8_t *x86_here(const struct x86_asm *a)
{
	return a->at + a->exec;
}

/* No instruction is longer. */
#define X86_ROOM 16

/* Where the next instruction is written: at a->at, or where that is not possible any more nowhere that counts. */
static inline uint8_t *x86_begin(struct x86_asm *a)
{
	if (__builtin_expect(a->end - a->at >= X86_ROOM, 1))
		return a->at;
	a->at = a->end + 1;
	return a->spare;
}

/* The instruction from `start` = x86_begin() on ends at p. */
static inline void x86_end(struct x86_asm *a, const uint8_t *start, const uint8_t *p)
{
	a->at += p - start;
}

static inline uint8_t *x86_put8(uint8_t *p, unsigned b)
{
	*p = (uint8_t)b;
	return p + 1;
}

static inline uint8_t *x86_put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline bool x86_fits8(int32_t v)
{
	return v == (int8_t)v;
}

/* Mandatory prefix, REX where something needs it (`rex` asks for one in any case), opcode. */
static inline uint8_t *x86_put_opcode(uint8_t *p, uint32_t op, bool wide, bool rex, unsigned reg, unsigned index,
				      unsigned base)
{
	unsigned bits = (unsigned)wide << 3 | (reg & 8) >> 1 | (index & 8) >> 2 | base >> 3;

	if (op > 0xffff)
		p = x86_put8(p, op >> 16);
	if (bits | rex)
		p = x86_put8(p, 0x40 | bits);
	if (op > 0xff)
		p = x86_put8(p, op >> 8);
	return x86_put8(p, op);
}

/* A displacement of a base whose number ends in `low`, ORed into the ModRM byte at `modrm`; p is behind the SIB byte.
 */
static inline uint8_t *x86_put_disp(uint8_t *p, uint8_t *modrm, unsigned low, int32_t disp)
{
	if (x86_fits8(disp)) {
		if (disp == 0 && low != RBP)
			return p;
		*modrm |= 0x40;
		return x86_put8(p, (uint8_t)disp);
	}
	*modrm |= 0x80;
	return x86_put32(p, (uint32_t)disp);
}

static inline uint8_t *x86_put_operand(uint8_t *p, unsigned reg, struct x86_loc loc)
{
	unsigned low = loc.reg & 7;
	uint8_t *modrm = p;

	p = x86_put8(p, (loc.memory ? 0 : 0xc0) | (reg & 7) << 3 | low);
	if (!loc.memory)
		return p;
	if (low == RSP)
		p = x86_put8(p, 0x24);
	return x86_put_disp(p, modrm, low, loc.disp);
}

/* Without REX, the byte registers 4 to 7 are others. */
static inline bool x86_needs_rex(uint32_t op, unsigned reg, struct x86_loc loc)
{
	if (op == X86_MOV8_TO)
		return reg >= 4;
	return (op == X86_MOVZX8 || op == X86_MOVSX8) && !loc.memory && loc.reg >= 4;
}

static inline uint8_t *x86_put(uint8_t *p, uint32_t op, bool wide, unsigned reg, struct x86_loc loc)
{
	p = x86_put_opcode(p, op, wide, x86_needs_rex(op, reg, loc), reg, 0, loc.reg);
	return x86_put_operand(p, reg, loc);
}

static inline uint8_t *x86_put_index(uint8_t *p, uint32_t op, bool wide, enum x86_reg reg, enum x86_reg base,
				     enum x86_reg index, unsigned scale, int32_t disp)
{
	uint8_t *modrm = x86_put_opcode(p, op, wide, op == X86_MOV8_TO && reg >= 4, reg, index, base);
	p = x86_put8(modrm, (reg & 7u) << 3 | 4u);
	p = x86_put8(p, scale << 6 | (index & 7u) << 3 | (base & 7u));
	return x86_put_disp(p, modrm, base & 7, disp);
}

#endif
