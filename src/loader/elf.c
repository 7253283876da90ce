/*
 * ELF files: the file header and the program headers (System V ABI, chapters "ELF Header" and "Program Header"; machine
 * number of the RISC-V ELF psABI). Every number is checked against the file's size before it is used. Runs on the
 * thread that opened the file, which owns the result.
 */
#include "elf_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#define EHDR_MAX 64

static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

/* The parts of the file header that are needed once. */
struct header {
	uint64_t phoff;
	unsigned phnum, phentsize;
	struct bis_elf_section_table sections;
};

bool bis_elf_is(const struct bis_source *s)
{
	uint8_t head[sizeof(magic)];

	return bis_source_has(s, 0, sizeof(head)) && !bis_source_read(s, 0, head, sizeof(head)) &&
	       !memcmp(head, magic, sizeof(magic));
}

static int check_ident(const struct bis_source *s, const uint8_t *ident)
{
	if (ident[4] != 1 && ident[4] != 2)
		return bis_fail(ENOEXEC, "%s: ELF class %u, expected 1 (32-bit) or 2 (64-bit)", s->name, ident[4]);
	if (ident[5] == 2)
		return bis_fail(ENOEXEC, "%s: is a big-endian ELF file, expected little-endian RISC-V", s->name);
	if (ident[5] != 1 || ident[6] != 1)
		return bis_fail(ENOEXEC, "%s: ELF data encoding %u, version %u; expected 1, 1", s->name, ident[5],
				ident[6]);
	return 0;
}

static int check_kind(const struct bis_source *s, unsigned type, unsigned machine)
{
	if (machine != ELF_EM_RISCV)
		return bis_fail(ENOEXEC, "%s: is built for ELF machine %u, expected %u (RISC-V)", s->name, machine,
				ELF_EM_RISCV);
	if (type != ELF_ET_EXEC && type != ELF_ET_DYN)
		return bis_fail(ENOEXEC, "%s: ELF type %u%s, expected a linked executable", s->name, type,
				type == 1 ? " (object file)" : "");
	return 0;
}

static int read_header(struct bis_elf *elf, struct header *h)
{
	const struct bis_source *s = &elf->source;
	uint8_t b[EHDR_MAX] = {0};
	unsigned tail; /* offset of e_phentsize */
	int err = bis_source_read(s, 0, b, 16);

	if (!err)
		err = check_ident(s, b);
	if (err)
		return err;
	elf->wide = b[4] == 2;
	err = bis_source_read(s, 0, b, elf->wide ? 64 : 52);
	if (!err)
		err = check_kind(s, (unsigned)bis_elf_number(b + 16, 2), (unsigned)bis_elf_number(b + 18, 2));
	if (err)
		return err;
	tail = elf->wide ? 54 : 42;
	elf->entry = bis_elf_word(elf, b, 24, 24);
	h->phoff = bis_elf_word(elf, b, 28, 32);
	h->phentsize = (unsigned)bis_elf_number(b + tail, 2);
	h->phnum = (unsigned)bis_elf_number(b + tail + 2, 2);
	h->sections = (struct bis_elf_section_table){
		.offset = bis_elf_word(elf, b, 32, 40),
		.entry_size = (unsigned)bis_elf_number(b + tail + 4, 2),
		.count = (unsigned)bis_elf_number(b + tail + 6, 2),
		.names_index = (unsigned)bis_elf_number(b + tail + 8, 2),
	};
	return 0;
}

