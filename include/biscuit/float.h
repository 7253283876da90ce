/*
 * Exact IEEE 754-2019 arithmetic as the RISC-V F and D extensions (2.2) define it, for binary32 and binary64.
 *
 * Every value is the raw encoding in a uint64_t. A binary32 sits in the low half: the upper half of an argument is
 * ignored, the upper half of a result is zero (NaN boxing belongs to the register file).
 *
 * All NaN results are the canonical NaN (0x7fc00000, 0x7ff8000000000000); tininess is detected after rounding. A
 * subtraction, negated or not, of a fused multiply-add is made by the caller through the operands' sign bits:
 * fmsub(a, b, c) = fma(a, b, -c), fnmadd = fma(-a, b, -c), fnmsub = fma(-a, b, c).
 *
 * The functions keep no state besides the caller's environment, allocate nothing and cannot fail; any thread may call
 * them as long as no two share one environment. The calling host thread must have its default rounding direction
 * (to nearest even): some results are taken from the host's own arithmetic where nobody can tell.
 */
#ifndef BISCUIT_FLOAT_H
#define BISCUIT_FLOAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rounding modes, numbered as in frm and in the rm field of an instruction. */
enum bis_fp_rm {
	BIS_FP_RNE = 0, /* to nearest, ties to even */
	BIS_FP_RTZ = 1, /* towards zero */
	BIS_FP_RDN = 2, /* towards minus infinity */
	BIS_FP_RUP = 3, /* towards plus infinity */
	BIS_FP_RMM = 4, /* to nearest, ties to the larger magnitude */
};

/* Accrued exceptions, at their bit positions in fflags. */
enum bis_fp_flag {
	BIS_FP_NX = 1 << 0, /* inexact */
	BIS_FP_UF = 1 << 1, /* underflow */
	BIS_FP_OF = 1 << 2, /* overflow */
	BIS_FP_DZ = 1 << 3, /* division by zero */
	BIS_FP_NV = 1 << 4, /* invalid operation */
};

/* What the classify functions return: exactly one bit, numbered as in fclass. */
enum bis_fp_class {
	BIS_FP_NEG_INF = 1 << 0,
	BIS_FP_NEG_NORMAL = 1 << 1,
	BIS_FP_NEG_SUBNORMAL = 1 << 2,
	BIS_FP_NEG_ZERO = 1 << 3,
	BIS_FP_POS_ZERO = 1 << 4,
	BIS_FP_POS_SUBNORMAL = 1 << 5,
	BIS_FP_POS_NORMAL = 1 << 6,
	BIS_FP_POS_INF = 1 << 7,
	BIS_FP_SIGNALLING_NAN = 1 << 8,
	BIS_FP_QUIET_NAN = 1 << 9,
};

/*
 * rm is read, flags are only ever added to. The caller has resolved the dynamic mode and refused the reserved ones;
 * a value above BIS_FP_RMM rounds to nearest even.
 */
struct bis_fp_env {
	uint8_t rm;    /* enum bis_fp_rm */
	uint8_t flags; /* set of enum bis_fp_flag */
};

/* a + b, a - b, a * b, a / b, the square root of a, and a * b + c rounded once. */
uint64_t bis_f32_add(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_sub(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_mul(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_div(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_sqrt(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f32_fma(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c);

uint64_t bis_f64_add(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_sub(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_mul(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_div(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_sqrt(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f64_fma(struct bis_fp_env *env, uint64_t a, uint64_t b, uint64_t c);

/* minimumNumber and maximumNumber: a NaN loses against a number, -0 is below +0; NV for a signalling NaN only. */
uint64_t bis_f32_min(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_max(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_min(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_max(struct bis_fp_env *env, uint64_t a, uint64_t b);

/* 1 or 0; with a NaN 0. eq raises NV for a signalling NaN, lt and le for any NaN. */
uint64_t bis_f32_eq(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_lt(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f32_le(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_eq(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_lt(struct bis_fp_env *env, uint64_t a, uint64_t b);
uint64_t bis_f64_le(struct bis_fp_env *env, uint64_t a, uint64_t b);

/* One bit of enum bis_fp_class. Raises nothing. */
uint64_t bis_f32_classify(uint64_t a);
uint64_t bis_f64_classify(uint64_t a);

/*
 * To an integer, as the destination register of RV64 holds it: a 32-bit result, unsigned ones too, is sign-extended to
 * 64 bits. Out of range, an infinity or a NaN: NV alone is raised and the nearest representable integer is returned,
 * the largest one for a NaN.
 */
uint64_t bis_f32_to_i32(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f32_to_u32(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f32_to_i64(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f32_to_u64(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f64_to_i32(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f64_to_u32(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f64_to_i64(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f64_to_u64(struct bis_fp_env *env, uint64_t a);

/* From an integer register; the 32-bit forms read its low half only. */
uint64_t bis_f32_from_i32(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f32_from_u32(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f32_from_i64(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f32_from_u64(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f64_from_i32(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f64_from_u32(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f64_from_i64(struct bis_fp_env *env, uint64_t x);
uint64_t bis_f64_from_u64(struct bis_fp_env *env, uint64_t x);

/* Between the formats. */
uint64_t bis_f32_to_f64(struct bis_fp_env *env, uint64_t a);
uint64_t bis_f64_to_f32(struct bis_fp_env *env, uint64_t a);

#ifdef __cplusplus
}
#endif

#endif
