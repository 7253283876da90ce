/*
 * The block cache: from a virtual address to a block an engine can run. Hart's thread only.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/machine/machine_internal.h"
#include "src/translate/block_internal.h"
#include "src/translate/dump_internal.h"
#include "src/translate/ir_internal.h"
#include "src/translate/spare.h"
#include "src/translate/translate_internal.h"

#define TOTAL_SIZE   ((uint64_t)64 << 20) /* of all harts, unless the machine is told otherwise */
#define ARENA_FIRST  ((size_t)16 << 20)	  /* what is used of a hart's part until it is known to be worth more */
#define PAGE_BITS    10
#define TRACES_SHARE 4 /* a fourth of the arena is for traces of the spare thread, if there is one */

/* An entry of the table of blocks: where the block lies, in units from the arena's start; and much of its tag. */
struct place {
	uint32_t unit; /* PLACE_EMPTY, or PLACE_GONE where a block has been dropped */
	uint32_t check;
};
#define UNIT	      16
#define PLACE_EMPTY   0 /* no block lies at the start: see forget_all */
#define PLACE_GONE    UINT32_MAX
#define ARENA_A_PLACE 128 /* bytes of the arena for each entry: few blocks are smaller */
#define LINE_PLACES   8	  /* entries in a line of the host's cache */

/*
 * A trace that the machine's spare thread makes of `ir`. Between bis_spare_ask and the look that finds it done,
 * the arena from `at` on is that thread's.
 */
struct trace_job {
	struct bis_spare_job base;
	bool asked;
	bool stale; /* its page has been written, or the hart's cache emptied, since */
	const struct bis_hart *hart;
	struct bis_code code;
	uint64_t tag;
	size_t at;
	void *work;  /* the engine's */
	size_t size; /* bytes of the block */
	struct bis_ir ir;
};

struct bis_block_cache {
	struct bis_hart *hart;
	uint8_t *arena; /* `size` bytes for cached blocks, then BLOCK_SHORT_SIZE for the uncached one */
	/* Blocks lie below `used`, which stays below a limit that grows towards `base`; from there to `top` those of
	 * the spare thread. */
	size_t size, used, limit, base, top;
	uint64_t epoch;
	struct trace_job *job;				       /* NULL: none has been made yet */
	_Atomic uint64_t translated, traces, dropped, flushes; /* bis_count */
	_Atomic uint64_t used_public;			       /* bytes of both kinds of blocks */
	struct bis_jump_place jump[1u << JUMP_CACHE_BITS];
	struct place *places;	  /* hashed by tag; the entry of a block is there or one of the next */
	unsigned n_places, taken; /* `taken` are not empty */
	unsigned line_shift;	  /* leaves of 64 bits those that choose among n_places / LINE_PLACES lines */
	unsigned made, gone;	  /* blocks since all were forgotten */
	/* Which blocks begin in a page, and which go on into it. */
	struct bis_block *first[1u << PAGE_BITS], *second[1u << PAGE_BITS];
	struct bis_ir ir;
};

static uint32_t check_of(uint64_t tag)
{
	return (uint32_t)(tag ^ tag >> 32);
}

static uint64_t address_of_tag(uint64_t tag)
{
	return tag & ((UINT64_C(1) << BLOCK_KEY_SHIFT) - 1);
}

/* Blocks of the same 64 bytes of code have their entries in one line of the host's cache, in order, whatever their key.
 */
static unsigned place_of(const struct bis_block_cache *c, uint64_t tag)
{
	uint64_t pa = address_of_tag(tag), line = (pa >> 6) * UINT64_C(0x9e3779b97f4a7c15) >> c->line_shift;

	return (unsigned)(line * LINE_PLACES | (pa >> 3 & (LINE_PLACES - 1)));
}

static unsigned page_hash(uint64_t page)
{
	return (unsigned)((page >> BIS_PAGE_SHIFT) ^ (page >> 22)) & ((1u << PAGE_BITS) - 1);
}

static size_t align16(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static void set_used(struct bis_block_cache *c, size_t used, size_t top)
{
	c->used = used;
	c->top = top;
	atomic_store_explicit(&c->used_public, used + (top - c->base), memory_order_relaxed);
}

/* Never while a block's code is on its way to another operation of the same block: see bis_hart_serve. */
static void forget_all(struct bis_block_cache *c)
{
	size_t (*begin)(struct bis_hart * h, uint8_t * at, size_t room) = c->hart->engine->begin;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(c->jump); i++)
		c->jump[i].tag = BLOCK_DEAD;
	if (c->taken)
		memset(c->places, 0, c->n_places * sizeof(c->places[0]));
	c->taken = c->made = c->gone = 0;
	memset(c->first, 0, sizeof(c->first));
	memset(c->second, 0, sizeof(c->second));
	if (c->job)
		c->job->stale = true;
	set_used(c, UNIT + (begin ? align16(begin(c->hart, c->arena + UNIT, c->base - UNIT)) : 0), c->base);
	c->epoch++;
	bis_hart_forget_jumps(c->hart);
}

