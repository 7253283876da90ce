/*
 * Translated blocks and the cache that holds them: one cache a hart, used on the hart's thread only.
 *
 * A block is keyed by the physical address of its first instruction and the CPU flags it was translated under, so it
 * outlives address-space switches and TLB flushes. It does not know its virtual address. Blocks and their code lie in a
 * bounded arena; when it is full everything is dropped at once. Between that, a dropped block's memory stays readable,
 * so that code may go on to the end of a block that has just been overwritten.
 */
#ifndef BISCUIT_TRANSLATE_BLOCK_INTERNAL_H
#define BISCUIT_TRANSLATE_BLOCK_INTERNAL_H

#include <biscuit/types.h>

struct bis_block_cache;
struct bis_hart;
struct bis_ir;

#define BLOCK_DEAD	 UINT64_MAX
#define BLOCK_SHORT_SIZE ((size_t)1 << 20) /* behind a cache's memory: room for any one block, outside the cache */
#define JUMP_CACHE_BITS	 14

/*
 * Most of what a guest's code becomes is small blocks: what they point to in their cache, which has less than 2 GiB,
 * they keep as a distance in bytes from the structure that keeps it, 0 for nothing.
 */
typedef int32_t bis_near_t;

static inline void *bis_near(const void *from, bis_near_t distance)
{
	return distance ? (void *)((uintptr_t)from + (uintptr_t)(intptr_t)distance) : NULL;
}

static inline bis_near_t bis_far(const void *from, const void *to)
{
	return to ? (bis_near_t)((intptr_t)to - (intptr_t)from) : 0;
}

/* A direct exit of a block: what the engine jumps by is at `site`; it leads to `stub` until the exit is linked. */
struct bis_link {
	bis_near_t site;
	bis_near_t stub; /* as written */
	bis_near_t next; /* in the target's `incoming` */
	bool linked;
};

struct bis_block {
	uint64_t tag; /* physical address | key << BLOCK_KEY_SHIFT; BLOCK_DEAD once dropped, or outside the cache */
	uint64_t second_page; /* physical page of the second half of an instruction over two pages, or BLOCK_DEAD */
	const void *code;
	bis_near_t first_next, second_next; /* with bytes of the same page, see struct bis_block_cache */
	bis_near_t incoming;		    /* links */
	bis_near_t out;			    /* exits by index: `ends`, or in a trace more of them, among its code */
	struct bis_link ends[2];
	uint8_t samples; /* how often bis_block_heat has met it */
	bool trace : 1, loop : 1;
	uint16_t insns;
	uint32_t bytes;	   /* of the engine's code */
	uint16_t offset[]; /* of each instruction from the page start, and of the end: insns + 1 values */
};

static inline struct bis_link *bis_block_exits(const struct bis_block *b)
{
	return bis_near(b, b->out);
}

/* Block statistics for display: any thread may ask for them. */
struct bis_block_stats {
	uint64_t translated, traces, dropped, flushes, used_bytes;
};

static inline unsigned bis_jump_hash(uint64_t tag)
{
	return (unsigned)((tag >> 1) ^ (tag >> 13)) & ((1u << JUMP_CACHE_BITS) - 1);
}

BIS_MUST_CHECK int bis_block_cache_create(struct bis_hart *h, struct bis_block_cache **out);
void bis_block_cache_destroy(struct bis_block_cache *c);
void bis_block_cache_flush(struct bis_block_cache *c);
/* Drops every block that has bytes of the physical page. */
void bis_block_cache_drop_page(struct bis_block_cache *c, uint64_t pa_page);
struct bis_block_stats bis_block_cache_stats(const struct bis_block_cache *c);
/* Changes whenever the whole cache was flushed: block pointers taken before are then invalid. */
uint64_t bis_block_cache_epoch(const struct bis_block_cache *c);

/* The cached block at a physical address that the hart can run in its present state, or NULL. */
struct bis_block *bis_block_find(const struct bis_hart *h, uint64_t pa);

/*
 * The block at virtual address va in the hart's present state, translated if need be. Sets pc_page. NULL if fetching
 * raised an exception: it has been marked and h->pc is va.
 */
struct bis_block *bis_block_get(struct bis_hart *h, uint64_t va);
/* A block at va of at most `max` instructions, valid until the next call of either function; not linked, not cached. */
struct bis_block *bis_block_get_short(struct bis_hart *h, uint64_t va, unsigned max);

/*
 * Tells that the hart was seen at va. After a few times for the same block it is translated anew as a trace: the path
 * from there on, past conditional branches and along jumps inside the page, until it comes back to its start or leaves
 * the page. Not while code of a block is being executed.
 */
void bis_block_heat(struct bis_hart *h, uint64_t va);

/* Makes `from`'s exit `index` go to `to` directly. Both are in the cache and share a page. */
void bis_block_link(struct bis_hart *h, struct bis_block *from, unsigned index, struct bis_block *to);

#endif
