/*
 * pages.h - page tables of the test programs: everything mapped where it is, and a row of aliases of the memory window
 * with every kind of permission. Stretches in S-mode use tables without U, stretches in U-mode tables with it.
 */
#ifndef BISCUIT_TESTS_DIFF_PAGES_H
#define BISCUIT_TESTS_DIFF_PAGES_H

#include "isa.h"
#include "layout.h"
#include "rng.h"

enum { ALIASES = 64 };
#define ALIAS 0x80a00000u /* virtual address of the first alias page */

/* Writes the tables into the initial bytes of [DATA, DATA_END). */
void pages_data(uint8_t *data, const struct isa *isa, struct rng *r);
/* A value of satp: one of the schemes the width has, for U-mode or S-mode. */
uint64_t pages_satp(const struct isa *isa, struct rng *r, bool user);
/* Even aliases map the window itself, with any permissions; accesses may cross from them to the next. */
bool pages_alias_is_plain(unsigned n);
/* A random entry for alias n, and the guest address of its entry (S-mode's and U-mode's table). */
uint64_t pages_alias_entry(const struct isa *isa, struct rng *r, unsigned n);
uint64_t pages_alias_address(const struct isa *isa, bool user, unsigned n);

#endif
