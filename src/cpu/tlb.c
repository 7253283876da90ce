/*
 * The upkeep of a hart's TLB: what is forgotten when, and which part of it can be empty. Entries are filled by mmu.c.
 * Hart's thread.
 *
 * A TLB is many times larger than what most programs use of it between two flushes: it is divided into groups, and only
 * those in use are looked at.
 */
#include <string.h>

#include <biscuit/debug.h>

#include "src/cpu/hart_internal.h"

/* The first entry of the next group in `used`, which is taken out. */
static unsigned next_group(uint64_t *used)
{
	unsigned group = (unsigned)__builtin_ctzll(*used);

	*used &= *used - 1;
	return group * TLB_GROUP;
}

static uint64_t group_bit(uint64_t va)
{
	return UINT64_C(1) << bis_tlb_index(va) / TLB_GROUP;
}

/* The bit that stands for a page of code. */
static uint64_t *fetched_word(struct bis_hart *h, uint64_t va, uint64_t *bit)
{
	uint64_t hash = (va >> BIS_PAGE_SHIFT) % FETCHED_BITS;

	*bit = UINT64_C(1) << hash % 64;
	return &h->fetched[hash / 64];
}

size_t bis_tlb_context(const struct bis_hart *h)
{
	return (size_t)(h->dtlb - &h->tlb[0][0]) / TLB_ENTRIES;
}

void bis_tlb_clear(struct bis_tlb_entry *e)
{
	e->rtag = e->wtag = TLB_INVALID;
	e->host_page = 0;
}

void bis_tlb_create(struct bis_hart *h)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++)
		h->tlb_used[c] = UINT64_MAX;
	for (unsigned c = 0; c < FETCH_CONTEXTS; c++)
		h->fetch_used[c] = UINT64_MAX;
	h->direct_used = true;
	bis_tlb_flush(h);
}

static void flush_direct(struct bis_hart *h)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++)
		for (unsigned i = 0; i < DIRECT_ENTRIES; i++)
			bis_tlb_clear(&h->direct[c][i]);
	h->direct_used = false;
}

void bis_tlb_flush(struct bis_hart *h)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
		while (h->tlb_used[c]) {
			struct bis_tlb_entry *e = &h->tlb[c][next_group(&h->tlb_used[c])];

			for (unsigned i = 0; i < TLB_GROUP; i++)
				bis_tlb_clear(&e[i]);
		}
	}
	if (h->direct_used)
		flush_direct(h);
	for (unsigned c = 0; c < FETCH_CONTEXTS; c++) {
		while (h->fetch_used[c]) {
			struct bis_fetch_entry *e = &h->fetch[c][next_group(&h->fetch_used[c])];

			for (unsigned i = 0; i < TLB_GROUP; i++)
				e[i].tag = TLB_INVALID;
		}
	}
	memset(h->tlb_pages, 0, sizeof(h->tlb_pages));
	memset(h->fetched, 0, sizeof(h->fetched));
	h->big[0] = h->big[1] = (struct bis_va_range){.lo = UINT64_MAX};
	bis_stretch_forget(h);
	bis_hart_forget_jumps(h);
}

/* The half of the address space that va lies in. */
static unsigned half_of(const struct bis_hart *h, uint64_t va)
{
	return va >> (h->xlen - 1) & 1;
}

void bis_tlb_note_size(struct bis_hart *h, uint64_t va, uint64_t page_size)
{
	struct bis_va_range *big = &h->big[half_of(h, va)];
	uint64_t first = va & ~(page_size - 1), last = first + (page_size - 1);

	if (page_size <= BIS_PAGE_SIZE)
		return;
	if (first < big->lo)
		big->lo = first;
	if (last > big->hi)
		big->hi = last;
}

/* The entry goes, and its page from the stretches. */
static void drop(struct bis_hart *h, size_t context, struct bis_tlb_entry *e)
{
	if (e->rtag != TLB_INVALID) {
		h->tlb_pages[context]--;
		if (context != TLB_M)
			bis_stretch_cut(h, context, e->rtag);
	}
	bis_tlb_clear(e);
}

