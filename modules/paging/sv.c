/*
 * Page-based virtual memory as the privileged specification defines it: Sv32, Sv39, Sv48 and Sv57 (sections 4.3
 * to 4.6). One walk serves all four; they differ in the rows of a table. Runs on harts' threads; keeps no state.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/module.h>
#include <biscuit/paging.h>

#include "modules/modules.h"

enum pte_bits { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128 };

#define PTE_PPN_SHIFT 10
/* Bits 63:54 of a 64-bit entry are reserved, as neither Svnapot nor Svpbmt is there. */
#define PTE64_RESERVED (UINT64_C(0x3ff) << 54)
#define PAGE_SHIFT     12

/* One mode: the public part first, so that a scheme is also a mode. */
struct sv_mode {
	struct bis_paging_scheme scheme;
	unsigned levels, index_bits, pte_size, ppn_bits;
};

/* Are the address bits above the translated ones copies of the highest translated one? */
static bool is_canonical(const struct sv_mode *mode, uint64_t va)
{
	int64_t top;

	if (mode->scheme.xlen == 32)
		return true;
	top = (int64_t)va >> (mode->scheme.va_bits - 1);
	return top == 0 || top == -1;
}

/* May this access use a leaf with these bits? Section 4.3.2, step 5. */
static bool permitted(const struct bis_walk *w, uint64_t pte)
{
	if (w->user ? !(pte & PTE_U) : (pte & PTE_U) && (w->access == BIS_ACCESS_FETCH || !w->sum))
		return false;
	switch (w->access) {
	case BIS_ACCESS_READ:
		return (pte & PTE_R) || (w->mxr && (pte & PTE_X));
	case BIS_ACCESS_WRITE:
		return pte & PTE_W;
	default:
		return pte & PTE_X;
	}
}

/* Sets A, and D for a store, by one atomic update. OK, a fault, or -1: the entry has changed, walk again. */
static int update_accessed(const struct sv_mode *mode, struct bis_walk *w, uint64_t pte_pa, uint64_t *pte)
{
	uint64_t want = *pte | PTE_A | (w->access == BIS_ACCESS_WRITE ? PTE_D : 0);
	int done;

	if (want == *pte || w->peek)
		return BIS_WALK_OK;
	if (!w->hw_ad)
		return BIS_WALK_PAGE_FAULT;
	done = w->swap(w, pte_pa, mode->pte_size, *pte, want);
	if (done < 0)
		return BIS_WALK_ACCESS_FAULT;
	if (!done)
		return -1;
	*pte = want;
	return BIS_WALK_OK;
}

static void fill(const struct sv_mode *mode, const struct bis_walk *w, uint64_t pte, unsigned level,
		 struct bis_mapping *out)
{
	uint64_t size = UINT64_C(1) << (PAGE_SHIFT + level * mode->index_bits);
	uint64_t ppn = pte >> PTE_PPN_SHIFT & ((UINT64_C(1) << mode->ppn_bits) - 1);

	*out = (struct bis_mapping){
		.pa = (ppn << PAGE_SHIFT & ~(size - 1)) | (w->va & (size - 1)),
		.page_size = size,
		.read = (pte & PTE_R) || (w->mxr && (pte & PTE_X)),
		.write = (pte & PTE_W) && (pte & PTE_D),
		.exec = pte & PTE_X,
		.global = pte & PTE_G,
	};
}

/* The leaf has been found: superpage alignment, permissions, A and D. */
static int use_leaf(const struct sv_mode *mode, struct bis_walk *w, uint64_t pte_pa, uint64_t pte, unsigned level,
		    struct bis_mapping *out)
{
	uint64_t low_ppn = (UINT64_C(1) << (level * mode->index_bits)) - 1;
	int result;

	if (!permitted(w, pte) || (pte >> PTE_PPN_SHIFT & low_ppn))
		return BIS_WALK_PAGE_FAULT;
	result = update_accessed(mode, w, pte_pa, &pte);
	if (result == BIS_WALK_OK)
		fill(mode, w, pte, level, out);
	return result;
}

/* One walk from the root. As use_leaf, -1 asks for another one. */
static int walk_once(const struct sv_mode *mode, struct bis_walk *w, struct bis_mapping *out)
{
	uint64_t table = w->root, index_mask = (UINT64_C(1) << mode->index_bits) - 1;

	for (unsigned level = mode->levels; level-- > 0;) {
		uint64_t index = w->va >> (PAGE_SHIFT + level * mode->index_bits) & index_mask;
		uint64_t pte_pa = table + index * mode->pte_size, pte;

		if (w->load(w, pte_pa, mode->pte_size, &pte))
			return BIS_WALK_ACCESS_FAULT;
		if (w->step)
			w->step(w, level, pte_pa, pte);
		if (!(pte & PTE_V) || (!(pte & PTE_R) && (pte & PTE_W)) ||
		    (mode->pte_size == 8 && (pte & PTE64_RESERVED)))
			return BIS_WALK_PAGE_FAULT;
		if (pte & (PTE_R | PTE_X))
			return use_leaf(mode, w, pte_pa, pte, level, out);
		if (pte & (PTE_A | PTE_D | PTE_U))
			return BIS_WALK_PAGE_FAULT;
		table = (pte >> PTE_PPN_SHIFT & ((UINT64_C(1) << mode->ppn_bits) - 1)) << PAGE_SHIFT;
	}
	return BIS_WALK_PAGE_FAULT;
}

static enum bis_walk_result translate(const struct bis_paging_scheme *scheme, struct bis_walk *w,
				      struct bis_mapping *out)
{
	const struct sv_mode *mode = (const struct sv_mode *)scheme;
	int result;

	if (!is_canonical(mode, w->va))
		return BIS_WALK_PAGE_FAULT;
	do
		result = walk_once(mode, w, out);
	while (result < 0);
	return (enum bis_walk_result)result;
}

#define MODE(name_, xlen_, satp_mode, bits, levels_, index, size, ppn)                                                 \
	{                                                                                                              \
		.scheme = {.name = (name_),                                                                            \
			   .xlen = (xlen_),                                                                            \
			   .mode = (satp_mode),                                                                        \
			   .va_bits = (bits),                                                                          \
			   .translate = translate},                                                                    \
		.levels = (levels_), .index_bits = (index), .pte_size = (size), .ppn_bits = (ppn)                      \
	}

static const struct sv_mode modes[] = {
	MODE("sv32", 32, 1, 32, 2, 10, 4, 22),
	MODE("sv39", 64, 8, 39, 3, 9, 8, 44),
	MODE("sv48", 64, 9, 48, 4, 9, 8, 44),
	MODE("sv57", 64, 10, 57, 5, 9, 8, 44),
};

/* An instance holds nothing but a place to point at. */
static int sv_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	(void)options;
	*self = calloc(1, 1);
	return *self ? 0 : bis_fail(ENOMEM, "%s: no memory", bis_module_name(mod));
}

static int sv_attach(struct bis_module *mod, void *self)
{
	(void)self;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(modes); i++) {
		int err = bis_attach_paging(mod, &modes[i].scheme);

		if (err)
			return err;
	}
	return 0;
}

const struct bis_module_class bis_sv_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "sv",
	.summary = "page tables of the privileged specification: Sv32, Sv39, Sv48, Sv57",
	.create = sv_create,
	.attach = sv_attach,
	.destroy = free,
};
