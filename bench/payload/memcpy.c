/* Block moves: whole registers, bytes at odd distances, overlapping moves, fills and compares. */
#include "../bench.h"

#define LENGTH 65536

const uint32_t bench_rounds = 1200 * BENCH_SCALE;

static _Alignas(64) uint8_t from[LENGTH + 64], to[LENGTH + 64];

/* Both ends aligned to 8; eight words an iteration where a register holds 8 bytes, as a C library does it. */
static void copy_words(uint8_t *t, const uint8_t *f, uint32_t length)
{
	uintptr_t *tw = (uintptr_t *)(void *)t;
	const uintptr_t *fw = (const uintptr_t *)(const void *)f;

	for (uint32_t left = length / (4 * sizeof(uintptr_t)); left; left--) {
		uintptr_t a = fw[0], b = fw[1], c = fw[2], d = fw[3];

		tw[0] = a;
		tw[1] = b;
		tw[2] = c;
		tw[3] = d;
		tw += 4;
		fw += 4;
	}
}

static void copy_bytes(uint8_t *t, const uint8_t *f, uint32_t length)
{
	while (length--)
		*t++ = *f++;
}

static void move_up(uint8_t *base, uint32_t distance, uint32_t length)
{
	while (length--)
		base[length + distance] = base[length];
}

static void fill_words(uint8_t *t, uint8_t value, uint32_t length)
{
	uintptr_t *tw = (uintptr_t *)(void *)t;
	uintptr_t pattern = value * (UINTPTR_MAX / 255);

	for (uint32_t left = length / sizeof(uintptr_t); left; left--)
		*tw++ = pattern;
}

/* The first place where the two differ, or length. */
static uint32_t compare(const uint8_t *a, const uint8_t *b, uint32_t length)
{
	uint32_t i = 0;

	while (i < length && a[i] == b[i])
		i++;
	return i;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 5783321;

	for (uint32_t i = 0; i < LENGTH; i++)
		from[i] = (uint8_t)bench_random(&seed);
	for (uint32_t round = 0; round < rounds; round++) {
		for (unsigned pass = 0; pass < 8; pass++)
			copy_words(to, from, LENGTH - pass * 64);
		checksum = bench_mix(checksum, compare(to, from, LENGTH));
		copy_bytes(to + 1 + round % 7, from + 3, LENGTH / 4);
		move_up(to, 3, LENGTH / 4);
		fill_words(to + LENGTH / 2, (uint8_t)round, LENGTH / 2);
		checksum = bench_mix(checksum, compare(to, from, LENGTH));
		checksum = bench_mix(checksum, to[bench_random(&seed) % LENGTH] + to[LENGTH / 2]);
		from[round * 31 % LENGTH] ^= (uint8_t)checksum;
	}
	return checksum;
}
