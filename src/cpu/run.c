/*
 * A hart's thread: runs slices, serves requests from other threads, sleeps in WFI, parks at safepoints.
 *
 * State is HART_RUNNING only while guest memory may be touched through the TLB. A request is a bit in `requests` set
 * before `state` is looked at; the hart sets HART_RUNNING before it looks at `requests`. So whoever asks either finds
 * the hart not running, and the hart serves the request before it runs, or the hart sees the bit.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "src/cpu/breaks_internal.h"
#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/machine/machine_internal.h"
#include "src/machine/observe.h"
#include "src/translate/block_internal.h"

/* Instructions between two looks at the clock: some tens of microseconds. */
#define SLICE	      50000
#define FRUITLESS_MAX 1000

#define FLUSH_YIELDS 8
#define FLUSH_NAP_NS 20000

void bis_hart_update_timers(struct bis_hart *h)
{
	uint64_t now = bis_hart_ticks(h), mtip = INTERRUPT_BIT(BIS_LINE_MTIP), stip = INTERRUPT_BIT(BIS_LINE_STIP);

	if (now >= atomic_load(&h->mtimecmp))
		atomic_fetch_or(&h->lines, mtip);
	else if (atomic_load(&h->lines) & mtip)
		atomic_fetch_and(&h->lines, ~mtip);
	if (h->stimer && now >= h->stimecmp)
		atomic_fetch_or(&h->lines, stip);
	else if (atomic_load(&h->lines) & stip)
		atomic_fetch_and(&h->lines, ~stip);
}

void bis_hart_timer_changed(struct bis_hart *h)
{
	bis_hart_update_timers(h);
	bis_trap_poll(h);
	if (h->machine->cfg.clock == BIS_CLOCK_VIRTUAL)
		atomic_fetch_or(&h->requests, REQ_IRQ); /* the slice may be too long now */
}

void bis_hart_drop_page(struct bis_hart *h, uint64_t pa_page)
{
	pthread_mutex_lock(&h->lock);
	if (h->drops < HART_DROP_MAX)
		h->drop[h->drops] = pa_page;
	if (h->drops <= HART_DROP_MAX)
		h->drops++;
	pthread_mutex_unlock(&h->lock);
	bis_hart_request(h, REQ_DROP_PAGES);
}

/* Forgetting write entries is safe between any two accesses, also in the middle of a block. */
static void flush_writes(struct bis_hart *h)
{
	uint64_t epoch;

	/* In this order: whoever asks from now on sets the bit anew, and everyone before is covered by the epoch. */
	atomic_fetch_and(&h->requests, ~(uint32_t)REQ_FLUSH_WRITES);
	epoch = atomic_load(&h->machine->flush_epoch);
	bis_tlb_flush_writes(h);
	atomic_store(&h->flushed, epoch);
}

/* So is forgetting all of them. */
static void fence(struct bis_hart *h)
{
	atomic_fetch_and(&h->requests, ~(uint32_t)REQ_FENCE);
	bis_tlb_flush(h);
}

