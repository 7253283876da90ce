/*
 * Stretches: the RAM around a page of the data TLB which the same context may load from, or store to, just as well.
 *
 * M-mode sees physical addresses, so that RAM lies in one piece for it, unless PMP or a watchpoint divides it; stores
 * may reach the pages whose watch byte is 0, as the rule of memory_internal.h for TLB entries says.
 *
 * In the other contexts a stretch is a run of pages that the TLB has and that lie side by side on the host, too. A
 * page whose entry goes leaves it, so that a stretch never answers where the TLB would not. Hart's thread.
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

static bool contains(const struct bis_stretch *s, uint64_t va)
{
	return va >= first_of(s) && va < end_of(s);
}

/* --- What is forgotten --- */

static void forget(struct bis_stretch *s)
{
	*s = (struct bis_stretch){.addend = s->addend};
}

static void forget_kind(struct bis_hart *h, enum bis_access access)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++)
		for (unsigned kind = 0; kind < STRETCH_KINDS; kind++)
			if (h->stretch[c][kind][access].limit)
				forget(&h->stretch[c][kind][access]);
}

void bis_stretch_forget(struct bis_hart *h)
{
	forget_kind(h, BIS_ACCESS_READ);
	forget_kind(h, BIS_ACCESS_WRITE);
}

void bis_stretch_forget_writes(struct bis_hart *h)
{
	forget_kind(h, BIS_ACCESS_WRITE);
}

/* The page at va leaves s, with what lies on its shorter side. */
static void cut(struct bis_stretch *s, uint64_t va)
{
	uint64_t lo = first_of(s), hi = end_of(s), behind = va + BIS_PAGE_SIZE;

	if (!contains(s, va))
		return;
	if (hi - behind > va - lo)
		set(s, behind, hi, s->addend);
	else if (va > lo)
		set(s, lo, va, s->addend);
	else
		forget(s);
}

void bis_stretch_protect(struct bis_hart *h, const uint8_t *host_page)
{
	for (unsigned c = 0; c < TLB_CONTEXTS; c++) {
		for (unsigned kind = 0; kind < STRETCH_KINDS; kind++) {
			struct bis_stretch *s = &h->stretch[c][kind][BIS_ACCESS_WRITE];

			cut(s, (uintptr_t)host_page - s->addend);
		}
	}
}

void bis_stretch_cut(struct bis_hart *h, size_t context, uint64_t va_page)
{
	for (unsigned kind = 0; kind < STRETCH_KINDS; kind++) {
		cut(&h->stretch[context][kind][BIS_ACCESS_READ], va_page);
		cut(&h->stretch[context][kind][BIS_ACCESS_WRITE], va_page);
	}
}

/* --- M-mode --- */

