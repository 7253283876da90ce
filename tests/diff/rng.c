/*
 * rng.c - random operands whose shape finds errors: integers at the edges of each width, floating-point numbers of
 * every class.
 */
#include "rng.h"

uint64_t rng_value(struct rng *r)
{
	uint64_t v = rng_next(r);
	unsigned bit = rng_below(r, 64);

	switch (rng_below(r, 10)) {
	case 0:
		return (uint64_t)1 << bit;
	case 1:
		return ((uint64_t)1 << bit) - 1;
	case 2:
		return ~(((uint64_t)1 << bit) - 1);
	case 3:
		return (uint64_t)(int64_t)(int32_t)v;
	case 4:
		return (uint64_t)(int64_t)(int16_t)v;
	case 5:
		return (uint64_t)(int64_t)(int8_t)v;
	case 6:
		return (uint32_t)v;
	case 7:
		return rng_below(r, 3) - (uint64_t)1; /* -1, 0, 1 */
	case 8:
		return v >> bit;
	default:
		return v;
	}
}

/* One number with exp_bits of exponent and frac_bits of fraction. */
static uint64_t float_bits(struct rng *r, unsigned exp_bits, unsigned frac_bits)
{
	uint64_t exp_max = ((uint64_t)1 << exp_bits) - 1;
	uint64_t frac_max = ((uint64_t)1 << frac_bits) - 1;
	uint64_t v = rng_next(r);
	uint64_t sign = v >> 63;
	uint64_t exp = rng_next(r) & exp_max;
	uint64_t frac = rng_value(r) & frac_max;

	switch (rng_below(r, 14)) {
	case 0:
		exp = 0; /* zero */
		frac = 0;
		break;
	case 1:
		exp = 0; /* subnormal */
		break;
	case 2:
		exp = exp_max; /* infinity */
		frac = 0;
		break;
	case 3:
		exp = exp_max; /* NaN, quiet or signalling */
		break;
	case 4:
		exp = rng_below(r, 4); /* next to the underflow threshold */
		break;
	case 5:
		exp = exp_max - 1 - rng_below(r, 3); /* next to the overflow threshold */
		break;
	case 6:
	case 7:
	case 8:
		exp = (exp_max >> 1) - 4 + rng_below(r, 9); /* near one, so that sums cancel */
		break;
	case 9:
		exp = (exp_max >> 1) + rng_below(r, 66); /* near the limits of the integer conversions */
		break;
	case 10: /* the ends of the normal range and of one binade: products just under the smallest normal number */
		exp = rng_below(r, 2);
		frac = (frac_max + rng_below(r, 4) - 1) & frac_max;
		break;
	case 11:
		exp = (exp_max >> 1) - rng_below(r, 2);
		frac = (frac_max + rng_below(r, 4) - 1) & frac_max;
		break;
	default:
		break;
	}
	return sign << (exp_bits + frac_bits) | exp << frac_bits | frac;
}

uint64_t rng_float(struct rng *r)
{
	switch (rng_below(r, 20)) {
	case 0:
		return rng_next(r);
	case 1:
		return float_bits(r, 8, 23); /* not boxed: a single reads as the canonical NaN */
	case 2:
		return 0xfffffffe00000000u | float_bits(r, 8, 23); /* one bit short of a box */
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
	case 10:
		return 0xffffffff00000000u | float_bits(r, 8, 23);
	default:
		return float_bits(r, 11, 52);
	}
}
