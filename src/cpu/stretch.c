/*
 * Stretches: the RAM around a page of the data TLB which M-mode may load from, or store to, just as well. M-mode sees
 * physical addresses, so that RAM lies in one piece for it, unless PMP or a watchpoint divides it; stores may reach
 * the pages whose watch byte is 0, as the rule of memory_internal.h for TLB entries says. Hart's thread.
 */
#include "src/cpu/breaks_internal.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/memory/memory_internal.h"

#define REACH_MAX 4096 /* pages that are looked at on either side */

static void set(struct bis_stretch *s, uint64_t lo, uint64_t hi, uintptr_t addend)
{
	uint64_t size = hi - lo;

	*s = (struct bis_stretch){
		.negative = -lo, .addend = addend, .limit = size - 7, .wide_limit = size - (STRETCH_SPAN - 1)};
}

static uint64_t first_of(const struct bis_stretch *s)
{
	return -s->negative;
}

static uint64_t end_of(const struct bis_stretch *s)
{
	return s->limit ? first_of(s) + s->limit + 7 : first_of(s);
}

static bool contains(const struct bis_stretch *s, uint64_t pa)
{
	return pa >= first_of(s) && pa < end_of(s);
}

void bis_stretch_forget(struct bis_hart *h)
{
	h->stretch[BIS_ACCESS_READ] = h->stretch[BIS_ACCESS_WRITE] = (struct bis_stretch){0};
}

void bis_stretch_forget_writes(struct bis_hart *h)
{
	h->stretch[BIS_ACCESS_WRITE] = (struct bis_stretch){.addend = h->stretch[BIS_ACCESS_READ].addend};
}

void bis_stretch_protect(struct bis_hart *h, const uint8_t *host_page)
{
	struct bis_stretch *s = &h->stretch[BIS_ACCESS_WRITE];
	uint64_t pa = (uintptr_t)host_page - s->addend, lo = first_of(s), hi = end_of(s), behind = pa + BIS_PAGE_SIZE;

	if (!contains(s, pa))
		return;
	if (hi - behind > pa - lo)
		set(s, behind, hi, s->addend);
	else if (pa > lo)
		set(s, lo, pa, s->addend);
	else
		bis_stretch_forget_writes(h);
}

/* Does the whole machine let M-mode use RAM as it likes? */
static bool is_free(const struct bis_hart *h, const struct bis_ram *r)
{
	return h->dtlb == h->tlb[TLB_M] && !(h->machine->breaks.kinds & BREAKS_ON_DATA) &&
	       bis_pmp_check(h, r->base, r->size, BIS_ACCESS_READ, BIS_PRIV_M) == PMP_ALLOW &&
	       bis_pmp_check(h, r->base, r->size, BIS_ACCESS_WRITE, BIS_PRIV_M) == PMP_ALLOW;
}

/* How much of r, which begins in the address space, lies in it. */
static uint64_t reach(const struct bis_hart *h, const struct bis_ram *r)
{
	uint64_t most = h->xmask - r->base;

	return r->size - 1 < most ? r->size : most + 1;
}

/* The pages around the one at pa that nobody watches, as far as they are looked at. */
static void note_write(struct bis_hart *h, const struct bis_ram *r, uint64_t pa)
{
	struct bis_stretch *s = &h->stretch[BIS_ACCESS_WRITE];
	uint64_t pages = reach(h, r) >> BIS_PAGE_SHIFT, page = (pa - r->base) >> BIS_PAGE_SHIFT;
	uint64_t lo = page, hi = page + 1;

	while (lo && page - lo < REACH_MAX && !atomic_load(&r->watch[lo - 1]))
		lo--;
	while (hi < pages && hi - page <= REACH_MAX && !atomic_load(&r->watch[hi]))
		hi++;
	if (s->limit && (hi - lo) << BIS_PAGE_SHIFT < s->limit)
		return;
	set(s, r->base + (lo << BIS_PAGE_SHIFT), r->base + (hi << BIS_PAGE_SHIFT), (uintptr_t)r->host - r->base);
}

void bis_stretch_note(struct bis_hart *h, const struct bis_tlb_entry *e, uint64_t pa_page)
{
	struct bis_stretch *reads = &h->stretch[BIS_ACCESS_READ], *writes = &h->stretch[BIS_ACCESS_WRITE];
	const struct bis_ram *r = h->stretch_ram;

	if (contains(reads, pa_page) && (e->wtag == TLB_INVALID || contains(writes, pa_page)))
		return;
	if (!r || pa_page - r->base >= r->size || !is_free(h, r))
		return;
	if (!contains(reads, pa_page)) {
		set(reads, r->base, r->base + reach(h, r), (uintptr_t)r->host - r->base);
		bis_stretch_forget_writes(h);
	}
	if (e->wtag != TLB_INVALID)
		note_write(h, r, pa_page);
}