static void drop_pages(struct bis_hart *h)
{
	uint64_t pages[HART_DROP_MAX];
	unsigned count;

	pthread_mutex_lock(&h->lock);
	count = h->drops;
	for (unsigned i = 0; i < count && i < HART_DROP_MAX; i++)
		pages[i] = h->drop[i];
	h->drops = 0;
	pthread_mutex_unlock(&h->lock);
	if (count > HART_DROP_MAX) {
		bis_block_cache_flush(h->cache);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		bis_block_cache_drop_page(h->cache, pages[i]);
}

void bis_hart_go_outside(struct bis_hart *h)
{
	if (h->machine->cfg.clock == BIS_CLOCK_VIRTUAL)
		(void)bis_hart_ticks(h); /* devices see the time of this instruction */
	if (atomic_load(&h->state) == HART_RUNNING)
		atomic_store(&h->state, HART_OUTSIDE);
}

void bis_hart_come_back(struct bis_hart *h)
{
	if (atomic_load(&h->state) != HART_OUTSIDE)
		return; /* it was parked: the control thread is looking at it */
	atomic_store(&h->state, HART_RUNNING);
	if (atomic_load(&h->requests) & REQ_FLUSH_WRITES)
		flush_writes(h);
	if (atomic_load(&h->requests) & REQ_FENCE)
		fence(h);
}

void bis_hart_serve(struct bis_hart *h)
{
	uint32_t requests = atomic_load(&h->requests);

	if (requests & REQ_FLUSH_WRITES)
		flush_writes(h);
	if (requests & REQ_FENCE)
		fence(h);
	if (requests & REQ_DROP_PAGES) {
		atomic_fetch_and(&h->requests, ~(uint32_t)REQ_DROP_PAGES);
		drop_pages(h);
	}
}

void bis_harts_ask_flush_writes(struct bis_machine *m, struct bis_hart *self)
{
	uint64_t before = atomic_fetch_add(&m->flush_epoch, 1);

	/* Where it does not hold, others have asked: then the bit is set, or about to be. */
	if (self && atomic_load(&self->flushed) == before)
		atomic_store(&self->flushed, before + 1);
	for (unsigned i = 0; i < m->n_harts; i++)
		if (m->harts[i] != self)
			bis_hart_request(m->harts[i], REQ_FLUSH_WRITES);
}

bool bis_harts_have_flushed(struct bis_machine *m, const struct bis_hart *self)
{
	uint64_t epoch = atomic_load(&m->flush_epoch);

	for (unsigned i = 0; i < m->n_harts; i++) {
		const struct bis_hart *h = m->harts[i];

		if (h != self && atomic_load(&h->state) == HART_RUNNING && atomic_load(&h->flushed) < epoch)
			return false;
	}
	return true;
}

/* A hart answers at the end of its slice, but it may have to wait for a processor first: then this one is given up. */
void bis_harts_flush_writes(struct bis_machine *m)
{
	const struct timespec nap = {.tv_nsec = FLUSH_NAP_NS};

	bis_harts_ask_flush_writes(m, NULL);
	for (unsigned i = 0; !bis_harts_have_flushed(m, NULL); i++) {
		if (i < FLUSH_YIELDS)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
}

/* --- Sleeping in WFI --- */

/* The machine time at which a timer interrupt that ends WFI becomes pending, in ticks. */
static uint64_t next_deadline(const struct bis_hart *h)
{
	bool m_wakes = h->mie & INTERRUPT_BIT(BIS_LINE_MTIP);
	bool s_wakes = (h->mie & INTERRUPT_BIT(BIS_LINE_STIP)) && h->stimer;
	uint64_t m = m_wakes ? atomic_load(&h->mtimecmp) : UINT64_MAX, s = s_wakes ? h->stimecmp : UINT64_MAX;

	return m < s ? m : s;
}

static struct timespec host_time(const struct bis_machine *m, uint64_t ticks)
{
	uint64_t now = bis_machine_ticks(m), wait = ticks > now ? ticks - now : 0;
	struct timespec ts;

	/* A far deadline is cut to a day: the hart looks again then. */
	if (wait > UINT64_C(86400) * BIS_TIMEBASE_HZ)
		wait = UINT64_C(86400) * BIS_TIMEBASE_HZ;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (time_t)(wait / BIS_TIMEBASE_HZ);
	ts.tv_nsec += (long)(wait % BIS_TIMEBASE_HZ) * (long)(1000000000 / BIS_TIMEBASE_HZ);
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

static void publish(struct bis_hart *h)
{
	atomic_store_explicit(&h->retired_public, h->retired, memory_order_relaxed);
}

/* Waits for a request, until machine time `deadline` at most. */
static void sleep_until(struct bis_hart *h, uint64_t deadline)
{
	uint64_t until = bis_clock_sleep(h, deadline);
	struct timespec ts = host_time(h->machine, until);
	int err = 0;

	publish(h);
	atomic_store(&h->sleeping_public, 1);
	pthread_mutex_lock(&h->lock);
	atomic_store(&h->state, HART_OUTSIDE);
	if (!atomic_load(&h->requests))
		err = pthread_cond_timedwait(&h->wake, &h->lock, &ts);
	atomic_store(&h->state, HART_RUNNING);
	pthread_mutex_unlock(&h->lock);
	atomic_store(&h->sleeping_public, 0);
	bis_clock_wake(h, until, err == ETIMEDOUT);
	bis_hart_serve(h);
}

/* --- Running --- */

/* The machine time at which MTIP or STIP changes by itself, in ticks. */
static uint64_t next_timer(const struct bis_hart *h)
{
	uint64_t m = atomic_load(&h->mtimecmp), s = h->stimer ? h->stimecmp : UINT64_MAX, first = UINT64_MAX;
	uint64_t lines = atomic_load(&h->lines);

	if (!(lines & INTERRUPT_BIT(BIS_LINE_MTIP)))
		first = m;
	if (!(lines & INTERRUPT_BIT(BIS_LINE_STIP)) && s < first)
		first = s;
	return first;
}

static void run_slice(struct bis_hart *h)
{
	uint64_t slice = h->step_limit < SLICE ? h->step_limit : SLICE, due = bis_clock_insns_until(h, next_timer(h));
	uint64_t before = h->retired, used;
	bool passing = h->passing;

	if (due < slice)
		slice = due;
	if (h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_INSTRET)) {
		uint64_t left = bis_breaks_insns_left(h);

		slice = left < slice ? left : slice;
	}
	if (passing)
		slice = 1;
	h->exact = slice < SLICE || h->machine->cfg.clock == BIS_CLOCK_VIRTUAL;
	h->slice = slice;
	h->budget = (int64_t)slice;
	h->engine->run(h);
	used = h->slice - (uint64_t)h->budget; /* an engine may have cut the slice short */
	if (passing && used)
		h->passing = false;
	h->retired += used;
	h->slice = 0;
	h->budget = 0;
	bis_hot_count(h);
	h->fruitless = h->retired == before ? h->fruitless + used : 0;
	if (h->step_limit != UINT64_MAX)
		h->step_limit -= h->step_once && used ? h->step_limit : h->retired - before;
	publish(h);
}

/* Is a stepping hart done? It is also if it sleeps, or does nothing but trap and would never be. */
static bool step_done(const struct bis_hart *h)
{
	if (h->step_limit == UINT64_MAX)
		return false;
	return h->step_limit == 0 || h->sleeping || atomic_load(&h->halted) || h->fruitless > FRUITLESS_MAX;
}

/* Stops a stepping hart: it asks itself to park. */
static void end_step(struct bis_hart *h)
{
	h->fruitless = 0;
	pthread_mutex_lock(&h->lock);
	h->may_run = false;
	pthread_mutex_unlock(&h->lock);
	atomic_fetch_or(&h->requests, REQ_PARK);
	bis_machine_has_stepped(h->machine, h->id);
}

static void run_until_park(struct bis_hart *h)
{
	while (!(atomic_load(&h->requests) & REQ_PARK)) {
		bis_hart_serve(h);
		if (atomic_load(&h->requests) & REQ_SAMPLE)
			bis_hart_give_sample(h);
		atomic_fetch_and(&h->requests, ~(uint32_t)REQ_IRQ);
		bis_hart_update_timers(h);
		if (bis_trap_pending(h))
			h->sleeping = false;
		if (step_done(h)) {
			end_step(h);
		} else if (atomic_load(&h->halted)) {
			sleep_until(h, UINT64_MAX);
		} else if (atomic_load(&h->launching)) {
			bis_hart_serve_launch(h);
		} else if (h->sleeping) {
			sleep_until(h, next_deadline(h));
		} else if ((h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_INSTRET)) &&
			   bis_break_reached(h, BIS_BREAK_INSTRET, h->retired)) {
			continue;
		} else {
			if (bis_trap_interrupt(h) && h->step_once)
				h->step_limit = 0;
			else
				run_slice(h);
		}
	}
}

/* Whatever the program that started us does with these signals: what an access to a mapped file raises is caught
 * (guarded.h), and a write that makes a file too long is an error for the guest and no end of the process. */
static void choose_signals(void)
{
	sigset_t caught, refused;

	sigemptyset(&caught);
	sigaddset(&caught, SIGBUS);
	sigemptyset(&refused);
	sigaddset(&refused, SIGXFSZ);
	pthread_sigmask(SIG_UNBLOCK, &caught, NULL);
	pthread_sigmask(SIG_BLOCK, &refused, NULL);
}

static void *hart_thread(void *arg)
{
	struct bis_hart *h = arg;

	choose_signals();
	for (;;) {
		bool quit;

		pthread_mutex_lock(&h->lock);
		atomic_store(&h->state, HART_PARKED);
		pthread_cond_broadcast(&h->wake);
		while (!h->may_run && !atomic_load(&h->machine->quit))
			pthread_cond_wait(&h->wake, &h->lock);
		quit = atomic_load(&h->machine->quit);
		if (!quit) {
			atomic_fetch_and(&h->requests, ~(uint32_t)REQ_PARK);
			atomic_store(&h->state, HART_RUNNING);
		}
		pthread_mutex_unlock(&h->lock);
		if (quit)
			return NULL;
		run_until_park(h);
	}
}

int bis_hart_start_thread(struct bis_hart *h)
{
	int err = pthread_create(&h->thread, NULL, hart_thread, h);

	if (err)
		return bis_fail(err, "cannot start a thread for hart %u", h->id);
	h->thread_started = true;
	return 0;
}

void bis_hart_join_thread(struct bis_hart *h)
{
	if (!h->thread_started)
		return;
	bis_hart_ask_park(h);
	pthread_join(h->thread, NULL);
	h->thread_started = false;
}

void bis_hart_release(struct bis_hart *h)
{
	pthread_mutex_lock(&h->lock);
	h->may_run = true;
	pthread_cond_broadcast(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

void bis_hart_ask_park(struct bis_hart *h)
{
	pthread_mutex_lock(&h->lock);
	h->may_run = false;
	atomic_fetch_or(&h->requests, REQ_PARK);
	pthread_cond_broadcast(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

void bis_hart_wait_parked(struct bis_hart *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->thread_started && (h->may_run || atomic_load(&h->state) != HART_PARKED))
		pthread_cond_wait(&h->wake, &h->lock);
	pthread_mutex_unlock(&h->lock);
}
