/* Where a hart goes on: see flow.h. */
#include "src/engine/flow.h"

const void *engine_find(struct bis_hart *h, uint64_t va)
{
	const struct bis_block *b;

	for (h->pc = va; h->budget > 0 && !atomic_load_explicit(&h->requests, memory_order_relaxed);) {
		b = bis_block_get(h, h->pc);
		if (b)
			return b->code;
		bis_trap_deliver(h);
	}
	return NULL;
}

const void *engine_follow(struct bis_hart *h, struct bis_block *from, unsigned index, uint64_t va)
{
	uint64_t epoch = bis_block_cache_epoch(h->cache);
	struct bis_block *to = bis_block_get(h, va);

	if (!to) {
		bis_trap_deliver(h);
		return engine_find(h, h->pc);
	}
	/* Not from or to a block outside the cache, nor to one over two pages, which must be looked up each time. */
	if (epoch == bis_block_cache_epoch(h->cache) && from->tag != BLOCK_DEAD && to->tag != BLOCK_DEAD &&
	    to->second_page == BLOCK_DEAD)
		bis_block_link(h, from, index, to);
	return to->code;
}

void engine_raise(struct bis_hart *h, const struct bis_block *b, unsigned insn)
{
	h->pc = engine_insn_pc(h, b, insn);
	h->budget += b->insns - insn;
	bis_trap_deliver(h);
}
