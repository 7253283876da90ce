/*
 * Telling gdb of translated code. A file a generation of the cache has the thunks and the call frames of all the arena;
 * blocks are told of in batches, of which the newest is told of again as it grows, and at once with each trace. Harts'
 * threads.
 *
 * The protocol wants one descriptor a process, by name, and gdb stops the process in one function: these and the lock
 * around them are the only state here that belongs to no machine. Programs may have more of the same name in other
 * libraries, so the names are not exported; gdb finds them among the library's symbols.
 */
#include "src/engine/jit/gdb.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/engine/jit/gdb_image.h"

/* --- The protocol --- */

enum action { NO_ACTION, REGISTER, UNREGISTER };

struct entry {
	struct entry *next, *prev;
	const uint8_t *file;
	uint64_t size;
};

struct descriptor {
	uint32_t version, action;
	struct entry *relevant, *first;
};

extern struct descriptor __jit_debug_descriptor;
void __jit_debug_register_code(void);

struct descriptor __jit_debug_descriptor = {.version = 1};
static pthread_mutex_t descriptor_lock = PTHREAD_MUTEX_INITIALIZER;

/* gdb has a breakpoint here. */
__attribute__((noinline)) void __jit_debug_register_code(void)
{
	__asm__ volatile("" ::: "memory");
}

static void tell(enum action action, struct entry *e)
{
	__jit_debug_descriptor.action = action;
	__jit_debug_descriptor.relevant = e;
	__jit_debug_register_code();
	__jit_debug_descriptor.action = NO_ACTION;
	__jit_debug_descriptor.relevant = NULL;
}

static void unregister(struct entry *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&descriptor_lock);
	if (e->prev)
		e->prev->next = e->next;
	else
		__jit_debug_descriptor.first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	tell(UNREGISTER, e);
	pthread_mutex_unlock(&descriptor_lock);
	free((void *)(uintptr_t)e->file);
	free(e);
}

/* NULL without memory: then gdb knows less. */
static struct entry *enter(const struct jit_symbol *symbols, size_t n, const struct jit_frames *frames)
{
	struct entry *e = calloc(1, sizeof(*e));
	size_t size = 0;

	if (!e)
		return NULL;
	e->file = jit_image_create(symbols, n, frames, &size);
	if (!e->file) {
		free(e);
		return NULL;
	}
	e->size = size;
	pthread_mutex_lock(&descriptor_lock);
	e->next = __jit_debug_descriptor.first;
	if (e->next)
		e->next->prev = e;
	__jit_debug_descriptor.first = e;
	tell(REGISTER, e);
	pthread_mutex_unlock(&descriptor_lock);
	return e;
}

/* --- A hart's code --- */

#define BATCH	    256
#define BATCHES_MAX 1024 /* later blocks stay unnamed */

struct jit_gdb {
	uint64_t frame;		  /* RSP in generated code: the thunk that enters keeps it here */
	const uint8_t *framed;	  /* behind that */
	const uint8_t *arena_end; /* of the cache; blocks that are executed once lie behind it, and have no names */
	struct entry *thunks, *batches[BATCHES_MAX];
	size_t n_batches;
	struct jit_symbol open[BATCH];
	size_t count, told; /* in the newest batch; of these, what gdb knows */
	struct jit_frames frames;
};

struct jit_gdb *jit_gdb_create(void)
{
	return calloc(1, sizeof(struct jit_gdb));
}

static void forget(struct jit_gdb *g)
{
	for (size_t i = 0; i < g->n_batches; i++)
		unregister(g->batches[i]);
	unregister(g->thunks);
	g->thunks = NULL;
	g->n_batches = g->count = g->told = 0;
}

void jit_gdb_destroy(struct jit_gdb *g)
{
	if (!g)
		return;
	forget(g);
	free(g);
}

void jit_gdb_keep_frame(struct jit_gdb *g, struct x86_asm *a)
{
	x86_const(a, RCX, (uintptr_t)&g->frame);
	x86_op(a, X86_MOV_TO, true, RSP, x86_at(RCX, 0));
	g->framed = x86_here(a);
}

static struct jit_symbol symbol(const char *name, const uint8_t *start, const uint8_t *end)
{
	struct jit_symbol s = {.start = (uintptr_t)start, .end = (uintptr_t)end};

