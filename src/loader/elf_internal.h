/* An open ELF file, as the files of the loader share it. */
#ifndef BISCUIT_ELF_INTERNAL_H
#define BISCUIT_ELF_INTERNAL_H

#include <biscuit/elf.h>

#include "src/loader/source_internal.h"

enum bis_elf_constants {
	ELF_ET_EXEC = 2,
	ELF_ET_DYN = 3,
	ELF_EM_RISCV = 243,
	ELF_PT_LOAD = 1,
	ELF_PF_X = 1,
	ELF_PN_XNUM = 0xffff,
	ELF_SHT_SYMTAB = 2,
	ELF_SHT_STRTAB = 3,
	ELF_SHT_NOBITS = 8,
	ELF_SHF_EXECINSTR = 4,
	ELF_SHF_COMPRESSED = 0x800,
	ELF_SHN_ABS = 0xfff1,
	ELF_STT_SECTION = 3,
	ELF_STT_FILE = 4,
};

struct bis_elf_section {
	uint32_t name, type, link;
	uint64_t flags, addr, offset, size;
};

/* The symbol table and its strings; size 0 where the file has none. Both lie inside the file. */
struct bis_elf_symtab {
	uint64_t offset, size;
	uint64_t names_offset, names_size;
};

/* Where the section header table lies, as the file header says. */
struct bis_elf_section_table {
	uint64_t offset;
	unsigned count, entry_size, names_index;
};

struct bis_elf {
	struct bis_source source;
	bool wide; /* ELF64 */
	uint64_t entry;
	struct bis_elf_segment *segments;
	size_t segment_count;
	struct bis_elf_code *code;
	size_t code_count;
	char *section_names;		       /* NUL-terminated as a whole; what code[].name points into */
	struct bis_elf_section_table sections; /* count 0: none */
	struct bis_elf_symtab symtab;
	char *symbol_names; /* read when first asked for */
	struct bis_elf_symbol *symbols;
	size_t symbol_count;
	bool symbols_read;
};

/* A source's bytes are an ELF file's (its first four are the magic number). A source too short for them is not. */
bool bis_elf_is(const struct bis_source *s);
/* Opens an ELF file over a source, which it takes over on success. Errors as bis_elf_open. */
BIS_MUST_CHECK int bis_elf_from_source(struct bis_source *s, struct bis_elf **out);
/* Reads the section table: finds the symbol table and the executable sections. -ENOEXEC, -ENOMEM, -EIO. */
BIS_MUST_CHECK int bis_elf_read_sections(struct bis_elf *elf, const struct bis_elf_section_table *t);

/* The little-endian number of `size` bytes (2, 4 or 8) at p. */
static inline uint64_t bis_elf_number(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	while (size--)
		v = v << 8 | p[size];
	return v;
}

/* A field that lies at `narrow` in 4 bytes in an ELF32 structure and at `wide` in 8 bytes in an ELF64 one. */
static inline uint64_t bis_elf_word(const struct bis_elf *elf, const uint8_t *p, unsigned narrow, unsigned wide)
{
	return elf->wide ? bis_elf_number(p + wide, 8) : bis_elf_number(p + narrow, 4);
}

#endif
