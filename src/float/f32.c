/*
 * The public operations on binary32: the host's result where fast.h gives one, otherwise the exact computation.
 *
 * Pure functions: any thread, no memory.
 */
#include "arith.h"
#include "convert.h"
#include "fast.h"

static const struct fp_format *const F = &fp_binary32;

uint64_t bis_f32_add(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	if (fp_fast_binary(env, F, HOST_ADD, a, b, &result))
		return result;
	return fp_add(env, F, a, b);
}

uint64_t bis_f32_sub(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	return bis_f32_add(env, a, b ^ fp_sign_bit(F));
}

uint64_t bis_f32_mul(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	if (fp_fast_binary(env, F, HOST_MUL, a, b, &result))
		return result;
	return fp_mul(env, F, a, b);
}

uint64_t bis_f32_div(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	uint64_t result;

	if (fp_fast_binary(env, F, HOST_DIV, a, b, &result))
		return result;
	return fp_div(env, F, a, b);
}

uint64_t bis_f32_sqrt(struct bis_fp_env *env, uint64_t a)
{
	uint64_t result;

	if (fp_fast_sqrt(env, F, a, &result))
		return result;
	return fp_sqrt(env, F, a);
}

uint64_t bis_f32_fma(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t result;

	if (fp_fast_fma(env, F, a, b, c, &result))
		return result;
	return fp_fma(env, F, a, b, c);
}

uint64_t bis_f32_min(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	return fp_minmax(env, F, a, b, false);
}

uint64_t bis_f32_max(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	return fp_minmax(env, F, a, b, true);
}

uint64_t bis_f32_eq(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	return fp_equal(env, F, a, b);
}

uint64_t bis_f32_lt(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	return fp_less(env, F, a, b, false);
}

uint64_t bis_f32_le(struct bis_fp_env *env, uint64_t a, uint64_t b)
{
	return fp_less(env, F, a, b, true);
}

uint64_t bis_f32_classify(uint64_t a)
{
	return fp_classify(F, a);
}

uint64_t bis_f32_to_i32(struct bis_fp_env *env, uint64_t a)
{
	return fp_to_int(env, F, &fp_i32, a);
}

uint64_t bis_f32_to_u32(struct bis_fp_env *env, uint64_t a)
{
	return fp_to_int(env, F, &fp_u32, a);
}

uint64_t bis_f32_to_i64(struct bis_fp_env *env, uint64_t a)
{
	return fp_to_int(env, F, &fp_i64, a);
}

uint64_t bis_f32_to_u64(struct bis_fp_env *env, uint64_t a)
{
	return fp_to_int(env, F, &fp_u64, a);
}

uint64_t bis_f32_from_i32(struct bis_fp_env *env, uint64_t x)
{
	return fp_from_signed(env, F, (int32_t)(uint32_t)x);
}

uint64_t bis_f32_from_u32(struct bis_fp_env *env, uint64_t x)
{
	return fp_from_unsigned(env, F, false, (uint32_t)x);
}

uint64_t bis_f32_from_i64(struct bis_fp_env *env, uint64_t x)
{
	return fp_from_signed(env, F, (int64_t)x);
}

uint64_t bis_f32_from_u64(struct bis_fp_env *env, uint64_t x)
{
	return fp_from_unsigned(env, F, false, x);
}

uint64_t bis_f32_to_f64(struct bis_fp_env *env, uint64_t a)
{
	return fp_convert(env, F, &fp_binary64, a);
}