/* Machine code is written in one mapping of the memory and executed in another. */
static bool map_arena(struct bis_block_cache *c)
{
	size_t size = c->size + BLOCK_SHORT_SIZE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, fd = -1;
	uint8_t *exec = NULL;

	if (c->hart->engine->machine_code) {
		fd = memfd_create("biscuit-code", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)size)) {
			if (fd >= 0)
				close(fd);
			return true;
		}
		flags = MAP_SHARED;
		exec = mmap(NULL, size, PROT_READ | PROT_EXEC, flags, fd, 0);
	}
	c->arena = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (fd >= 0)
		close(fd);
	if (exec && exec != MAP_FAILED && c->arena != MAP_FAILED)
		c->hart->code_exec = exec - c->arena;
	return c->arena == MAP_FAILED || exec == MAP_FAILED;
}

/* A hart's part of the memory for translated code. */
static size_t arena_size(const struct bis_machine *m)
{
	uint64_t total = m->cfg.code_cache ? m->cfg.code_cache : TOTAL_SIZE, part = total / m->cfg.harts;

	return (size_t)PAGE_OF(part);
}

int bis_block_cache_create(struct bis_hart *h, struct bis_block_cache **out)
{
	struct bis_block_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return bis_fail(ENOMEM, "no memory for hart %u's block cache", h->id);
	c->hart = h;
	c->size = arena_size(h->machine);
	c->base = h->machine->spare && h->engine->work_create ? c->size / TRACES_SHARE * (TRACES_SHARE - 1) : c->size;
	c->limit = c->base < ARENA_FIRST ? c->base : ARENA_FIRST;
	c->line_shift = 63;
	for (c->n_places = 2 * LINE_PLACES; c->n_places < c->size / ARENA_A_PLACE; c->n_places *= 2)
		c->line_shift--;
	c->places = calloc(c->n_places, sizeof(c->places[0]));
	if (!c->places || map_arena(c)) {
		free(c->places);
		free(c);
		return bis_fail(ENOMEM, "no memory for hart %u's translated code", h->id);
	}
	forget_all(c);
	h->jump_cache = c->jump;
	*out = c;
	return 0;
}

void bis_block_cache_destroy(struct bis_block_cache *c)
{
	if (!c)
		return;
	munmap(c->arena, c->size + BLOCK_SHORT_SIZE);
	if (c->hart->code_exec)
		munmap(c->arena + c->hart->code_exec, c->size + BLOCK_SHORT_SIZE);
	if (c->job)
		free(c->job->work);
	free(c->job);
	free(c->places);
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
		.traces = atomic_load_explicit(&c->traces, memory_order_relaxed),
		.used_bytes = atomic_load_explicit(&c->used_public, memory_order_relaxed),
		.dropped = atomic_load_explicit(&c->dropped, memory_order_relaxed),
		.flushes = atomic_load_explicit(&c->flushes, memory_order_relaxed),
	};
}

uint64_t bis_block_cache_epoch(const struct bis_block_cache *c)
{
	return c->epoch;
}

static struct bis_block *block_at(const struct bis_block_cache *c, const struct place *p)
{
	return (struct bis_block *)(void *)(c->arena + (size_t)p->unit * UNIT);
}

static uint64_t page_of_tag(uint64_t tag)
{
	return PAGE_OF(address_of_tag(tag));
}

/* The tag of a block that does not depend on mstatus.FS, in place of one that does. */
static uint64_t shared_tag(uint64_t tag)
{
	return (tag & ~BLOCK_KEY_FS) | BLOCK_KEY_ANY_FS;
}

/* The entry of the block with that tag, or else an empty one. */
static struct place *find_place(const struct bis_block_cache *c, uint64_t tag)
{
	unsigned i = place_of(c, tag);
	uint32_t check = check_of(tag);

	for (;; i = (i + 1) & (c->n_places - 1)) {
		struct place *p = &c->places[i];

		if (p->unit == PLACE_EMPTY)
			return p;
		if (p->check == check && p->unit != PLACE_GONE && block_at(c, p)->tag == tag)
			return p;
	}
}

/* Enters a block whose tag no other has. Entries of dropped ones are used again: code that is written over and over has
 * the same few tags. */
