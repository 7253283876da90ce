/*
 * The block cache and the translation loop: from a virtual address to a block an engine can run. Hart's thread only.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "src/cpu/guest_access.h"
#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/machine/machine_internal.h"
#include "src/machine/observe.h"
#include "src/translate/block_internal.h"
#include "src/translate/ir_internal.h"

#define PAGE_OFFSET(a) ((a) & (BIS_PAGE_SIZE - 1))
#define PAGE_OF(a)     ((a) & ~(uint64_t)(BIS_PAGE_SIZE - 1))

#define ARENA_SIZE ((size_t)16 << 20)
#define SHORT_SIZE ((size_t)128 << 10) /* room for any one block, outside the cache */
#define HASH_BITS  14
#define PAGE_BITS  10

/* Which blocks have bytes of a page. */
struct page_ref {
	struct bis_block *block;
	uint64_t page;
	struct page_ref *next;
};

struct bis_block_cache {
	struct bis_hart *hart;
	uint8_t *arena; /* ARENA_SIZE for cached blocks, then SHORT_SIZE for the uncached one */
	size_t used;
	uint64_t epoch;
	_Atomic uint64_t translated, dropped, flushes; /* bis_count */
	struct bis_block *jump[1u << JUMP_CACHE_BITS];
	struct bis_block *hash[1u << HASH_BITS];
	struct page_ref *pages[1u << PAGE_BITS];
	struct bis_ir ir;
	struct bis_block none; /* fills empty places of `jump` */
};

static unsigned hash_of(uint64_t tag)
{
	return (unsigned)((tag >> 1) ^ (tag >> 15) ^ (tag >> 40)) & ((1u << HASH_BITS) - 1);
}

static unsigned page_hash(uint64_t page)
{
	return (unsigned)((page >> BIS_PAGE_SHIFT) ^ (page >> 22)) & ((1u << PAGE_BITS) - 1);
}

/* Never while a block's code is on its way to another operation of the same block: see bis_hart_serve. */
static void forget_all(struct bis_block_cache *c)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(c->jump); i++)
		c->jump[i] = &c->none;
	memset(c->hash, 0, sizeof(c->hash));
	memset(c->pages, 0, sizeof(c->pages));
	c->used = 0;
	c->epoch++;
}

int bis_block_cache_create(struct bis_hart *h, struct bis_block_cache **out)
{
	struct bis_block_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return bis_fail(ENOMEM, "no memory for hart %u's block cache", h->id);
	c->arena = mmap(NULL, ARENA_SIZE + SHORT_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->arena == MAP_FAILED) {
		free(c);
		return bis_fail(ENOMEM, "no memory for hart %u's translated code", h->id);
	}
	c->hart = h;
	c->none.tag = BLOCK_DEAD;
	forget_all(c);
	h->jump_cache = c->jump;
	*out = c;
	return 0;
}

void bis_block_cache_destroy(struct bis_block_cache *c)
{
	if (!c)
		return;
	munmap(c->arena, ARENA_SIZE + SHORT_SIZE);
	free(c);
}

void bis_block_cache_flush(struct bis_block_cache *c)
{
	bis_count(&c->flushes);
	forget_all(c);
}

struct bis_block_stats bis_block_cache_stats(const struct bis_block_cache *c)
{
	return (struct bis_block_stats){
		.translated = atomic_load_explicit(&c->translated, memory_order_relaxed),
		.dropped = atomic_load_explicit(&c->dropped, memory_order_relaxed),
		.flushes = atomic_load_explicit(&c->flushes, memory_order_relaxed),
	};
}

uint64_t bis_block_cache_epoch(const struct bis_block_cache *c)
{
	return c->epoch;
}

static void unlink_from_hash(struct bis_block_cache *c, struct bis_block *b)
{
	struct bis_block **at = &c->hash[hash_of(b->tag)];

	while (*at && *at != b)
		at = &(*at)->hash_next;
	if (*at)
		*at = b->hash_next;
}

static void drop_block(struct bis_block_cache *c, struct bis_block *b)
{
	unsigned j;

	if (b->tag == BLOCK_DEAD)
		return;
	j = bis_jump_hash(b->tag);
	if (c->jump[j] == b)
		c->jump[j] = &c->none;
	unlink_from_hash(c, b);
	b->tag = BLOCK_DEAD;
	for (struct bis_link *l = b->incoming; l; l = l->next)
		*l->site = l->stub;
	b->incoming = NULL;
	bis_count(&c->dropped);
}

void bis_block_cache_drop_page(struct bis_block_cache *c, uint64_t pa_page)
{
	struct page_ref **at = &c->pages[page_hash(pa_page)];

	while (*at) {
		struct page_ref *ref = *at;

		if (ref->page != pa_page) {
			at = &ref->next;
			continue;
		}
		drop_block(c, ref->block);
		*at = ref->next;
	}
}

void bis_block_link(struct bis_block *from, unsigned index, struct bis_block *to)
{
	struct bis_link *l = &from->out[index];

	if (*l->site != l->stub)
		return;
	*l->site = to->code;
	l->next = to->incoming;
	to->incoming = l;
}

