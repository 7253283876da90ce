/*
 * The run state: start, pause, resume, step, reset, stop, and safepoints. One caller at a time, who has the control
 * lock; only the wait for the end of a step goes without, so that others may look at the machine, or stop it,
 * meanwhile.
 */
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"

void bis_machine_park(struct bis_machine *m)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_ask_park(m->harts[i]);
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		bis_processor_stop(mod);
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_wait_parked(m->harts[i]);
}

void bis_machine_release(struct bis_machine *m)
{
	uint64_t harts = bis_machine_may_run(m);

	for (struct bis_module *mod = m->modules; mod && harts && !m->step; mod = mod->next)
		if (bis_processor_start(mod))
			bis_log(m, BIS_LOG_ERROR, mod->name, "%s", bis_error_message());
	for (unsigned i = 0; i < m->n_harts; i++)
		if (harts >> i & 1)
			bis_hart_release(m->harts[i]);
}

static void reset_harts(struct bis_machine *m)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_reset(m->harts[i], m->entry_pc, m->entry_a1, m->entry_a2);
}

/* Device lock held. */
static void boot_harts(struct bis_machine *m)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_machine_boot_hart(m, m->harts[i]);
}

/* Device lock held. */
static void stop_modules(struct bis_machine *m)
{
	for (struct bis_module *mod = m->modules; mod; mod = mod->next) {
		if (mod->started && mod->class->stop)
			mod->class->stop(mod->self);
		mod->started = false;
	}
}

/* All of them or none. */
static int start_modules(struct bis_machine *m)
{
	int err = 0;

	bis_machine_lock_devices(m);
	for (struct bis_module *mod = m->modules; mod && !err; mod = mod->next) {
		err = mod->class->start ? mod->class->start(mod->self) : 0;
		mod->started = !err;
	}
	if (err)
		stop_modules(m);
	bis_machine_unlock_devices(m);
	return err;
}

static void tell(struct bis_machine *m, enum bis_event_kind kind, uint64_t value)
{
	struct bis_event event = {.kind = kind, .value = value};

	bis_machine_tell(m, &event);
}

void bis_machine_stop(struct bis_machine *m)
{
	bis_machine_lock_control(m);
	if (bis_machine_state(m) == BIS_RUNNING)
		bis_machine_park(m);
	bis_clock_freeze(m);
	bis_machine_lock_devices(m);
	stop_modules(m);
	bis_machine_unlock_devices(m);
	(void)bis_machine_has_rested(m);
	atomic_store(&m->state, BIS_STOPPED);
	tell(m, BIS_EVENT_STOPPED, (uint64_t)m->stop_status);
	bis_machine_unlock_control(m);
}

static int start_paused(struct bis_machine *m)
{
	int err;

	if (bis_machine_state(m) != BIS_CREATED)
		return bis_fail(EINVAL, "the machine has been started already");
	if (!m->family)
		return bis_fail(EINVAL, "the harts have no instruction set: add the module 'riscv'");
	err = start_modules(m);
	if (err)
		return err;
	reset_harts(m);
	bis_machine_lock_devices(m);
	boot_harts(m);
	bis_machine_unlock_devices(m);
	for (unsigned i = 0; i < m->n_harts; i++) {
		err = bis_hart_start_thread(m->harts[i]);
		if (err) {
			bis_machine_stop(m);
			return err;
		}
	}
	atomic_store(&m->state, BIS_PAUSED);
	return 0;
}

static void pause_modules(struct bis_machine *m)
{
	bis_machine_lock_devices(m);
	bis_devctl_drain_posted(m->devctl);
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		if (mod->class->pause)
			mod->class->pause(mod->self);
	bis_machine_unlock_devices(m);
}

static void resume_modules(struct bis_machine *m)
{
	bis_machine_lock_devices(m);
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		if (mod->class->resume)
			mod->class->resume(mod->self);
	bis_machine_unlock_devices(m);
}

bool bis_machine_hold(struct bis_machine *m)
{
	if (bis_machine_state(m) != BIS_RUNNING)
		return false;
	bis_machine_park(m);
	bis_clock_freeze(m);
	pause_modules(m);
	return true;
}

void bis_machine_let_go(struct bis_machine *m)
{
	resume_modules(m);
	bis_clock_thaw(m);
	bis_machine_release(m);
}

/* Whatever ran, freely or for a step, is paused; the event says so unless a breakpoint has more to say. */
static void come_to_rest(struct bis_machine *m, enum bis_event_kind kind, uint64_t value)
{
	(void)bis_machine_hold(m);
	if (bis_machine_has_rested(m))
		kind = BIS_EVENT_PAUSED;
	atomic_store(&m->state, BIS_PAUSED);
	if (!bis_machine_tell_break(m))
		tell(m, kind, kind == BIS_EVENT_STEPPED ? value : 0);
	bis_breaks_at_rest(m);
}

static int pause_machine(struct bis_machine *m)
{
	if (bis_machine_state(m) != BIS_RUNNING)
		return bis_fail(EINVAL, "the machine is not running");
	come_to_rest(m, BIS_EVENT_PAUSED, 0);
	return 0;
}