static void add_place(struct bis_block_cache *c, const struct bis_block *b)
{
	unsigned i = place_of(c, b->tag);

	while (c->places[i].unit != PLACE_EMPTY && c->places[i].unit != PLACE_GONE)
		i = (i + 1) & (c->n_places - 1);
	c->taken += c->places[i].unit == PLACE_EMPTY;
	c->made++;
	c->places[i] =
		(struct place){.unit = (uint32_t)(((const uint8_t *)b - c->arena) / UNIT), .check = check_of(b->tag)};
}

static void drop_block(struct bis_block_cache *c, struct bis_block *b)
{
	unsigned j;

	if (b->tag == BLOCK_DEAD)
		return;
	j = bis_jump_hash(b->tag); /* the same for all keys */
	if (address_of_tag(c->jump[j].tag) == address_of_tag(b->tag))
		c->jump[j].tag = BLOCK_DEAD;
	find_place(c, b->tag)->unit = PLACE_GONE;
	c->gone++;
	b->tag = BLOCK_DEAD;
	bis_hart_forget_jumps(c->hart);
	for (struct bis_link *l = bis_near(b, b->incoming); l; l = bis_near(l, l->next)) {
		l->linked = false;
		c->hart->engine->link(c->hart, l, (const uint8_t *)bis_near(l, l->stub) + c->hart->code_exec);
	}
	b->incoming = 0;
	bis_count(&c->dropped);
}

void bis_block_cache_drop_page(struct bis_block_cache *c, uint64_t pa_page)
{
	struct bis_block **first = &c->first[page_hash(pa_page)], *kept = NULL, *next;

	if (c->job && PAGE_OF(c->job->code.pa) == pa_page)
		c->job->stale = true;
	for (struct bis_block *b = *first; b; b = next) {
		next = bis_near(b, b->first_next);
		if (page_of_tag(b->tag) == pa_page)
			drop_block(c, b);
		if (b->tag != BLOCK_DEAD)
			kept = b;
		else if (kept)
			kept->first_next = bis_far(kept, next);
		else
			*first = next;
	}
	for (struct bis_block *b = c->second[page_hash(pa_page)]; b; b = bis_near(b, b->second_next))
		if (b->second_page == pa_page)
			drop_block(c, b);
}

void bis_block_link(struct bis_hart *h, struct bis_block *from, unsigned index, struct bis_block *to)
{
	struct bis_link *l = &bis_block_exits(from)[index];

	if (l->linked)
		return;
	h->engine->link(h, l, to->code);
	l->linked = true;
	l->next = bis_far(l, bis_near(to, to->incoming));
	to->incoming = bis_far(to, l);
}

static struct bis_block *find_tag(const struct bis_block_cache *c, uint64_t tag)
{
	const struct place *p = find_place(c, tag);

	return p->unit == PLACE_EMPTY ? NULL : block_at(c, p);
}

struct bis_block *bis_block_find(const struct bis_hart *h, uint64_t pa)
{
	struct bis_block *b = find_tag(h->cache, pa | h->block_key);

	return b ? b : find_tag(h->cache, shared_tag(pa | h->block_key));
}

/* The tag of t's block at pa. */
static uint64_t tag_of(const struct bis_hart *h, const struct bis_ir *t, uint64_t pa)
{
	uint64_t tag = pa | h->block_key;

	return t->asked_fs ? tag : shared_tag(tag);
}

#define BLOCK_INSNS   (IR_MAX_INSNS / 2)
#define PASSING_INSNS 8 /* of a block made for one execution */

/* What lies before the engine's part of a block. */
static size_t head_size(const struct bis_ir *t)
{
	return align16(sizeof(struct bis_block) + (t->insns + 1u) * sizeof(uint16_t));
}

static size_t block_room(const struct bis_hart *h, const struct bis_ir *t)
{
	return head_size(t) + align16(h->engine->room(t));
}

/* Lets whoever wants to look at it look at b. */
static void show(const struct bis_hart *h, const struct bis_code *s, const struct bis_ir *t, const struct bis_block *b)
{
	const struct bis_machine_config *cfg = &h->machine->cfg;
	const uint8_t *code = (const uint8_t *)b->code - h->code_exec,
		      *end = (const uint8_t *)b + head_size(t) + b->bytes;
	struct bis_translation told = {.hart = h,
				       .ir = t,
				       .pa = s->pa,
				       .page = s->host,
				       .code = code,
				       .code_size = h->engine->machine_code ? (size_t)(end - code) : 0};

	cfg->translated(cfg->translated_arg, &told);
}

