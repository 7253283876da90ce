/*
 * runtime.h - the fixed part of every test program: start-up, trap handlers, the fold into a digest, the final print.
 */
#ifndef BISCUIT_TESTS_DIFF_RUNTIME_H
#define BISCUIT_TESTS_DIFF_RUNTIME_H

#include "asm.h"
#include "isa.h"
#include "rng.h"

struct runtime {
	const struct isa *isa;
	uint64_t exit_stub; /* an ecall that returns from S-mode to M-mode */
	uint64_t fold;
	uint64_t finish;
};

/* Emits the routines and the start-up code at the beginning of c, with random registers; the body follows in M-mode. */
void runtime_start(struct runtime *rt, struct code *c, const struct isa *isa, struct rng *r);
/* In M-mode: one digest of all registers, trap CSRs and the window; changes no register. */
void runtime_fold(const struct runtime *rt, struct code *c);
/* In M-mode: the last fold, the print, power off. */
void runtime_finish(const struct runtime *rt, struct code *c);
/* The initial bytes of [DATA, DATA_END); the page tables are zero. */
void runtime_data(uint8_t *data, struct rng *r);

#endif
