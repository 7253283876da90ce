/* --disasm: instructions of a file as text. */
#ifndef BISCUIT_RUN_DISASM_H
#define BISCUIT_RUN_DISASM_H

#include <biscuit/isa.h>

/*
 * Prints the executable parts of the ELF file `path`, with its symbols as labels, or the whole of a raw image as if it
 * lay at the start of RAM. Errors of bis_elf_open, with message.
 */
BIS_MUST_CHECK int disasm_file(const char *path, const struct bis_decoder *decoder);

#endif
