/*
 * Add, multiply, divide, square root and fused multiply-add on any format (IEEE 754-2019 section 5.4.1; RISC-V F
 * extension 2.2 section "Single-Precision Floating-Point Computational Instructions").
 *
 * Each operation settles zeros, infinities and NaNs, then computes at least 64 leading bits of the exact result, the
 * last of which absorbs what lies below, and rounds once.
 *
 * Pure functions: any thread, no memory.
 */
#ifndef BISCUIT_FLOAT_ARITH_H
#define BISCUIT_FLOAT_ARITH_H

#include "format.h"

typedef unsigned __int128 fp_u128;

/* The zero that an exact cancellation gives. */
FP_INLINE uint64_t fp_cancelled(const struct bis_fp_env *env, const struct fp_format *f)
{
	return fp_signed(f, env->rm == BIS_FP_RDN, 0);
}

/* A sum of which at least one operand is not finite, or zero. */
FP_INLINE uint64_t fp_add_special(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b)
{
	struct fp_parts x = fp_unpack(f, a), y = fp_unpack(f, b);

	if (x.kind == KIND_NAN || y.kind == KIND_NAN)
		return fp_propagate(env, f, fp_is_signalling(f, a) || fp_is_signalling(f, b));
	if (x.kind == KIND_INF && y.kind == KIND_INF && x.sign != y.sign)
		return fp_invalid(env, f);
	if (x.kind == KIND_INF || y.kind == KIND_INF)
		return fp_signed(f, x.kind == KIND_INF ? x.sign : y.sign, fp_inf(f));
	if (x.kind == KIND_ZERO && y.kind == KIND_ZERO)
		return x.sign == y.sign ? fp_signed(f, x.sign, 0) : fp_cancelled(env, f);
	return fp_signed(f, x.kind == KIND_ZERO ? y.sign : x.sign, fp_magnitude(f, x.kind == KIND_ZERO ? b : a));
}

FP_OUTLINE uint64_t fp_add(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b)
{
	struct fp_parts x = fp_unpack(f, a), y = fp_unpack(f, b);
	uint64_t sum, low;
	int lead;

	if (x.kind != KIND_FINITE || y.kind != KIND_FINITE)
		return fp_add_special(env, f, a, b);
	if (x.exp < y.exp || (x.exp == y.exp && x.sig < y.sig)) {
		struct fp_parts larger = y;

		y = x;
		x = larger;
	}
	/* One bit lower, so that the sum has room for a carry; the formats leave enough empty bits below. */
	low = fp_shift_jam(y.sig >> 1, (unsigned)(x.exp - y.exp));
	sum = x.sign == y.sign ? (x.sig >> 1) + low : (x.sig >> 1) - low;
	if (!sum)
		return fp_cancelled(env, f);
	lead = __builtin_clzll(sum);
	return fp_round(env, f, x.sign, x.exp + 1 - lead, sum << lead);
}

FP_OUTLINE uint64_t fp_mul(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b)
{
	struct fp_parts x = fp_unpack(f, a), y = fp_unpack(f, b);
	bool sign = x.sign != y.sign;
	fp_u128 product;
	uint64_t high;
	int carry;

	if (x.kind == KIND_NAN || y.kind == KIND_NAN)
		return fp_propagate(env, f, fp_is_signalling(f, a) || fp_is_signalling(f, b));
	if (x.kind == KIND_INF || y.kind == KIND_INF) {
		if (x.kind == KIND_ZERO || y.kind == KIND_ZERO)
			return fp_invalid(env, f);
		return fp_signed(f, sign, fp_inf(f));
	}
	if (x.kind == KIND_ZERO || y.kind == KIND_ZERO)
		return fp_signed(f, sign, 0);
	product = (fp_u128)x.sig * y.sig;
	carry = (int)(product >> 127);
	product <<= 1 - carry;
	high = (uint64_t)(product >> 64) | ((uint64_t)product != 0);
	return fp_round(env, f, sign, x.exp + y.exp + carry, high);
}

FP_OUTLINE uint64_t fp_div(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b)
{
	struct fp_parts x = fp_unpack(f, a), y = fp_unpack(f, b);
	bool sign = x.sign != y.sign, below;
	fp_u128 dividend;
	uint64_t quotient;

	if (x.kind == KIND_NAN || y.kind == KIND_NAN)
		return fp_propagate(env, f, fp_is_signalling(f, a) || fp_is_signalling(f, b));
	if (x.kind == y.kind && (x.kind == KIND_INF || x.kind == KIND_ZERO))
		return fp_invalid(env, f);
	if (x.kind == KIND_INF || y.kind == KIND_ZERO) {
		if (x.kind == KIND_FINITE)
			env->flags |= BIS_FP_DZ;
		return fp_signed(f, sign, fp_inf(f));
	}
	if (x.kind == KIND_ZERO || y.kind == KIND_INF)
		return fp_signed(f, sign, 0);
	below = x.sig < y.sig;
	dividend = (fp_u128)x.sig << (63 + below);
	quotient = (uint64_t)(dividend / y.sig);
	quotient |= quotient * y.sig != (uint64_t)dividend;
	return fp_round(env, f, sign, x.exp - y.exp - below, quotient);
}

