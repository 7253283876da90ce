/*
 * rng.h - the random source of the differential test: splitmix64. One seed gives one sequence on every host.
 */
#ifndef BISCUIT_TESTS_DIFF_RNG_H
#define BISCUIT_TESTS_DIFF_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A value in [0, n); n is at least 1. */
static inline unsigned rng_below(struct rng *r, unsigned n)
{
	return (unsigned)((rng_next(r) >> 32) % n);
}

/* True in percent cases of a hundred. */
static inline bool rng_chance(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

/* A value with the shapes where arithmetic goes wrong: edges of every width, few bits set, sign-extended, or plain
 * random. */
uint64_t rng_value(struct rng *r);
/* The bits of a floating-point register: boxed singles, doubles, not-quite boxes; zeros, subnormals, edges, NaNs, plain
 * random. */
uint64_t rng_float(struct rng *r);

#endif
