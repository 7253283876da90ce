/*
 * Comparison, minimum and maximum, classification and conversion on any format (IEEE 754-2019 sections 5.4.1, 5.6,
 * 5.7.2, 5.8, 9.6; RISC-V F extension 2.2 sections "Conversion and Move", "Compare" and "Classify").
 *
 * Pure functions: any thread, no memory.
 */
#ifndef BISCUIT_FLOAT_CONVERT_H
#define BISCUIT_FLOAT_CONVERT_H

#include "format.h"

/* a < b in the order of the numbers, with -0 below +0; neither is a NaN. */
FP_INLINE bool fp_orders_below(const struct fp_format *f, uint64_t a, uint64_t b)
{
	bool sign = fp_is_negative(f, a);

	if (sign != fp_is_negative(f, b))
		return sign;
	return sign ? fp_magnitude(f, a) > fp_magnitude(f, b) : fp_magnitude(f, a) < fp_magnitude(f, b);
}

FP_INLINE uint64_t fp_minmax(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b, bool want_max)
{
	bool first = fp_orders_below(f, a, b) != want_max;

	if (fp_is_signalling(f, a) || fp_is_signalling(f, b))
		env->flags |= BIS_FP_NV;
	if (fp_is_nan(f, a) && fp_is_nan(f, b))
		return fp_nan(f);
	if (fp_is_nan(f, a))
		first = false;
	else if (fp_is_nan(f, b))
		first = true;
	return (first ? a : b) & (fp_sign_bit(f) | (fp_sign_bit(f) - 1));
}

FP_INLINE bool fp_equal(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b)
{
	if (fp_is_signalling(f, a) || fp_is_signalling(f, b))
		env->flags |= BIS_FP_NV;
	if (fp_is_nan(f, a) || fp_is_nan(f, b))
		return false;
	if (!fp_magnitude(f, a) && !fp_magnitude(f, b))
		return true;
	return !fp_orders_below(f, a, b) && !fp_orders_below(f, b, a);
}

/* a < b, or with or_equal a <= b. */
FP_INLINE bool fp_less(struct bis_fp_env *env, const struct fp_format *f, uint64_t a, uint64_t b, bool or_equal)
{
	if (fp_is_nan(f, a) || fp_is_nan(f, b)) {
		env->flags |= BIS_FP_NV;
		return false;
	}
	if (!fp_magnitude(f, a) && !fp_magnitude(f, b))
		return or_equal;
	return or_equal ? !fp_orders_below(f, b, a) : fp_orders_below(f, a, b);
}

FP_INLINE uint64_t fp_classify(const struct fp_format *f, uint64_t a)
{
	uint64_t magnitude = fp_magnitude(f, a);
	bool sign = fp_is_negative(f, a);

	if (magnitude > fp_inf(f))
		return fp_is_signalling(f, a) ? BIS_FP_SIGNALLING_NAN : BIS_FP_QUIET_NAN;
	if (magnitude == fp_inf(f))
		return sign ? BIS_FP_NEG_INF : BIS_FP_POS_INF;
	if (!magnitude)
		return sign ? BIS_FP_NEG_ZERO : BIS_FP_POS_ZERO;
	if (magnitude <= fp_frac_mask(f))
		return sign ? BIS_FP_NEG_SUBNORMAL : BIS_FP_POS_SUBNORMAL;
	return sign ? BIS_FP_NEG_NORMAL : BIS_FP_POS_NORMAL;
}

/* What a conversion to an integer of this many bits can give, as magnitudes. */
struct fp_int_range {
	unsigned width;
	uint64_t max, min_magnitude;
};

static const struct fp_int_range fp_i32 = {32, INT32_MAX, UINT64_C(1) << 31};
static const struct fp_int_range fp_u32 = {32, UINT32_MAX, 0};
static const struct fp_int_range fp_i64 = {64, INT64_MAX, UINT64_C(1) << 63};
static const struct fp_int_range fp_u64 = {64, UINT64_MAX, 0};

/* The register image of an integer of this width. */
FP_INLINE uint64_t fp_int_image(unsigned width, bool sign, uint64_t magnitude)
{
	uint64_t v = sign ? -magnitude : magnitude;

	return width == 32 ? (uint64_t)(int64_t)(int32_t)(uint32_t)v : v;
}

FP_INLINE uint64_t fp_saturate(struct bis_fp_env *env, const struct fp_int_range *to, bool sign)
{
	env->flags |= BIS_FP_NV;
	return fp_int_image(to->width, sign, sign ? to->min_magnitude : to->max);
}

FP_INLINE uint64_t fp_to_int(struct bis_fp_env *env, const struct fp_format *f, const struct fp_int_range *to,
			     uint64_t a)
{
	const uint64_t half = UINT64_C(1) << 63;
	struct fp_parts x = fp_unpack(f, a);
	uint64_t magnitude = 0, rest;

	if (x.kind == KIND_ZERO)
		return 0;
	if (x.kind == KIND_NAN)
		return fp_saturate(env, to, false);
	if (x.kind == KIND_INF || x.exp > 63)
		return fp_saturate(env, to, x.sign);
	/* rest: the fraction, scaled so that one half is bit 63; below one quarter any small value stands for it. */
	if (x.exp >= 0) {
		magnitude = x.sig >> (63 - x.exp);
		rest = x.exp == 63 ? 0 : x.sig << (x.exp + 1);
	} else {
		rest = x.exp == -1 ? x.sig : 1;
	}
	magnitude += fp_rounds_up(env->rm, x.sign, magnitude & 1, rest, half);
	if (magnitude > (x.sign ? to->min_magnitude : to->max))
		return fp_saturate(env, to, x.sign);
	if (rest)
		env->flags |= BIS_FP_NX;
	return fp_int_image(to->width, x.sign, magnitude);
}

FP_INLINE uint64_t fp_from_unsigned(struct bis_fp_env *env, const struct fp_format *f, bool sign, uint64_t magnitude)
{
	int lead;

	if (!magnitude)
		return 0;
	lead = __builtin_clzll(magnitude);
	return fp_round(env, f, sign, 63 - lead, magnitude << lead);
}

FP_INLINE uint64_t fp_from_signed(struct bis_fp_env *env, const struct fp_format *f, int64_t v)
{
	return fp_from_unsigned(env, f, v < 0, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

FP_INLINE uint64_t fp_convert(struct bis_fp_env *env, const struct fp_format *from, const struct fp_format *to,
			      uint64_t a)
{
	struct fp_parts x = fp_unpack(from, a);

	if (x.kind == KIND_NAN)
		return fp_propagate(env, to, fp_is_signalling(from, a));
	if (x.kind == KIND_INF)
		return fp_signed(to, x.sign, fp_inf(to));
	if (x.kind == KIND_ZERO)
		return fp_signed(to, x.sign, 0);
	return fp_round(env, to, x.sign, x.exp, x.sig);
}

#endif
