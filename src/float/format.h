/*
 * Taking a floating-point encoding apart and rounding a result back into one (IEEE 754-2019 sections 3.4, 4.3, 7;
 * RISC-V F extension 2.2 section "NaN Generation and Propagation", "Subnormal Arithmetic").
 *
 * A format is data: the widths of its two fields. All arithmetic runs on one representation with a 64-bit significand,
 * so a further format of up to 60 bits of precision is one more constant. Each file that includes this names one format
 * as a constant: FP_INLINE functions are always inlined and FP_OUTLINE ones take it over, which leaves shifts by
 * constants. The operations are outlined so that the short cut before them needs no stack frame.
 *
 * Pure functions: any thread, no memory.
 */
#ifndef BISCUIT_FLOAT_FORMAT_H
#define BISCUIT_FLOAT_FORMAT_H

#include "biscuit/float.h"

#include <stdbool.h>
#include <stdint.h>

#define FP_INLINE  static inline __attribute__((always_inline))
#define FP_OUTLINE static __attribute__((noinline))

struct fp_format {
	unsigned frac_bits; /* stored bits of the significand */
	unsigned exp_bits;
};

static const struct fp_format fp_binary32 = {.frac_bits = 23, .exp_bits = 8};
static const struct fp_format fp_binary64 = {.frac_bits = 52, .exp_bits = 11};

enum fp_kind { KIND_ZERO, KIND_FINITE, KIND_INF, KIND_NAN };

/* A finite value is (-1)^sign * sig * 2^(exp - 63) with bit 63 of sig set; else only sign and kind mean anything. */
struct fp_parts {
	uint64_t sig;
	int exp;
	bool sign;
	enum fp_kind kind;
};

FP_INLINE int fp_bias(const struct fp_format *f)
{
	return (1 << (f->exp_bits - 1)) - 1;
}

FP_INLINE uint64_t fp_exp_mask(const struct fp_format *f)
{
	return (UINT64_C(1) << f->exp_bits) - 1;
}

FP_INLINE uint64_t fp_frac_mask(const struct fp_format *f)
{
	return (UINT64_C(1) << f->frac_bits) - 1;
}

/* Plus infinity, which is also the magnitude above every number and below every NaN. */
FP_INLINE uint64_t fp_inf(const struct fp_format *f)
{
	return fp_exp_mask(f) << f->frac_bits;
}

FP_INLINE uint64_t fp_quiet_bit(const struct fp_format *f)
{
	return UINT64_C(1) << (f->frac_bits - 1);
}

FP_INLINE uint64_t fp_nan(const struct fp_format *f)
{
	return fp_inf(f) | fp_quiet_bit(f);
}

FP_INLINE uint64_t fp_sign_bit(const struct fp_format *f)
{
	return UINT64_C(1) << (f->frac_bits + f->exp_bits);
}

/* The encoding without its sign. */
FP_INLINE uint64_t fp_magnitude(const struct fp_format *f, uint64_t a)
{
	return a & (fp_sign_bit(f) - 1);
}

FP_INLINE bool fp_is_negative(const struct fp_format *f, uint64_t a)
{
	return (a & fp_sign_bit(f)) != 0;
}

FP_INLINE bool fp_is_nan(const struct fp_format *f, uint64_t a)
{
	return fp_magnitude(f, a) > fp_inf(f);
}

FP_INLINE bool fp_is_signalling(const struct fp_format *f, uint64_t a)
{
	return fp_is_nan(f, a) && !(a & fp_quiet_bit(f));
}

FP_INLINE uint64_t fp_signed(const struct fp_format *f, bool sign, uint64_t magnitude)
{
	return magnitude | (sign ? fp_sign_bit(f) : 0);
}

/* The result of an operation without a meaningful value. */
FP_INLINE uint64_t fp_invalid(struct bis_fp_env *env, const struct fp_format *f)
{
	env->flags |= BIS_FP_NV;
	return fp_nan(f);
}

