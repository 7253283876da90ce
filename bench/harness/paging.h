/*
 * Page tables of bare guests: Sv39 on rv64, Sv32 on rv32 (privileged specification 1.12, 4.3 and 4.4). Tables come from
 * memory of the caller's, which runs in machine mode, untranslated, or under tables that map itself at its own address.
 */
#ifndef BENCH_PAGING_H
#define BENCH_PAGING_H

#include "guest.h"

#define PAGE_SIZE     4096
#define PAGE_SHIFT    12
#define RAM_BASE      UINT32_C(0x80000000)
#define PTE_VALID     1
#define PTE_RWX	      0x0e
#define PTE_AD	      0xc0
#define PTE_PPN_SHIFT 10

#if __riscv_xlen == 64
#define LEVELS	   3
#define INDEX_BITS 9
#define SATP_MODE  ((uintptr_t)8 << 60)
#else
#define LEVELS	   2
#define INDEX_BITS 10
#define SATP_MODE  ((uintptr_t)1 << 31)
#endif

typedef uintptr_t bench_table[PAGE_SIZE / sizeof(uintptr_t)];

/* Tables that have not been used yet, all zeros, each at the start of a page. */
struct bench_tables {
	bench_table *next;
};

static inline uintptr_t *bench_take_table(struct bench_tables *t)
{
	return *t->next++;
}

/* The entry of `va` in the table of a level (0 holds 4 KiB leaves), with the tables above made on the way. */
static inline uintptr_t *bench_entry_at(struct bench_tables *t, uintptr_t *root, uintptr_t va, unsigned leaf_level)
{
	uintptr_t *at = root;

	for (unsigned level = LEVELS - 1;; level--) {
		uintptr_t *entry = &at[(va >> (PAGE_SHIFT + INDEX_BITS * level)) & (((uintptr_t)1 << INDEX_BITS) - 1)];

		if (level == leaf_level)
			return entry;
		if (!*entry)
			*entry = ((uintptr_t)bench_take_table(t) >> PAGE_SHIFT << PTE_PPN_SHIFT) | PTE_VALID;
		at = (uintptr_t *)(*entry >> PTE_PPN_SHIFT << PAGE_SHIFT);
	}
}

/* Supervisor pages that may be read, written and executed. */
static inline void bench_map(struct bench_tables *t, uintptr_t *root, uintptr_t va, uintptr_t pa, unsigned level)
{
	*bench_entry_at(t, root, va, level) = (pa >> PAGE_SHIFT << PTE_PPN_SHIFT) | PTE_AD | PTE_RWX | PTE_VALID;
}

static inline void bench_use(const uintptr_t *root)
{
	bench_csr_write(satp, SATP_MODE | (uintptr_t)root >> PAGE_SHIFT);
	__asm__ volatile("sfence.vma" ::: "memory");
}

#endif
