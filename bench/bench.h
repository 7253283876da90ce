/*
 * The contract between a benchmark payload and the harness that runs it.
 *
 * A payload is one file that defines bench_rounds and bench_payload(). The harness is either the bare guest in
 * harness/guest.c (machine mode, no firmware, one hart) or the program in harness/native.c; both call bench_payload()
 * once, print its checksum as "checksum 0x%08x" and end. Payloads use fixed-width types, so that the checksum is the
 * same on rv32, rv64 and the host: a runner that sees two checksums has found a wrong machine, not a slow one.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Multiplies the rounds of every payload; set at compile time to measure faster machines. */
#ifndef BENCH_SCALE
#define BENCH_SCALE 1
#endif

/* How often the payload repeats its work. Read by the harness, so the compiler of the payload cannot fold the work. */
extern const uint32_t bench_rounds;

/* Does the work `rounds` times and returns a checksum of everything computed. */
uint32_t bench_payload(uint32_t rounds);

/* One step of a 32-bit xorshift generator; the state is never 0 when it did not start as 0. */
static inline uint32_t bench_random(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

/* Folds a value into a checksum; the order of folding matters. */
static inline uint32_t bench_mix(uint32_t checksum, uint32_t value)
{
	return ((checksum << 5) | (checksum >> 27)) ^ (value * UINT32_C(0x9e3779b1));
}

#endif
