/* User programs: those in the kernel's image, and others. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "elf.h"

struct program {
	const char *name, *argument, *help;
	const unsigned char *image, *image_end; /* an ELF file */
};

extern const struct program programs[];
extern const unsigned program_count;

/* The program of this name, or NULL. */
const struct program *program_find(const char *name);

struct task;

/* Starts a program in an address space of its own. Its main() gets a number, and text that it may read. NULL, and a
 * line printed, when it cannot be started. */
struct task *program_start(const struct program *program, long number, const char *text);

/* The same for a program in a file. */
struct task *program_start_file(const char *path, long number, const char *text);

/* Prints how a program ended, unless it simply ended well. */
void program_report(const char *name, unsigned id, int status);

/* Reports and forgets programs that ran in the background and have ended. */
void programs_report_finished(void);

#endif
