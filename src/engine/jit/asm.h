/*
 * An assembler for x86-64: a function for each form of instruction, which appends its bytes. Names follow the Intel and
 * AMD manuals; destinations come first. Code is written through one mapping of memory and runs in another, `exec` bytes
 * further on: addresses of targets are those of the second.
 */
#ifndef BISCUIT_ENGINE_JIT_ASM_H
#define BISCUIT_ENGINE_JIT_ASM_H

#include "src/engine/jit/encode.h"

/* reg = reg OP loc, on 64 bits if wide, else on 32, which clears the upper half. */
static inline void x86_op(struct x86_asm *a, enum x86_op op, bool wide, enum x86_reg reg, struct x86_loc loc)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put(start, op, wide, reg, loc));
}
/* The same with an index: [base + index * 2^scale + disp]. */
static inline void x86_op_index(struct x86_asm *a, enum x86_op op, bool wide, enum x86_reg reg, enum x86_reg base,
				enum x86_reg index, unsigned scale, int32_t disp)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put_index(start, op, wide, reg, base, index, scale, disp));
}
/* loc = loc OP constant. */
static inline void x86_group(struct x86_asm *a, enum x86_group op, bool wide, struct x86_loc loc, int32_t value)
{
	uint8_t *start = x86_begin(a);

	if (x86_fits8(value))
		x86_end(a, start, x86_put8(x86_put(start, 0x83, wide, op, loc), (uint8_t)value));
	else
		x86_end(a, start, x86_put32(x86_put(start, 0x81, wide, op, loc), (uint32_t)value));
}
/* loc shifted by a constant, or by CL. */
static inline void x86_shift(struct x86_asm *a, enum x86_shift op, bool wide, struct x86_loc loc, unsigned count)
{
	uint8_t *start = x86_begin(a);

	x86_end(a, start, x86_put8(x86_put(start, 0xc1, wide, op, loc), count));
}
void x86_shift_cl(struct x86_asm *a, enum x86_shift op, bool wide, struct x86_loc loc);
/* NOT, NEG; multiplication and division of RDX:RAX. */
void x86_unary(struct x86_asm *a, enum x86_unary op, bool wide, struct x86_loc loc);
/* BT and its kind with a constant: `op` as with a register. */
void x86_bit(struct x86_asm *a, enum x86_op op, bool wide, struct x86_loc loc, unsigned bit);
/* reg = reg2 or memory, times a constant. */
void x86_imul_const(struct x86_asm *a, bool wide, enum x86_reg reg, struct x86_loc loc, int32_t value);
void x86_const(struct x86_asm *a, enum x86_reg reg, uint64_t value);
/* 64 bits of memory = constant, sign-extended; the lower 32 alone unless wide. */
void x86_store_const(struct x86_asm *a, bool wide, struct x86_loc memory, int32_t value);
void x86_bswap(struct x86_asm *a, enum x86_reg reg);
/* Stores the lowest 1, 2, 4 or 8 bytes. */
void x86_store(struct x86_asm *a, unsigned size, struct x86_loc memory, enum x86_reg reg);
void x86_store_index(struct x86_asm *a, unsigned size, enum x86_reg base, enum x86_reg index, int32_t disp,
		     enum x86_reg reg);
/* The lowest byte of reg = condition; the others stay. RAX to RDX alone. */
void x86_setcc(struct x86_asm *a, enum x86_cond cond, enum x86_reg reg);
void x86_cqo(struct x86_asm *a, bool wide);
void x86_push(struct x86_asm *a, enum x86_reg reg);
void x86_pop(struct x86_asm *a, enum x86_reg reg);
void x86_ret(struct x86_asm *a);
void x86_lock(struct x86_asm *a); /* prefix of the next instruction */
/* Fills up with what does nothing, so that the next instruction is executed at a multiple of `size`, a power of 2. */
void x86_align(struct x86_asm *a, size_t size);

/* Appends `size` bytes from elsewhere: where they are, or NULL if there is no room. */
static inline uint8_t *x86_copy(struct x86_asm *a, const uint8_t *code, size_t size)
{
	uint8_t *at = a->at;

	if (a->end - at < (ptrdiff_t)size) {
		a->at = a->end + 1;
		return NULL;
	}
	a->at += size;
	return memcpy(at, code, size);
}

/* SSE: `op` with its mandatory prefix, such as 0xf20f58 (ADDSD). */
enum x86_sse {
	X86_MOVSD = 0xf20f10,
	X86_MOVSD_TO = 0xf20f11,
	X86_MOVSS = 0xf30f10,
	X86_MOVSS_TO = 0xf30f11,
	X86_ADDSD = 0xf20f58,
	X86_MULSD = 0xf20f59,
	X86_SUBSD = 0xf20f5c,
	X86_DIVSD = 0xf20f5e,
	X86_SQRTSD = 0xf20f51,
	X86_UCOMISD = 0x660f2e,
	X86_COMISD = 0x660f2f,
	X86_CVTSD2SS = 0xf20f5a,
	X86_CVTSS2SD = 0xf30f5a,
	X86_CVTSI2SD = 0xf20f2a,
	X86_CVTTSD2SI = 0xf20f2c,
	X86_CVTSD2SI = 0xf20f2d,
	X86_XORPS = 0x0f57,
	X86_MOVAPS = 0x0f28,
	X86_MOVQ_TO_REG = 0x660f7e,
	X86_MOVQ_TO_XMM = 0x660f6e
};
/* The same operation on 32-bit numbers. */
#define X86_SINGLE(op)                                                                                                 \
	((enum x86_sse)((op) == X86_UCOMISD ? 0x0f2e : (op) == X86_COMISD ? 0x0f2f : ((op)&0xffff) | 0xf30000))
void x86_sse(struct x86_asm *a, enum x86_sse op, bool wide, unsigned xmm, struct x86_loc loc);
/* FMA3: xmm1 = +-(xmm1 * xmm2) +- xmm3; `op` 0xa9 + … of the 213 forms. */
enum x86_fma { X86_VFMADD213 = 0xa9, X86_VFMSUB213 = 0xab, X86_VFNMADD213 = 0xad, X86_VFNMSUB213 = 0xaf };
void x86_fma(struct x86_asm *a, enum x86_fma op, bool wide, unsigned xmm1, unsigned xmm2, unsigned xmm3);
void x86_ldmxcsr(struct x86_asm *a, struct x86_loc memory);
void x86_stmxcsr(struct x86_asm *a, struct x86_loc memory);

/* Jumps and calls to code that is there; in reach of 2 GiB. */
void x86_jmp(struct x86_asm *a, const void *target);
void x86_call(struct x86_asm *a, const void *target);
void x86_jcc(struct x86_asm *a, enum x86_cond cond, const void *target);
void x86_jcc_near(struct x86_asm *a, enum x86_cond cond, const void *target); /* in reach of 127 bytes */
void x86_jmp_loc(struct x86_asm *a, struct x86_loc loc);
void x86_call_loc(struct x86_asm *a, struct x86_loc loc);

/* Jumps to what follows later: x86_bind lets them lead to the present place. */
struct x86_patch {
	uint8_t *at; /* its 32 bits */
};
struct x86_patch x86_jmp_later(struct x86_asm *a);
struct x86_patch x86_call_later(struct x86_asm *a);
struct x86_patch x86_jcc_later(struct x86_asm *a, enum x86_cond cond);
void x86_bind(struct x86_asm *a, struct x86_patch p);
/* Lets the jump whose 32 bits are at `at` (as written) lead to `target` (as executed). */
void x86_retarget(uint8_t *at, ptrdiff_t exec, const void *target);

#endif
