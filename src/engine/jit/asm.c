/* The x86-64 assembler, see asm.h. */
#include "asm.h"

#include <string.h>

static void encode(struct x86_asm *a, uint32_t op, bool wide, unsigned reg, struct x86_loc loc)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put(start, op, wide, reg, loc));
}

void x86_store_index(struct x86_asm *a, unsigned size, enum x86_reg base, enum x86_reg index, int32_t disp,
		     enum x86_reg reg)
{
	uint8_t *start = x86_begin(a), *p = start;

	if (size == 2)
		p = x86_put8(p, 0x66);
	x86_end(a, start, x86_put_index(p, size == 1 ? X86_MOV8_TO : X86_MOV_TO, size == 8, reg, base, index, 0, disp));
}

void x86_shift_cl(struct x86_asm *a, enum x86_shift op, bool wide, struct x86_loc loc)
{
	encode(a, 0xd3, wide, op, loc);
}

void x86_unary(struct x86_asm *a, enum x86_unary op, bool wide, struct x86_loc loc)
{
	encode(a, 0xf7, wide, op, loc);
}

void x86_bit(struct x86_asm *a, enum x86_op op, bool wide, struct x86_loc loc, unsigned bit)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put8(x86_put(start, 0x0fba, wide, ((unsigned)op >> 3 & 3) | 4, loc), bit));
}

void x86_imul_const(struct x86_asm *a, bool wide, enum x86_reg reg, struct x86_loc loc, int32_t value)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put32(x86_put(start, 0x69, wide, reg, loc), (uint32_t)value));
}

void x86_const(struct x86_asm *a, enum x86_reg reg, uint64_t value)
{
	uint8_t *start = x86_begin(a), *p = start;

	if (value == 0) {
		p = x86_put(p, X86_XOR, false, reg, x86_in(reg));
	} else if (value <= UINT32_MAX) {
		p = x86_put32(x86_put_opcode(p, 0xb8 | (reg & 7u), false, false, 0, 0, reg), (uint32_t)value);
	} else if ((int64_t)value == (int32_t)value) {
		p = x86_put32(x86_put(p, 0xc7, true, 0, x86_in(reg)), (uint32_t)value);
	} else {
		p = x86_put_opcode(p, 0xb8 | (reg & 7u), true, false, 0, 0, reg);
		p = x86_put32(x86_put32(p, (uint32_t)value), (uint32_t)(value >> 32));
	}
	x86_end(a, start, p);
}

void x86_store_const(struct x86_asm *a, bool wide, struct x86_loc memory, int32_t value)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put32(x86_put(start, 0xc7, wide, 0, memory), (uint32_t)value));
}

void x86_bswap(struct x86_asm *a, enum x86_reg reg)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put_opcode(start, 0x0fc8 | (reg & 7u), true, false, 0, 0, reg));
}

void x86_store(struct x86_asm *a, unsigned size, struct x86_loc memory, enum x86_reg reg)
{
	uint8_t *start = x86_begin(a), *p = start;

	if (size == 2)
		p = x86_put8(p, 0x66);
	x86_end(a, start, x86_put(p, size == 1 ? X86_MOV8_TO : X86_MOV_TO, size == 8, reg, memory));
}

void x86_setcc(struct x86_asm *a, enum x86_cond cond, enum x86_reg reg)
{
	encode(a, 0x0f90u | cond, false, 0, x86_in(reg));
}

void x86_cqo(struct x86_asm *a, bool wide)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put_opcode(start, 0x99, wide, false, 0, 0, 0));
}

void x86_push(struct x86_asm *a, enum x86_reg reg)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put_opcode(start, 0x50 | (reg & 7u), false, false, 0, 0, reg));
}

void x86_pop(struct x86_asm *a, enum x86_reg reg)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put_opcode(start, 0x58 | (reg & 7u), false, false, 0, 0, reg));
}

void x86_ret(struct x86_asm *a)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put8(start, 0xc3));
}

void x86_lock(struct x86_asm *a)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put8(start, 0xf0));
}

