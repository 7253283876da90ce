/*
 * Operand vectors for the floating-point comparison, computed alike by the guest and by the host: vector i of an
 * operation follows from the seed, the operation's number and i alone.
 *
 * First come the edge values crossed with each other, then random operands whose exponents lie where something happens:
 * close together, at the borders of underflow and overflow, or such that the result is nearly exact or nearly zero.
 *
 * Freestanding: no library calls, no state. An expression draws at most one random number, so that all compilers draw
 * in the same order.
 */
#ifndef FPVEC_VECTORS_H
#define FPVEC_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

enum vec_family { ADDSUB, MUL, DIV, SQRT, FMA, COMPARE, CONVERT, VEC_FAMILIES };
enum vec_shape {
	SHAPE_ARITH1,
	SHAPE_ARITH2,
	SHAPE_ARITH3,
	SHAPE_COMPARE,
	SHAPE_CLASSIFY,
	SHAPE_TO_INT,
	SHAPE_FROM_INT
};
enum vec_format { F32, F64, INT };
enum { VEC_MODES = 5, VEC_BATCH = 1000 };

/* What the guest sends for up to VEC_BATCH vectors of one operation: the raw destination register, and fflags. */
struct vec_batch {
	uint64_t result[VEC_MODES][VEC_BATCH];
	uint8_t flags[VEC_MODES][VEC_BATCH];
};

struct vec_fields {
	unsigned frac_bits;
	int64_t exp_max, bias;
};

struct vec_rng {
	uint64_t state;
};

