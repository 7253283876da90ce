/*
 * The meaning of each pure operation, once: constant folding and the interpreter use these functions. ir_NAME(a, b).
 */
#ifndef BISCUIT_TRANSLATE_IR_EVAL_H
#define BISCUIT_TRANSLATE_IR_EVAL_H

#include <stdint.h>

#define IR_EVAL1(name, expr)                                                                                           \
	static inline uint64_t ir_##name(uint64_t a, uint64_t b)                                                       \
	{                                                                                                              \
		(void)b;                                                                                               \
		return (uint64_t)(expr);                                                                               \
	}
#define IR_EVAL2(name, expr)                                                                                           \
	static inline uint64_t ir_##name(uint64_t a, uint64_t b)                                                       \
	{                                                                                                              \
		return (uint64_t)(expr);                                                                               \
	}

static inline uint64_t ir_orcb_bytes(uint64_t a)
{
	uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t high = (((a & low7) + low7) | a) & ~low7; /* the top bit of each byte that is not zero */

	return (high >> 7) * 0xff;
}

static inline uint64_t ir_divs_64(int64_t a, int64_t b)
{
	if (b == 0)
		return UINT64_MAX;
	return b == -1 ? -(uint64_t)a : (uint64_t)(a / b);
}

static inline uint64_t ir_rems_64(int64_t a, int64_t b)
{
	if (b == 0)
		return (uint64_t)a;
	return b == -1 ? 0 : (uint64_t)(a % b);
}

static inline uint32_t ir_divs_32(int32_t a, int32_t b)
{
	if (b == 0)
		return UINT32_MAX;
	return b == -1 ? -(uint32_t)a : (uint32_t)(a / b);
}

static inline uint32_t ir_rems_32(int32_t a, int32_t b)
{
	if (b == 0)
		return (uint32_t)a;
	return b == -1 ? 0 : (uint32_t)(a % b);
}

#define S64(v) ((int64_t)(v))
#define U32(v) ((uint32_t)(v))
#define S32(v) ((int32_t)(uint32_t)(v))

IR_EVAL1(mov, a)
IR_EVAL1(sext8, S64((int8_t)a))
IR_EVAL1(sext16, S64((int16_t)a))
IR_EVAL1(sext32, S64(S32(a)))
IR_EVAL1(zext8, (uint8_t)a)
IR_EVAL1(zext16, (uint16_t)a)
IR_EVAL1(zext32, U32(a))
IR_EVAL1(clz, a ? __builtin_clzll(a) : 64)
IR_EVAL1(ctz, a ? __builtin_ctzll(a) : 64)
IR_EVAL1(clz32, U32(a) ? __builtin_clz(U32(a)) : 32)
IR_EVAL1(ctz32, U32(a) ? __builtin_ctz(U32(a)) : 32)
IR_EVAL1(cpop, __builtin_popcountll(a))
IR_EVAL1(bswap, __builtin_bswap64(a))
IR_EVAL1(orcb, ir_orcb_bytes(a))

IR_EVAL2(add, a + b)
IR_EVAL2(sub, a - b)
IR_EVAL2(and, a &b)
IR_EVAL2(or, a | b)
IR_EVAL2(xor, a ^ b)
IR_EVAL2(andn, a & ~b)
IR_EVAL2(orn, a | ~b)
IR_EVAL2(xnor, ~(a ^ b))
IR_EVAL2(shl, a << (b & 63))
IR_EVAL2(shr, a >> (b & 63))
IR_EVAL2(sar, S64(a) >> (b & 63))
IR_EVAL2(rol, a << (b & 63) | a >> (-b & 63))
IR_EVAL2(ror, a >> (b & 63) | a << (-b & 63))
IR_EVAL2(mul, a *b)
IR_EVAL2(mulhu, (unsigned __int128)a *b >> 64)
IR_EVAL2(mulhs, (unsigned __int128)((__int128)S64(a) * S64(b)) >> 64)
IR_EVAL2(mulhsu, ((unsigned __int128)a * b >> 64) - (S64(a) < 0 ? b : 0))
IR_EVAL2(divu, b ? a / b : UINT64_MAX)
IR_EVAL2(divs, ir_divs_64(S64(a), S64(b)))
IR_EVAL2(remu, b ? a % b : a)
IR_EVAL2(rems, ir_rems_64(S64(a), S64(b)))
IR_EVAL2(minu, a < b ? a : b)
IR_EVAL2(mins, S64(a) < S64(b) ? a : b)
IR_EVAL2(maxu, a > b ? a : b)
IR_EVAL2(maxs, S64(a) > S64(b) ? a : b)
IR_EVAL2(seteq, a == b)
IR_EVAL2(setne, a != b)
IR_EVAL2(setltu, a < b)
IR_EVAL2(setlts, S64(a) < S64(b))
IR_EVAL2(sh1add, (a << 1) + b)
IR_EVAL2(sh2add, (a << 2) + b)
IR_EVAL2(sh3add, (a << 3) + b)
IR_EVAL2(bext, a >> (b & 63) & 1)
IR_EVAL2(bset, a | UINT64_C(1) << (b & 63))
IR_EVAL2(bclr, a & ~(UINT64_C(1) << (b & 63)))
IR_EVAL2(binv, a ^ UINT64_C(1) << (b & 63))

IR_EVAL2(add32, U32(a + b))
IR_EVAL2(sub32, U32(a - b))
IR_EVAL2(shl32, U32(U32(a) << (b & 31)))
IR_EVAL2(shr32, U32(a) >> (b & 31))
IR_EVAL2(sar32, U32(S32(a) >> (b & 31)))
IR_EVAL2(rol32, U32(U32(a) << (b & 31) | U32(a) >> (-b & 31)))
IR_EVAL2(ror32, U32(U32(a) >> (b & 31) | U32(a) << (-b & 31)))
IR_EVAL2(mul32, U32(a *b))
IR_EVAL2(mulhu32, (uint64_t)U32(a) * U32(b) >> 32)
IR_EVAL2(mulhs32, U32((uint64_t)(S64(S32(a)) * S32(b)) >> 32))
IR_EVAL2(mulhsu32, U32((uint64_t)(S64(S32(a)) * (int64_t)U32(b)) >> 32))
IR_EVAL2(divu32, U32(b) ? U32(a) / U32(b) : UINT32_MAX)
IR_EVAL2(divs32, ir_divs_32(S32(a), S32(b)))
IR_EVAL2(remu32, U32(b) ? U32(a) % U32(b) : U32(a))
IR_EVAL2(rems32, ir_rems_32(S32(a), S32(b)))
IR_EVAL2(mins32, S32(a) < S32(b) ? U32(a) : U32(b))
IR_EVAL2(maxs32, S32(a) > S32(b) ? U32(a) : U32(b))
IR_EVAL2(setlts32, S32(a) < S32(b))
IR_EVAL2(bext32, U32(a) >> (b & 31) & 1)
IR_EVAL2(bset32, U32(a) | UINT32_C(1) << (b & 31))
IR_EVAL2(bclr32, U32(a) & ~(UINT32_C(1) << (b & 31)))
IR_EVAL2(binv32, U32(a) ^ UINT32_C(1) << (b & 31))

#undef IR_EVAL1
#undef IR_EVAL2
#undef S64
#undef U32
#undef S32

#endif
