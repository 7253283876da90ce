/*
 * What an engine is: it lowers a block from the intermediate representation into code of its own kind and runs it.
 */
#ifndef BISCUIT_ENGINE_ENGINE_H
#define BISCUIT_ENGINE_ENGINE_H

#include <biscuit/types.h>

struct bis_hart;
struct bis_ir;
struct bis_block;
struct bis_link;

struct bis_engine {
	const char *name;
	const char *summary;
	/* Its code is for the host's processor: it lies in memory that is mapped a second time, h->code_exec further
	 * on, where it can be executed and not written. */
	bool machine_code;
	/* What it keeps for a hart, in h->engine_state. NULL: nothing. -ENOMEM. */
	int (*create)(struct bis_hart *h);
	void (*destroy)(struct bis_hart *h);
	/* Called when the block cache is empty: writes what all blocks share at `at`, the same place each time, unless
	 * it is there already; the bytes used. NULL: nothing. */
	size_t (*begin)(struct bis_hart *h, uint8_t *at, size_t room);
	/* Upper bound in bytes for the code of t, to be allocated 16-byte aligned. */
	size_t (*room)(const struct bis_ir *t);
	/*
	 * Writes code for t at `code`; sets b->code and the exits b->out. Returns the bytes used. On the hart's thread
	 * with `work` NULL; on any other with a work area of its own, while the hart runs: then of the hart only what
	 * never changes is looked at.
	 */
	size_t (*lower)(const struct bis_hart *h, const struct bis_ir *t, struct bis_block *b, void *code, void *work);
	/* Such a work area, to be freed; NULL: no memory. NULL: the engine lowers on the hart's thread alone. */
	void *(*work_create)(void);
	/* Another thread has written code that this one is about to execute. NULL: nothing is to be done. */
	void (*written_aside)(void);
	/* Lets an exit of a block lead to `target`, another block's code or its own stub. */
	void (*link)(const struct bis_hart *h, const struct bis_link *l, const void *target);
	/*
	 * Runs the hart from h->pc until h->budget is used up (exactly: never below zero), a request is pending or the
	 * hart sleeps. h->pc is then the next instruction.
	 */
	void (*run)(struct bis_hart *h);
};

/* The engine of that name (NULL: the default); NULL if there is none. */
const struct bis_engine *bis_engine_find(const char *name);
/* Engine `index`; NULL beyond the last. */
const struct bis_engine *bis_engine_at(size_t index);

#endif
