/*
 * The plain main of a fuzz target:
 *     fuzz_x FILE...     each file once ("-" is standard input)
 *     fuzz_x             mutations of the seeds: FUZZ_RUNS of them (20000 as a rule), or as many as FUZZ_SECONDS allow
 * if that is set, from the random seed FUZZ_SEED (1) An input that ends the program, or takes longer than
 * INPUT_SECONDS, is left in fuzz_x.find in the working folder.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/random.h"

#define INPUT_MAX     (1 << 20)
#define INPUT_SECONDS 30

__attribute__((weak)) unsigned fuzz_runs(void)
{
	return 20000;
}

/* What the signal handler needs: the input under way, and where it goes if it is the last. */
static const uint8_t *volatile current;
static volatile size_t current_size;
static char find_path[256];

static void keep_find(int signal_number)
{
	static const char words[] = "\nfuzz: the input that did this is kept as ";
	int fd = open(find_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, current, current_size) < 0 || write(2, words, sizeof(words) - 1) < 0 ||
	    write(2, find_path, strlen(find_path)) < 0 || write(2, "\n", 1) < 0)
		_exit(1);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void watch_for_finds(const char *program)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
	const char *name = strrchr(program, '/');

	snprintf(find_path, sizeof(find_path), "%s.find", name ? name + 1 : program);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], keep_find);
}

/* In a buffer of exactly its size, so that a sanitizer sees the first byte too many. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	current = copy;
	current_size = size;
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
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
	unsigned changes = 1 + (unsigned)(xorshift(rng) % 4);

	while (changes-- && size >= 8) {
		size_t reach = xorshift(rng) & 1 && size > 256 ? 256 : size; /* headers come first */
		size_t at = xorshift(rng) % (reach - 7);
		uint64_t value = edge(xorshift(rng));

		switch (xorshift(rng) % 6) {
		case 0:
			buf[at] = (uint8_t)xorshift(rng);
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
			if (xorshift(rng) % 8 == 0)
				size = at;
			break;
		case 5: /* a part again, elsewhere */
			if (size >= 64)
				memmove(buf + (at & ~(size_t)7), buf + (xorshift(rng) % (size - 31) & ~(size_t)7), 24);
			break;
		}
	}
	return size;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static int run_mutations(const char *program, uint8_t *buf)
{
	uint64_t seconds = number_from("FUZZ_SECONDS", 0), seed = number_from("FUZZ_SEED", 1), rng = seed ? seed : 1;
	uint64_t runs = seconds ? UINT64_MAX : number_from("FUZZ_RUNS", fuzz_runs()), done = 0;
	time_t start = time(NULL);
	unsigned seeds = 0;

	printf("%s: FUZZ_SEED=%" PRIu64 "\n", program, seed);
	fflush(stdout);
	for (size_t size; (size = fuzz_seed(seeds, buf, INPUT_MAX)); seeds++)
		run_exact(buf, size);
	for (; done < runs && seeds && (!seconds || (uint64_t)(time(NULL) - start) < seconds); done++) {
		size_t size = fuzz_seed((unsigned)(done % seeds), buf, INPUT_MAX);

		run_exact(buf, mutate(buf, size, &rng));
	}
	printf("%s: %" PRIu64 " mutations of %u seeds in %lld s, nothing found\n", program, done, seeds,
	       (long long)(time(NULL) - start));
	return seeds ? 0 : 1;
}

int main(int argc, char **argv)
{
	uint8_t *buf = malloc(INPUT_MAX);
	int status = 0;

	if (!buf)
		return 1;
	watch_for_finds(argv[0]);
	for (int i = 1; i < argc; i++)
		status |= run_file(argv[i], buf);
	if (argc == 1)
		status = run_mutations(argv[0], buf);
	free(buf);
	return status;
}