/* --- Translation --- */

#define WATCH_SPINS   100 /* looks at the other harts before a block is made for one execution */
#define PASSING_INSNS 8	  /* instructions of such a block */

/* Where a block's bytes come from. */
struct source {
	uint64_t va, pa;
	const uint8_t *host; /* of the page */
	bool cacheable;	     /* PMP treats the page alike */
	bool watched;	     /* every hart has heard that code lies here */
	uint64_t second_page;
};

/*
 * Declares that code of this page is about to be translated. True if from now on every write to it is noticed. False
 * while a hart may still write through an old TLB entry: what is translated now may be executed, as a hart sees writes
 * of others to code only after a fence.i, but not be kept.
 */
static bool watch_page(struct bis_hart *h, const struct bis_mem_page *page)
{
	struct bis_machine *m = h->machine;

	/* Whoever finds the page watched already asks again while another hart may not have asked yet. */
	atomic_fetch_add(&m->arming, 1);
	if (bis_mem_watch_code(page->watch) || atomic_load(&m->arming) > 1) {
		bis_tlb_protect(h, page->host);
		bis_harts_ask_flush_writes(m, h);
	}
	atomic_fetch_sub(&m->arming, 1);
	for (unsigned i = 0; i < WATCH_SPINS; i++)
		if (bis_harts_have_flushed(m, h))
			return true;
	return false;
}

/* Does the fetch TLB hold va's page? It does not where PMP treats parts of the page differently. */
static bool is_uniform(const struct bis_hart *h, uint64_t va)
{
	return h->ftlb[(va >> BIS_PAGE_SHIFT) & (TLB_ENTRIES - 1)].tag == PAGE_OF(va);
}

static bool open_source(struct bis_hart *h, uint64_t va, struct source *s)
{
	struct bis_mem_page page = {0};

	*s = (struct source){.va = va, .second_page = BLOCK_DEAD};
	h->pc = va;
	if (!bis_mmu_fetch(h, va, &s->pa))
		return false;
	s->cacheable = is_uniform(h, va);
	bis_mem_page(h->memory, s->pa, &page);
	s->watched = watch_page(h, &page);
	s->host = page.host;
	return true;
}

/* The second half of an instruction that begins in the last two bytes of a page. */
static bool fetch_across(struct bis_hart *h, struct source *s, uint32_t *raw)
{
	struct bis_mem_page page = {0};
	uint64_t pa;

	if (!bis_mmu_fetch(h, (PAGE_OF(s->va) + BIS_PAGE_SIZE) & h->xmask, &pa))
		return false;
	bis_mem_page(h->memory, pa, &page);
	s->watched &= watch_page(h, &page);
	s->second_page = PAGE_OF(pa);
	*raw |= (uint32_t)guest_load16(page.host) << 16;
	return true;
}

enum step { STEP_MORE, STEP_LAST, STEP_NOT_THIS, STEP_FAULT };

/* Translates the instruction at page offset `off` into t. */
static enum step translate_one(struct bis_hart *h, struct source *s, struct bis_ir *t, unsigned off, unsigned *len)
{
	const struct bis_isa_family *family = h->machine->family;
	uint32_t raw = guest_load16(s->host + off);
	uint64_t unused;
	struct bis_insn insn;
	bool across;

	*len = family->length((uint16_t)raw);
	across = off + *len > BIS_PAGE_SIZE;
	if (across && t->insns)
		return STEP_NOT_THIS;
	if (across) {
		if (!fetch_across(h, s, &raw))
			return STEP_FAULT;
	} else if (*len == 4) {
		if (!s->cacheable && !bis_mmu_fetch(h, s->va + 2, &unused))
			return STEP_FAULT;
		raw |= (uint32_t)guest_load16(s->host + off + 2) << 16;
	}
	bis_ir_begin_insn(t, off, *len);
	if (h->machine->cfg.observer.insn)
		bis_ir_call(t, &bis_observe_insn_helper, BIS_DISCARD, bis_const(0), bis_const(0), 0);
	if ((h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_PC)) && bis_breaks_at_offset(&h->machine->breaks, off))
		bis_ir_call(t, &bis_break_helper, BIS_DISCARD, bis_const(0), bis_const(0), 0);
	if (bis_decode(h->machine->decoder, raw, &insn))
		insn.row->translate(t, &insn);
	else
		family->illegal(t, raw);
	return across || t->ended ? STEP_LAST : STEP_MORE;
}

/* Fills t with the block at s, of at most `max` instructions. False if its first instruction cannot be fetched. */
static bool translate(struct bis_hart *h, struct source *s, struct bis_ir *t, unsigned max)
{
	unsigned off = PAGE_OFFSET(s->va), len;
	enum step step;

	bis_ir_begin(t, &h->isa, (unsigned)(h->mstatus >> MSTATUS_FS_SHIFT) & 3, h->fp.rm);
	if (!s->cacheable || h->machine->cfg.observer.insn)
		max = 1;
	do {
		step = translate_one(h, s, t, off, &len);
		off += len;
	} while (step == STEP_MORE && t->insns < max && bis_ir_has_room(t) && off < BIS_PAGE_SIZE);
	if (step == STEP_FAULT)
		return false;
	if (!t->ended) /* goes on behind the last instruction */
		bis_ir_jump(t, t->offset[t->insns] - t->offset[t->insns - 1]);
	bis_count(&h->cache->translated);
	return true;
}