static void tell_translated(const struct bis_hart *h, const struct bis_code *s, const struct bis_ir *t,
			    const struct bis_block *b)
{
	if (BIS_UNLIKELY(h->machine->cfg.translated != NULL))
		show(h, s, t, b);
}

/* Makes the block of t at `at`; returns the bytes used. */
static size_t emit(const struct bis_hart *h, const struct bis_code *s, uint64_t tag, const struct bis_ir *t,
		   uint8_t *at, void *work)
{
	struct bis_block *b = (struct bis_block *)(void *)at;
	size_t head = head_size(t);

	memset(b, 0, sizeof(*b));
	b->tag = tag;
	b->second_page = s->second_page;
	b->insns = (uint16_t)t->insns;
	b->trace = t->trace;
	b->loop = t->loop;
	b->out = bis_far(b, b->ends);
	memcpy(b->offset, t->offset, (t->insns + 1u) * sizeof(uint16_t));
	b->bytes = (uint32_t)h->engine->lower(h, t, b, at + head, work);
	return head + align16(b->bytes);
}

static bool is_crowded(const struct bis_block_cache *c)
{
	return c->taken >= c->n_places / 4 * 3;
}

/* A full cache grows as long as most of it is of use: one that fills with code that has been overwritten is emptied. */
static void make_room(struct bis_block_cache *c, size_t room)
{
	while (room > c->limit - c->used && c->limit < c->base && c->gone < c->made / 2)
		c->limit = c->limit < c->base / 2 ? 2 * c->limit : c->base;
	if (room > c->limit - c->used || is_crowded(c))
		bis_block_cache_flush(c);
}

/* Lets the block be found from now on. */
static void enter_block(struct bis_block_cache *c, const struct bis_code *s, struct bis_block *b)
{
	struct bis_block **first = &c->first[page_hash(PAGE_OF(s->pa))];

	add_place(c, b);
	b->first_next = bis_far(b, *first);
	*first = b;
	if (s->second_page != BLOCK_DEAD) {
		b->second_next = bis_far(b, c->second[page_hash(s->second_page)]);
		c->second[page_hash(s->second_page)] = b;
	}
	bis_count(&c->translated);
	if (b->trace)
		bis_count(&c->traces);
}

static bool is_under_way(const struct bis_block_cache *c)
{
	return c->job && c->job->asked;
}

/* Adds the block of t, which needs `room` bytes at most. */
static struct bis_block *add_block(struct bis_hart *h, const struct bis_code *s, const struct bis_ir *t, size_t room)
{
	struct bis_block_cache *c = h->cache;
	struct bis_block *b;

	make_room(c, room);
	b = (struct bis_block *)(void *)(c->arena + c->used);
	set_used(c, c->used + emit(h, s, tag_of(h, t, s->pa), t, c->arena + c->used, NULL), c->top);
	enter_block(c, s, b);
	tell_translated(h, s, t, b);
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

/* A block that would fill much of a small cache has no place in it. */
static bool fits(const struct bis_block_cache *c, size_t room)
{
	return room <= c->size / 4;
}

/* A block outside the cache: for pages that PMP divides, steps, pages that are not watched yet, and what is too big. */
static struct bis_block *uncached(struct bis_hart *h, struct bis_code *s, unsigned max)
{
	struct bis_block_cache *c = h->cache;
	uint8_t *at = c->arena + c->size;
	struct bis_block *b = (struct bis_block *)(void *)at;

	if (!bis_translate_block(h, s, &c->ir, max))
		return NULL;
	if (block_room(h, &c->ir) > BLOCK_SHORT_SIZE)
		abort(); /* more than IR_MAX_NODES can need */
	bis_count(&c->translated);
	emit(h, s, BLOCK_DEAD, &c->ir, at, NULL); /* never linked, never found */
	tell_translated(h, s, &c->ir, b);
	h->pc_page = PAGE_OF(s->va);
	return b;
}

struct bis_block *bis_block_get_short(struct bis_hart *h, uint64_t va, unsigned max)
{
	struct bis_code s;

	return bis_code_open(h, va, &s) ? uncached(h, &s, max < BLOCK_INSNS ? max : BLOCK_INSNS) : NULL;
}

struct bis_block *bis_block_get(struct bis_hart *h, uint64_t va)
{
	struct bis_block_cache *c = h->cache;
	struct bis_block *b;
	struct bis_code s;
	uint64_t pa;
	size_t room;

