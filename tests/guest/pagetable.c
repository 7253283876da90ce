/* Page tables for the paging programs; see pagetable.h. Hart 0 alone uses them. */
#include "pagetable.h"

#if XLEN == 64
enum { INDEX_BITS = 9, SATP_MODE_SHIFT = 60 };
#define SATP_NUMBER ((1ul << 44) - 1)
const struct paging_mode paging_modes[] = {{"Sv39", 8, 3}, {"Sv48", 9, 4}, {"Sv57", 10, 5}};
const ulong paging_mode_count = 3;
#else
enum { INDEX_BITS = 10, SATP_MODE_SHIFT = 31 };
#define SATP_NUMBER ((1ul << 22) - 1)
const struct paging_mode paging_modes[] = {{"Sv32", 1, 2}};
const ulong paging_mode_count = 1;
#endif

enum { ENTRIES = 1 << INDEX_BITS, POOL_PAGES = 48, PTE_NUMBER_SHIFT = 10 };

static ulong pool[POOL_PAGES][ENTRIES] __attribute__((aligned(4096)));
static unsigned pool_used;
static const struct paging_mode *current;
static ulong *root;

ulong pt_span(unsigned level)
{
	return (ulong)PAGE << INDEX_BITS * level;
}

ulong pt_number(ulong pa)
{
	return pa / PAGE << PTE_NUMBER_SHIFT;
}

static ulong *new_page(void)
{
	ulong *page = pool[pool_used];

	if (++pool_used > POOL_PAGES)
		__asm__ volatile("ebreak");
	for (unsigned i = 0; i < ENTRIES; i++)
		page[i] = 0;
	return page;
}

ulong *pt_entry(ulong va, unsigned level)
{
	ulong *table = root;

	for (unsigned at = current->levels - 1;; at--) {
		ulong *entry = &table[va / pt_span(at) % ENTRIES];

		if (at == level)
			return entry;
		if (!(*entry & PTE_V))
			*entry = pt_number((ulong)new_page()) | PTE_V;
		table = (ulong *)(*entry >> PTE_NUMBER_SHIFT << 12);
	}
}

ulong *pt_map(ulong va, ulong pa, unsigned level, ulong flags)
{
	ulong *entry = pt_entry(va, level);

	*entry = pt_number(pa & ~(pt_span(level) - 1)) | flags;
	pt_flush();
	return entry;
}

ulong pt_another(void)
{
	root = new_page();
	pt_map((ulong)image_begin, (ulong)image_begin, 1, PTE_RWX);
	pt_map(USER_ALIAS, (ulong)image_begin, 1, PTE_RWX | PTE_U);
	return current->mode << SATP_MODE_SHIFT | (ulong)root / PAGE;
}

ulong pt_begin(const struct paging_mode *mode)
{
	current = mode;
	pool_used = 0;
	return pt_another();
}

void pt_select(ulong satp)
{
	root = (ulong *)((satp & SATP_NUMBER) * PAGE);
}

void pt_switch(ulong satp)
{
	csr_write(satp, satp);
	pt_flush();
}

void pt_off(void)
{
	csr_write(satp, 0);
	pt_flush();
}
