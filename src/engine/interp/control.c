/*
 * Handlers that begin and end blocks, call helpers and raise traps; and the engine's run function. Hart's thread.
 */
#include <biscuit/types.h>

#include "src/engine/engine.h"
#include "src/engine/flow.h"
#include "src/engine/interp/bodies.h"
#include "src/engine/interp/interp.h"
#include "src/engine/interp/interp_internal.h"

/* Where an unlinked exit leads to. */
static uint64_t exit_target(const struct bis_hart *h, const struct iop *op)
{
	return (h->pc_page + (uint64_t)(int64_t)op->imm) & h->xmask;
}

/* Continues at va, through the fetch TLB and the jump cache. */
static inline const struct iop *go(struct bis_hart *h, uint64_t va)
{
	const struct bis_fetch_entry *e = &h->ftlb[bis_tlb_index(va)];
	uint64_t tag = (e->pa | (va & ~IOP_PAGE_MASK)) | h->block_key;
	const struct bis_jump_place *at = &h->jump_cache[bis_jump_hash(tag)];
	const struct iop *next;

	if (BIS_LIKELY(e->tag == (va & IOP_PAGE_MASK) && at->tag == tag)) {
		h->pc_page = va & IOP_PAGE_MASK;
		next = iop_continue(h, at->code);
		return IOP_NEXT(h, next);
	}
	next = engine_find(h, va);
	if (!next)
		return NULL;
	return IOP_NEXT(h, next);
}

static const struct bis_block *block_of_head(const struct iop *head)
{
	return iop_pointer(head, 1, 0);
}

/* The block that op belongs to: its head is somewhere before it. No other entry begins with interp_enter's address. */
static const struct bis_block *block_of(const struct iop *op)
{
	while (op->fn != interp_enter)
		op--;
	return block_of_head(op);
}

const struct iop *interp_enter(struct bis_hart *h, const struct iop *op)
{
	const struct iop *next = iop_continue(h, op);

	if (next == op) {
		h->pc = op->insn ? engine_insn_pc(h, block_of_head(op), 0) : exit_target(h, op + IOP_HEAD);
		return NULL;
	}
	return IOP_NEXT(h, next);
}

const struct iop *interp_check_key(struct bis_hart *h, const struct iop *op)
{
	const struct bis_block *b;

	if (BIS_LIKELY(h->block_key >> BLOCK_KEY_SHIFT == (uint64_t)op->imm))
		return IOP_NEXT(h, op + 1);
	b = block_of(op);
	h->budget += b->insns;
	return go(h, engine_insn_pc(h, b, 0));
}

static const struct iop *raise_in(struct bis_hart *h, const struct bis_block *b, const struct iop *op)
{
	engine_raise(h, b, op->insn);
	return go(h, h->pc);
}

const struct iop *interp_raise(struct bis_hart *h, const struct iop *op)
{
	return raise_in(h, block_of(op), op);
}

void interp_note_place(struct bis_hart *h, const struct iop *op)
{
	const struct bis_block *b = block_of(op);

	h->pc = engine_insn_pc(h, b, op->insn);
	h->ahead = b->insns - op->insn;
}

const struct iop *interp_stored(struct bis_hart *h, const struct iop *op)
{
	const struct bis_block *b;

	if (BIS_LIKELY(!atomic_load_explicit(&h->requests, memory_order_relaxed) || op[1].insn == op->insn))
		return IOP_NEXT(h, op + 1);
	b = block_of(op);
	h->pc = engine_insn_pc(h, b, op->insn + 1u);
	h->budget += b->insns - (op->insn + 1);
	return NULL;
}

const struct iop *interp_trap(struct bis_hart *h, const struct iop *op)
{
	bis_hart_raise(h, (uint64_t)op->imm, h->slots[op->a]);
	return interp_raise(h, op);
}

static bis_helper_fn helper_of(const struct iop *op)
{
	return ((const struct bis_helper *)iop_pointer(op, 1, 0))->fn;
}

static inline uint64_t call_helper(struct bis_hart *h, const struct iop *op)
{
	return helper_of(op)(h, h->slots[op->a], h->slots[op->b], (uint32_t)op->imm);
}

const struct iop *interp_call(struct bis_hart *h, const struct iop *op)
{
	uint64_t value = call_helper(h, op);

	if (op->d != BIS_DISCARD)
		h->slots[op->d] = value;
	return IOP_NEXT(h, op + 2);
}

static const struct bis_block *block_of_call(const struct iop *op)
{
	return iop_pointer(op, 1, 1);
}

