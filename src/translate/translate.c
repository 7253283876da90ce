/*
 * The translation loop: fetches guest instructions and lets the instruction set translate them into IR. Hart's thread
 * only.
 */
#include "src/cpu/guest_access.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/observe.h"
#include "src/translate/block_internal.h"
#include "src/translate/ir_internal.h"
#include "src/translate/translate_internal.h"

#define WATCH_SPINS 100 /* looks at the other harts before a block is made for one execution */

/* Sees to it that no hart keeps a write entry for the page. False while one may still have one. */
static bool make_sure(struct bis_hart *h, const struct bis_mem_page *page)
{
	struct bis_machine *m = h->machine;
	bool sure = false;

	pthread_mutex_lock(&m->arming_lock);
	bis_tlb_protect(h, page->host);
	if (bis_mem_watch_code(page->watch))
		bis_harts_ask_flush_writes(m, h);
	for (unsigned i = 0; i < WATCH_SPINS && !sure; i++)
		sure = bis_harts_have_flushed(m, h);
	sure = sure && bis_mem_watch_sure(page->watch);
	pthread_mutex_unlock(&m->arming_lock);
	return sure;
}

/*
 * Declares that code of this page is about to be translated. True if from now on every write to it is noticed. False
 * while a hart may still write through an old TLB entry: what is translated now may be executed, as a hart sees writes
 * of others to code only after a fence.i, but not be kept.
 */
static bool watch_page(struct bis_hart *h, const struct bis_mem_page *page)
{
	return atomic_load(page->watch) & BIS_WATCH_SURE || make_sure(h, page);
}

bool bis_code_is_uniform(const struct bis_hart *h, uint64_t va)
{
	return h->ftlb[bis_tlb_index(va)].tag == PAGE_OF(va);
}

void bis_code_take(struct bis_hart *h, uint64_t va, uint64_t pa, struct bis_code *s)
{
	struct bis_mem_page page = {0};

	bis_mem_page(h->memory, pa, &page);
	*s = (struct bis_code){.va = va,
			       .pa = pa,
			       .host = page.host,
			       .cacheable = bis_code_is_uniform(h, va),
			       .watched = watch_page(h, &page),
			       .second_page = BLOCK_DEAD};
}

bool bis_code_open(struct bis_hart *h, uint64_t va, struct bis_code *s)
{
	uint64_t pa;

	h->pc = va;
	if (!bis_mmu_fetch(h, va, &pa))
		return false;
	bis_code_take(h, va, pa, s);
	return true;
}

/* The second half of an instruction that begins in the last two bytes of a page. */
static bool fetch_across(struct bis_hart *h, struct bis_code *s, uint32_t *raw)
{
	struct bis_mem_page page = {0};
	uint64_t pa;

	if (!bis_mmu_fetch(h, (PAGE_OF(s->va) + BIS_PAGE_SIZE) & h->xmask, &pa))
		return false;
	bis_mem_page(h->memory, pa, &page);
	s->watched &= watch_page(h, &page);
	s->second_page = PAGE_OF(pa);
	*raw |= (uint32_t)guest_load16(page.host) << 16;
	return true;
}

/* Can the `len` bytes at `off` be fetched, where that does not go without saying? */
static enum bis_step fetch_all(struct bis_hart *h, struct bis_code *s, const struct bis_ir *t, unsigned off,
			       unsigned len, uint32_t *raw)
{
	uint64_t unused;

	if (off + len > BIS_PAGE_SIZE) {
		if (t->insns)
			return STEP_NOT_THIS;
		return fetch_across(h, s, raw) ? STEP_LAST : STEP_FAULT;
	}
	return len == 2 || s->cacheable || bis_mmu_fetch(h, s->va + 2, &unused) ? STEP_MORE : STEP_FAULT;
}

/* What comes before an instruction for those who look on. */
static void call_observers(const struct bis_machine *m, struct bis_ir *t, unsigned off)
{
	if (m->cfg.observer.insn)
		bis_ir_call(t, &bis_observe_insn_helper, BIS_DISCARD, bis_const(0), bis_const(0), 0);
	if ((m->breaks.kinds & BREAK_BIT(BIS_BREAK_PC)) && bis_breaks_at_offset(&m->breaks, off))
		bis_ir_call(t, &bis_break_helper, BIS_DISCARD, bis_const(0), bis_const(0), 0);
}

/* Inline, as a block is mostly this. */
static inline __attribute__((always_inline)) enum bis_step translate_insn(struct bis_hart *h, struct bis_code *s,
									  struct bis_ir *t, unsigned off, unsigned *len)
{
	const struct bis_machine *m = h->machine;
	uint32_t raw = off + 4 <= BIS_PAGE_SIZE ? guest_load32(s->host + off) : guest_load16(s->host + off);
	enum bis_step step = STEP_MORE;
	struct bis_insn insn;

	*len = m->family->length((uint16_t)raw);
	if (BIS_UNLIKELY(off + *len > BIS_PAGE_SIZE || !s->cacheable)) {
		step = fetch_all(h, s, t, off, *len, &raw);
		if (step == STEP_NOT_THIS || step == STEP_FAULT)
			return step;
	}
	bis_ir_begin_insn(t, off, *len);
	if (BIS_UNLIKELY(m->cfg.observer.insn || m->breaks.kinds & BREAK_BIT(BIS_BREAK_PC)))
		call_observers(m, t, off);
	if (bis_decode_long(m->decoder, raw, *len, &insn))
		insn.row->translate(t, &insn);
	else
		m->family->illegal(t, raw);
	return t->ended ? STEP_LAST : step;
}

enum bis_step bis_translate_insn(struct bis_hart *h, struct bis_code *s, struct bis_ir *t, unsigned off, unsigned *len)
{
	return translate_insn(h, s, t, off, len);
}

bool bis_translate_block(struct bis_hart *h, struct bis_code *s, struct bis_ir *t, unsigned max)
{
	unsigned off = PAGE_OFFSET(s->va), len;
	enum bis_step step;

	bis_ir_begin_for(t, h);
	if (!s->cacheable || h->machine->cfg.observer.insn)
		max = 1;
	do {
		step = translate_insn(h, s, t, off, &len);
		off += len;
	} while (step == STEP_MORE && t->insns < max && bis_ir_has_room(t) && off < BIS_PAGE_SIZE);
	if (step == STEP_FAULT)
		return false;
	if (!t->ended) /* goes on behind the last instruction */
		bis_ir_jump(t, t->offset[t->insns] - t->offset[t->insns - 1]);
	return true;
}