/* The integer square root of v, which is at least 2^62, rounded down. */
FP_INLINE uint32_t fp_isqrt64(uint64_t v)
{
	uint64_t root = 0, rest = v;

	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
		uint64_t trial = root + bit;

		root >>= 1;
		if (rest >= trial) {
			rest -= trial;
			root += bit;
		}
	}
	return (uint32_t)root;
}

/*
 * The integer square root of v, which is at least 2^126 and below 2^128 - 2^64, with the lowest bit set if it is not
 * exact. The upper half's root gives the leading 32 bits; one division gives the others, at most one too large.
 */
FP_INLINE uint64_t fp_isqrt128(fp_u128 v)
{
	uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;
	uint64_t lead = fp_isqrt64(high);
	fp_u128 rest = (fp_u128)(high - lead * lead) << 32 | low >> 32;
	uint64_t root = (lead << 32) + (uint64_t)(rest / (2 * lead));

	if ((fp_u128)root * root > v)
		root--;
	return root | ((fp_u128)root * root != v);
}

FP_OUTLINE uint64_t fp_sqrt(struct bis_fp_env *env, const struct fp_format *f, uint64_t a)
{
	struct fp_parts x = fp_unpack(f, a);
	bool odd = x.exp & 1;

	if (x.kind == KIND_NAN)
		return fp_propagate(env, f, fp_is_signalling(f, a));
	if (x.kind == KIND_ZERO)
		return fp_signed(f, x.sign, 0);
	if (x.sign)
		return fp_invalid(env, f);
	if (x.kind == KIND_INF)
		return fp_inf(f);
	return fp_round(env, f, false, (x.exp - odd) / 2, fp_isqrt128((fp_u128)x.sig << (63 + odd)));
}

/* A fused multiply-add of which an operand is not finite, or a factor is zero. */
FP_INLINE uint64_t fp_fma_special(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c)
{
	struct fp_parts x = fp_unpack(f, a), y = fp_unpack(f, b), z = fp_unpack(f, c);
	bool product_inf = x.kind == KIND_INF || y.kind == KIND_INF;

	/* Infinity times zero is invalid even when the addend is a quiet NaN. */
	if (product_inf && (x.kind == KIND_ZERO || y.kind == KIND_ZERO))
		return fp_invalid(env, f);
	if (x.kind == KIND_NAN || y.kind == KIND_NAN || z.kind == KIND_NAN)
		return fp_propagate(env, f, fp_is_signalling(f, a) || fp_is_signalling(f, b) || fp_is_signalling(f, c));
	return fp_add_special(env, f, fp_signed(f, x.sign != y.sign, product_inf ? fp_inf(f) : 0), c);
}

FP_INLINE fp_u128 fp_shift_jam128(fp_u128 v, unsigned count)
{
	if (!count)
		return v;
	if (count > 127)
		return v != 0;
	return v >> count | (v << (128 - count) != 0);
}

/* Round (-1)^sign * sig * 2^(exp - 126); sig is not zero. */
FP_INLINE uint64_t fp_round128(struct bis_fp_env *env, const struct fp_format *f, bool sign, int exp, fp_u128 sig)
{
	uint64_t high = (uint64_t)(sig >> 64);
	int lead = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)sig);

	sig <<= lead;
	return fp_round(env, f, sign, exp + 1 - lead, (uint64_t)(sig >> 64) | ((uint64_t)sig != 0));
}

FP_OUTLINE uint64_t fp_fma(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c)
{
	struct fp_parts x = fp_unpack(f, a), y = fp_unpack(f, b), z = fp_unpack(f, c);
	bool sign = x.sign != y.sign;
	int exp = x.exp + y.exp, carry;
	fp_u128 product, addend;

	if (x.kind != KIND_FINITE || y.kind != KIND_FINITE || z.kind == KIND_INF || z.kind == KIND_NAN)
		return fp_fma_special(env, f, a, b, c);
	/* Both terms get bit 126 as their leading one; the product's low bits are empty, so nothing is lost here. */
	product = (fp_u128)x.sig * y.sig;
	carry = (int)(product >> 127);
	product >>= carry;
	exp += carry;
	if (z.kind == KIND_ZERO)
		return fp_round128(env, f, sign, exp, product);
	addend = (fp_u128)z.sig << 63;
	if (exp < z.exp || (exp == z.exp && product < addend)) {
		product = fp_shift_jam128(product, (unsigned)(z.exp - exp));
		product = sign == z.sign ? addend + product : addend - product;
		sign = z.sign;
		exp = z.exp;
	} else {
		addend = fp_shift_jam128(addend, (unsigned)(exp - z.exp));
		product = sign == z.sign ? product + addend : product - addend;
	}
	if (!product)
		return fp_cancelled(env, f);
	return fp_round128(env, f, sign, exp, product);
}

#endif
