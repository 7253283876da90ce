/*
 * bench-translation FILE...: how fast each engine translates guest code, block by block. The executable sections of
 * these ELF files, one behind the other and again, fill a stretch of RAM, and every block of it is translated once.
 * Prints medians of the thread's processor time, for 32-bit and 64-bit files apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/builtin.h>
#include <biscuit/elf.h>
#include <biscuit/error.h>
#include <biscuit/machine.h>
#include <biscuit/memory.h>

#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"

#define CODE_SIZE (UINT64_C(2) << 20)
#define RUNS	  9

/* The bytes that are translated. */
struct code {
	uint8_t *bytes;
	size_t size;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void stop(const char *what)
{
	fprintf(stderr, "bench-translation: %s\n", what);
	exit(1);
}

static void require(int err)
{
	if (err)
		stop(bis_error_message());
}

/* --- What is translated --- */

/* The executable sections of a file of that width, which is none of ours: what there is no room for is left out. */
static void append_file(struct code *c, const char *path, unsigned xlen)
{
	struct bis_elf_code part;
	struct bis_elf *elf;

	require(bis_elf_open(path, &elf));
	for (size_t i = 0; bis_elf_xlen(elf) == xlen && !bis_elf_code_get(elf, i, &part); i++) {
		uint64_t size = part.size < CODE_SIZE - c->size ? part.size : CODE_SIZE - c->size;

		require(bis_elf_read(elf, part.offset, c->bytes + c->size, size));
		c->size = (c->size + size) & ~(size_t)3; /* the next section's instructions are aligned */
	}
	bis_elf_close(elf);
}

/* The files' code again and again; empty if they have none of that width. */
static struct code collect(unsigned xlen, int files, char **file)
{
	struct code c = {.bytes = malloc(CODE_SIZE)};
	size_t once;

	if (!c.bytes)
		stop("no memory");
	for (int i = 0; i < files; i++)
		append_file(&c, file[i], xlen);
	once = c.size;
	while (once && c.size < CODE_SIZE) {
		size_t part = once < CODE_SIZE - c.size ? once : (size_t)CODE_SIZE - c.size;

		memcpy(c.bytes + c.size, c.bytes, part);
		c.size += part;
	}
	return c;
}

/* --- Figures --- */

struct figure {
	double seconds;
	uint64_t blocks, insns, bytes, code;
};

static struct figure translate_all(struct bis_hart *h, const struct code *c)
{
	struct figure f = {0};
	double start = seconds();

	bis_block_cache_flush(h->cache);
	for (uint64_t at = 0, used = 0; at + 4 <= c->size; f.blocks++) {
		uint64_t before = bis_block_cache_stats(h->cache).used_bytes;
		const struct bis_block *b = bis_block_get(h, BIS_RAM_BASE + at);

		if (!b)
			stop("a block cannot be translated");
		used = bis_block_cache_stats(h->cache).used_bytes;
		f.code += used > before ? used - before : 0;
		f.insns += b->insns;
		f.bytes += (uint64_t)(b->offset[b->insns] - b->offset[0]);
		at += (uint64_t)(b->offset[b->insns] - b->offset[0]);
	}
	f.seconds = seconds() - start;
	return f;
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct figure *)a)->seconds, y = ((const struct figure *)b)->seconds;

	return (x > y) - (x < y);
}

static void measure(const char *engine, unsigned xlen, const struct code *c)
{
	struct bis_machine_config cfg = {
		.ram_size = 2 * CODE_SIZE, .isa = xlen == 32 ? "rv32" : "rv64", .classes = bis_builtin_modules};
	struct figure f[RUNS];
	struct bis_machine *m;

	cfg.engine = engine;
	if (bis_machine_create(&cfg, &m))
		return; /* not on this host */
	require(bis_machine_add(m, "riscv", NULL));
	require(bis_mem_write(bis_machine_memory(m), (bis_gpa){BIS_RAM_BASE}, c->bytes, c->size));
	require(bis_machine_start_paused(m));
	for (unsigned i = 0; i < RUNS; i++)
		f[i] = translate_all(bis_machine_hart(m, 0), c);
	qsort(f, RUNS, sizeof(f[0]), compare);
	printf("%-6s rv%u  %6.1f MB/s  (fastest %.1f; %.1f instructions and %.0f bytes a block, %.0f bytes made of "
	       "it)\n",
	       engine, xlen, (double)f[RUNS / 2].bytes / f[RUNS / 2].seconds / 1e6,
	       (double)f[0].bytes / f[0].seconds / 1e6, (double)f[0].insns / (double)f[0].blocks,
	       (double)f[0].bytes / (double)f[0].blocks, (double)f[0].code / (double)f[0].blocks);
	bis_machine_destroy(m);
}

int main(int argc, char **argv)
{
	static const unsigned widths[] = {64, 32};

	for (unsigned i = 0; i < 2; i++) {
		struct code c = collect(widths[i], argc - 1, argv + 1);

		if (c.size) {
			measure("jit", widths[i], &c);
			measure("interp", widths[i], &c);
		}
		free(c.bytes);
	}
	return 0;
}