void x86_align(struct x86_asm *a, size_t size)
{
	static const uint8_t nops[][9] = {
		{0x90},
		{0x66, 0x90},
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0},
		{0x0f, 0x1f, 0x44, 0, 0},
		{0x66, 0x0f, 0x1f, 0x44, 0, 0},
		{0x0f, 0x1f, 0x80, 0, 0, 0, 0},
		{0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
		{0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
	};
	size_t left = -(uintptr_t)x86_here(a) & (size - 1);

	while (left) {
		size_t n = left < sizeof(nops[0]) ? left : sizeof(nops[0]);

		x86_copy(a, nops[n - 1], n);
		left -= n;
	}
}

void x86_sse(struct x86_asm *a, enum x86_sse op, bool wide, unsigned xmm, struct x86_loc loc)
{
	encode(a, op, wide, xmm, loc);
}

/* A three-byte VEX prefix, map 0F38, 66. */
void x86_fma(struct x86_asm *a, enum x86_fma op, bool wide, unsigned xmm1, unsigned xmm2, unsigned xmm3)
{
	uint8_t *start = x86_begin(a), *p = x86_put8(start, 0xc4);

	p = x86_put8(p, (xmm1 < 8 ? 0x80u : 0) | 0x40u | (xmm3 < 8 ? 0x20u : 0) | 2u);
	p = x86_put8(p, (wide ? 0x80u : 0) | (~xmm2 & 15u) << 3 | 1u);
	x86_end(a, start, x86_put8(x86_put8(p, op), 0xc0u | (xmm1 & 7u) << 3 | (xmm3 & 7u)));
}

void x86_ldmxcsr(struct x86_asm *a, struct x86_loc memory)
{
	encode(a, 0x0fae, false, 2, memory);
}

void x86_stmxcsr(struct x86_asm *a, struct x86_loc memory)
{
	encode(a, 0x0fae, false, 3, memory);
}

/* --- Jumps --- */

/* A jump or call of `opcode`, of two bytes where that is above 0xff, whose 32 bits are `distance`. */
static void jump(struct x86_asm *a, unsigned opcode, uint32_t distance)
{
	uint8_t *start = x86_begin(a), *p = start;

	if (opcode > 0xff)
		p = x86_put8(p, opcode >> 8);
	x86_end(a, start, x86_put32(x86_put8(p, opcode), distance));
}

static void jump_to(struct x86_asm *a, unsigned opcode, const void *target)
{
	unsigned length = opcode > 0xff ? 6 : 5;

	jump(a, opcode, (uint32_t)((const uint8_t *)target - (x86_here(a) + length)));
}

void x86_jmp(struct x86_asm *a, const void *target)
{
	jump_to(a, 0xe9, target);
}

void x86_call(struct x86_asm *a, const void *target)
{
	jump_to(a, 0xe8, target);
}

void x86_jcc(struct x86_asm *a, enum x86_cond cond, const void *target)
{
	jump_to(a, 0x0f80u | cond, target);
}

void x86_jcc_near(struct x86_asm *a, enum x86_cond cond, const void *target)
{
	uint8_t *start = x86_begin(a);
	ptrdiff_t distance = (const uint8_t *)target - (x86_here(a) + 2);

	x86_end(a, start, x86_put8(x86_put8(start, 0x70u | cond), (uint8_t)distance));
}

void x86_jmp_loc(struct x86_asm *a, struct x86_loc loc)
{
	encode(a, 0xff, false, 4, loc);
}

void x86_call_loc(struct x86_asm *a, struct x86_loc loc)
{
	encode(a, 0xff, false, 2, loc);
}

static struct x86_patch later(struct x86_asm *a, unsigned opcode)
{
	jump(a, opcode, 0);
	return (struct x86_patch){a->at - 4};
}

struct x86_patch x86_jmp_later(struct x86_asm *a)
{
	return later(a, 0xe9);
}

struct x86_patch x86_call_later(struct x86_asm *a)
{
	return later(a, 0xe8);
}

struct x86_patch x86_jcc_later(struct x86_asm *a, enum x86_cond cond)
{
	return later(a, 0x0f80u | cond);
}

void x86_retarget(uint8_t *at, ptrdiff_t exec, const void *target)
{
	int32_t to = (int32_t)((const uint8_t *)target - (at + exec + 4));

	memcpy(at, &to, sizeof(to));
}

void x86_bind(struct x86_asm *a, struct x86_patch p)
{
	if (a->at <= a->end)
		x86_retarget(p.at, a->exec, x86_here(a));
}
