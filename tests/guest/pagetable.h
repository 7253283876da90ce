/*
 * Page tables for the paging programs, in each mode that the register width has. A fresh table maps the program twice
 * with one superpage each: at its own address for S-mode, and at USER_ALIAS for U-mode.
 */
#ifndef GUEST_PAGETABLE_H
#define GUEST_PAGETABLE_H

#include "guest.h"

enum { PAGE = 4096 };

/* Page-table entry bits, privileged specification section 4.3.1 */
enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128 };
#define PTE_AD	(PTE_A | PTE_D)
#define PTE_RW	(PTE_V | PTE_R | PTE_W | PTE_AD)
#define PTE_RX	(PTE_V | PTE_R | PTE_X | PTE_AD)
#define PTE_RWX (PTE_RW | PTE_X)

struct paging_mode {
	const char *name;
	ulong mode; /* value of satp.MODE */
	unsigned levels;
};
extern const struct paging_mode paging_modes[];
extern const ulong paging_mode_count;

/* The first byte of the U-mode mapping of the program, and of two free stretches of virtual addresses. */
#define USER_ALIAS 0x40000000ul
#define TEST_VA	   0x10000000ul
#define TEST_VA2   0x20000000ul
/* For run_offset: U-mode code runs in the alias. */
#define USER_OFFSET (USER_ALIAS - (ulong)image_begin)

/* Bytes that one entry maps at a level; level 0 is the 4 KiB page. */
ulong pt_span(unsigned level);

/* Starts over with a fresh table of this mode and returns its satp value. Translation stays as it is. */
ulong pt_begin(const struct paging_mode *mode);
/* A second table of the same mode as pt_begin()'s last, beside it; further pt_map() calls go to it. */
ulong pt_another(void);
/* Makes the table with this satp value the one that pt_map() and pt_entry() work on. */
void pt_select(ulong satp);
/* The entry of va at a level, its parents made as needed. */
ulong *pt_entry(ulong va, unsigned level);
/* Writes the leaf of va at a level, pa rounded down to its span, and flushes; returns the entry. */
ulong *pt_map(ulong va, ulong pa, unsigned level, ulong flags);
/* The number in an entry for a physical address. */
ulong pt_number(ulong pa);

/* satp and a full flush. */
void pt_switch(ulong satp);
void pt_off(void);

static inline void pt_flush(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

#endif