/* Those of `harts` that there are. */
static uint64_t existing(const struct bis_machine *m, uint64_t harts)
{
	return m->n_harts < 64 ? harts & ((UINT64_C(1) << m->n_harts) - 1) : harts;
}

static void set_limits(struct bis_machine *m, uint64_t count, bool once)
{
	for (unsigned i = 0; i < m->n_harts; i++) {
		m->harts[i]->step_limit = count;
		m->harts[i]->step_once = once;
		m->harts[i]->fruitless = 0;
	}
}

static int resume_harts(struct bis_machine *m, uint64_t harts)
{
	if (bis_machine_state(m) != BIS_PAUSED)
		return bis_fail(EINVAL, "the machine is not paused");
	if (!existing(m, harts))
		return bis_fail(EINVAL, "no hart to resume");
	m->held = ~harts;
	set_limits(m, UINT64_MAX, false);
	resume_modules(m);
	atomic_store(&m->state, BIS_RUNNING);
	bis_clock_thaw(m);
	tell(m, BIS_EVENT_RESUMED, 0);
	bis_machine_release(m);
	return 0;
}

/* A step runs like anything else, until each of its harts has said that it is done. */
static int begin_step(struct bis_machine *m, uint64_t harts, uint64_t count, bool once, uint64_t *step)
{
	harts = existing(m, harts);
	if (!harts)
		return bis_fail(EINVAL, "no hart to step");
	if (bis_machine_state(m) != BIS_PAUSED)
		return bis_fail(EINVAL, "stepping needs a paused machine");
	m->held = ~harts;
	set_limits(m, count, once);
	resume_modules(m);
	*step = bis_machine_begin_step(m, harts);
	atomic_store(&m->state, BIS_RUNNING);
	bis_clock_thaw(m);
	bis_machine_release(m);
	return 0;
}

static int step_harts(struct bis_machine *m, uint64_t harts, uint64_t count, bool once)
{
	uint64_t step = 0;
	int err;

	bis_machine_lock_control(m);
	err = begin_step(m, harts, count, once, &step);
	bis_machine_unlock_control(m);
	if (err)
		return err;
	bis_machine_await_step(m, step);
	bis_machine_lock_control(m);
	if (m->step == step)
		come_to_rest(m, BIS_EVENT_STEPPED, count);
	bis_machine_unlock_control(m);
	return 0;
}

static int reset(struct bis_machine *m)
{
	bool running = bis_machine_state(m) == BIS_RUNNING;

	if (bis_machine_state(m) == BIS_STOPPED)
		return bis_fail(EINVAL, "the machine has stopped");
	if (running)
		bis_machine_park(m);
	reset_harts(m);
	bis_machine_lock_devices(m);
	bis_devctl_discard_posted(m->devctl);
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		if (mod->class->reset)
			mod->class->reset(mod->self);
	boot_harts(m);
	bis_machine_unlock_devices(m);
	tell(m, BIS_EVENT_RESET, 0);
	if (running)
		bis_machine_release(m);
	return 0;
}

/* --- The same, one caller at a time --- */

int bis_machine_start(struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = start_paused(m);
	if (!err) {
		set_limits(m, UINT64_MAX, false);
		atomic_store(&m->state, BIS_RUNNING);
		bis_clock_thaw(m);
		tell(m, BIS_EVENT_STARTED, 0);
		bis_machine_release(m);
	}
	bis_machine_unlock_control(m);
	return err;
}

int bis_machine_start_paused(struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = start_paused(m);
	if (!err)
		pause_modules(m);
	bis_machine_unlock_control(m);
	return err;
}

int bis_machine_pause(struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = pause_machine(m);
	bis_machine_unlock_control(m);
	return err;
}

int bis_machine_resume_harts(struct bis_machine *m, uint64_t harts)
{
	int err;

	bis_machine_lock_control(m);
	err = resume_harts(m, harts);
	bis_machine_unlock_control(m);
	return err;
}

int bis_machine_resume(struct bis_machine *m)
{
	return bis_machine_resume_harts(m, UINT64_MAX);
}

int bis_machine_step_harts(struct bis_machine *m, uint64_t harts, uint64_t count)
{
	return step_harts(m, harts, count, false);
}

int bis_machine_step_once(struct bis_machine *m, uint64_t harts)
{
	return step_harts(m, harts, 1, true);
}

int bis_machine_step(struct bis_machine *m, uint64_t count)
{
	return bis_machine_step_harts(m, UINT64_MAX, count);
}

int bis_machine_reset(struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = reset(m);
	bis_machine_unlock_control(m);
	return err;
}

int bis_machine_at_safepoint(struct bis_machine *m, int (*fn)(void *arg), void *arg)
{
	bool running;
	int result;

	bis_machine_lock_control(m);
	running = bis_machine_state(m) == BIS_RUNNING;
	if (running)
		bis_machine_park(m);
	bis_machine_lock_devices(m);
	result = fn(arg);
	bis_machine_unlock_devices(m);
	if (running)
		bis_machine_release(m);
	bis_machine_unlock_control(m);
	return result;
}
