/*
 * Results taken from the host's own arithmetic, where it is IEEE 754 and the guest cannot tell.
 *
 * That holds when the guest rounds to nearest even, which is what host threads do, and has the inexact flag set
 * already: with zero or normal operands and a finite result above the smallest normal number, inexact is all an
 * operation can raise. The operand and result checks also keep clear of hosts that flush subnormals to zero.
 *
 * Each function returns false, and env is untouched, when the exact path must answer. The product of a multiplication
 * is looked at as an integer before it leaves, so no compiler can contract it with a later addition.
 *
 * Pure functions: any thread in its default rounding direction, no memory.
 */
#ifndef BISCUIT_FLOAT_FAST_H
#define BISCUIT_FLOAT_FAST_H

#include "format.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#if FLT_EVAL_METHOD == 0 && FLT_RADIX == 2 && FLT_MANT_DIG == 24 && DBL_MANT_DIG == 53 && !defined(__FAST_MATH__)
#define FP_HOST_IS_IEEE true
#else
#define FP_HOST_IS_IEEE false
#endif

FP_INLINE bool fp_host_allowed(const struct bis_fp_env *env)
{
	return FP_HOST_IS_IEEE && env->rm == BIS_FP_RNE && (env->flags & BIS_FP_NX);
}

FP_INLINE bool fp_zero_or_normal(const struct fp_format *f, uint64_t a)
{
	uint64_t magnitude = fp_magnitude(f, a);

	return !magnitude || magnitude - (fp_frac_mask(f) + 1) < fp_inf(f) - (fp_frac_mask(f) + 1);
}

FP_INLINE bool fp_unremarkable(const struct fp_format *f, uint64_t result)
{
	uint64_t magnitude = fp_magnitude(f, result);

	return magnitude > fp_frac_mask(f) + 1 && magnitude < fp_inf(f);
}

/* A fused multiply-add in hardware: known when compiling, or asked for on an x86-64. The library's would be no gain. */
#if defined(__FP_FAST_FMA) && defined(__FP_FAST_FMAF)
#define FP_FMA_TARGET

FP_INLINE bool fp_host_has_fma(void)
{
	return true;
}
#elif defined(__x86_64__)
#define FP_FMA_TARGET __attribute__((target("fma")))

FP_INLINE bool fp_host_has_fma(void)
{
	return __builtin_cpu_supports("fma");
}
#else
#define FP_FMA_TARGET

FP_INLINE bool fp_host_has_fma(void)
{
	return false;
}
#endif

FP_INLINE float fp_f32_value(uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float v;

	memcpy(&v, &low, sizeof(v));
	return v;
}

FP_INLINE uint64_t fp_f32_bits(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

FP_INLINE double fp_f64_value(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

FP_INLINE uint64_t fp_f64_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

enum fp_host_op { HOST_ADD, HOST_MUL, HOST_DIV };

FP_INLINE float fp_host_f32(enum fp_host_op op, float a, float b)
{
	switch (op) {
	case HOST_ADD:
		return a + b;
	case HOST_MUL:
		return a * b;
	default:
		return a / b;
	}
}

FP_INLINE double fp_host_f64(enum fp_host_op op, double a, double b)
{
	switch (op) {
	case HOST_ADD:
		return a + b;
	case HOST_MUL:
		return a * b;
	default:
		return a / b;
	}
}

FP_FMA_TARGET static inline float fp_host_fma_f32(float a, float b, float c)
{
	return __builtin_fmaf(a, b, c);
}

FP_FMA_TARGET static inline double fp_host_fma_f64(double a, double b, double c)
{
	return __builtin_fma(a, b, c);
}

FP_INLINE bool fp_fast_binary(const struct bis_fp_env *env, const struct fp_format *f, enum fp_host_op op, uint64_t a,
			      uint64_t b, uint64_t *result)
{
	if (!fp_host_allowed(env) || !fp_zero_or_normal(f, a) || !fp_zero_or_normal(f, b))
		return false;
	if (op == HOST_DIV && !fp_magnitude(f, b))
		return false;
	if (f == &fp_binary64)
		*result = fp_f64_bits(fp_host_f64(op, fp_f64_value(a), fp_f64_value(b)));
	else
		*result = fp_f32_bits(fp_host_f32(op, fp_f32_value(a), fp_f32_value(b)));
	return fp_unremarkable(f, *result);
}

FP_INLINE bool fp_fast_sqrt(const struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t *result)
{
	if (!fp_host_allowed(env) || !fp_zero_or_normal(f, a) || fp_is_negative(f, a))
		return false;
	if (f == &fp_binary64)
		*result = fp_f64_bits(sqrt(fp_f64_value(a)));
	else
		*result = fp_f32_bits(sqrtf(fp_f32_value(a)));
	return fp_unremarkable(f, *result);
}

FP_INLINE bool fp_fast_fma(const struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b, uint64_t c,
			   uint64_t *result)
{
	if (!fp_host_allowed(env) || !fp_zero_or_normal(f, a) || !fp_zero_or_normal(f, b) || !fp_zero_or_normal(f, c))
		return false;
	if (!fp_host_has_fma())
		return false;
	if (f == &fp_binary64)
		*result = fp_f64_bits(fp_host_fma_f64(fp_f64_value(a), fp_f64_value(b), fp_f64_value(c)));
	else
		*result = fp_f32_bits(fp_host_fma_f32(fp_f32_value(a), fp_f32_value(b), fp_f32_value(c)));
	return fp_unremarkable(f, *result);
}

#endif
