/* Deep and branching recursion: calls, returns and stack traffic. */
#include "../bench.h"

const uint32_t bench_rounds = 24 * BENCH_SCALE;

__attribute__((noinline)) static uint32_t fibonacci(uint32_t n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/* Takeuchi's function. */
__attribute__((noinline)) static int32_t tak(int32_t x, int32_t y, int32_t z)
{
	return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

/* Moves of the towers of Hanoi, folded into a checksum as they happen. */
__attribute__((noinline)) static uint32_t hanoi(uint32_t discs, uint32_t from, uint32_t to, uint32_t checksum)
{
	if (discs == 0)
		return checksum;
	checksum = hanoi(discs - 1, from, 3 - from - to, checksum);
	checksum = bench_mix(checksum, discs * 16 + from * 4 + to);
	return hanoi(discs - 1, 3 - from - to, to, checksum);
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1;

	for (uint32_t round = 0; round < rounds; round++) {
		checksum = bench_mix(checksum, fibonacci(24 + round % 2));
		checksum = bench_mix(checksum, (uint32_t)tak(15, 9, (int32_t)(round % 4)));
		checksum = hanoi(16, 0, 2, checksum);
	}
	return checksum;
}
