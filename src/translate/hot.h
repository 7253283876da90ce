/*
 * Where a hart spends its instructions: every HOT_EVERY of them the block that it has come to is counted. The hart's
 * thread counts, any thread looks, and neither waits for the other.
 */
#ifndef BISCUIT_TRANSLATE_HOT_H
#define BISCUIT_TRANSLATE_HOT_H

#include <stdatomic.h>

#include <biscuit/types.h>

struct bis_hart;

#define HOT_EVERY 50000
#define HOT_SETS  64
#define HOT_WAYS  4

/* Empty while `samples` is 0. `shape` packs instructions, kind and bytes of the block. */
struct bis_hot_entry {
	_Atomic uint64_t tag, va, shape, samples;
};

struct bis_hot {
	uint64_t counted; /* instructions retired when the last sample was taken, in units of HOT_EVERY */
	_Atomic uint64_t samples;
	struct bis_hot_entry entry[HOT_SETS][HOT_WAYS];
};

/* Counts the block at h->pc, if it is time. Hart's thread, between blocks. */
void bis_hot_count(struct bis_hart *h);

#endif
