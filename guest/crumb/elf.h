/* Loading a program. */
#ifndef ELF_H
#define ELF_H

#include "space.h"

/* Copies the segments of an ELF file (32-bit on rv32, 64-bit on rv64, little-endian, static) into a space and tells
 * where the program begins. False: the file is not such a program, or memory is full; what was loaded stays in the
 * space. */
bool elf_load(struct space *space, const unsigned char *image, size_t size, uintptr_t *entry);

#endif
