#include "frontend/debug/page_tables.h"

#include <string.h>

#include <biscuit/memory.h>

/* 4.1.11: satp.MODE */
static const struct debug_scheme schemes[] = {
	{"sv32", 32, 1, 2, 10, 4, 22, 32},
	{"sv39", 64, 8, 3, 9, 8, 44, 39},
	{"sv48", 64, 9, 4, 9, 8, 44, 48},
	{"sv57", 64, 10, 5, 9, 8, 44, 57},
};

const struct debug_scheme *debug_scheme_of(unsigned xlen, uint64_t satp, uint64_t *root)
{
	unsigned mode = (unsigned)(xlen == 64 ? satp >> 60 : satp >> 31 & 1);

	for (size_t i = 0; i < BIS_ARRAY_SIZE(schemes); i++) {
		const struct debug_scheme *s = &schemes[i];

		if (s->xlen != xlen || s->mode != mode)
			continue;
		*root = (satp & ((UINT64_C(1) << s->ppn_bits) - 1)) << BIS_PAGE_SHIFT;
		return s;
	}
	return NULL;
}

uint64_t debug_pte_at(const struct debug_scheme *s, const uint8_t *table, unsigned index)
{
	bis_le32 half;
	bis_le64 whole;

	if (s->pte_size == 4) {
		memcpy(&half, table + index * 4, 4);
		return bis_le32_get(half);
	}
	memcpy(&whole, table + index * 8, 8);
	return bis_le64_get(whole);
}

uint64_t debug_pte_target(const struct debug_scheme *s, uint64_t pte)
{
	return (pte >> 10 & ((UINT64_C(1) << s->ppn_bits) - 1)) << BIS_PAGE_SHIFT;
}

bool debug_pte_is_table(uint64_t pte, unsigned level)
{
	const uint64_t all =
		DEBUG_PTE_V | DEBUG_PTE_R | DEBUG_PTE_W | DEBUG_PTE_X | DEBUG_PTE_U | DEBUG_PTE_A | DEBUG_PTE_D;

	return level && (pte & all) == DEBUG_PTE_V;
}

bool debug_pte_is_page(uint64_t pte)
{
	return (pte & DEBUG_PTE_V) && (pte & (DEBUG_PTE_R | DEBUG_PTE_X)) &&
	       ((pte & DEBUG_PTE_R) || !(pte & DEBUG_PTE_W));
}

uint64_t debug_entry_size(const struct debug_scheme *s, unsigned level)
{
	return UINT64_C(1) << (BIS_PAGE_SHIFT + level * s->index_bits);
}

/* The upper half of a 64-bit address space repeats the highest bit. */
uint64_t debug_entry_address(const struct debug_scheme *s, uint64_t va, unsigned level, unsigned index)
{
	uint64_t at = va | index * debug_entry_size(s, level);

	if (s->xlen == 64 && at >> (s->va_bits - 1) & 1)
		at |= UINT64_MAX << (s->va_bits - 1);
	return at;
}
