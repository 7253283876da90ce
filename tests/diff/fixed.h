/*
 * fixed.h - fixed cases: one short piece of code with its operands and what must come out. A difference that the random
 * programs found, once understood, is kept as a file in cases/. A line each:
 *
 *   # a comment
 *   isa rv64gc_zba_zbb_zbs        the case runs once for each isa line
 *   mode U                        U, S or M (the default)
 *   x10 0x1                       initial registers; all others are zero
 *   f3 0xffffffff7fc00000
 *   fcsr 0x20
 *   memory 0x80812000 0x1234      8 bytes, in the pages of layout.h
 *   insn 0x28461333               a 16- or 32-bit instruction by its low two bits; as many as needed
 *   expect x6 0x1                 any name that a difference is reported with: x6, f3, fcsr, mstatus, traps,
 *   expect trap log 0 cause 0x5   trap log 0 cause, memory 0x80812000
 *   only-biscuit REASON           QEMU is known to differ
 */
#ifndef BISCUIT_TESTS_DIFF_FIXED_H
#define BISCUIT_TESTS_DIFF_FIXED_H

#include "gen.h"
#include "machine.h"

/* Runs the null-terminated list of case files on Biscuit, and on QEMU where it is installed. Returns an exit status. */
int fixed_run(char **files);
/* Prints an item of g as a case, with the registers of before. */
void fixed_print(const struct gen *g, const struct item *item, const struct dump *before);

#endif