static int check_segment(const struct bis_elf *elf, unsigned index, const struct bis_elf_segment *g)
{
	uint64_t top = elf->wide ? UINT64_MAX : UINT32_MAX;
	const char *name = elf->source.name;

	if (g->file_size > g->mem_size)
		return bis_fail(ENOEXEC,
				"%s: segment %u holds 0x%" PRIx64 " bytes in the file but only 0x%" PRIx64 " in memory",
				name, index, g->file_size, g->mem_size);
	if (!bis_source_has(&elf->source, g->offset, g->file_size))
		return bis_fail(ENOEXEC,
				"%s: truncated: segment %u lies at 0x%" PRIx64 "+0x%" PRIx64 " of a file of 0x%" PRIx64
				" bytes",
				name, index, g->offset, g->file_size, elf->source.size);
	if (g->mem_size - 1 > top - g->paddr || g->mem_size - 1 > top - g->vaddr)
		return bis_fail(ENOEXEC,
				"%s: segment %u at 0x%" PRIx64 " of 0x%" PRIx64 " bytes wraps around the end of memory",
				name, index, g->paddr, g->mem_size);
	return 0;
}

/* Reads program header `index`; *load says whether there is something to load. */
static int read_segment(const struct bis_elf *elf, const struct header *h, unsigned index, struct bis_elf_segment *g,
			bool *load)
{
	uint8_t b[56];
	int err = bis_source_read(&elf->source, h->phoff + (uint64_t)index * h->phentsize, b, elf->wide ? 56 : 32);

	if (err)
		return err;
	*g = (struct bis_elf_segment){
		.offset = bis_elf_word(elf, b, 4, 8),
		.vaddr = bis_elf_word(elf, b, 8, 16),
		.paddr = bis_elf_word(elf, b, 12, 24),
		.file_size = bis_elf_word(elf, b, 16, 32),
		.mem_size = bis_elf_word(elf, b, 20, 40),
		.executable = bis_elf_number(b + (elf->wide ? 4 : 24), 4) & ELF_PF_X,
	};
	*load = bis_elf_number(b, 4) == ELF_PT_LOAD && (g->mem_size || g->file_size);
	return *load ? check_segment(elf, index, g) : 0;
}

static int by_paddr(const void *a, const void *b)
{
	const struct bis_elf_segment *x = a, *y = b;

	return x->paddr < y->paddr ? -1 : x->paddr > y->paddr;
}

static int check_overlap(const struct bis_elf *elf)
{
	for (size_t i = 1; i < elf->segment_count; i++) {
		const struct bis_elf_segment *low = &elf->segments[i - 1], *high = &elf->segments[i];

		if (high->paddr - low->paddr < low->mem_size)
			return bis_fail(ENOEXEC,
					"%s: the segments 0x%" PRIx64 "-0x%" PRIx64 " and 0x%" PRIx64 "-0x%" PRIx64
					" overlap",
					elf->source.name, low->paddr, low->paddr + (low->mem_size - 1), high->paddr,
					high->paddr + (high->mem_size - 1));
	}
	return 0;
}

static int read_segments(struct bis_elf *elf, const struct header *h)
{
	unsigned need = elf->wide ? 56 : 32;
	const char *name = elf->source.name;

	if (h->phnum == ELF_PN_XNUM || (h->phnum && h->phentsize < need))
		return bis_fail(ENOEXEC, "%s: %u program headers of %u bytes, expected up to 65534 of at least %u",
				name, h->phnum, h->phentsize, need);
	if (!bis_source_has(&elf->source, h->phoff, (uint64_t)h->phnum * h->phentsize))
		return bis_fail(ENOEXEC,
				"%s: truncated: %u program headers at 0x%" PRIx64 " of a file of 0x%" PRIx64 " bytes",
				name, h->phnum, h->phoff, elf->source.size);
	elf->segments = calloc(h->phnum ? h->phnum : 1, sizeof(*elf->segments));
	if (!elf->segments)
		return bis_fail(ENOMEM, "%s: out of memory for %u program headers", name, h->phnum);
	for (unsigned i = 0; i < h->phnum; i++) {
		bool load;
		int err = read_segment(elf, h, i, &elf->segments[elf->segment_count], &load);

		if (err)
			return err;
		elf->segment_count += load;
	}
	if (!elf->segment_count)
		return bis_fail(ENOEXEC, "%s: has no segment to load, expected a linked executable", name);
	qsort(elf->segments, elf->segment_count, sizeof(*elf->segments), by_paddr);
	return check_overlap(elf);
}

