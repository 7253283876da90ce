/*
 * The interpreter's code: what lowering (lower.c) writes and the handlers (ops.c, memory.c, control.c, pairs.c) run. An
 * operation is 16 bytes; some take one more entry for pointers. Each handler ends by calling the next one, which an
 * optimising compiler turns into a jump; where it does not (sanitizers, -O0) the handlers return and a loop calls the
 * next.
 *
 * Every run of code begins with a head of two entries: { interp_enter, insn = instructions } and { the block }. Whoever
 * continues at a head may charge the instructions himself and go on behind it (iop_continue). An exit that is not
 * linked yet leads to a stub with a head of its own, of zero instructions.
 */
#ifndef BISCUIT_ENGINE_INTERP_INTERNAL_H
#define BISCUIT_ENGINE_INTERP_INTERNAL_H

#include "src/cpu/guest_access.h"
#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"
#include "src/translate/ir_internal.h"

struct iop;
typedef const struct iop *(*iop_fn)(struct bis_hart *h, const struct iop *op);

struct iop {
	iop_fn fn;
	int32_t imm;
	uint8_t d, a, b;
	uint8_t insn; /* index of the guest instruction, for traps */
};

/* A second entry that holds pointers. */
struct iop_pointers {
	const void *p[2];
};

_Static_assert(sizeof(struct iop) == 16 && sizeof(struct iop_pointers) == 16, "code entries are 16 bytes");

#if defined(__OPTIMIZE__) && !defined(BIS_SANITIZED)
/* The empty asm keeps the compiler from loading the handler before it has advanced the pointer, which costs two moves.
 */
#define IOP_NEXT(h, op)                                                                                                \
	({                                                                                                             \
		const struct iop *next_ = (op);                                                                        \
                                                                                                                       \
		__asm__("" : "+r"(next_));                                                                             \
		next_->fn((h), next_);                                                                                 \
	})
#define IOP_LOOP 0
#else
#define IOP_NEXT(h, op) ((void)(h), (op))
#define IOP_LOOP	1
#endif

#define IOP_HEAD 2 /* entries of a head */

static inline const void *iop_pointer(const struct iop *op, unsigned entry, unsigned index)
{
	return ((const struct iop_pointers *)(const void *)(op + entry))->p[index];
}

/*
 * Charges the block at `head` and returns its first operation, or the head itself if the run has to be left: its
 * handler then does so.
 */
static inline const struct iop *iop_continue(struct bis_hart *h, const struct iop *head)
{
	int64_t left = h->budget - head->insn;

	if (BIS_UNLIKELY(left < 0 || atomic_load_explicit(&h->requests, memory_order_relaxed)))
		return head;
	h->budget = left;
	return head + IOP_HEAD;
}

/* The handlers, and the numbers that lowering knows them by. */
#define HANDLER(name) const struct iop *interp_##name(struct bis_hart *h, const struct iop *op);
#include "src/engine/interp/handlers.def"
#undef HANDLER

enum iop_number {
#define HANDLER(name) IOP_##name,
#include "src/engine/interp/handlers.def"
#undef HANDLER
	IOP_COUNT
};

/* For handlers that found an exception marked: delivers it and continues there. */
const struct iop *interp_raise(struct bis_hart *h, const struct iop *op);
/* Sets h->pc and h->ahead to the instruction that op belongs to. */
void interp_note_place(struct bis_hart *h, const struct iop *op);
/* Goes on behind a store on its slow path: the run ends there if the store had somebody ask for something. */
const struct iop *interp_stored(struct bis_hart *h, const struct iop *op);

/* The handler that does the work of two adjacent ones; NULL if there is none. */
iop_fn interp_fused(enum iop_number first, enum iop_number second);

size_t interp_room(const struct bis_ir *t);
size_t interp_lower(const struct bis_hart *h, const struct bis_ir *t, struct bis_block *b, void *code, void *work);

#endif
