/*
 * Fresh code: writes small functions into memory, executes fence.i, calls each of them twice and starts over with
 * others at the same place. What a guest's own translator, dynamic linker or module loader does to a machine.
 */
#include "../bench.h"

#define FUNCTIONS    64
#define INSTRUCTIONS 15
#define A0	     10
#define A1	     11
#define RETURN	     UINT32_C(0x00008067) /* jalr x0, 0(ra) */

const uint32_t bench_rounds = 1500 * BENCH_SCALE;

typedef uintptr_t function(uintptr_t a, uintptr_t b);

static _Alignas(4096) uint32_t code[FUNCTIONS][INSTRUCTIONS + 1];

static uint32_t encode_i(uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t immediate)
{
	return (immediate & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x13;
}

static uint32_t encode_r(uint32_t funct7, uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t rs2)
{
	return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33;
}

/* One instruction on a0 and a1 whose low 32 bits of result are the same at every register width. */
static uint32_t random_instruction(uint32_t *seed)
{
	uint32_t random = bench_random(seed), rd = random & 1 ? A1 : A0, other = A0 + A1 - rd;

	switch ((random >> 1) % 6) {
	case 0:
		return encode_i(0, rd, rd, random >> 20); /* addi */
	case 1:
		return encode_i(4, rd, rd, random >> 20); /* xori */
	case 2:
		return encode_i(1, rd, other, (random >> 20) % 8); /* slli */
	case 3:
		return encode_r(0, 0, rd, rd, other); /* add */
	case 4:
		return encode_r(0x20, 0, rd, other, rd); /* sub */
	default:
		return encode_r(0, 4, rd, rd, other); /* xor */
	}
}

static void write_function(uint32_t *at, uint32_t *seed)
{
	for (unsigned i = 0; i < INSTRUCTIONS; i++)
		at[i] = random_instruction(seed);
	at[INSTRUCTIONS] = RETURN;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 314159265;

	for (uint32_t round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < FUNCTIONS; i++)
			write_function(code[i], &seed);
		__asm__ volatile("fence.i" ::: "memory");
		for (unsigned i = 0; i < 2 * FUNCTIONS; i++) {
			function *called = (function *)(uintptr_t)code[i % FUNCTIONS];

			checksum = bench_mix(checksum, (uint32_t)called(checksum, i));
		}
	}
	return checksum;
}