	snprintf(s.name, sizeof(s.name), "%s", name);
	return s;
}

/* Thunks lie in the order in which they are named here. */
static size_t name_thunks(const struct jit *j, const uint8_t *enter_at, const uint8_t *end, struct jit_symbol *s)
{
	static const char *const names[JIT_THUNKS] = {
		[JIT_LOAD] = "load",
		[JIT_STORE] = "store",
		[JIT_ATOMIC] = "atomic",
		[JIT_CALL] = "call",
		[JIT_CALL_TRAPS] = "call_traps",
		[JIT_CALL_ENDS] = "call_ends",
		[JIT_CALL_MAY_END] = "call_may_end",
		[JIT_FP] = "fp",
		[JIT_PURE] = "pure",
		[JIT_TRAP] = "trap",
		[JIT_EXIT] = "exit",
		[JIT_NOTED_LOAD] = "noted_load",
		[JIT_NOTED_STORE] = "noted_store",
	};
	size_t n = 0;
	char name[JIT_SYMBOL_NAME];

	s[n++] = symbol("guest_enter", enter_at, j->out);
	s[n++] = symbol("guest_out", j->out, j->refuse);
	s[n++] = symbol("guest_refuse", j->refuse, j->dispatch);
	s[n++] = symbol("guest_dispatch", j->dispatch, j->thunk[0]);
	for (unsigned i = 0; i < JIT_THUNKS; i++) {
		snprintf(name, sizeof(name), "guest_thunk_%s", names[i]);
		s[n++] = symbol(name, j->thunk[i], i + 1 < JIT_THUNKS ? j->thunk[i + 1] : j->inner[0]);
	}
	s[n++] = symbol("guest_inner_thunks", j->inner[0], end);
	return n;
}

/* An inner thunk begins by making room for a word. */
static void add_inner(struct jit_gdb *g, const struct jit *j, const uint8_t *end)
{
	const size_t sub_size = 4;

	for (unsigned i = 0; i < JIT_CALLS; i++)
		jit_frames_by_stack(&g->frames, j->inner[i], i + 1 < JIT_CALLS ? j->inner[i + 1] : end,
				    j->inner[i] + sub_size, 8);
}

void jit_gdb_begin(struct jit_gdb *g, const struct jit *j, const uint8_t *thunks_end, const uint8_t *arena_end)
{
	struct jit_symbol symbols[JIT_THUNKS + 8];
	const uint8_t *enter_at;

	memcpy(&enter_at, &j->enter, sizeof(enter_at));
	forget(g);
	jit_frames_begin(&g->frames, &g->frame, jit_saved, JIT_SAVED);
	jit_frames_pushing(&g->frames, enter_at, g->framed, jit_saved, JIT_SAVED);
	jit_frames_anchored(&g->frames, g->framed, j->thunk[0]);
	jit_frames_by_stack(&g->frames, j->thunk[0], j->inner[0], NULL, 0);
	add_inner(g, j, thunks_end);
	jit_frames_anchored(&g->frames, thunks_end, arena_end + BLOCK_SHORT_SIZE);
	g->arena_end = arena_end;
	g->thunks = enter(symbols, name_thunks(j, enter_at, thunks_end, symbols), &g->frames);
}

/* --- Blocks --- */

static void tell_batch(struct jit_gdb *g)
{
	if (g->told)
		unregister(g->batches[--g->n_batches]);
	g->batches[g->n_batches++] = enter(g->open, g->count, NULL);
	g->told = g->count;
}

void jit_gdb_add(struct jit_gdb *g, const struct bis_ir *t, const struct bis_block *b, const uint8_t *end)
{
	uint64_t pa = b->tag & ((UINT64_C(1) << BLOCK_KEY_SHIFT) - 1);
	struct jit_symbol *s;

	if ((const uint8_t *)b->code >= g->arena_end)
		return;
	if (g->count == BATCH)
		g->count = g->told = 0;
	if (!g->told && g->n_batches == BATCHES_MAX)
		return;
	s = &g->open[g->count++];
	*s = symbol("", b->code, end);
	snprintf(s->name, sizeof(s->name), "guest_%s_%" PRIx64, t->loop ? "loop" : t->trace ? "trace" : "block", pa);
	if (t->trace || g->count > g->told + g->told / 4 || g->count == BATCH)
		tell_batch(g);
}
