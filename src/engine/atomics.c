/* LR, SC and AMO: unprivileged specification, chapter 8; see atomics.h. */
#include "atomics.h"

/* A located aligned RAM word; host is NULL if an exception was raised. `watched`: the slow way was taken. */
struct word {
	uint8_t *host;
	bool watched;
	struct bis_mem_page page;
	uint64_t pa;
};

static void find_word(struct bis_hart *h, uint64_t va, unsigned size, bool write, struct word *w)
{
	const struct bis_tlb_entry *e = &h->dtlb[bis_tlb_index(va)];

	w->watched = false;
	if ((va & ~(uint64_t)(BIS_PAGE_SIZE - 1)) == (write ? e->wtag : e->rtag) && !(va & (size - 1))) {
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
bool engine_lr(struct bis_hart *h, uint64_t va, unsigned size, uint64_t *result)
{
	uint64_t value;
	struct word w;

	find_word(h, va, size, false, &w);
	if (!w.host)
		return false;
	value = load_word(w.host, size);
	h->res_addr = va;
	h->res_value = value;
	h->res_size = (uint8_t)size;
	*result = word_result(h, value, size);
	return true;
}

bool engine_sc(struct bis_hart *h, uint64_t va, unsigned size, uint64_t value, uint64_t *result)
{
	bool reserved = h->res_addr == va && h->res_size == size, done;
	struct word w;

	find_word(h, va, size, true, &w);
	if (!w.host)
		return false;
	done = reserved && swap_word(w.host, size, h->res_value, value);
	if (done)
		word_written(h, &w);
	h->res_addr = RES_NONE;
	*result = !done;
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

bool engine_amo(struct bis_hart *h, enum bis_amo op, uint64_t va, unsigned size, uint64_t value, uint64_t *result)
{
	struct word w;
	uint64_t old;

	find_word(h, va, size, true, &w);
	if (!w.host)
		return false;
	do
		old = load_word(w.host, size);
	while (!swap_word(w.host, size, old, amo_value(op, old, value, size)));
	word_written(h, &w);
	*result = word_result(h, old, size);
	return true;
}