static inline uint64_t vec_next(struct vec_rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t vec_below(struct vec_rng *r, uint64_t limit)
{
	return (vec_next(r) >> 32) % limit;
}

static inline struct vec_fields vec_fields_of(enum vec_format format)
{
	return format == F32 ? (struct vec_fields){23, 255, 127} : (struct vec_fields){52, 2047, 1023};
}

/* An encoding from its fields; the exponent is clamped to those of finite numbers. */
static inline uint64_t vec_encode(const struct vec_fields *f, bool sign, int64_t exp, uint64_t frac)
{
	uint64_t v;

	if (exp < 0)
		exp = 0;
	if (exp >= f->exp_max)
		exp = f->exp_max - 1;
	v = (uint64_t)exp << f->frac_bits | (frac & ((UINT64_C(1) << f->frac_bits) - 1));
	return v | (uint64_t)sign << (f->frac_bits == 23 ? 31 : 63);
}

/* An edge: sign in the lowest bit of k. The first VEC_EDGES_TERNARY are those worth crossing three ways. */
enum { VEC_EDGES = 64, VEC_EDGES_TERNARY = 26 };

static inline uint64_t vec_edge(const struct vec_fields *f, unsigned k)
{
	enum { ZERO, ONE, HALF, BELOW_HALF, ALL };
	enum { LOWEST, BIAS, HIGHEST };
	static const struct {
		uint8_t from;
		int8_t offset;
		uint8_t frac;
	} edges[VEC_EDGES / 2] = {
		{LOWEST, 0, ZERO},	  {LOWEST, 0, ONE},  {LOWEST, 0, ALL},	 {LOWEST, 1, ZERO}, {LOWEST, 1, ONE},
		{BIAS, 0, ZERO},	  {BIAS, 0, ONE},    {BIAS, -1, ALL},	 {BIAS, 1, ZERO},   {HIGHEST, -1, ALL},
		{HIGHEST, 0, ZERO},	  {HIGHEST, 0, ONE}, {HIGHEST, 0, HALF}, {HIGHEST, 0, ALL}, {HIGHEST, -1, ZERO},
		{HIGHEST, 0, BELOW_HALF}, {LOWEST, 0, HALF}, {BIAS, -1, ZERO},	 {BIAS, -1, HALF},  {BIAS, 0, HALF},
		{BIAS, -23, ZERO},	  {BIAS, -24, ONE},  {BIAS, -52, ZERO},	 {BIAS, -53, ONE},  {BIAS, 30, ALL},
		{BIAS, 31, ZERO},	  {BIAS, 31, ALL},   {BIAS, 32, ZERO},	 {BIAS, 62, ALL},   {BIAS, 63, ZERO},
		{BIAS, 63, ALL},	  {BIAS, 64, ZERO},
	};
	const uint64_t half = UINT64_C(1) << (f->frac_bits - 1);
	const uint64_t fracs[] = {0, 1, half, half - 1, 2 * half - 1};
	const int64_t bases[] = {0, f->bias, f->exp_max};
	uint64_t exp = (uint64_t)(bases[edges[k / 2].from] + edges[k / 2].offset);

	return exp << f->frac_bits | fracs[edges[k / 2].frac] | (uint64_t)(k & 1) << (f->frac_bits == 23 ? 31 : 63);
}

/* A fraction: uniform, few leading bits, few trailing bits, a run of ones, or one bit. */
static inline uint64_t vec_frac(struct vec_rng *r, unsigned frac_bits)
{
	uint64_t all = (UINT64_C(1) << frac_bits) - 1, v = vec_next(r);
	unsigned n = (unsigned)vec_below(r, frac_bits);

	switch (vec_below(r, 6)) {
	case 0:
		return v & all & all << n;
	case 1:
		return v & all >> n;
	case 2:
		return all & all << n;
	case 3:
		return all >> n;
	case 4:
		return UINT64_C(1) << n;
	default:
		return v & all;
	}
}

/* A number next to x * y: the truncated product, up to two units aside, its sign at random. */
static inline uint64_t vec_near_product(struct vec_rng *r, const struct vec_fields *f, uint64_t x, uint64_t y)
{
	uint64_t one = UINT64_C(1) << f->frac_bits;
	unsigned __int128 product = (unsigned __int128)(one | (x & (one - 1))) * (one | (y & (one - 1)));
	int64_t exp_x = (int64_t)(x >> f->frac_bits) & f->exp_max, exp_y = (int64_t)(y >> f->frac_bits) & f->exp_max;
	unsigned carry = (unsigned)(product >> (2 * f->frac_bits + 1));
	uint64_t frac = (uint64_t)(product >> (f->frac_bits + carry)) + vec_below(r, 5) - 2;

	return vec_encode(f, vec_next(r) & 1, exp_x + exp_y - f->bias + carry, frac);
}

static inline void vec_random(struct vec_rng *r, const struct vec_fields *f, uint64_t out[3])
{
	int64_t reach = (int64_t)f->frac_bits + 4;
	int64_t exp[3], at;

	exp[0] = (int64_t)vec_below(r, (uint64_t)f->exp_max);
	switch (vec_below(r, 5)) {
	case 0: /* anywhere */
		exp[1] = (int64_t)vec_below(r, (uint64_t)f->exp_max);
		break;
	case 1: /* product or quotient at the border of underflow */
		at = 2 - (int64_t)vec_below(r, (uint64_t)reach);
		exp[1] = vec_next(r) & 1 ? at + f->bias - exp[0] : exp[0] + f->bias - at;
		break;
	case 2: /* product or quotient at the border of overflow */
		at = f->exp_max + 1 - (int64_t)vec_below(r, 4);
		exp[1] = vec_next(r) & 1 ? at + f->bias - exp[0] : exp[0] + f->bias - at;
		break;
	default: /* close together */
		exp[1] = exp[0] + reach - (int64_t)vec_below(r, 2 * (uint64_t)reach);
	}
	exp[2] = exp[0] + exp[1] - f->bias + 2 * reach - (int64_t)vec_below(r, 4 * (uint64_t)reach);
	for (unsigned k = 0; k < 3; k++) {
		uint64_t frac = vec_frac(r, f->frac_bits);

		out[k] = vec_encode(f, vec_next(r) & 1, exp[k], frac);
	}
}

static inline void vec_float_operands(struct vec_rng *r, enum vec_format format, enum vec_shape shape, uint64_t i,
				      uint64_t out[3])
{
	struct vec_fields f = vec_fields_of(format);
	unsigned arity = shape == SHAPE_ARITH3 ? 3 : shape == SHAPE_ARITH2 || shape == SHAPE_COMPARE ? 2 : 1;
	unsigned edges = arity == 3 ? VEC_EDGES_TERNARY : VEC_EDGES;
	uint64_t crossed = arity == 3 ? edges * edges * edges : arity == 2 ? edges * edges : edges;

	vec_random(r, &f, out);
	if (i < crossed) {
		for (unsigned k = 0; k < arity; k++, i /= edges)
			out[k] = vec_edge(&f, (unsigned)(i % edges));
	} else if (shape == SHAPE_TO_INT) {
		out[0] = vec_encode(&f, i & 1, f.bias - 3 + (int64_t)vec_below(r, 70), out[0]);
	} else if (i % 4 == 0) { /* an exact or nearly exact root or quotient, or nearly complete cancellation */
		out[arity - 1] = arity == 3 ? vec_near_product(r, &f, out[0], out[1]) : out[arity - 1];
		if (arity < 3)
			out[0] = vec_near_product(r, &f, out[1], arity == 2 ? out[2] : out[1]);
	} else if (i % 16 == 1) {
		out[i / 16 % arity] = vec_edge(&f, (unsigned)vec_below(r, VEC_EDGES));
	}
}

static inline uint64_t vec_int_operand(struct vec_rng *r, uint64_t i)
{
	uint64_t power = (UINT64_C(1) << (i / 8 % 64)) + i % 4 - 2;
	uint64_t v = vec_frac(r, 63);

	if (i < 512)
		return i & 4 ? -power : power;
	v >>= vec_below(r, 63);
	return i & 1 ? -v : v;
}

/* The operands of vector i of an operation; a 32-bit format is NaN-boxed. out[] beyond the arity is unspecified. */
static inline void vec_operands(uint64_t seed, unsigned op, enum vec_shape shape, enum vec_format source, uint64_t i,
				uint64_t out[3])
{
	struct vec_rng r = {seed ^ ((uint64_t)op << 48) ^ (i << 16)};

	if (shape == SHAPE_FROM_INT) {
		out[0] = vec_int_operand(&r, i);
		out[1] = out[2] = 0;
		return;
	}
	vec_float_operands(&r, source, shape, i, out);
	for (unsigned k = 0; k < 3; k++)
		out[k] |= source == F32 ? UINT64_C(0xffffffff00000000) : 0;
}

#endif
