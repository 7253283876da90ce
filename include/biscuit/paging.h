/*
 * Paging schemes: a module answers "where does this virtual address lie"; the core alone fills the TLB and does PMP.
 */
#ifndef BISCUIT_PAGING_H
#define BISCUIT_PAGING_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bis_access { BIS_ACCESS_READ, BIS_ACCESS_WRITE, BIS_ACCESS_FETCH };

/* What the walk is about; made by the core. */
struct bis_walk {
	uint64_t va;
	uint64_t root; /* physical address of the root table */
	enum bis_access access;
	bool user;     /* effective privilege is U */
	bool sum, mxr; /* mstatus.SUM and MXR */
	bool hw_ad;    /* update A and D in memory (Svadu); otherwise fault (Svade) */
	bool peek;     /* inspection: no A/D update and no A/D fault */
	/* Page-table memory, with PMP and RAM checks; each returns 0 or -EFAULT. `size` is 4 or 8. */
	int (*load)(struct bis_walk *w, uint64_t pa, unsigned size, uint64_t *pte);
	/* Atomically replaces `old` by `new`: 1 if done, 0 if memory held something else, -EFAULT. */
	int (*swap)(struct bis_walk *w, uint64_t pa, unsigned size, uint64_t old, uint64_t new_pte);
	/* Optional observer of each table entry visited, for the inspection files. */
	void (*step)(struct bis_walk *w, unsigned level, uint64_t pte_pa, uint64_t pte);
	void *ctx;
};

enum bis_walk_result { BIS_WALK_OK, BIS_WALK_PAGE_FAULT, BIS_WALK_ACCESS_FAULT };

struct bis_mapping {
	uint64_t pa;	    /* of va itself */
	uint64_t page_size; /* bytes covered by the leaf, a power of two */
	bool read, write,
		exec; /* what this access mode may do from now on without another walk (write only if D is set) */
	bool global;
};

/* One scheme, selected by satp.MODE = mode on harts of that xlen. */
struct bis_paging_scheme {
	const char *name; /* "sv39", as in the device tree's mmu-type */
	unsigned xlen;
	unsigned mode;
	unsigned va_bits;
	enum bis_walk_result (*translate)(const struct bis_paging_scheme *s, struct bis_walk *w,
					  struct bis_mapping *out);
};

#ifdef __cplusplus
}
#endif
#endif
