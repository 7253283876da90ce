/*
 * machine.h - the machines that run a test program, and what one printed.
 */
#ifndef BISCUIT_TESTS_DIFF_MACHINE_H
#define BISCUIT_TESTS_DIFF_MACHINE_H

#include "isa.h"
#include "layout.h"

#include <stdint.h>

struct machine {
	const char *kind;    /* qemu, qemu-step (one instruction a block), biscuit or biscuit:ENGINE */
	const char *program; /* the command to run */
};

struct dump {
	uint64_t *words; /* owned; in the order of enum dump_region */
	size_t count;
	char problem[160]; /* empty if the machine printed everything and powered off */
};

/* Chooses the command of a kind for a width: $BISCUIT_RUN or biscuit-run; qemu-system-riscvNN. False if kind is not
 * known. */
bool machine_init(struct machine *m, const char *kind, unsigned xlen);
/* Whether the command can be started at all. */
bool machine_present(const struct machine *m);
/* Runs the ELF for at most seconds. Always fills out; free its words. */
void machine_run(const struct machine *m, const struct isa *isa, const char *elf, unsigned seconds, struct dump *out);

#endif
