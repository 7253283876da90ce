/*
 * Reading RISC-V ELF files: segments, executable parts and symbols, for loaders, disassembly and debuggers. Everything
 * a file says is checked against the file's size when it is opened. An open file belongs to one thread at a time.
 */
#ifndef BISCUIT_ELF_H
#define BISCUIT_ELF_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_elf;

/* A loadable segment with mem_size > 0, mem_size >= file_size, and no wrap-around of either address range. */
struct bis_elf_segment {
	uint64_t vaddr, paddr;
	uint64_t offset, file_size; /* in the file */
	uint64_t mem_size;
	bool executable;
};

/* A piece of the file that holds instructions: an executable section, or a segment where the file has no sections. */
struct bis_elf_code {
	const char *name; /* section name, "segment" otherwise */
	uint64_t vaddr, offset, size;
};

struct bis_elf_symbol {
	const char *name; /* never empty */
	uint64_t value, size;
	bool absolute; /* a number, such as one of the linker script's: names no code or data */
};

/*
 * Opens an executable (ET_EXEC or ET_DYN) ELF32 or ELF64 file for RISC-V. -ENOENT and the like, -ENOMSG (no ELF file at
 * all), -ENOEXEC (truncated, inconsistent or for another machine), -ENOMEM; each with message.
 */
BIS_MUST_CHECK int bis_elf_open(const char *path, struct bis_elf **out);
/* The same from memory, which stays the caller's until bis_elf_close; `name` is for messages. */
BIS_MUST_CHECK int bis_elf_open_bytes(const char *name, const void *data, size_t size, struct bis_elf **out);
/* NULL is allowed. Everything obtained from the file goes with it. */
void bis_elf_close(struct bis_elf *elf);

unsigned bis_elf_xlen(const struct bis_elf *elf); /* 32 or 64 */
/* The entry address as the file gives it: virtual. */
uint64_t bis_elf_entry(const struct bis_elf *elf);
/* The physical address at which `vaddr` is loaded, or -ENOENT if no segment holds it. */
BIS_MUST_CHECK int bis_elf_to_physical(const struct bis_elf *elf, uint64_t vaddr, uint64_t *paddr);

/* Entry `index` of the list; -ENOENT beyond the last. Segments come in the order of their physical addresses. */
BIS_MUST_CHECK int bis_elf_segment_get(const struct bis_elf *elf, size_t index, struct bis_elf_segment *out);
BIS_MUST_CHECK int bis_elf_code_get(const struct bis_elf *elf, size_t index, struct bis_elf_code *out);

/*
 * Where the contents of the first section of that name lie, in the file and at which virtual address (0 if it is not
 * loaded). -ENOENT if there is none, or one without contents or with compressed ones; -ENOEXEC, -ENOMEM, -EIO.
 */
BIS_MUST_CHECK int bis_elf_section_get(const struct bis_elf *elf, const char *name, uint64_t *offset, uint64_t *size,
				       uint64_t *vaddr);

/* Reads bytes of the file. -ENOEXEC where the range is not wholly in it, -EIO. */
BIS_MUST_CHECK int bis_elf_read(const struct bis_elf *elf, uint64_t offset, void *buf, size_t len);

/* Value of the symbol of that name; -ENOENT if there is none. */
BIS_MUST_CHECK int bis_elf_symbol_value(struct bis_elf *elf, const char *name, uint64_t *value);
/*
 * All named symbols of code and data, sorted by value. *symbols and *count stay valid until bis_elf_close. A file
 * without a symbol table has none. -ENOMEM, -EIO.
 */
BIS_MUST_CHECK int bis_elf_symbols(struct bis_elf *elf, const struct bis_elf_symbol **symbols, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
