/*
 * Makes small ELF files in memory, well-formed ones and, since every field can be changed afterwards, bad ones.
 */
#ifndef BISCUIT_ELF_BUILDER_H
#define BISCUIT_ELF_BUILDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BUILDER_SIZE	 4096
#define BUILDER_CODE	 0x400 /* where segment contents start in the file */
#define BUILDER_SECTIONS 0x800
#define BUILDER_SYMBOLS	 0xa00
#define BUILDER_NAMES	 0xb00

struct elf_builder {
	bool wide;
	size_t size;
	uint8_t b[BUILDER_SIZE];
};

static inline void elf_put(struct elf_builder *e, size_t at, unsigned size, uint64_t v)
{
	for (unsigned i = 0; i < size; i++)
		e->b[at + i] = (uint8_t)(v >> (8 * i));
}

/* A field of 4 bytes at `narrow` (ELF32) or 8 bytes at `wide` (ELF64) behind `at`. */
static inline void elf_put_word(struct elf_builder *e, size_t at, unsigned narrow, unsigned wide, uint64_t v)
{
	elf_put(e, at + (e->wide ? wide : narrow), e->wide ? 8 : 4, v);
}

static inline unsigned elf_tail(const struct elf_builder *e)
{
	return e->wide ? 54 : 42; /* e_phentsize */
}

static inline size_t elf_segment_at(const struct elf_builder *e, unsigned index)
{
	return (e->wide ? 64 + 56 * index : 52 + 32 * index);
}

/* A loadable segment whose bytes lie at `offset` of the file. */
static inline void elf_set_segment(struct elf_builder *e, unsigned index, uint64_t pa, uint64_t offset, uint64_t filesz,
				   uint64_t memsz)
{
	size_t at = elf_segment_at(e, index);

	elf_put(e, at, 4, 1);
	elf_put(e, at + (e->wide ? 4 : 24), 4, 5);
	elf_put_word(e, at, 4, 8, offset);
	elf_put_word(e, at, 8, 16, pa);
	elf_put_word(e, at, 12, 24, pa);
	elf_put_word(e, at, 16, 32, filesz);
	elf_put_word(e, at, 20, 40, memsz);
	elf_put(e, elf_tail(e) + 2, 2, index + 1);
}

static inline void elf_set_entry(struct elf_builder *e, uint64_t entry)
{
	elf_put_word(e, 24, 0, 0, entry);
}

/* A RISC-V executable without segments; the file is BUILDER_SIZE bytes of a counting pattern. */
static inline void elf_begin(struct elf_builder *e, bool wide)
{
	static const uint8_t ident[8] = {0x7f, 'E', 'L', 'F', 0, 1, 1, 0};

	memset(e, 0, sizeof(*e));
	e->wide = wide;
	e->size = BUILDER_SIZE;
	for (size_t i = BUILDER_CODE; i < BUILDER_SECTIONS; i++)
		e->b[i] = (uint8_t)(i * 7);
	memcpy(e->b, ident, sizeof(ident));
	e->b[4] = wide ? 2 : 1;
	elf_put(e, 16, 2, 2);
	elf_put(e, 18, 2, 243);
	elf_put(e, 20, 4, 1);
	elf_put_word(e, 0, 28, 32, wide ? 64 : 52);
	elf_put(e, elf_tail(e), 2, wide ? 56 : 32);
	elf_put(e, elf_tail(e) + 4, 2, wide ? 64 : 40);
}

static inline size_t elf_section_at(const struct elf_builder *e, unsigned index)
{
	return BUILDER_SECTIONS + (size_t)index * (e->wide ? 64 : 40);
}

static inline void elf_set_section(struct elf_builder *e, unsigned index, uint32_t name, uint32_t type, uint64_t flags,
				   uint64_t addr, uint64_t offset, uint64_t size, uint32_t link)
{
	size_t at = elf_section_at(e, index);

	elf_put(e, at, 4, name);
	elf_put(e, at + 4, 4, type);
	elf_put_word(e, at, 8, 8, flags);
	elf_put_word(e, at, 12, 16, addr);
	elf_put_word(e, at, 16, 24, offset);
	elf_put_word(e, at, 20, 32, size);
	elf_put(e, at + (e->wide ? 40 : 24), 4, link);
	elf_put_word(e, 0, 32, 40, BUILDER_SECTIONS);
	elf_put(e, elf_tail(e) + 6, 2, index + 1);
}

static inline void elf_set_symbol(struct elf_builder *e, unsigned index, uint32_t name, uint64_t value, unsigned type)
{
	size_t at = BUILDER_SYMBOLS + (size_t)index * (e->wide ? 24 : 16);

	elf_put(e, at, 4, name);
	e->b[at + (e->wide ? 4 : 12)] = (uint8_t)(0x10 | type);
	elf_put(e, at + (e->wide ? 6 : 14), 2, 1);
	elf_put_word(e, at, 4, 8, value);
}

#endif
