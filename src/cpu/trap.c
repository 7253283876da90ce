/*
 * Traps and interrupts: delivery, delegation, return, WFI. Privileged specification 1.12, sections 3.1.6 to 3.1.9,
 * 3.3 and 4.1. Hart's thread, except bis_hart_set_line and the timer setters (any thread).
 */
#include "src/cpu/breaks_internal.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/observe.h"

#define INTERRUPT_FLAG(h) (UINT64_C(1) << ((h)->xlen - 1))

/* Highest priority first; lines for platform use come before the standard ones of the same destination. */
static const uint8_t interrupt_order[] = {BIS_LINE_NATIVE, BIS_LINE_MEIP, BIS_LINE_MSIP, BIS_LINE_MTIP,
					  BIS_LINE_SEIP,   BIS_LINE_SSIP, BIS_LINE_STIP};

void bis_hart_raise(struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	h->exception = true;
	h->exc_cause = cause;
	h->exc_tval = tval & h->xmask;
}

static uint64_t vectored(uint64_t tvec, uint64_t cause, bool interrupt)
{
	uint64_t base = tvec & ~UINT64_C(3);

	return interrupt && (tvec & 3) == 1 ? base + 4 * cause : base;
}

static void enter_s(struct bis_hart *h, uint64_t cause, uint64_t tval, bool interrupt)
{
	uint64_t st = h->mstatus & ~(MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SIE);

	if (h->mstatus & MSTATUS_SIE)
		st |= MSTATUS_SPIE;
	if (h->priv == BIS_PRIV_S)
		st |= MSTATUS_SPP;
	h->mstatus = st;
	h->sepc = h->pc;
	h->scause = cause | (interrupt ? INTERRUPT_FLAG(h) : 0);
	h->stval = tval;
	h->pc = vectored(h->stvec, cause, interrupt) & h->xmask;
	h->priv = BIS_PRIV_S;
}

static void enter_m(struct bis_hart *h, uint64_t cause, uint64_t tval, bool interrupt)
{
	uint64_t st = h->mstatus & ~(MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MIE);

	if (h->mstatus & MSTATUS_MIE)
		st |= MSTATUS_MPIE;
	h->mstatus = st | (uint64_t)h->priv << MSTATUS_MPP_SHIFT;
	h->mepc = h->pc;
	h->mcause = cause | (interrupt ? INTERRUPT_FLAG(h) : 0);
	h->mtval = tval;
	h->pc = vectored(h->mtvec, cause, interrupt) & h->xmask;
	h->priv = BIS_PRIV_M;
}

static void enter(struct bis_hart *h, uint64_t cause, uint64_t tval, bool interrupt)
{
	uint64_t deleg = interrupt ? h->mideleg : h->medeleg, pc = h->pc;
	enum bis_priv from = (enum bis_priv)h->priv;

	if (h->priv != BIS_PRIV_M && (deleg >> cause & 1))
		enter_s(h, cause, tval, interrupt);
	else
		enter_m(h, cause, tval, interrupt);
	h->next_pc = h->pc;
	bis_hart_update_mode(h);
	if (BIS_UNLIKELY(h->machine->cfg.observer.trap))
		bis_observe_trap(h, pc, from, cause, tval, interrupt, false);
}

/* Lets the modules that are asked about such traps have it: true if one has handled it. */
static bool offer(struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	enum bis_priv from = (enum bis_priv)h->priv;
	uint64_t pc = h->pc;
	bool handled;

	bis_hart_go_outside(h);
	handled = bis_machine_offer_trap(h->machine, h, cause, tval);
	bis_hart_come_back(h);
	bis_hart_update_mode(h);
	if (handled && BIS_UNLIKELY(h->machine->cfg.observer.trap))
		bis_observe_trap(h, pc, from, cause, tval, false, true);
	return handled;
}

void bis_trap_deliver(struct bis_hart *h)
{
	uint64_t cause = h->exc_cause, tval = h->exc_tval;

	h->exception = false;
	if (BIS_UNLIKELY(cause == CAUSE_STOP)) {
		h->next_pc = h->pc;
		return;
	}
	if ((h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_TRAP)) && bis_break_reached(h, BIS_BREAK_TRAP, cause)) {
		h->next_pc = h->pc;
		return;
	}
	bis_count(&h->traps[cause & 63]);
	/* A trap takes its part of the slice, so that one without end does not keep timers waiting; it retires nothing.
	 */
	h->budget--;
	h->retired--;
	if (cause < 64 && (h->machine->trap_causes >> cause & 1) && offer(h, cause, tval))
		return;
	enter(h, cause, tval, false);
	bis_trap_poll(h);
}

uint64_t bis_trap_mip(const struct bis_hart *h)
{
	return h->mip_soft | atomic_load_explicit(&h->lines, memory_order_acquire);
}

void bis_trap_change_mip(struct bis_hart *h, uint64_t set, uint64_t clear)
{
	uint64_t ssip = INTERRUPT_BIT(BIS_LINE_SSIP);

	/* Other harts set SSIP too: it is changed alone and at once. */
	if (clear & ssip)
		atomic_fetch_and(&h->lines, ~ssip);
	if (set & ssip)
		atomic_fetch_or(&h->lines, ssip);
	h->mip_soft = ((h->mip_soft & ~clear) | set) & ~ssip;
	bis_trap_poll(h);
}

uint64_t bis_trap_pending(const struct bis_hart *h)
{
	return bis_trap_mip(h) & h->mie;
}

