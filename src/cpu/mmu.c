/*
 * Address translation and the slow paths of guest memory accesses: page walks through the attached paging scheme, PMP,
 * TLB filling, accesses that cross pages, and register windows. Privileged specification 1.12, chapter 4.
 *
 * Everything here runs on the hart's own thread. The TLB belongs to the hart; entries are filled only here.
 */
#include <string.h>

#include "src/cpu/breaks_internal.h"
#include "src/cpu/guarded.h"
#include "src/cpu/guest_access.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/direct_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/observe.h"
#include "src/memory/bus_internal.h"

#define PAGE_MASK (~(uint64_t)(BIS_PAGE_SIZE - 1))

/* What one translation is done for. */
struct request {
	struct bis_hart *h;
	uint64_t va;
	enum bis_access access;
	unsigned priv; /* effective: MPRV applied */
};

static void raise_page(const struct request *r)
{
	static const uint8_t cause[] = {BIS_CAUSE_LOAD_PAGE, BIS_CAUSE_STORE_PAGE, BIS_CAUSE_FETCH_PAGE};

	bis_hart_raise(r->h, cause[r->access], r->va);
}

static void raise_access(const struct request *r)
{
	static const uint8_t cause[] = {BIS_CAUSE_LOAD_ACCESS, BIS_CAUSE_STORE_ACCESS, BIS_CAUSE_FETCH_ACCESS};

	bis_hart_raise(r->h, cause[r->access], r->va);
}

static unsigned effective_priv(const struct bis_hart *h, enum bis_access access)
{
	return access == BIS_ACCESS_FETCH ? h->priv : bis_hart_data_priv(h);
}

/* Page-table accesses are made as S-mode: PMP says so for the implicit accesses of a walk. */
static int walk_load(struct bis_walk *w, uint64_t pa, unsigned size, uint64_t *pte)
{
	struct bis_hart *h = w->ctx;
	struct bis_mem_page page;
	const uint8_t *at;

	if (bis_pmp_check(h, pa, size, BIS_ACCESS_READ, BIS_PRIV_S) != PMP_ALLOW || !bis_mem_page(h->memory, pa, &page))
		return -EFAULT;
	at = page.host + (pa & (BIS_PAGE_SIZE - 1));
	if (size == 4)
		*pte = __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE);
	else
		*pte = __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_ACQUIRE);
	return 0;
}

