/*
 * Handlers of loads, stores and atomics: one inline TLB probe, everything else in slow functions. Hart's thread.
 */
#include "src/engine/interp/bodies.h"
#include "src/engine/interp/interp_internal.h"
#include "src/machine/machine_internal.h"

/* Who watches accesses to devices is told the pc, which is not kept inside a block. */
static void note_pc(struct bis_hart *h, const struct iop *op)
{
	if (BIS_UNLIKELY(h->machine->cfg.observer.mmio))
		interp_note_pc(h, op);
}

/* Loads through the slow path, leaving the raw value in d: true unless an exception was raised. */
static __attribute__((noinline)) bool slow_load(struct bis_hart *h, const struct iop *op, uint64_t va, unsigned size)
{
	uint64_t value;

	note_pc(h, op);
	if (!bis_mmu_load(h, va, size, &value))
		return false;
	h->slots[op->d] = value;
	return true;
}

static __attribute__((noinline)) bool slow_store(struct bis_hart *h, const struct iop *op, uint64_t va, unsigned size)
{
	note_pc(h, op);
	return bis_mmu_store(h, va, size, h->slots[op->b]);
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
		return IOP_NEXT(h, op + 1);                                                                            \
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

/* --- Atomics: unprivileged specification, chapter 8 --- */

/* A located aligned RAM word; host is NULL if an exception was raised. `watched`: the slow way was taken. */
struct word {
	uint8_t *host;
	bool watched;
	struct bis_mem_page page;
	uint64_t pa;
};

static void find_word(struct bis_hart *h, uint64_t va, unsigned size, bool write, struct word *w)
{
	const struct bis_tlb_entry *e = probe(h, va);

	w->watched = false;
	if ((va & IOP_PAGE_MASK) == (write ? e->wtag : e->rtag) && !(va & (size - 1))) {
		w->host = (uint8_t *)(e->addend + va);
		return;
	}
	w->watched = write;
	w->host = bis_mmu_atomic(h, va, size, write, &w->page, &w->pa);
}

static void word_written(struct bis_hart *h, struct word *w)
{
	if (w->watched)
		bis_mmu_atomic_done(h, &w->page, w->pa);
}

/* A 32-bit value as a register of the hart holds it. */
static uint64_t word_result(const struct bis_hart *h, uint64_t v, unsigned size)
{
	return (size == 4 ? (uint64_t)(int64_t)(int32_t)v : v) & h->xmask;
}

static uint64_t load_word(const uint8_t *host, unsigned size)
{
	if (size == 4)
		return __atomic_load_n((const uint32_t *)(const void *)host, __ATOMIC_SEQ_CST);
	return __atomic_load_n((const uint64_t *)(const void *)host, __ATOMIC_SEQ_CST);
}

static bool swap_word(uint8_t *host, unsigned size, uint64_t old, uint64_t value)
{
	uint32_t old32 = (uint32_t)old;

	if (size == 4)
		return __atomic_compare_exchange_n((uint32_t *)(void *)host, &old32, (uint32_t)value, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return __atomic_compare_exchange_n((uint64_t *)(void *)host, &old, value, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* The reservation is the address and the value read: sc succeeds if the word still holds that value. */
static __attribute__((noinline)) bool run_lr(struct bis_hart *h, const struct iop *op)
{
	unsigned size = (unsigned)op->imm;
	uint64_t va = h->slots[op->a], value;
	struct word w;

	find_word(h, va, size, false, &w);
	if (!w.host)
		return false;
	value = load_word(w.host, size);
	h->res_addr = va;
	h->res_value = value;
	h->res_size = (uint8_t)size;
	if (op->d != BIS_DISCARD)
		h->slots[op->d] = word_result(h, value, size);
	return true;
}

static __attribute__((noinline)) bool run_sc(struct bis_hart *h, const struct iop *op)
{
	unsigned size = (unsigned)op->imm;
	uint64_t va = h->slots[op->a];
	bool reserved = h->res_addr == va && h->res_size == size, done;
	struct word w;

	find_word(h, va, size, true, &w);
	if (!w.host)
		return false;
	done = reserved && swap_word(w.host, size, h->res_value, h->slots[op->b]);
	if (done)
		word_written(h, &w);
	h->res_addr = RES_NONE;
	if (op->d != BIS_DISCARD)
		h->slots[op->d] = !done;
	return true;
}

static uint64_t amo_value(enum bis_amo op, uint64_t old, uint64_t v, unsigned size)
{
	int64_t so = size == 4 ? (int32_t)old : (int64_t)old, sv = size == 4 ? (int32_t)v : (int64_t)v;
	uint64_t uo = size == 4 ? (uint32_t)old : old, uv = size == 4 ? (uint32_t)v : v;

	switch (op) {
	case BIS_AMO_SWAP:
		return v;
	case BIS_AMO_ADD:
		return old + v;
	case BIS_AMO_XOR:
		return old ^ v;
	case BIS_AMO_AND:
		return old & v;
	case BIS_AMO_OR:
		return old | v;
	case BIS_AMO_MIN:
		return so < sv ? old : v;
	case BIS_AMO_MAX:
		return so > sv ? old : v;
	case BIS_AMO_MINU:
		return uo < uv ? old : v;
	case BIS_AMO_MAXU:
		return uo > uv ? old : v;
	}
	return v;
}

static __attribute__((noinline)) bool run_amo(struct bis_hart *h, const struct iop *op)
{
	unsigned size = (unsigned)op->imm & 0xff;
	enum bis_amo what = (enum bis_amo)(op->imm >> 8);
	uint64_t value = h->slots[op->b], old;
	struct word w;

	find_word(h, h->slots[op->a], size, true, &w);
	if (!w.host)
		return false;
	do
		old = load_word(w.host, size);
	while (!swap_word(w.host, size, old, amo_value(what, old, value, size)));
	word_written(h, &w);
	if (op->d != BIS_DISCARD)
		h->slots[op->d] = word_result(h, old, size);
	return true;
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
