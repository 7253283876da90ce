/* Loading a program. */
#ifndef ELF_H
#define ELF_H

#include "space.h"

/* Where the bytes of an ELF file come from: read() copies `len` of them, or says that there are not as many. */
struct elf_file {
	bool (*read)(const struct elf_file *file, size_t offset, void *to, size_t len);
	const void *context;
};

/* Copies the segments of an ELF file (32-bit on rv32, 64-bit on rv64, little-endian, static) into a space and tells
 * where the program begins. False: the file is not such a program, or memory is full; what was loaded stays in the
 * space. */
bool elf_load(struct space *space, const struct elf_file *file, uintptr_t *entry);

#endif
