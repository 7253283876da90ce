/*
 * What an engine is: it lowers a block from the intermediate representation into code of its own kind and runs it.
 */
#ifndef BISCUIT_ENGINE_ENGINE_H
#define BISCUIT_ENGINE_ENGINE_H

#include <biscuit/types.h>

struct bis_hart;
struct bis_ir;
struct bis_block;

struct bis_engine {
	const char *name;
	const char *summary;
	/* Upper bound in bytes for the code of t, to be allocated 16-byte aligned. */
	size_t (*room)(const struct bis_ir *t);
	/* Writes code for t at `code`; sets b->code and the exits b->out. Returns the bytes used. */
	size_t (*lower)(const struct bis_ir *t, struct bis_block *b, void *code);
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
