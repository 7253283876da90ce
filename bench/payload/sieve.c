/* Sieve of Eratosthenes over bytes: short loops with strided stores, a predictable branch. */
#include "../bench.h"

#define LIMIT 200000

const uint32_t bench_rounds = 300 * BENCH_SCALE;

static uint8_t composite[LIMIT];

static uint32_t sieve(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < LIMIT; i++)
		composite[i] = 0;
	for (uint32_t i = 2; i < LIMIT; i++) {
		if (composite[i])
			continue;
		count++;
		for (uint32_t j = 2 * i; j < LIMIT; j += i)
			composite[j] = 1;
	}
	return count;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1;

	for (uint32_t round = 0; round < rounds; round++)
		checksum = bench_mix(checksum, sieve() + composite[LIMIT - 1 - round % 1000]);
	return checksum;
}
