/*
 * program.h - writes a test program as a bare-metal ELF executable.
 */
#ifndef BISCUIT_TESTS_DIFF_PROGRAM_H
#define BISCUIT_TESTS_DIFF_PROGRAM_H

#include "asm.h"
#include "isa.h"

/* Code at TEXT (also the entry), data at DATA. Returns 0 or a negative errno. */
int program_write(const char *path, const struct isa *isa, const struct code *code, const uint8_t *data,
		  size_t data_len);

enum { PROGRAM_PATH = 64 };
/* Makes an empty temporary file and puts its name in path; the caller unlinks it. Ends the program if it cannot. */
void program_temporary(char path[PROGRAM_PATH]);

#endif
