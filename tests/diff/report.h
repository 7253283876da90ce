/*
 * report.h - compares what two machines printed, and says it in words.
 */
#ifndef BISCUIT_TESTS_DIFF_REPORT_H
#define BISCUIT_TESTS_DIFF_REPORT_H

#include "gen.h"
#include "machine.h"

bool report_equal(const struct dump *a, const struct dump *b);
/* The first stretch whose digests differ; -1 if the digests are equal or cannot be compared. */
long report_first_stretch(const struct isa *isa, const struct dump *a, const struct dump *b);
/* Prints every word that differs (at most 40), by name. */
void report_differences(const struct isa *isa, const char *name_a, const struct dump *a, const char *name_b,
			const struct dump *b);
/* Prints the x and f registers and fcsr of a dump. */
void report_registers(const struct isa *isa, const struct dump *d);
/* Lists guest code [from, to): address, bytes, row of the instruction table; and objdump's words if it is installed. */
void report_code(const struct gen *g, uint64_t from, uint64_t to);
/* The word that report_differences() calls name, such as x10, f3, fcsr, traps; false if there is none. */
bool report_word(const struct isa *isa, const struct dump *d, const char *name, uint64_t *out);

#endif
