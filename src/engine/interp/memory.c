/*
 * Handlers of loads, stores and atomics: one inline TLB probe, everything else in slow functions. Hart's thread.
 */
#include "src/cpu/breaks_internal.h"
#include "src/engine/atomics.h"
#include "src/engine/interp/bodies.h"
#include "src/engine/interp/interp_internal.h"
#include "src/machine/machine_internal.h"

/* Who watches accesses to devices is told the pc, and time that is counted in instructions has come up to this one, as
 * has the count that a watchpoint's condition asks for; none of it is kept inside a block. */
static void note_place(struct bis_hart *h, const struct iop *op)
{
	const struct bis_machine *m = h->machine;

	if (BIS_UNLIKELY(m->cfg.observer.mmio || m->cfg.clock == BIS_CLOCK_VIRTUAL ||
			 (m->breaks.kinds & BREAKS_ON_DATA)))
		interp_note_place(h, op);
}

/* Loads through the slow path, leaving the raw value in d: true unless an exception was raised. */
static __attribute__((noinline)) bool slow_load(struct bis_hart *h, const struct iop *op, uint64_t va, unsigned size)
{
	uint64_t value;
	bool done;

	note_place(h, op);
	done = bis_mmu_load(h, va, size, &value);
	h->ahead = 0;
	if (done)
		h->slots[op->d] = value;
	return done;
}

static __attribute__((noinline)) bool slow_store(struct bis_hart *h, const struct iop *op, uint64_t va, unsigned size)
{
	bool done;

	note_place(h, op);
	done = bis_mmu_store(h, va, size, h->slots[op->b]);
	h->ahead = 0;
	return done;
}

#define LOAD(kind, bits, width)                                                                                        \
	static __attribute__((noinline))                                                                               \
	const struct iop *slow_load_##kind##_##width(struct bis_hart *h, const struct iop *op)                         \
	{                                                                                                              \
		if (!slow_load(h, op, address##width(h, op), (bits) / 8))                                              \
			return interp_raise(h, op);                                                                    \
		h->slots[op->d] = AS_##kind((uint##bits##_t)h->slots[op->d]);                                          \
		return IOP_NEXT(h, op + 1);                                                                            \
	}                                                                                                              \
	const struct iop *interp_load_##kind##_##width(struct bis_hart *h, const struct iop *op)                       \
	{                                                                                                              \
		if (BIS_UNLIKELY(!do_load_##kind##_##width(h, op)))                                                    \
			return slow_load_##kind##_##width(h, op);                                                      \
		return IOP_NEXT(h, op + 1);                                                                            \
	}

#define STORE(bits, width)                                                                                             \
	static __attribute__((noinline))                                                                               \
	const struct iop *slow_store##bits##_##width(struct bis_hart *h, const struct iop *op)                         \
	{                                                                                                              \
		if (!slow_store(h, op, address##width(h, op), (bits) / 8))                                             \
			return interp_raise(h, op);                                                                    \
		return interp_stored(h, op);                                                                           \
	}                                                                                                              \
	const struct iop *interp_store##bits##_##width(struct bis_hart *h, const struct iop *op)                       \
	{                                                                                                              \
		if (BIS_UNLIKELY(!do_store##bits##_##width(h, op)))                                                    \
			return slow_store##bits##_##width(h, op);                                                      \
		return IOP_NEXT(h, op + 1);                                                                            \
	}

#define LOADS(kind, bits) LOAD(kind, bits, 64) LOAD(kind, bits, 32)
#define STORES(bits)	  STORE(bits, 64) STORE(bits, 32)

LOADS(U8, 8)
LOADS(S8, 8)
LOADS(U16, 16)
LOADS(S16, 16)
LOADS(U32, 32)
LOADS(S32, 32)
LOADS(64, 64)
LOADS(BOXED32, 32)
STORES(8)
STORES(16)
STORES(32)
STORES(64)

/* --- Atomics --- */

/* The end of an atomic access that was `done`, unless it has raised an exception: d becomes `value`. */
static bool end_atomic(struct bis_hart *h, const struct iop *op, bool done, uint64_t value)
{
	h->ahead = 0;
	if (done && op->d != BIS_DISCARD)
		h->slots[op->d] = value;
	return done;
}

/* In functions of their own, as their locals' addresses are taken. */
static __attribute__((noinline)) bool run_lr(struct bis_hart *h, const struct iop *op)
{
	uint64_t value = 0;
	bool done;

	note_place(h, op);
	done = engine_lr(h, h->slots[op->a], (unsigned)op->imm, &value);
	return end_atomic(h, op, done, value);
}

static __attribute__((noinline)) bool run_sc(struct bis_hart *h, const struct iop *op)
{
	uint64_t value = 0;
	bool done;

	note_place(h, op);
	done = engine_sc(h, h->slots[op->a], (unsigned)op->imm, h->slots[op->b], &value);
	return end_atomic(h, op, done, value);
}

static __attribute__((noinline)) bool run_amo(struct bis_hart *h, const struct iop *op)
{
	uint64_t value = 0;
	bool done;

	note_place(h, op);
	done = engine_amo(h, (enum bis_amo)(op->imm >> 8), h->slots[op->a], (unsigned)op->imm & 0xff, h->slots[op->b],
			  &value);
	return end_atomic(h, op, done, value);
}

const struct iop *interp_lr(struct bis_hart *h, const struct iop *op)
{
	if (!run_lr(h, op))
		return interp_raise(h, op);
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_sc(struct bis_hart *h, const struct iop *op)
{
	if (!run_sc(h, op))
		return interp_raise(h, op);
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_amo(struct bis_hart *h, const struct iop *op)
{
	if (!run_amo(h, op))
		return interp_raise(h, op);
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_fence(struct bis_hart *h, const struct iop *op)
{
	guest_fence();
	return IOP_NEXT(h, op + 1);
}

const struct iop *interp_fence_order(struct bis_hart *h, const struct iop *op)
{
	guest_fence_order();
	return IOP_NEXT(h, op + 1);
}
