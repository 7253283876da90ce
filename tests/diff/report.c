/*
 * report.c - names for the words of a dump (layout.h) and the comparison of two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

enum { DIFFERENCES_MAX = 40 };

/* First word of a region. */
static size_t region_start(const struct isa *isa, enum dump_region region)
{
	size_t word = isa->xlen / 8;
	const size_t words[DUMP_REGIONS] = {SNAPSHOT_SIZE / word, 16 / word, (size_t)LOG_ENTRIES * LOG_WORDS,
					    PAGE / word, 0};
	size_t start = 0;

	for (unsigned i = 0; i < region; i++)
		start += words[i];
	return start;
}

static void snapshot_name(const struct isa *isa, size_t offset, char *out, size_t size)
{
	const char *half = isa->xlen == 32 && offset % 8 ? " (high half)" : "";
	size_t n = offset / 8;

	if (n < 32)
		snprintf(out, size, "x%zu%s", n, half);
	else if (n < 64)
		snprintf(out, size, "f%zu%s", n - 32, half);
	else if (n - 64 < snapshot_csr_count)
		snprintf(out, size, "%s%s", snapshot_csrs[n - 64].name, half);
	else
		snprintf(out, size, "unused");
}

static void word_name(const struct isa *isa, size_t index, char *out, size_t size)
{
	static const char *const log_words[LOG_WORDS] = {"cause", "epc", "tval", "status"};
	size_t bytes = isa->xlen / 8;

	if (index < region_start(isa, DUMP_TRAPS)) {
		snapshot_name(isa, index * bytes, out, size);
	} else if (index < region_start(isa, DUMP_LOG)) {
		snprintf(out, size, "%s",
			 (index - region_start(isa, DUMP_TRAPS)) * bytes < 8 ? "traps" : "hash of all traps");
	} else if (index < region_start(isa, DUMP_WINDOW)) {
		size_t n = index - region_start(isa, DUMP_LOG);

		snprintf(out, size, "trap log %zu %s", n / LOG_WORDS, log_words[n % LOG_WORDS]);
	} else if (index < region_start(isa, DUMP_DIGESTS)) {
		snprintf(out, size, "memory 0x%zx", PAGE_RW + (index - region_start(isa, DUMP_WINDOW)) * bytes);
	} else {
		snprintf(out, size, "digest %zu", index - region_start(isa, DUMP_DIGESTS));
	}
}

bool report_equal(const struct dump *a, const struct dump *b)
{
	return !*a->problem && !*b->problem && a->count == b->count &&
	       !memcmp(a->words, b->words, a->count * sizeof(*a->words));
}

long report_first_stretch(const struct isa *isa, const struct dump *a, const struct dump *b)
{
	size_t start = region_start(isa, DUMP_DIGESTS);

	for (size_t i = start; i < a->count && i < b->count; i++)
		if (a->words[i] != b->words[i])
			return (long)(i - start);
	return -1;
}

void report_differences(const struct isa *isa, const char *name_a, const struct dump *a, const char *name_b,
			const struct dump *b)
{
	size_t shown = 0, all = 0;
	char name[64];

	if (*a->problem)
		printf("  %s: %s\n", name_a, a->problem);
	if (*b->problem)
		printf("  %s: %s\n", name_b, b->problem);
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		if (a->words[i] == b->words[i])
			continue;
		all++;
		if (shown == DIFFERENCES_MAX)
			continue;
		word_name(isa, i, name, sizeof(name));
		printf("  %-24s %s %0*" PRIx64 "   %s %0*" PRIx64 "\n", name, name_a, (int)isa->xlen / 4, a->words[i],
		       name_b, (int)isa->xlen / 4, b->words[i]);
		shown++;
	}
	if (all > shown)
		printf("  and %zu more words\n", all - shown);
}

bool report_word(const struct isa *isa, const struct dump *d, const char *name, uint64_t *out)
{
	char each[64];

	for (size_t i = 0; i < d->count && i < region_start(isa, DUMP_DIGESTS); i++) {
		word_name(isa, i, each, sizeof(each));
		if (strcmp(each, name))
			continue;
		*out = d->words[i];
		if (isa->xlen == 32 && name[0] == 'f' && name[1] >= '0' && name[1] <= '9')
			*out |= d->words[i + 1] << 32;
		return true;
	}
	return false;
}

void report_registers(const struct isa *isa, const struct dump *d)
{
	char name[64];
	uint64_t v;

	for (unsigned i = 0; i < (isa->f ? 64u : 32u); i++) {
		snprintf(name, sizeof(name), "%c%u", i < 32 ? 'x' : 'f', i % 32);
		if (!report_word(isa, d, name, &v))
			return;
		printf("  %-3s %016" PRIx64 "%s", name, v, i % 4 == 3 ? "\n" : "");
	}
	if (isa->f && report_word(isa, d, "fcsr", &v))
		printf("  fcsr %02" PRIx64 "\n", v);
}

static void objdump(const struct gen *g, uint64_t from, uint64_t to)
{
	char path[] = "/tmp/fuzz-diff-XXXXXX", command[256];
	int fd = mkstemp(path);
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, g->code.bytes + (from - TEXT), to - from);
	close(fd);
	snprintf(command, sizeof(command),
		 "riscv64-unknown-elf-objdump -D -b binary -m riscv:rv%u --adjust-vma=0x%" PRIx64
		 " %s 2>/dev/null | sed -n 's/^ *\\(8[0-9a-f]*:\\)/  \\1/p'",
		 g->isa->xlen, from, path);
	fflush(stdout);
	if (n > 0 && system(command))
		printf("  (riscv64-unknown-elf-objdump is not installed)\n");
	unlink(path);
}

void report_code(const struct gen *g, uint64_t from, uint64_t to)
{
	const uint8_t *bytes = g->code.bytes - TEXT;

	for (uint64_t at = from; at < to;) {
		uint32_t raw = (uint32_t)(bytes[at] | bytes[at + 1] << 8);
		unsigned size = (raw & 3) == 3 ? 4 : 2;
		const struct row *row;

		if (size == 4)
			raw |= (uint32_t)bytes[at + 2] << 16 | (uint32_t)bytes[at + 3] << 24;
		row = table_match(&g->table, raw);
		printf("  %08" PRIx64 ": %0*x %s\n", at, (int)size * 2, raw, row ? row->name : "(illegal)");
		at += size;
	}
	objdump(g, from, to);
}
