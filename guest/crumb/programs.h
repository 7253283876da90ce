/* The user programs in the kernel's image. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

struct program {
	const char *name, *argument, *help;
	const unsigned char *image, *image_end; /* an ELF file */
};

extern const struct program programs[];
extern const unsigned program_count;

/* The program of this name, or NULL. */
const struct program *program_find(const char *name);

struct task;

/* Starts a program in an address space of its own. NULL, and a line printed, when it cannot be. */
struct task *program_start(const struct program *program, long argument);

/* Prints how a program ended, unless it simply ended well. */
void program_report(const char *name, unsigned id, int status);

/* Reports and forgets programs that ran in the background and have ended. */
void programs_report_finished(void);

#endif
