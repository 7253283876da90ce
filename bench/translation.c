/*
 * bench-translation FILE...: how fast each engine translates guest code, block by block. The executable sections of
 * these ELF files, one behind the other and again, fill a stretch of RAM, and every block of it is translated once.
 * Prints medians of the thread's processor time, for 32-bit and 64-bit files apart.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/builtin.h>
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

/* Appends `size` bytes of the file, which is none of ours: what it has not is left out. */
static void append(struct code *c, FILE *f, uint64_t offset, uint64_t size)
{
	if (size > CODE_SIZE - c->size)
		size = CODE_SIZE - c->size;
	if (fseek(f, (long)offset, SEEK_SET))
		return;
	c->size += fread(c->bytes + c->size, 1, size, f);
	c->size &= ~(size_t)3; /* the next section's instructions are aligned */
}

static void append_32(struct code *c, FILE *f)
{
	Elf32_Ehdr head;
	Elf32_Shdr part;

	if (fseek(f, 0, SEEK_SET) || !fread(&head, sizeof(head), 1, f))
		return;
	for (unsigned i = 0; i < head.e_shnum; i++)
		if (!fseek(f, (long)(head.e_shoff + i * sizeof(part)), SEEK_SET) && fread(&part, sizeof(part), 1, f) &&
		    part.sh_type == SHT_PROGBITS && part.sh_flags & SHF_EXECINSTR)
			append(c, f, part.sh_offset, part.sh_size);
}

static void append_64(struct code *c, FILE *f)
{
	Elf64_Ehdr head;
	Elf64_Shdr part;

	if (fseek(f, 0, SEEK_SET) || !fread(&head, sizeof(head), 1, f))
		return;
	for (unsigned i = 0; i < head.e_shnum; i++)
		if (!fseek(f, (long)(head.e_shoff + i * sizeof(part)), SEEK_SET) && fread(&part, sizeof(part), 1, f) &&
		    part.sh_type == SHT_PROGBITS && part.sh_flags & SHF_EXECINSTR)
			append(c, f, part.sh_offset, part.sh_size);
}

static void append_file(struct code *c, const char *path, unsigned xlen)
{
	FILE *f = fopen(path, "rb");
	unsigned char ident[EI_NIDENT];

	if (!f)
		stop("a file cannot be read");
	if (fread(ident, sizeof(ident), 1, f) && !memcmp(ident, ELFMAG, SELFMAG)) {
		if (ident[EI_CLASS] == ELFCLASS32 && xlen == 32)
			append_32(c, f);
		if (ident[EI_CLASS] == ELFCLASS64 && xlen == 64)
			append_64(c, f);
	}
	fclose(f);
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