/* Runs the helper with pc and the instruction count exact. */
static inline void call_precise(struct bis_hart *h, const struct bis_block *b, const struct iop *op)
{
	uint64_t value;

	h->pc = engine_insn_pc(h, b, op->insn);
	h->ahead = b->insns - op->insn;
	value = call_helper(h, op);
	h->ahead = 0;
	if (op->d != BIS_DISCARD && !h->exception)
		h->slots[op->d] = value;
}

const struct iop *interp_call_traps(struct bis_hart *h, const struct iop *op)
{
	const struct bis_block *b = block_of_call(op);

	call_precise(h, b, op);
	if (BIS_UNLIKELY(h->exception))
		return raise_in(h, b, op);
	return IOP_NEXT(h, op + 2);
}

const struct iop *interp_call_ends(struct bis_hart *h, const struct iop *op)
{
	const struct bis_block *b = block_of_call(op);

	h->next_pc = engine_insn_pc(h, b, op->insn + 1u);
	call_precise(h, b, op);
	if (BIS_UNLIKELY(h->exception))
		return raise_in(h, b, op);
	h->pc = h->next_pc;
	return go(h, h->pc);
}

const struct iop *interp_call_may_end(struct bis_hart *h, const struct iop *op)
{
	const struct bis_block *b = block_of_call(op);
	uint64_t key = h->block_key;

	call_precise(h, b, op);
	if (BIS_UNLIKELY(h->exception))
		return raise_in(h, b, op);
	if (BIS_LIKELY(h->block_key == key && !atomic_load_explicit(&h->requests, memory_order_relaxed)))
		return IOP_NEXT(h, op + 2);
	h->pc = engine_insn_pc(h, b, op->insn + 1u);
	h->budget += b->insns - (op->insn + 1);
	return go(h, h->pc);
}

const struct iop *interp_jump(struct bis_hart *h, const struct iop *op)
{
	const struct iop *next = iop_continue(h, iop_pointer(op, 1, 0));

	return IOP_NEXT(h, next);
}

const struct iop *interp_jump_reg(struct bis_hart *h, const struct iop *op)
{
	return go(h, h->slots[op->a] & ~UINT64_C(1));
}

#define BRANCH(name, width, right)                                                                                     \
	const struct iop *interp_branch_##name##_##width##_##right(struct bis_hart *h, const struct iop *op)           \
	{                                                                                                              \
		const struct iop *next = end_branch_##name##_##width##_##right(h, op);                                 \
                                                                                                                       \
		return IOP_NEXT(h, next);                                                                              \
	}
INTERP_BRANCHES(BRANCH)

/* A direct exit inside the page: finds the target and links the exit to it. */
static __attribute__((noinline)) const struct iop *link_exit(struct bis_hart *h, const struct iop *op, uint64_t va)
{
	struct bis_block *from = (struct bis_block *)block_of(op);

	if (h->budget <= 0) {
		h->pc = va;
		return NULL;
	}
	return engine_follow(h, from, op->d, va);
}

const struct iop *interp_exit(struct bis_hart *h, const struct iop *op)
{
	uint64_t va = exit_target(h, op);
	const struct iop *next;

	if ((va & IOP_PAGE_MASK) != h->pc_page)
		return go(h, va);
	next = link_exit(h, op, va);
	if (!next)
		return NULL;
	return IOP_NEXT(h, next);
}

static void run_code(struct bis_hart *h, const struct iop *op)
{
	do
		op = op->fn(h, op);
	while (IOP_LOOP && op);
}

/* Runs what is left of a budget smaller than the next block, in one block of that many instructions at most. */
static void run_short(struct bis_hart *h)
{
	const struct bis_block *b = bis_block_get_short(h, h->pc, (unsigned)h->budget);

	if (!b) {
		bis_trap_deliver(h);
		return;
	}
	run_code(h, b->code);
}

static void interp_run(struct bis_hart *h)
{
	const struct iop *code;
	int64_t before;

	while (h->budget > 0 && !atomic_load_explicit(&h->requests, memory_order_acquire)) {
		before = h->budget;
		code = engine_find(h, h->pc);
		if (!code)
			return;
		run_code(h, code);
		if (h->budget < IR_MAX_INSNS && !h->exact) { /* what is left was never given */
			h->slice -= (uint64_t)h->budget;
			h->budget = 0;
		}
		if (h->budget == before && h->budget > 0 && h->budget < IR_MAX_INSNS &&
		    !atomic_load_explicit(&h->requests, memory_order_acquire))
			run_short(h);
	}
}

static void interp_link(const struct bis_hart *h, const struct bis_link *l, const void *target)
{
	(void)h;
	*(const void **)bis_near(l, l->site) = target;
}

const struct bis_engine bis_engine_interp = {
	.name = "interp",
	.summary = "portable interpreter of threaded code",
	.room = interp_room,
	.lower = interp_lower,
	.link = interp_link,
	.run = interp_run,
};
