/*
 * Hot blocks: a small table of blocks by how often the hart has come to them. Where a set is full, a block that is not
 * in it takes a sample from the one that has fewest, and its place when none is left: what is met rarely gives way.
 */
#include <biscuit/debug.h>

#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"
#include "src/translate/hot.h"
#include "src/translate/translate_internal.h"

#define SHAPE_KIND  16
#define SHAPE_BYTES 32

const char *bis_block_kind_name(enum bis_block_kind kind)
{
	static const char *const names[BIS_BLOCK_KINDS] = {"block", "trace", "loop"};

	return names[kind];
}

static uint64_t get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void set(_Atomic uint64_t *v, uint64_t to)
{
	atomic_store_explicit(v, to, memory_order_relaxed);
}

static uint64_t shape_of(const struct bis_block *b)
{
	enum bis_block_kind kind = b->loop ? BIS_BLOCK_LOOP : b->trace ? BIS_BLOCK_TRACE : BIS_BLOCK_PLAIN;

	return b->insns | (uint64_t)kind << SHAPE_KIND | (uint64_t)b->bytes << SHAPE_BYTES;
}

/* The tag's place in the set, or NULL if another block keeps it. */
static struct bis_hot_entry *place(struct bis_hot_entry *ways, uint64_t tag)
{
	struct bis_hot_entry *least = &ways[0];

	for (unsigned i = 0; i < HOT_WAYS; i++) {
		if (get(&ways[i].samples) && get(&ways[i].tag) == tag)
			return &ways[i];
		if (get(&ways[i].samples) < get(&least->samples))
			least = &ways[i];
	}
	if (get(&least->samples)) {
		set(&least->samples, get(&least->samples) - 1);
		return NULL;
	}
	set(&least->shape, 0);
	atomic_store_explicit(&least->tag, tag, memory_order_release);
	return least;
}

void bis_hot_count(struct bis_hart *h)
{
	struct bis_hot *hot = &h->hot;
	const struct bis_block *b;
	struct bis_hot_entry *e;
	uint64_t pa, tag;

	if (h->retired / HOT_EVERY == hot->counted)
		return;
	hot->counted = h->retired / HOT_EVERY;
	bis_count(&hot->samples);
	if (!bis_code_is_uniform(h, h->pc) || !bis_mmu_fetch(h, h->pc, &pa))
		return;
	tag = pa | h->block_key;
	e = place(hot->entry[bis_jump_hash(tag) % HOT_SETS], tag);
	if (!e)
		return;
	b = bis_block_find(h, pa);
	if (b)
		set(&e->shape, shape_of(b));
	set(&e->va, h->pc);
	bis_count(&e->samples);
}

/* What is looked at later is not older than this. */
static uint64_t get_before(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_acquire);
}

/* False if the entry is empty, or becomes another's while it is looked at. */
static bool look(const struct bis_hot_entry *e, struct bis_hot_block *out)
{
	uint64_t tag = get_before(&e->tag), shape = get_before(&e->shape);

	*out = (struct bis_hot_block){
		.va = get_before(&e->va),
		.pa = tag & ((UINT64_C(1) << BLOCK_KEY_SHIFT) - 1),
		.samples = get_before(&e->samples),
		.kind = (enum bis_block_kind)(shape >> SHAPE_KIND & 3),
		.insns = (unsigned)(shape & UINT16_MAX),
		.bytes = (size_t)(shape >> SHAPE_BYTES),
	};
	return out->samples && out->insns && get(&e->tag) == tag;
}

/* Keeps the `max` hottest in order. */
static size_t insert(struct bis_hot_block *all, size_t count, size_t max, const struct bis_hot_block *b)
{
	size_t at = count < max ? count : max;

	while (at && all[at - 1].samples < b->samples) {
		if (at < max)
			all[at] = all[at - 1];
		at--;
	}
	if (at < max)
		all[at] = *b;
	return count < max ? count + 1 : max;
}

size_t bis_hart_hot_blocks(const struct bis_hart *h, struct bis_hot_block *out, size_t max, uint64_t *samples)
{
	struct bis_hot_block b;
	size_t count = 0;

	*samples = get(&h->hot.samples);
	for (unsigned i = 0; i < HOT_SETS; i++)
		for (unsigned way = 0; way < HOT_WAYS; way++)
			if (look(&h->hot.entry[i][way], &b))
				count = insert(out, count, max, &b);
	return count;
}
