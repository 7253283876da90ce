/*
 * The plain main of a fuzz target:
 *     fuzz_x FILE...     each file once ("-" is standard input)
 *     fuzz_x             mutations of the seeds: FUZZ_RUNS of them (20000), from the random seed FUZZ_SEED (1)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1 << 20)

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* In a buffer of exactly its size, so that a sanitizer sees the first byte too many. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_file(const char *path, uint8_t *buf)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	size_t size;

	if (!f) {
		perror(path);
		return 1;
	}
	size = fread(buf, 1, INPUT_MAX, f);
	if (f != stdin)
		fclose(f);
	run_exact(buf, size);
	return 0;
}

/* Values that length and offset checks get wrong. */
static uint64_t edge(uint64_t r)
{
	static const uint64_t edges[] = {0,	     1,		 0x7f,		 0xff,
					 0x7fff,     0xffff,	 0x7fffffff,	 0x80000000,
					 0xffffffff, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};

	return edges[r % (sizeof(edges) / sizeof(edges[0]))];
}

static size_t mutate(uint8_t *buf, size_t size, uint64_t *rng)
{
	unsigned changes = 1 + (unsigned)(next_random(rng) % 4);

	while (changes-- && size >= 8) {
		size_t reach = next_random(rng) & 1 && size > 256 ? 256 : size; /* headers come first */
		size_t at = next_random(rng) % (reach - 7);
		uint64_t value = edge(next_random(rng));

		switch (next_random(rng) % 5) {
		case 0:
			buf[at] = (uint8_t)next_random(rng);
			break;
		case 1:
			memcpy(buf + at, &value, 2);
			break;
		case 2:
			memcpy(buf + (at & ~(size_t)3), &value, 4);
			break;
		case 3:
			memcpy(buf + (at & ~(size_t)3), &value, 8);
			break;
		case 4:
			if (next_random(rng) % 8 == 0)
				size = at;
			break;
		}
	}
	return size;
}

static int run_mutations(uint8_t *buf)
{
	const char *runs_text = getenv("FUZZ_RUNS"), *seed_text = getenv("FUZZ_SEED");
	unsigned long runs = runs_text ? strtoul(runs_text, NULL, 0) : 20000;
	uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 1, rng = seed ? seed : 1;
	unsigned seeds = 0;

	printf("%lu mutations, FUZZ_SEED=%" PRIu64 "\n", runs, seed);
	fflush(stdout);
	for (size_t size; (size = fuzz_seed(seeds, buf, INPUT_MAX)); seeds++)
		run_exact(buf, size);
	for (unsigned long i = 0; i < runs && seeds; i++) {
		size_t size = fuzz_seed((unsigned)(i % seeds), buf, INPUT_MAX);

		run_exact(buf, mutate(buf, size, &rng));
	}
	return seeds ? 0 : 1;
}

int main(int argc, char **argv)
{
	uint8_t *buf = malloc(INPUT_MAX);
	int status = 0;

	if (!buf)
		return 1;
	for (int i = 1; i < argc; i++)
		status |= run_file(argv[i], buf);
	if (argc == 1)
		status = run_mutations(buf);
	free(buf);
	return status;
}