/* Does the whole machine let M-mode use RAM as it likes? */
static bool is_free(const struct bis_hart *h, const struct bis_ram *r)
{
	return !(h->machine->breaks.kinds & BREAKS_ON_DATA) &&
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
	struct bis_stretch *s = &h->stretch[TLB_M][STRETCH_OWN][BIS_ACCESS_WRITE];
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

static void note_physical(struct bis_hart *h, const struct bis_tlb_entry *e, uint64_t pa_page)
{
	struct bis_stretch *s = h->stretch[TLB_M][STRETCH_OWN], *reads = &s[BIS_ACCESS_READ],
			   *writes = &s[BIS_ACCESS_WRITE];
	const struct bis_ram *r = h->stretch_ram;

	if (contains(reads, pa_page) && (e->wtag == TLB_INVALID || contains(writes, pa_page)))
		return;
	if (!r || pa_page - r->base >= r->size || !is_free(h, r))
		return;
	if (!contains(reads, pa_page)) {
		set(reads, r->base, r->base + reach(h, r), (uintptr_t)r->host - r->base);
		*writes = (struct bis_stretch){.addend = reads->addend};
	}
	if (e->wtag != TLB_INVALID)
		note_write(h, r, pa_page);
}

/* --- The other contexts --- */

/* Has the TLB the page at va for such accesses, with this addend? */
static bool has_page(const struct bis_hart *h, uint64_t va, uintptr_t addend, enum bis_access access)
{
	const struct bis_tlb_entry *e = &h->dtlb[bis_tlb_index(va)];

	return e->rtag == va && e->addend == addend && (access == BIS_ACCESS_READ || e->wtag == va);
}

#define PAGES_MIN 16 /* of a stretch that is of use */
#define LOOK_EACH 16 /* fills */

/* A run that s does not touch is looked for where s is hardly there, or else now and then. */
static bool is_worth_a_look(const struct bis_hart *h, const struct bis_stretch *s)
{
	return s->limit < PAGES_MIN * BIS_PAGE_SIZE ||
	       atomic_load_explicit(&h->tlb_fills, memory_order_relaxed) % LOOK_EACH == 0;
}

/* The page at va becomes part of s, or s moves there if it is shorter than what lies around va. */
static void take_in(const struct bis_hart *h, struct bis_stretch *s, uint64_t va, uintptr_t addend,
		    enum bis_access access)
{
	uint64_t lo = va, hi = va + BIS_PAGE_SIZE, old_lo = first_of(s), old_hi = end_of(s);
	bool joins = s->limit && s->addend == addend;

	if (joins && contains(s, va))
		return;
	if (!(joins && (hi == old_lo || lo == old_hi)) && !is_worth_a_look(h, s))
		return;
	while (hi && ((joins && hi == old_lo) || has_page(h, hi, addend, access)))
		hi = joins && hi == old_lo ? old_hi : hi + BIS_PAGE_SIZE;
	while (lo && ((joins && lo == old_hi) || has_page(h, lo - BIS_PAGE_SIZE, addend, access)))
		lo = joins && lo == old_hi ? old_lo : lo - BIS_PAGE_SIZE;
	if (hi && hi - lo > old_hi - old_lo)
		set(s, lo, hi, addend);
}

/* The page at va leaves stretches that its entry does not agree with any more. */
static void drop_changed(struct bis_hart *h, size_t context, uint64_t va)
{
	for (unsigned kind = 0; kind < STRETCH_KINDS; kind++) {
		struct bis_stretch *s = h->stretch[context][kind];

		if (!has_page(h, va, s[BIS_ACCESS_READ].addend, BIS_ACCESS_READ))
			cut(&s[BIS_ACCESS_READ], va);
		if (!has_page(h, va, s[BIS_ACCESS_WRITE].addend, BIS_ACCESS_WRITE))
			cut(&s[BIS_ACCESS_WRITE], va);
	}
}

static void note_virtual(struct bis_hart *h, size_t context, const struct bis_tlb_entry *e, uint64_t va)
{
	const struct bis_ram *ram = h->stretch_ram;
	bool moved = !ram || e->addend != (uintptr_t)ram->host - ram->base;
	struct bis_stretch *s = h->stretch[context][moved], *reads = &s[BIS_ACCESS_READ],
			   *writes = &s[BIS_ACCESS_WRITE];

	drop_changed(h, context, va);
	if (e->rtag != va)
		return;
	take_in(h, reads, va, e->addend, BIS_ACCESS_READ);
	if (writes->addend != reads->addend)
		*writes = (struct bis_stretch){.addend = reads->addend};
	if (e->wtag == va && reads->addend == e->addend)
		take_in(h, writes, va, e->addend, BIS_ACCESS_WRITE);
}

void bis_stretch_note(struct bis_hart *h, const struct bis_tlb_entry *e, uint64_t va_page, uint64_t pa_page)
{
	if (h->dtlb == h->tlb[TLB_M])
		note_physical(h, e, pa_page);
	else
		note_virtual(h, bis_tlb_context(h), e, va_page);
}

const struct bis_stretch *bis_stretch_choose(const struct bis_hart *h)
{
	size_t context = bis_tlb_context(h);
	const struct bis_stretch *s = h->stretch[context][STRETCH_OWN], *moved = h->stretch[context][STRETCH_MOVED];
	uint64_t pages;

	if (context == TLB_M)
		return s;
	if (moved->limit > s->limit)
		s = moved;
	pages = (end_of(s) - first_of(s)) >> BIS_PAGE_SHIFT;
	return pages >= PAGES_MIN && h->tlb_pages[context] - pages < pages / 8 ? s : NULL;
}
