/*
 * Machine time. With the host clock it is the host's monotonic time less what was spent paused. With the virtual clock
 * it is counted in executed instructions: each hart has a time of its own, the latest of them is the machine's, and
 * while every hart sleeps the last one to fall asleep waits for the earliest deadline of all and moves time there.
 *
 * Any thread. `idle_lock` is taken by who holds no hart's lock; a hart's lock may be taken under it.
 */
#include <time.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"

#define NS_PER_INSN 10
#define NS_PER_TICK (1000000000 / BIS_TIMEBASE_HZ)

uint64_t bis_host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

enum bis_clock bis_machine_clock(const struct bis_machine *m)
{
	return m->cfg.clock;
}

uint64_t bis_machine_now(const struct bis_machine *m)
{
	uint64_t frozen;

	if (m->cfg.clock == BIS_CLOCK_VIRTUAL)
		return atomic_load(&m->virtual_ns);
	frozen = atomic_load_explicit(&m->frozen_at, memory_order_acquire);
	return frozen != TIME_RUNS ? frozen : bis_host_ns() - atomic_load_explicit(&m->time_zero, memory_order_relaxed);
}

uint64_t bis_machine_ticks(const struct bis_machine *m)
{
	return bis_machine_now(m) / NS_PER_TICK;
}

void bis_clock_freeze(struct bis_machine *m)
{
	atomic_store(&m->frozen_at, bis_machine_now(m));
}

void bis_clock_thaw(struct bis_machine *m)
{
	atomic_store(&m->time_zero, bis_host_ns() - atomic_load(&m->frozen_at));
	atomic_store(&m->frozen_at, TIME_RUNS);
	bis_devctl_kick(m->devctl);
}

void bis_clock_set(struct bis_machine *m, uint64_t now)
{
	atomic_store(&m->frozen_at, now);
	atomic_store(&m->virtual_ns, now);
}

/* --- Virtual time --- */

/* Time never runs backwards: the later of `ns` and what it is already. */
static uint64_t advance_to(struct bis_machine *m, uint64_t ns)
{
	uint64_t now = atomic_load(&m->virtual_ns);

	while (now < ns && !atomic_compare_exchange_weak(&m->virtual_ns, &now, ns))
		;
	return now < ns ? ns : now;
}

/* The harts and the device controller whose deadlines have come are woken. */
static void wake_due(struct bis_machine *m, uint64_t now)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		if (atomic_load(&m->harts[i]->deadline) <= now / NS_PER_TICK)
			bis_hart_request(m->harts[i], REQ_IRQ);
	if (atomic_load(&m->next_timer) <= now) {
		atomic_store(&m->next_timer, UINT64_MAX);
		bis_devctl_kick(m->devctl);
	}
}

uint64_t bis_hart_ticks(struct bis_hart *h)
{
	struct bis_machine *m = h->machine;
	uint64_t own, now;

	if (m->cfg.clock == BIS_CLOCK_HOST)
		return bis_machine_ticks(m);
	own = h->virtual_base + bis_hart_retired(h) * NS_PER_INSN;
	now = advance_to(m, own);
	h->virtual_base += now - own;
	return now / NS_PER_TICK;
}

uint64_t bis_clock_insns_until(struct bis_hart *h, uint64_t ticks)
{
	uint64_t now;

	if (h->machine->cfg.clock == BIS_CLOCK_HOST)
		return UINT64_MAX;
	now = bis_hart_ticks(h);
	wake_due(h->machine, atomic_load(&h->machine->virtual_ns));
	if (ticks <= now)
		return 1;
	return ticks - now > UINT32_MAX ? UINT32_MAX : (ticks - now) * (NS_PER_TICK / NS_PER_INSN);
}

/* Does every hart sleep? *ticks then is the earliest deadline. `idle_lock` held. */
static bool all_asleep(const struct bis_machine *m, uint64_t *ticks)
{
	uint64_t timer = atomic_load(&m->next_timer), first;

	first = timer / NS_PER_TICK + (timer % NS_PER_TICK != 0);
	for (unsigned i = 0; i < m->n_harts; i++) {
		uint64_t deadline = atomic_load(&m->harts[i]->deadline);

		if (!m->harts[i]->idle)
			return false;
		if (deadline < first)
			first = deadline;
	}
	*ticks = first;
	return true;
}

uint64_t bis_clock_sleep(struct bis_hart *h, uint64_t deadline)
{
	struct bis_machine *m = h->machine;
	uint64_t first = UINT64_MAX;

	if (m->cfg.clock == BIS_CLOCK_HOST)
		return deadline;
	pthread_mutex_lock(&m->idle_lock);
	h->idle = true;
	atomic_store(&h->deadline, deadline);
	if (!all_asleep(m, &first))
		first = UINT64_MAX;
	pthread_mutex_unlock(&m->idle_lock);
	return first;
}

void bis_clock_wake(struct bis_hart *h, uint64_t waited_for, bool timed_out)
{
	struct bis_machine *m = h->machine;
	uint64_t first;

	if (m->cfg.clock == BIS_CLOCK_HOST)
		return;
	pthread_mutex_lock(&m->idle_lock);
	if (timed_out && all_asleep(m, &first) && waited_for < UINT64_MAX / NS_PER_TICK)
		wake_due(m, advance_to(m, waited_for * NS_PER_TICK));
	h->idle = false;
	atomic_store(&h->deadline, UINT64_MAX);
	pthread_mutex_unlock(&m->idle_lock);
}
