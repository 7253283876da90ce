/* Integer matrices: products, transposition and a clipped sum; multiplication with two-dimensional addressing. */
#include "../bench.h"

#define SIZE 48

const uint32_t bench_rounds = 1500 * BENCH_SCALE;

typedef int32_t matrix[SIZE][SIZE];

static matrix left, right, product;

static void fill(matrix m, uint32_t *seed)
{
	for (uint32_t i = 0; i < SIZE; i++)
		for (uint32_t j = 0; j < SIZE; j++)
			m[i][j] = (int32_t)(bench_random(seed) & 0xfff) - 0x800;
}

static void multiply(matrix out, matrix a, matrix b)
{
	for (uint32_t i = 0; i < SIZE; i++) {
		for (uint32_t j = 0; j < SIZE; j++) {
			uint32_t sum = 0;

			for (uint32_t k = 0; k < SIZE; k++)
				sum += (uint32_t)a[i][k] * (uint32_t)b[k][j];
			out[i][j] = (int32_t)sum >> 4;
		}
	}
}

static void transpose(matrix m)
{
	for (uint32_t i = 0; i < SIZE; i++) {
		for (uint32_t j = 0; j < i; j++) {
			int32_t kept = m[i][j];

			m[i][j] = m[j][i];
			m[j][i] = kept;
		}
	}
}

static uint32_t clipped_sum(matrix m, int32_t clip)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < SIZE; i++)
		for (uint32_t j = 0; j < SIZE; j++)
			sum += (uint32_t)(m[i][j] > clip ? clip : m[i][j] < -clip ? -clip : m[i][j]);
	return sum;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 521288629;

	fill(left, &seed);
	fill(right, &seed);
	for (uint32_t round = 0; round < rounds; round++) {
		multiply(product, left, right);
		transpose(product);
		checksum = bench_mix(checksum, clipped_sum(product, (int32_t)(1000 + round)));
		left[round % SIZE][round * 7 % SIZE] = product[round * 5 % SIZE][round % SIZE] & 0xfff;
	}
	return checksum;
}
