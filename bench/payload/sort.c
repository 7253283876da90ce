/* Quicksort, heap sort and insertion sort of random numbers: compares and swaps with unpredictable branches. */
#include "../bench.h"

#define LENGTH	   16384
#define SHORT_RUN  12
#define SHORT_SORT 512

const uint32_t bench_rounds = 90 * BENCH_SCALE;

static uint32_t values[LENGTH];

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t kept = *a;

	*a = *b;
	*b = kept;
}

static void insertion_sort(uint32_t *v, uint32_t length)
{
	for (uint32_t i = 1; i < length; i++) {
		uint32_t value = v[i], j = i;

		for (; j > 0 && v[j - 1] > value; j--)
			v[j] = v[j - 1];
		v[j] = value;
	}
}

static void quicksort(uint32_t *v, uint32_t length)
{
	while (length > SHORT_RUN) {
		uint32_t pivot = v[length / 2], i = 0, j = length - 1;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap(&v[i++], &v[j--]);
		}
		quicksort(v, j + 1);
		v += j + 1;
		length -= j + 1;
	}
	insertion_sort(v, length);
}

static void sift_down(uint32_t *v, uint32_t root, uint32_t length)
{
	for (uint32_t child; (child = 2 * root + 1) < length; root = child) {
		if (child + 1 < length && v[child + 1] > v[child])
			child++;
		if (v[root] >= v[child])
			return;
		swap(&v[root], &v[child]);
	}
}

static void heap_sort(uint32_t *v, uint32_t length)
{
	for (uint32_t i = length / 2; i-- > 0;)
		sift_down(v, i, length);
	for (uint32_t end = length; end-- > 1;) {
		swap(&v[0], &v[end]);
		sift_down(v, 0, end);
	}
}

static uint32_t sorted_checksum(void (*sort)(uint32_t *, uint32_t), uint32_t length, uint32_t *seed)
{
	uint32_t checksum = 0;

	for (uint32_t i = 0; i < length; i++)
		values[i] = bench_random(seed);
	sort(values, length);
	for (uint32_t i = 1; i < length; i++)
		checksum = bench_mix(checksum, values[i] - values[i - 1] + (values[i] < values[i - 1]));
	return checksum;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 88675123;

	for (uint32_t round = 0; round < rounds; round++) {
		checksum = bench_mix(checksum, sorted_checksum(quicksort, LENGTH, &seed));
		checksum = bench_mix(checksum, sorted_checksum(heap_sort, LENGTH, &seed));
		checksum = bench_mix(checksum, sorted_checksum(insertion_sort, SHORT_SORT, &seed));
	}
	return checksum;
}