/* The result of an operation with a NaN among its operands, the signalling ones of which are told by the caller. */
FP_INLINE uint64_t fp_propagate(struct bis_fp_env *env, const struct fp_format *f, bool signalling)
{
	return signalling ? fp_invalid(env, f) : fp_nan(f);
}

FP_INLINE struct fp_parts fp_unpack(const struct fp_format *f, uint64_t a)
{
	uint64_t biased = (a >> f->frac_bits) & fp_exp_mask(f);
	uint64_t frac = a & fp_frac_mask(f);
	struct fp_parts p = {.sign = fp_is_negative(f, a), .kind = KIND_FINITE};

	if (biased == fp_exp_mask(f)) {
		p.kind = frac ? KIND_NAN : KIND_INF;
	} else if (biased) {
		p.exp = (int)biased - fp_bias(f);
		p.sig = (frac << (63 - f->frac_bits)) | UINT64_C(1) << 63;
	} else if (frac) {
		int lead = __builtin_clzll(frac);

		p.exp = 1 - fp_bias(f) - (lead - (63 - (int)f->frac_bits));
		p.sig = frac << lead;
	} else {
		p.kind = KIND_ZERO;
	}
	return p;
}

/* Shift right by any count, keeping in the lowest bit whether anything was lost. */
FP_INLINE uint64_t fp_shift_jam(uint64_t v, unsigned count)
{
	if (!count)
		return v;
	if (count > 63)
		return v != 0;
	return v >> count | (v << (64 - count) != 0);
}

/* Whether a magnitude with a discarded part moves to the next one; half is that of one unit in the last place. */
FP_INLINE bool fp_rounds_up(unsigned rm, bool sign, bool odd, uint64_t rest, uint64_t half)
{
	switch (rm) {
	case BIS_FP_RTZ:
		return false;
	case BIS_FP_RDN:
		return sign && rest;
	case BIS_FP_RUP:
		return !sign && rest;
	case BIS_FP_RMM:
		return rest >= half;
	default:
		return rest > half || (rest == half && odd);
	}
}

FP_INLINE uint64_t fp_overflow(struct bis_fp_env *env, const struct fp_format *f, bool sign)
{
	bool to_max = env->rm == BIS_FP_RTZ || env->rm == (sign ? BIS_FP_RUP : BIS_FP_RDN);

	env->flags |= BIS_FP_OF | BIS_FP_NX;
	return fp_signed(f, sign, fp_inf(f) - to_max);
}

/*
 * Round (-1)^sign * sig * 2^(exp - 63) into the format. Bit 63 of sig is set; its lowest bit may stand for everything
 * below it (fp_shift_jam).
 */
FP_INLINE uint64_t fp_round(struct bis_fp_env *env, const struct fp_format *f, bool sign, int exp, uint64_t sig)
{
	const unsigned drop = 63 - f->frac_bits;
	const uint64_t mask = (UINT64_C(1) << drop) - 1, half = UINT64_C(1) << (drop - 1);
	int biased = exp + fp_bias(f);
	uint64_t rest, magnitude;
	bool tiny = false;

	if (__builtin_expect(biased < 1, 0)) {
		/* Not tiny if rounding, were the exponent unbounded, would carry to the smallest normal number. */
		tiny = biased < 0 || (sig | mask) != UINT64_MAX || !fp_rounds_up(env->rm, sign, true, sig & mask, half);
		sig = fp_shift_jam(sig, (unsigned)(1 - biased));
		biased = 1;
	}
	rest = sig & mask;
	/* The significand's leading bit adds one to the exponent field, and so does a carry out of the rounding. */
	magnitude = ((uint64_t)(biased - 1) << f->frac_bits) + (sig >> drop);
	if (rest) {
		env->flags |= (uint8_t)(BIS_FP_NX | (tiny ? BIS_FP_UF : 0));
		magnitude += fp_rounds_up(env->rm, sign, sig >> drop & 1, rest, half);
	}
	if (__builtin_expect(magnitude >= fp_inf(f), 0))
		return fp_overflow(env, f, sign);
	return fp_signed(f, sign, magnitude);
}

#endif