/* Pending interrupts that the current privilege and global enables let through, as mip bits. */
static uint64_t takeable(const struct bis_hart *h)
{
	uint64_t pending = bis_trap_pending(h);
	uint64_t to_m = pending & ~h->mideleg, to_s = pending & h->mideleg;

	if (!pending)
		return 0;
	if (h->priv == BIS_PRIV_M && !(h->mstatus & MSTATUS_MIE))
		to_m = 0;
	if (h->priv == BIS_PRIV_M || (h->priv == BIS_PRIV_S && !(h->mstatus & MSTATUS_SIE)))
		to_s = 0;
	return to_m ? to_m : to_s;
}

bool bis_trap_interrupt(struct bis_hart *h)
{
	uint64_t ready = takeable(h);

	for (size_t i = 0; ready && i < BIS_ARRAY_SIZE(interrupt_order); i++) {
		unsigned n = interrupt_order[i];

		if (!(ready >> n & 1))
			continue;
		if ((h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_INTERRUPT)) &&
		    bis_break_reached(h, BIS_BREAK_INTERRUPT, n))
			return false;
		h->passing = false;
		bis_count(&h->interrupts[n]);
		enter(h, n, 0, true);
		return true;
	}
	return false;
}

void bis_trap_poll(struct bis_hart *h)
{
	if (BIS_UNLIKELY(takeable(h)))
		atomic_fetch_or_explicit(&h->requests, REQ_IRQ, memory_order_relaxed);
}

void bis_hart_set_line(struct bis_hart *h, enum bis_hart_line line, bool level)
{
	uint64_t bit = INTERRUPT_BIT(line);
	uint64_t before = level ? atomic_fetch_or(&h->lines, bit) : atomic_fetch_and(&h->lines, ~bit);

	if (level && !(before & bit))
		bis_hart_request(h, REQ_IRQ);
}

void bis_hart_set_mtimecmp(struct bis_hart *h, uint64_t ticks)
{
	atomic_store(&h->mtimecmp, ticks);
	if (bis_machine_ticks(h->machine) < ticks)
		atomic_fetch_and(&h->lines, ~INTERRUPT_BIT(BIS_LINE_MTIP));
	bis_hart_request(h, REQ_IRQ);
}

uint64_t bis_hart_mtimecmp(const struct bis_hart *h)
{
	return atomic_load(&h->mtimecmp);
}

void bis_hart_ecall(struct bis_hart *h)
{
	static const uint8_t cause[] = {BIS_CAUSE_ECALL_U, BIS_CAUSE_ECALL_S, 0, BIS_CAUSE_ECALL_M};

	bis_hart_raise(h, cause[h->priv], 0);
}

void bis_hart_ebreak(struct bis_hart *h)
{
	bis_hart_raise(h, BIS_CAUSE_BREAKPOINT, h->pc);
}

/* Without compressed instructions, bit 1 of an exception pc reads as zero. */
static uint64_t readable_epc(const struct bis_hart *h, uint64_t epc)
{
	return epc & ~(uint64_t)(h->isa.ialign - 1);
}

void bis_hart_mret(struct bis_hart *h, uint32_t raw)
{
	uint64_t st = h->mstatus;
	unsigned to = (unsigned)((st & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT);

	if (h->priv != BIS_PRIV_M) {
		bis_hart_raise(h, BIS_CAUSE_ILLEGAL, raw);
		return;
	}
	st &= ~(MSTATUS_MIE | MSTATUS_MPP);
	if (st & MSTATUS_MPIE)
		st |= MSTATUS_MIE;
	st |= MSTATUS_MPIE;
	if (to != BIS_PRIV_M)
		st &= ~MSTATUS_MPRV;
	h->mstatus = st;
	h->priv = (uint8_t)to;
	h->next_pc = readable_epc(h, h->mepc);
	bis_hart_update_mode(h);
	bis_trap_poll(h);
}

void bis_hart_sret(struct bis_hart *h, uint32_t raw)
{
	uint64_t st = h->mstatus;

	if (h->priv == BIS_PRIV_U || (h->priv == BIS_PRIV_S && (st & MSTATUS_TSR))) {
		bis_hart_raise(h, BIS_CAUSE_ILLEGAL, raw);
		return;
	}
	h->priv = st & MSTATUS_SPP ? BIS_PRIV_S : BIS_PRIV_U;
	st &= ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);
	if (st & MSTATUS_SPIE)
		st |= MSTATUS_SIE;
	h->mstatus = st | MSTATUS_SPIE;
	h->next_pc = readable_epc(h, h->sepc);
	bis_hart_update_mode(h);
	bis_trap_poll(h);
}

void bis_hart_wfi(struct bis_hart *h, uint32_t raw)
{
	/* TW: S and U may wait no time at all; U traps always, as an implementation may. */
	if (h->priv == BIS_PRIV_U || (h->priv == BIS_PRIV_S && (h->mstatus & MSTATUS_TW))) {
		bis_hart_raise(h, BIS_CAUSE_ILLEGAL, raw);
		return;
	}
	h->sleeping = true;
	atomic_fetch_or_explicit(&h->requests, REQ_IRQ, memory_order_relaxed);
}

void bis_hart_sfence_vma(struct bis_hart *h, bool has_va, uint64_t va, bool has_asid, uint64_t asid, uint32_t raw)
{
	(void)has_asid; /* entries carry no ASID: a fence for one flushes all */
	(void)asid;
	if (h->priv == BIS_PRIV_U || (h->priv == BIS_PRIV_S && (h->mstatus & MSTATUS_TVM))) {
		bis_hart_raise(h, BIS_CAUSE_ILLEGAL, raw);
		return;
	}
	if (has_va)
		bis_tlb_flush_va(h, va);
	else
		bis_tlb_flush(h);
}

void bis_hart_fence_i(struct bis_hart *h)
{
	/* Written code pages are reported as they are written; what is still queued is dropped here. */
	bis_hart_serve(h);
}