static int walk_swap(struct bis_walk *w, uint64_t pa, unsigned size, uint64_t old, uint64_t new_pte)
{
	struct bis_hart *h = w->ctx;
	struct bis_mem_page page;
	uint8_t *at;
	uint32_t old32 = (uint32_t)old;
	bool done;

	if (bis_pmp_check(h, pa, size, BIS_ACCESS_WRITE, BIS_PRIV_S) != PMP_ALLOW ||
	    !bis_mem_page(h->memory, pa, &page))
		return -EFAULT;
	at = page.host + (pa & (BIS_PAGE_SIZE - 1));
	if (size == 4)
		done = __atomic_compare_exchange_n((uint32_t *)(void *)at, &old32, (uint32_t)new_pte, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	else
		done = __atomic_compare_exchange_n((uint64_t *)(void *)at, &old, new_pte, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST);
	if (done)
		bis_mem_wrote(h->memory, pa & PAGE_MASK, page.watch);
	return done;
}

static void bare_mapping(const struct request *r, struct bis_mapping *out)
{
	*out = (struct bis_mapping){.pa = r->va, .page_size = BIS_PAGE_SIZE, .read = true, .write = true, .exec = true};
}

static struct bis_walk make_walk(const struct request *r)
{
	struct bis_hart *h = r->h;
	unsigned ppn_bits = h->xlen == 64 ? 44 : 22;

	return (struct bis_walk){
		.va = r->va,
		.root = (h->satp & ((UINT64_C(1) << ppn_bits) - 1)) << BIS_PAGE_SHIFT,
		.access = r->access,
		.user = r->priv == BIS_PRIV_U,
		.sum = h->mstatus & MSTATUS_SUM,
		.mxr = h->mstatus & MSTATUS_MXR,
		.hw_ad = h->menvcfg & MENVCFG_ADUE,
		.load = walk_load,
		.swap = walk_swap,
		.ctx = h,
	};
}

/* Translates; false if an exception was raised. */
static bool translate(const struct request *r, struct bis_mapping *out)
{
	struct bis_hart *h = r->h;
	struct bis_walk w = make_walk(r);

	if (r->priv == BIS_PRIV_M || !h->paging) {
		bare_mapping(r, out);
		return true;
	}
	switch (h->paging->translate(h->paging, &w, out)) {
	case BIS_WALK_OK:
		return true;
	case BIS_WALK_PAGE_FAULT:
		raise_page(r);
		return false;
	default:
		raise_access(r);
		return false;
	}
}

int bis_hart_translate(struct bis_hart *h, uint64_t va, bis_gpa *out)
{
	struct request r = {h, va, BIS_ACCESS_READ, h->priv};
	struct bis_walk w = make_walk(&r);
	struct bis_mapping map;

	w.sum = w.mxr = w.peek = true;
	if (effective_priv(h, BIS_ACCESS_READ) == BIS_PRIV_M || !h->paging) {
		out->v = va;
		return 0;
	}
	if (h->paging->translate(h->paging, &w, &map) != BIS_WALK_OK)
		return bis_fail(EFAULT, "virtual address 0x%llx is not mapped", (unsigned long long)va);
	out->v = map.pa;
	return 0;
}

struct observer {
	struct bis_hart *h;
	void (*step)(void *arg, const struct bis_walk_step *step);
	void *arg;
};

static int observed_load(struct bis_walk *w, uint64_t pa, unsigned size, uint64_t *pte)
{
	struct observer *o = w->ctx;
	struct bis_walk own = *w;

	own.ctx = o->h;
	return walk_load(&own, pa, size, pte);
}

static void observed_step(struct bis_walk *w, unsigned level, uint64_t pte_pa, uint64_t pte)
{
	struct observer *o = w->ctx;
	struct bis_walk_step s = {.level = level, .pte_address = pte_pa, .pte = pte};

	if (o->step)
		o->step(o->arg, &s);
}

enum bis_walk_result bis_hart_walk(struct bis_hart *h, uint64_t va, enum bis_access access,
				   void (*step)(void *arg, const struct bis_walk_step *step), void *arg,
				   struct bis_mapping *out, const char **scheme)
{
	struct observer o = {.h = h, .step = step, .arg = arg};
	struct request r = {h, va, access, effective_priv(h, access)};
	struct bis_walk w = make_walk(&r);

	if (r.priv == BIS_PRIV_M || !h->paging) {
		*scheme = "bare";
		bare_mapping(&r, out);
		return BIS_WALK_OK;
	}
	*scheme = h->paging->name;
	w.peek = true;
	w.load = observed_load;
	w.step = observed_step;
	w.ctx = &o;
	return h->paging->translate(h->paging, &w, out);
}

/* Does a watchpoint want to see every access to this page? */
static bool is_watched(const struct bis_hart *h, uint64_t va_page)
{
	const struct bis_breaks *b = &h->machine->breaks;

	return (b->kinds & BREAKS_ON_DATA) && bis_breaks_watch_page(b, va_page);
}

/* Is this an access that a watchpoint stops? */
static bool stopped_by_watch(struct bis_hart *h, uint64_t va, unsigned size, enum bis_access access)
{
	return (h->machine->breaks.kinds & BREAKS_ON_DATA) && bis_break_access(h, va, size, access);
}

/* Enters a translation into the data TLB, as far as PMP treats the whole page alike. */
static struct bis_tlb_entry *fill_page(const struct request *r, const struct bis_mapping *map,
				       const struct bis_mem_page *page)
{
	struct bis_hart *h = r->h;
	uint64_t va_page = r->va & PAGE_MASK, pa_page = map->pa & PAGE_MASK;
	struct bis_tlb_entry *e;
	enum bis_pmp_answer can_read = bis_pmp_check(h, pa_page, BIS_PAGE_SIZE, BIS_ACCESS_READ, r->priv);
	enum bis_pmp_answer can_write = bis_pmp_check(h, pa_page, BIS_PAGE_SIZE, BIS_ACCESS_WRITE, r->priv);

	e = bis_tlb_take(h, r->va, map->page_size);
	if (can_read == PMP_PARTIAL || is_watched(h, va_page))
		return e;
	e->addend = (uintptr_t)page->host - va_page;
	e->host_page = (uintptr_t)page->host;
	if (map->read && can_read == PMP_ALLOW) {
		e->rtag = va_page;
		h->tlb_pages[bis_tlb_context(h)]++;
	}
	if (map->write && can_write == PMP_ALLOW && !atomic_load(page->watch))
		e->wtag = va_page;
	return e;
}

#define AHEAD_CREDIT 1024 /* pages looked at unasked in a row */

/*
 * The page at r->va, which nobody has asked for: a walk that changes no table answers. False: it has no place in the
 * TLB, or does not continue `addend`.
 */
static bool fill_unasked(const struct request *r, uintptr_t addend)
{
	struct bis_hart *h = r->h;
	const struct bis_tlb_entry *e = &h->dtlb[bis_tlb_index(r->va)];
	struct bis_walk w;
	struct bis_mapping map;
	struct bis_mem_page page;

	if (e->rtag == r->va)
		return e->addend == addend;
	if (h->unasked == AHEAD_CREDIT || e->rtag != TLB_INVALID || e->wtag != TLB_INVALID)
		return false;
	h->unasked++;
	w = make_walk(r);
	w.hw_ad = false;
	if (h->paging->translate(h->paging, &w, &map) != BIS_WALK_OK || !bis_mem_page(h->memory, map.pa, &page) ||
	    (uintptr_t)page.host - r->va != addend)
		return false;
	fill_page(r, &map, &page);
	return e->rtag == r->va;
}

#define AHEAD_MAX  256 /* pages that are looked at on either side */
#define AHEAD_EARN 16  /* fills that earn one */

/* The neighbours of a page that the TLB was filled with, as far as they continue it. */
static void fill_ahead(const struct request *r, uintptr_t addend)
{
	struct request next = {r->h, 0, BIS_ACCESS_READ, r->priv};
	uint64_t va_page = r->va & PAGE_MASK;

	r->h->unasked++;
	for (int step = -1; step <= 1; step += 2) {
		for (uint64_t i = 1; i <= AHEAD_MAX; i++) {
			next.va = va_page + (uint64_t)step * (i << BIS_PAGE_SHIFT);
			if (next.va > r->h->xmask || !fill_unasked(&next, addend))
				break;
		}
	}
}

/* The data TLB gets the page of an access that it had not. */
static void fill_data(const struct request *r, const struct bis_mapping *map, const struct bis_mem_page *page)
{
	struct bis_hart *h = r->h;
	struct bis_tlb_entry *e = fill_page(r, map, page);

	bis_count(&h->tlb_fills);
	if (h->unasked && atomic_load_explicit(&h->tlb_fills, memory_order_relaxed) % AHEAD_EARN == 0)
		h->unasked--;
	if (h->unasked < AHEAD_CREDIT && r->priv != BIS_PRIV_M && h->paging && e->rtag != TLB_INVALID)
		fill_ahead(r, e->addend);
	bis_stretch_note(h, e, r->va & PAGE_MASK, map->pa & PAGE_MASK);
}

/* Where an access that stays inside one page goes: host RAM (page set) or the bus (page.host NULL). */
static bool locate(const struct request *r, unsigned size, struct bis_mapping *map, struct bis_mem_page *page)
{
	struct bis_hart *h = r->h;

	if (!translate(r, map))
		return false;
	if (bis_pmp_check(h, map->pa, size, r->access, r->priv) != PMP_ALLOW) {
		raise_access(r);
		return false;
	}
	if (!bis_mem_page(h->memory, map->pa, page))
		page->host = NULL;
	return true;
}

static bool bus_access(const struct request *r, uint64_t pa, unsigned size, uint64_t *value)
{
	struct bis_hart *h = r->h;
	bool observed = h->machine->cfg.observer.mmio != NULL;
	enum bis_bus_result result;

	bis_hart_go_outside(h);
	if (BIS_UNLIKELY(observed))
		result = r->access == BIS_ACCESS_WRITE ? bis_observe_bus_write(h, pa, size, *value)
						       : bis_observe_bus_read(h, pa, size, value);
	else if (r->access == BIS_ACCESS_WRITE)
		result = bis_bus_write(h->machine->bus, pa, size, *value);
	else
		result = bis_bus_read(h->machine->bus, pa, size, value);
	bis_hart_come_back(h);
	if (result != BIS_BUS_OK)
		raise_access(r);
	return result == BIS_BUS_OK;
}

/* --- Direct windows: a TLB of their own beside the bus, for accesses that the host may refuse --- */

static struct bis_tlb_entry *direct_entry(struct bis_hart *h, uint64_t va)
{
	return &h->direct[bis_tlb_context(h)][(va >> BIS_PAGE_SHIFT) & (DIRECT_ENTRIES - 1)];
}

/* Enters a page of a direct window, as far as PMP treats the whole page alike. */
static void fill_direct(const struct request *r, const struct bis_mapping *map, const uint8_t *host, bool writable)
{
	struct bis_hart *h = r->h;
	uint64_t va_page = r->va & PAGE_MASK, pa_page = map->pa & PAGE_MASK;
	struct bis_tlb_entry *e = direct_entry(h, r->va);

	bis_tlb_note_size(h, r->va, map->page_size);
	h->direct_used = true;
	bis_tlb_clear(e);
	if (is_watched(h, va_page))
		return;
	e->addend = (uintptr_t)host - va_page;
	if (map->read && bis_pmp_check(h, pa_page, BIS_PAGE_SIZE, BIS_ACCESS_READ, r->priv) == PMP_ALLOW)
		e->rtag = va_page;
	if (map->write && writable && bis_pmp_check(h, pa_page, BIS_PAGE_SIZE, BIS_ACCESS_WRITE, r->priv) == PMP_ALLOW)
		e->wtag = va_page;
}

static bool direct_access(const struct request *r, uint8_t *host, unsigned size, uint64_t *value)
{
	bool done = r->access == BIS_ACCESS_WRITE ? bis_guarded_store(host, size, *value)
						  : bis_guarded_load(host, size, value);

	if (!done)
		raise_access(r);
	return done;
}

/* An access that is not to RAM: to a direct window if a page appears there, else to the bus. */
static bool device_access(const struct request *r, const struct bis_mapping *map, unsigned size, uint64_t *value)
{
	struct bis_machine *m = r->h->machine;
	uint8_t *host;
	bool writable;

	if (!m->directs || !bis_direct_page(m, map->pa & PAGE_MASK, &host, &writable))
		return bus_access(r, map->pa, size, value);
	if (r->access == BIS_ACCESS_WRITE && !writable) {
		raise_access(r);
		return false;
	}
	fill_direct(r, map, host, writable);
	return direct_access(r, host + (map->pa & (BIS_PAGE_SIZE - 1)), size, value);
}

static bool load_in_page(struct bis_hart *h, uint64_t va, unsigned size, uint64_t *out)
{
	struct request r = {h, va, BIS_ACCESS_READ, effective_priv(h, BIS_ACCESS_READ)};
	const struct bis_tlb_entry *direct = direct_entry(h, va);
	struct bis_mapping map;
	struct bis_mem_page page;

	if (direct->rtag == (va & PAGE_MASK))
		return direct_access(&r, (uint8_t *)(direct->addend + va), size, out);
	if (!locate(&r, size, &map, &page))
		return false;
	if (!page.host)
		return device_access(&r, &map, size, out);
	fill_data(&r, &map, &page);
	*out = guest_load(page.host + (map.pa & (BIS_PAGE_SIZE - 1)), size);
	return true;
}

/* The second half of a located store: writes, then tells those who watch the page. */
static bool store_located(const struct request *r, const struct bis_mapping *map, const struct bis_mem_page *page,
			  unsigned size, uint64_t value)
{
	if (!page->host)
		return device_access(r, map, size, &value);
	guest_store(page->host + (map->pa & (BIS_PAGE_SIZE - 1)), size, value);
	bis_mem_wrote(r->h->memory, map->pa & PAGE_MASK, page->watch);
	fill_data(r, map, page);
	return true;
}

static bool store_in_page(struct bis_hart *h, uint64_t va, unsigned size, uint64_t value)
{
	struct request r = {h, va, BIS_ACCESS_WRITE, effective_priv(h, BIS_ACCESS_WRITE)};
	const struct bis_tlb_entry *direct = direct_entry(h, va);
	struct bis_mapping map;
	struct bis_mem_page page;

	if (direct->wtag == (va & PAGE_MASK))
		return direct_access(&r, (uint8_t *)(direct->addend + va), size, &value);
	return locate(&r, size, &map, &page) && store_located(&r, &map, &page, size, value);
}

/* Is va..va+size-1 inside one page? */
static bool in_page(uint64_t va, unsigned size)
{
	return (va & (BIS_PAGE_SIZE - 1)) + size <= BIS_PAGE_SIZE;
}

bool bis_mmu_load(struct bis_hart *h, uint64_t va, unsigned size, uint64_t *out)
{
	uint64_t low = 0, high = 0, second = (va & PAGE_MASK) + BIS_PAGE_SIZE;
	unsigned first_len = (unsigned)(second - va);

	if (stopped_by_watch(h, va, size, BIS_ACCESS_READ))
		return false;
	if (BIS_LIKELY(in_page(va, size)))
		return load_in_page(h, va, size, out);
	for (unsigned i = 0; i < first_len; i++) {
		uint64_t byte;

		if (!load_in_page(h, (va + i) & h->xmask, 1, &byte))
			return false;
		low |= byte << (8 * i);
	}
	for (unsigned i = first_len; i < size; i++) {
		uint64_t byte;

		if (!load_in_page(h, (va + i) & h->xmask, 1, &byte))
			return false;
		high |= byte << (8 * i);
	}
	*out = low | high;
	return true;
}

/* A store over two pages: both are located before a byte is written, so a fault on the second leaves the first alone.
 */
static bool store_across(struct bis_hart *h, uint64_t va, unsigned size, uint64_t value)
{
	unsigned priv = effective_priv(h, BIS_ACCESS_WRITE);
	uint64_t second_va = ((va & PAGE_MASK) + BIS_PAGE_SIZE) & h->xmask;
	unsigned first_len = (unsigned)(BIS_PAGE_SIZE - (va & (BIS_PAGE_SIZE - 1)));
	struct request first = {h, va, BIS_ACCESS_WRITE, priv}, second = {h, second_va, BIS_ACCESS_WRITE, priv};
	struct bis_mapping map1, map2;
	struct bis_mem_page page1, page2;

	if (!locate(&first, first_len, &map1, &page1) || !locate(&second, size - first_len, &map2, &page2))
		return false;
	for (unsigned i = 0; i < size; i++) {
		bool low = i < first_len;
		const struct request *r = low ? &first : &second;
		struct bis_mapping map = low ? map1 : map2;

		map.pa += low ? i : i - first_len;
		if (!store_located(r, &map, low ? &page1 : &page2, 1, value >> (8 * i) & 0xff))
			return false;
	}
	return true;
}

bool bis_mmu_store(struct bis_hart *h, uint64_t va, unsigned size, uint64_t value)
{
	if (stopped_by_watch(h, va, size, BIS_ACCESS_WRITE))
		return false;
	if (BIS_LIKELY(in_page(va, size)))
		return store_in_page(h, va, size, value);
	return store_across(h, va, size, value);
}

void *bis_mmu_atomic(struct bis_hart *h, uint64_t va, unsigned size, bool write, struct bis_mem_page *page,
		     uint64_t *pa)
{
	enum bis_access access = write ? BIS_ACCESS_WRITE : BIS_ACCESS_READ;
	struct request r = {h, va, access, effective_priv(h, access)};
	struct bis_mapping map;

	if (stopped_by_watch(h, va, size, access))
		return NULL;
	if (va & (size - 1)) {
		bis_hart_raise(h, write ? BIS_CAUSE_STORE_MISALIGNED : BIS_CAUSE_LOAD_MISALIGNED, va);
		return NULL;
	}
	if (!locate(&r, size, &map, page))
		return NULL;
	if (!page->host) {
		raise_access(&r);
		return NULL;
	}
	*pa = map.pa;
	fill_data(&r, &map, page);
	return page->host + (map.pa & (BIS_PAGE_SIZE - 1));
}

void bis_mmu_atomic_done(struct bis_hart *h, struct bis_mem_page *page, uint64_t pa)
{
	bis_mem_wrote(h->memory, pa & PAGE_MASK, page->watch);
}

bool bis_mmu_fetch(struct bis_hart *h, uint64_t va, uint64_t *pa)
{
	struct request r = {h, va, BIS_ACCESS_FETCH, h->priv};
	struct bis_fetch_entry *e = &h->ftlb[bis_tlb_index(va)];
	struct bis_mapping map;
	struct bis_mem_page page;

	if (e->tag == (va & PAGE_MASK)) {
		*pa = e->pa | (va & (BIS_PAGE_SIZE - 1));
		return true;
	}
	if (!locate(&r, 2, &map, &page))
		return false;
	if (!page.host) {
		raise_access(&r);
		return false;
	}
	if (bis_pmp_check(h, map.pa & PAGE_MASK, BIS_PAGE_SIZE, BIS_ACCESS_FETCH, h->priv) == PMP_ALLOW) {
		bis_tlb_take_fetch(h, va, map.page_size);
		e->tag = va & PAGE_MASK;
		e->pa = map.pa & PAGE_MASK;
	}
	*pa = map.pa;
	return true;
}
