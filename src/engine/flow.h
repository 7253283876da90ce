/*
 * Where a hart goes on, for engines: at code that is found, linked or translated, or in a trap's handler. Hart's
 * thread; code stays valid until the block cache is flushed.
 */
#ifndef BISCUIT_ENGINE_FLOW_H
#define BISCUIT_ENGINE_FLOW_H

#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"

/*
 * The code at va, translated if need be; with a fetch exception, the code of its handler. NULL, with h->pc set, if the
 * run has to be left: then even the exception waits.
 */
const void *engine_find(struct bis_hart *h, uint64_t va);

/* The same for exit `index` of `from`, which leads to va, and which is linked if it may be; the run need not be left.
 */
const void *engine_follow(struct bis_hart *h, struct bis_block *from, unsigned index, uint64_t va);

/* The address of an instruction of b, the block being run; `insn` may be the one behind the last. */
static inline uint64_t engine_insn_pc(const struct bis_hart *h, const struct bis_block *b, unsigned insn)
{
	return (h->pc_page + b->offset[insn]) & h->xmask;
}

/* Delivers the exception of instruction `insn` of b: those from it on have been charged but do not retire. */
void engine_raise(struct bis_hart *h, const struct bis_block *b, unsigned insn);

#endif