struct bis_tlb_entry *bis_tlb_take(struct bis_hart *h, uint64_t va, uint64_t page_size)
{
	struct bis_tlb_entry *e = &h->dtlb[bis_tlb_index(va)];
	size_t context = bis_tlb_context(h);

	bis_tlb_note_size(h, va, page_size);
	h->tlb_used[context] |= group_bit(va);
	if (e->rtag == (va & ~(uint64_t)(BIS_PAGE_SIZE - 1))) { /* filled anew: bis_stretch_note compares */
		h->tlb_pages[context]--;
		bis_tlb_clear(e);
	} else {
		drop(h, context, e);
	}
	return e;
}

void bis_tlb_take_fetch(struct bis_hart *h, uint64_t va, uint64_t page_size)
{
	uint64_t bit;

	bis_tlb_note_size(h, va, page_size);
	h->fetch_used[h->priv] |= group_bit(va);
	*fetched_word(h, va, &bit) |= bit;
}

void bis_tlb_flush_va(struct bis_hart *h, uint64_t va)
{
	unsigned i = bis_tlb_index(va);
	const struct bis_va_range *big = &h->big[half_of(h, va)];
	uint64_t bit;

	/* The pieces of a larger page lie in many entries, and all of them are meant. */
	if (va >= big->lo && va <= big->hi) {
		bis_tlb_flush(h);
		return;
	}
	for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
		drop(h, c, &h->tlb[c][i]);
		bis_tlb_clear(&h->direct[c][i % DIRECT_ENTRIES]);
	}
	if (!(*fetched_word(h, va, &bit) & bit))
		return; /* a page of data */
	for (unsigned c = 0; c < FETCH_CONTEXTS; c++)
		h->fetch[c][i].tag = TLB_INVALID;
	bis_hart_forget_jumps(h);
}

void bis_tlb_flush_writes(struct bis_hart *h)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
		for (uint64_t used = h->tlb_used[c]; used;) {
			struct bis_tlb_entry *e = &h->tlb[c][next_group(&used)];

			for (unsigned i = 0; i < TLB_GROUP; i++)
				e[i].wtag = TLB_INVALID;
		}
	}
	bis_stretch_forget_writes(h);
}

void bis_tlb_protect(struct bis_hart *h, const uint8_t *host_page)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
		for (uint64_t used = h->tlb_used[c]; used;) {
			struct bis_tlb_entry *e = &h->tlb[c][next_group(&used)];

			for (unsigned i = 0; i < TLB_GROUP; i++)
				if (e[i].host_page == (uintptr_t)host_page)
					e[i].wtag = TLB_INVALID;
		}
	}
	bis_stretch_protect(h, host_page);
}

static bool view_entry(const struct bis_hart *h, const struct bis_tlb_entry *e, bool direct, struct bis_tlb_view *out)
{
	uint64_t va = e->rtag != TLB_INVALID ? e->rtag : e->wtag;
	bis_gpa pa = {0};

	if (va == TLB_INVALID)
		return false;
	if (!direct && bis_mem_gpa_of(h->memory, (const uint8_t *)(uintptr_t)e->host_page, &pa))
		return false;
	*out = (struct bis_tlb_view){.va = va,
				     .pa = pa.v,
				     .read = e->rtag != TLB_INVALID,
				     .write = e->wtag != TLB_INVALID,
				     .direct = direct};
	return true;
}

bool bis_hart_tlb(const struct bis_hart *h, size_t index, struct bis_tlb_view *out)
{
	static const char *const names[] = {[TLB_U] = "u", [TLB_S] = "s", [TLB_S_SUM] = "s+sum", [TLB_M] = "m"};

	for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
		for (unsigned i = 0; i < TLB_ENTRIES + DIRECT_ENTRIES; i++) {
			bool direct = i >= TLB_ENTRIES;
			const struct bis_tlb_entry *e = direct ? &h->direct[c][i - TLB_ENTRIES] : &h->tlb[c][i];

			if (!view_entry(h, e, direct, out) || index--)
				continue;
			out->context = names[c];
			return true;
		}
	}
	return false;
}