static size_t align16(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static size_t block_room(const struct bis_hart *h, const struct bis_ir *t)
{
	return align16(sizeof(struct bis_block) + (t->insns + 1u) * sizeof(uint16_t)) + align16(h->engine->room(t)) +
	       2 * align16(sizeof(struct page_ref));
}

/* Makes the block of t at `at`; returns the bytes used. */
static size_t emit(struct bis_hart *h, const struct source *s, const struct bis_ir *t, uint8_t *at)
{
	struct bis_block *b = (struct bis_block *)(void *)at;
	size_t head = align16(sizeof(*b) + (t->insns + 1u) * sizeof(uint16_t));

	memset(b, 0, sizeof(*b));
	b->tag = s->pa | h->block_key;
	b->second_page = s->second_page;
	b->insns = (uint16_t)t->insns;
	memcpy(b->offset, t->offset, (t->insns + 1u) * sizeof(uint16_t));
	return head + align16(h->engine->lower(t, b, at + head));
}

static void add_page_ref(struct bis_block_cache *c, struct bis_block *b, uint64_t page)
{
	struct page_ref *ref = (struct page_ref *)(void *)(c->arena + c->used);

	c->used += align16(sizeof(*ref));
	*ref = (struct page_ref){b, page, c->pages[page_hash(page)]};
	c->pages[page_hash(page)] = ref;
}

static struct bis_block *add_block(struct bis_hart *h, const struct source *s)
{
	struct bis_block_cache *c = h->cache;
	struct bis_block *b;

	if (block_room(h, &c->ir) > ARENA_SIZE - c->used)
		bis_block_cache_flush(c);
	b = (struct bis_block *)(void *)(c->arena + c->used);
	c->used += emit(h, s, &c->ir, c->arena + c->used);
	b->hash_next = c->hash[hash_of(b->tag)];
	c->hash[hash_of(b->tag)] = b;
	add_page_ref(c, b, PAGE_OF(s->pa));
	if (s->second_page != BLOCK_DEAD)
		add_page_ref(c, b, s->second_page);
	return b;
}

static struct bis_block *find_block(const struct bis_block_cache *c, uint64_t tag)
{
	struct bis_block *b = c->hash[hash_of(tag)];

	while (b && b->tag != tag)
		b = b->hash_next;
	return b;
}

/* Is the second half of b still where it was when b was translated? False also if it cannot be fetched. */
static bool second_page_holds(struct bis_hart *h, const struct bis_block *b, uint64_t va)
{
	uint64_t pa;

	if (b->second_page == BLOCK_DEAD)
		return true;
	return bis_mmu_fetch(h, (PAGE_OF(va) + BIS_PAGE_SIZE) & h->xmask, &pa) && PAGE_OF(pa) == b->second_page;
}

/* A block outside the cache: for pages that PMP divides, steps, and pages that are not watched yet. */
static struct bis_block *uncached(struct bis_hart *h, struct source *s, unsigned max)
{
	struct bis_block_cache *c = h->cache;
	uint8_t *at = c->arena + ARENA_SIZE;

	if (!translate(h, s, &c->ir, max) || block_room(h, &c->ir) > SHORT_SIZE)
		return NULL;
	emit(h, s, &c->ir, at);
	((struct bis_block *)(void *)at)->tag = BLOCK_DEAD; /* never linked, never found */
	h->pc_page = PAGE_OF(s->va);
	return (struct bis_block *)(void *)at;
}

struct bis_block *bis_block_get_short(struct bis_hart *h, uint64_t va, unsigned max)
{
	struct source s;

	return open_source(h, va, &s) ? uncached(h, &s, max) : NULL;
}

struct bis_block *bis_block_get(struct bis_hart *h, uint64_t va)
{
	struct bis_block_cache *c = h->cache;
	struct bis_block *b;
	struct source s;
	uint64_t pa;

	h->pc = va;
	if (!bis_mmu_fetch(h, va, &pa))
		return NULL;
	b = is_uniform(h, va) ? find_block(c, pa | h->block_key) : NULL;
	if (b && !second_page_holds(h, b, va)) {
		if (h->exception)
			return NULL;
		drop_block(c, b);
		b = NULL;
	}
	if (!b) {
		if (!open_source(h, va, &s))
			return NULL;
		if (!s.cacheable)
			return uncached(h, &s, 1);
		if (!s.watched)
			return uncached(h, &s, PASSING_INSNS);
		if (!translate(h, &s, &c->ir, IR_MAX_INSNS))
			return NULL;
		if (!s.watched) /* its second page */
			return uncached(h, &s, 1);
		b = add_block(h, &s);
	}
	h->pc_page = PAGE_OF(va);
	if (b->second_page == BLOCK_DEAD)
		c->jump[bis_jump_hash(b->tag)] = b;
	return b;
}