	h->pc = va;
	if (!bis_mmu_fetch(h, va, &pa))
		return NULL;
	b = bis_code_is_uniform(h, va) ? bis_block_find(h, pa) : NULL;
	if (b && !second_page_holds(h, b, va)) {
		if (h->exception)
			return NULL;
		drop_block(c, b);
		b = NULL;
	}
	if (!b) {
		bis_code_take(h, va, pa, &s);
		if (!s.cacheable)
			return uncached(h, &s, 1);
		if (!s.watched)
			return uncached(h, &s, PASSING_INSNS);
		if (!bis_translate_block(h, &s, &c->ir, BLOCK_INSNS))
			return NULL;
		if (!s.watched) /* its second page */
			return uncached(h, &s, 1);
		room = block_room(h, &c->ir);
		if (!fits(c, room))
			return uncached(h, &s, BLOCK_INSNS);
		b = add_block(h, &s, &c->ir, room);
	}
	h->pc_page = PAGE_OF(va);
	if (b->second_page == BLOCK_DEAD)
		c->jump[bis_jump_hash(pa)] = (struct bis_jump_place){pa | h->block_key, b->code};
	return b;
}

/* --- Traces --- */

#define HOT_SAMPLES 2

/* On the spare thread. */
static void make_trace(struct bis_spare_job *base)
{
	struct trace_job *job = (struct trace_job *)(void *)base;
	uint8_t *at = job->hart->cache->arena + job->at;

	job->size = emit(job->hart, &job->code, job->tag, &job->ir, at, job->work);
}

static struct trace_job *job_of(struct bis_hart *h)
{
	struct bis_block_cache *c = h->cache;

	if (c->job || !h->machine->spare || !h->engine->work_create)
		return c->job;
	c->job = calloc(1, sizeof(*c->job));
	if (!c->job)
		return NULL;
	c->job->hart = h;
	c->job->work = h->engine->work_create();
	c->job->base.work = make_trace;
	if (!c->job->work) {
		free(c->job);
		c->job = NULL;
	}
	return c->job;
}

/* Has the spare thread make the trace at `s`, which needs `room` bytes at most. False if it is to be made here. */
static bool ask_for_trace(struct bis_hart *h, const struct bis_code *s, size_t room)
{
	struct bis_block_cache *c = h->cache;
	struct trace_job *job = c->job;

	if (room > c->size - c->top)
		return false;
	job->code = *s;
	job->tag = tag_of(h, &job->ir, s->pa);
	job->at = c->top;
	job->stale = false;
	job->asked = bis_spare_ask(h->machine->spare, &job->base);
	return job->asked;
}

static void drop_tag(struct bis_block_cache *c, uint64_t tag)
{
	struct bis_block *b = find_tag(c, tag);

	if (b)
		drop_block(c, b);
}

/* Takes what the spare thread has made, if it has. */
static void collect_trace(struct bis_hart *h)
{
	struct bis_block_cache *c = h->cache;
	struct trace_job *job = c->job;
	struct bis_block *made;

	if (!is_under_way(c) || !bis_spare_is_done(&job->base))
		return;
	job->asked = false;
	if (job->stale || is_crowded(c))
		return;
	made = (struct bis_block *)(void *)(c->arena + job->at);
	drop_tag(c, job->tag);
	drop_tag(c, shared_tag(job->tag));
	set_used(c, c->used, job->at + job->size);
	enter_block(c, &job->code, made);
	h->engine->written_aside();
	tell_translated(h, &job->code, &job->ir, made);
}

/* The block at va is translated as a trace, now or by the spare thread. */
static void make_hot(struct bis_hart *h, uint64_t va, struct bis_block *b)
{
	struct bis_block_cache *c = h->cache;
	struct trace_job *job = job_of(h);
	struct bis_ir *t = job ? &job->ir : &c->ir;
	struct bis_code s;
	size_t room;

	if (is_under_way(c)) /* b will be met again */
		return;
	b->samples = 0;
	if (!bis_code_open(h, va, &s) || !s.watched || !bis_translate_trace(h, &s, t)) {
		h->exception = false; /* nobody has come to what cannot be fetched */
		return;
	}
	room = block_room(h, t);
	if (!fits(c, room) || (job && ask_for_trace(h, &s, room)))
		return;
	drop_block(c, b);
	add_block(h, &s, t, room);
}

void bis_block_heat(struct bis_hart *h, uint64_t va)
{
	struct bis_block *b;
	uint64_t pa;

	collect_trace(h);
	if (!bis_code_is_uniform(h, va) || h->machine->cfg.observer.insn ||
	    h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_PC) || !bis_mmu_fetch(h, va, &pa))
		return;
	b = bis_block_find(h, pa);
	if (b && !b->trace && b->second_page == BLOCK_DEAD && ++b->samples >= HOT_SAMPLES)
		make_hot(h, va, b);
}