/* Without executable sections the executable segments are the code. */
static int code_from_segments(struct bis_elf *elf)
{
	elf->code = calloc(elf->segment_count, sizeof(*elf->code));
	if (!elf->code)
		return bis_fail(ENOMEM, "%s: out of memory", elf->source.name);
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct bis_elf_segment *g = &elf->segments[i];

		if (g->executable && g->file_size)
			elf->code[elf->code_count++] = (struct bis_elf_code){
				.name = "segment", .vaddr = g->vaddr, .offset = g->offset, .size = g->file_size};
	}
	return 0;
}

int bis_elf_from_source(struct bis_source *s, struct bis_elf **out)
{
	struct bis_elf *elf;
	struct header h;
	int err;

	if (!bis_elf_is(s))
		return bis_fail(ENOMSG, "%s: is no ELF file", s->name);
	elf = calloc(1, sizeof(*elf));
	if (!elf)
		return bis_fail(ENOMEM, "%s: out of memory", s->name);
	elf->source = *s;
	err = read_header(elf, &h);
	if (!err)
		err = read_segments(elf, &h);
	if (!err)
		err = bis_elf_read_sections(elf, &h.sections);
	if (!err && !elf->code_count)
		err = code_from_segments(elf);
	if (err) {
		elf->source = (struct bis_source){.fd = -1}; /* still the caller's */
		bis_elf_close(elf);
		return err;
	}
	*out = elf;
	return 0;
}

static int open_source(struct bis_source *s, struct bis_elf **out)
{
	int err = bis_elf_from_source(s, out);

	if (err)
		bis_source_close(s);
	return err;
}

int bis_elf_open(const char *path, struct bis_elf **out)
{
	struct bis_source s;
	int err = bis_source_open(&s, path);

	return err ? err : open_source(&s, out);
}

int bis_elf_open_bytes(const char *name, const void *data, size_t size, struct bis_elf **out)
{
	struct bis_source s;
	int err = bis_source_from_bytes(&s, name, data, size);

	return err ? err : open_source(&s, out);
}

void bis_elf_close(struct bis_elf *elf)
{
	if (!elf)
		return;
	bis_source_close(&elf->source);
	free(elf->segments);
	free(elf->code);
	free(elf->section_names);
	free(elf->symbol_names);
	free(elf->symbols);
	free(elf);
}

unsigned bis_elf_xlen(const struct bis_elf *elf)
{
	return elf->wide ? 64 : 32;
}

uint64_t bis_elf_entry(const struct bis_elf *elf)
{
	return elf->entry;
}

int bis_elf_to_physical(const struct bis_elf *elf, uint64_t vaddr, uint64_t *paddr)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct bis_elf_segment *g = &elf->segments[i];

		if (vaddr >= g->vaddr && vaddr - g->vaddr < g->mem_size) {
			*paddr = vaddr - g->vaddr + g->paddr;
			return 0;
		}
	}
	return bis_fail(ENOENT, "%s: no segment holds address 0x%" PRIx64, elf->source.name, vaddr);
}

int bis_elf_segment_get(const struct bis_elf *elf, size_t index, struct bis_elf_segment *out)
{
	if (index >= elf->segment_count)
		return bis_fail(ENOENT, "%s: has %zu segments", elf->source.name, elf->segment_count);
	*out = elf->segments[index];
	return 0;
}

int bis_elf_code_get(const struct bis_elf *elf, size_t index, struct bis_elf_code *out)
{
	if (index >= elf->code_count)
		return bis_fail(ENOENT, "%s: has %zu executable parts", elf->source.name, elf->code_count);
	*out = elf->code[index];
	return 0;
}

int bis_elf_read(const struct bis_elf *elf, uint64_t offset, void *buf, size_t len)
{
	return bis_source_read(&elf->source, offset, buf, len);
}
