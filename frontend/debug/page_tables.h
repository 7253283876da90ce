/*
 * How page tables are laid out (privileged specification, 4.3 to 4.6), for those who show them. What is in a table is
 * the guest's: nothing here believes it. Any thread.
 */
#ifndef BISCUIT_FRONTEND_PAGE_TABLES_H
#define BISCUIT_FRONTEND_PAGE_TABLES_H

#include <biscuit/types.h>

enum debug_pte {
	DEBUG_PTE_V = 1,
	DEBUG_PTE_R = 2,
	DEBUG_PTE_W = 4,
	DEBUG_PTE_X = 8,
	DEBUG_PTE_U = 16,
	DEBUG_PTE_G = 32,
	DEBUG_PTE_A = 64,
	DEBUG_PTE_D = 128
};

struct debug_scheme {
	const char *name;
	unsigned xlen, mode; /* satp.MODE */
	unsigned levels, index_bits, pte_size, ppn_bits, va_bits;
};

/* The scheme that `satp` selects, NULL: bare, or none that is known; *root: physical address of the first table. */
const struct debug_scheme *debug_scheme_of(unsigned xlen, uint64_t satp, uint64_t *root);
/* Entry `index`, below 1 << index_bits, of a table of BIS_PAGE_SIZE bytes. */
uint64_t debug_pte_at(const struct debug_scheme *s, const uint8_t *table, unsigned index);
/* The physical address that an entry leads to. */
uint64_t debug_pte_target(const struct debug_scheme *s, uint64_t pte);
/* Does it lead to a table of the level below; does it map a page? */
bool debug_pte_is_table(uint64_t pte, unsigned level);
bool debug_pte_is_page(uint64_t pte);
/* Bytes that an entry of that level stands for. */
uint64_t debug_entry_size(const struct debug_scheme *s, unsigned level);
/* The virtual address that entry `index` stands for in a table that begins at `va`. */
uint64_t debug_entry_address(const struct debug_scheme *s, uint64_t va, unsigned level, unsigned index);

#endif
