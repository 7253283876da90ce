/*
 * What firmware in the form of a module does to harts, <biscuit/hart.h>: entering the next stage, stopping and starting
 * (SBI hart state management), remote fences, reading through the hart's address translation. Hart's own thread, or the
 * control thread with harts parked, unless a function says otherwise.
 */
#include <errno.h>
#include <sched.h>

#include <biscuit/error.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"

void bis_hart_enter(struct bis_hart *h, enum bis_priv priv, uint64_t pc, uint64_t a0, uint64_t a1)
{
	h->priv = (uint8_t)priv;
	h->satp = 0;
	h->paging = NULL;
	h->mstatus &= ~(MSTATUS_SIE | MSTATUS_MPRV);
	h->res_addr = RES_NONE;
	h->sleeping = false;
	h->slots[10] = a0 & h->xmask;
	h->slots[11] = a1 & h->xmask;
	bis_hart_set_pc(h, pc);
	bis_tlb_flush(h);
	bis_hart_update_mode(h);
}

void bis_hart_halt(struct bis_hart *h)
{
	atomic_store(&h->halted, true);
	atomic_fetch_or(&h->requests, REQ_IRQ); /* back to the run loop */
}

bool bis_hart_halted(const struct bis_hart *h)
{
	return atomic_load(&h->halted);
}

int bis_hart_launch(struct bis_hart *h, enum bis_priv priv, uint64_t pc, uint64_t a1)
{
	pthread_mutex_lock(&h->lock);
	if (!atomic_load(&h->halted)) {
		pthread_mutex_unlock(&h->lock);
		return bis_fail(EALREADY, "hart %u is running", h->id);
	}
	h->launch = (struct bis_launch){.priv = (uint8_t)priv, .pc = pc, .a1 = a1};
	atomic_store(&h->launching, true);
	atomic_store(&h->halted, false);
	pthread_mutex_unlock(&h->lock);
	bis_hart_request(h, REQ_IRQ);
	return 0;
}

void bis_hart_serve_launch(struct bis_hart *h)
{
	struct bis_launch l = {0};

	pthread_mutex_lock(&h->lock);
	if (atomic_exchange(&h->launching, false))
		l = h->launch;
	pthread_mutex_unlock(&h->lock);
	bis_hart_enter(h, (enum bis_priv)l.priv, l.pc, h->id, l.a1);
}

void bis_hart_sleep(struct bis_hart *h)
{
	h->sleeping = true;
	atomic_fetch_or(&h->requests, REQ_IRQ);
}

/* Has the hart forgotten what REQ_FENCE asks it to, or will it before it touches guest memory again? */
static bool is_fenced(const struct bis_hart *h)
{
	return atomic_load(&h->state) != HART_RUNNING || !(atomic_load(&h->requests) & REQ_FENCE);
}

static void fence(struct bis_machine *m, uint64_t harts)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		if (harts >> i & 1)
			bis_hart_request(m->harts[i], REQ_FENCE);
	for (unsigned i = 0; i < m->n_harts; i++)
		while ((harts >> i & 1) && !is_fenced(m->harts[i]))
			sched_yield();
}

void bis_hart_fence_others(struct bis_hart *self, uint64_t harts)
{
	struct bis_machine *m = self->machine;

	if (harts >> self->id & 1)
		bis_tlb_flush(self);
	fence(m, harts & ~(UINT64_C(1) << self->id));
}

void bis_harts_fence(struct bis_machine *m)
{
	fence(m, UINT64_MAX);
}

int bis_hart_read_virtual(struct bis_hart *h, uint64_t va, void *dst, size_t len)
{
	uint8_t *to = dst;

	while (len > 0) {
		size_t left = BIS_PAGE_SIZE - (size_t)(va & (BIS_PAGE_SIZE - 1)), part = len < left ? len : left;
		bis_gpa pa;
		int err = bis_hart_translate(h, va & h->xmask, &pa);

		if (!err)
			err = bis_mem_read(h->memory, pa, to, part);
		if (err)
			return err;
		va += part;
		to += part;
		len -= part;
	}
	return 0;
}

void bis_hart_set_stimecmp(struct bis_hart *h, uint64_t ticks)
{
	h->stimecmp = ticks;
	h->stimer = true;
	bis_hart_timer_changed(h);
}
