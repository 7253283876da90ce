/*
 * The machine: creation, the run state, and the requests that other threads make of the control thread.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/machine/chardev_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/netdev_internal.h"
#include "src/memory/bus_internal.h"

#define DEFAULT_RAM ((uint64_t)128 << 20)

/* --- Locks and plain accessors --- */

void bis_machine_lock_devices(struct bis_machine *m)
{
	pthread_mutex_lock(&m->device_lock);
}

void bis_machine_unlock_devices(struct bis_machine *m)
{
	pthread_mutex_unlock(&m->device_lock);
}

void bis_machine_lock_control(struct bis_machine *m)
{
	pthread_mutex_lock(&m->control_lock);
}

void bis_machine_unlock_control(struct bis_machine *m)
{
	pthread_mutex_unlock(&m->control_lock);
}

struct bis_memory *bis_machine_memory(struct bis_machine *m)
{
	return m->memory;
}

unsigned bis_machine_harts(const struct bis_machine *m)
{
	return m->n_harts;
}

struct bis_hart *bis_machine_hart(struct bis_machine *m, unsigned index)
{
	return index < m->n_harts ? m->harts[index] : NULL;
}

bool bis_machine_guest_modules_allowed(const struct bis_machine *m)
{
	return m->cfg.allow_guest_modules;
}

const char *bis_machine_engine(const struct bis_machine *m)
{
	return m->engine->name;
}

struct bis_netdev **bis_machine_netdevs(struct bis_machine *m)
{
	return &m->netdevs;
}

struct bis_chardev **bis_machine_chardevs(struct bis_machine *m)
{
	return &m->chardevs;
}

enum bis_run_state bis_machine_state(struct bis_machine *m)
{
	return (enum bis_run_state)atomic_load(&m->state);
}

void bis_machine_set_entry(struct bis_machine *m, uint64_t pc, uint64_t a1, uint64_t a2)
{
	m->entry_pc = pc;
	m->entry_a1 = a1;
	m->entry_a2 = a2;
}

/* --- Trace --- */

static uint64_t trace_insn(struct bis_hart *h, uint64_t a, uint64_t b, uint64_t imm)
{
	struct bis_machine *m = h->machine;

	(void)a;
	(void)b;
	(void)imm;
	m->cfg.trace(m->cfg.trace_arg, h);
	return 0;
}

const struct bis_helper bis_machine_trace_helper = {
	.name = "trace",
	.fn = trace_insn,
	.flags = BIS_CALL_READS_REGS | BIS_CALL_SEES_COUNT,
};

/* --- Creation --- */

static int choose_engine(struct bis_machine *m)
{
	const char *names[8], *near;
	size_t n = 0;

	m->engine = bis_engine_find(m->cfg.engine);
	if (m->engine)
		return 0;
	while (bis_engine_at(n) && n < BIS_ARRAY_SIZE(names)) {
		names[n] = bis_engine_at(n)->name;
		n++;
	}
	near = bis_nearest_name(m->cfg.engine, names, n);
	return bis_fail(EINVAL, "unknown engine '%s' (did you mean '%s'?)", m->cfg.engine, near ? near : names[0]);
}

static void code_written(void *arg, uint64_t pa_page)
{
	struct bis_machine *m = arg;

	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_drop_page(m->harts[i], pa_page);
}

static void watch_armed(void *arg)
{
	bis_harts_flush_writes(arg);
}

static int add_classes(struct bis_machine *m)
{
	for (const struct bis_module_class *const *c = m->cfg.classes; c && *c; c++) {
		struct bis_known_class *known = calloc(1, sizeof(*known));

		if (!known)
			return bis_fail(ENOMEM, "no memory for the list of modules");
		known->class = *c;
		bis_machine_add_class(m, known);
	}
	return 0;
}

static int make_harts(struct bis_machine *m)
{
	unsigned count = m->cfg.harts ? m->cfg.harts : 1;
	int err;

	if (count > BIS_MAX_HARTS)
		return bis_fail(EINVAL, "%u harts: expected 1 to %d", count, BIS_MAX_HARTS);
	for (unsigned i = 0; i < count; i++) {
		err = bis_hart_create(m, i, &m->isa, &m->harts[i]);
		if (err)
			return err;
		m->harts[i]->engine = m->engine;
		m->n_harts++;
	}
	return 0;
}

static void init_locks(struct bis_machine *m)
{
	pthread_mutexattr_t mutex_attr;
	pthread_condattr_t cond_attr;

	pthread_mutexattr_init(&mutex_attr);
	pthread_mutexattr_settype(&mutex_attr, PTHREAD_MUTEX_RECURSIVE); /* device code calls back into the core */
	pthread_mutex_init(&m->device_lock, &mutex_attr);
	pthread_mutex_init(&m->control_lock, &mutex_attr);
	pthread_mutexattr_destroy(&mutex_attr);
	pthread_mutex_init(&m->request_lock, NULL);
	pthread_mutex_init(&m->idle_lock, NULL);
	pthread_condattr_init(&cond_attr);
	pthread_condattr_setclock(&cond_attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->request_cond, &cond_attr);
	pthread_condattr_destroy(&cond_attr);
}

static int build(struct bis_machine *m)
{
	uint64_t ram = m->cfg.ram_size ? m->cfg.ram_size : DEFAULT_RAM;
	int err;

	err = bis_isa_parse(m->cfg.isa ? m->cfg.isa : "rv64", &m->isa);
	if (err)
		return err;
	err = choose_engine(m);
	if (err)
		return err;
	err = bis_memory_create(&m->memory);
	if (err)
		return err;
	err = bis_memory_add_ram(m->memory, "ram", (bis_gpa){BIS_RAM_BASE}, ram);
	if (err)
		return err;
	err = bis_bus_create(m->memory, &m->device_lock, &m->bus);
	if (err)
		return err;
	err = bis_devctl_create(m, &m->devctl);
	if (err)
		return err;
	err = add_classes(m);
	if (err)
		return err;
	err = make_harts(m);
	if (err)
		return err;
	bis_mem_set_code_listener(m->memory, code_written, m);
	bis_mem_set_arm_listener(m->memory, watch_armed, m);
	return 0;
}

int bis_machine_create(const struct bis_machine_config *cfg, struct bis_machine **out)
{
	struct bis_machine *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return bis_fail(ENOMEM, "no memory for a machine");
	m->cfg = *cfg;
	m->trace = cfg->trace != NULL;
	m->entry_pc = BIS_RAM_BASE;
	atomic_store(&m->frozen_at, 0);
	atomic_store(&m->next_timer, UINT64_MAX);
	init_locks(m);
	err = build(m);
	if (err) {
		bis_machine_destroy(m);
		return err;
	}
	*out = m;
	return 0;
}

static void free_classes(struct bis_machine *m)
{
	while (m->classes) {
		struct bis_known_class *k = m->classes;

		m->classes = k->next;
		if (k->handle)
			dlclose(k->handle);
		free(k);
	}
}

void bis_machine_destroy(struct bis_machine *m)
{
	if (!m)
		return;
	atomic_store(&m->quit, true);
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_join_thread(m->harts[i]);
	if (m->devctl)
		bis_modules_destroy_all(m);
	bis_machine_lock_devices(m);
	bis_chardev_destroy_all(m);
	bis_netdev_destroy_all(m);
	bis_machine_unlock_devices(m);
	bis_devctl_destroy(m->devctl);
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_destroy(m->harts[i]);
	bis_decoder_destroy(m->decoder);
	bis_bus_destroy(m->bus);
	bis_memory_destroy(m->memory);
	free_classes(m);
	free(m->csrs);
	free(m->add_spec);
	pthread_cond_destroy(&m->request_cond);
	pthread_mutex_destroy(&m->idle_lock);
	pthread_mutex_destroy(&m->request_lock);
	pthread_mutex_destroy(&m->device_lock);
	pthread_mutex_destroy(&m->control_lock);
	free(m);
}

/* --- Running --- */

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
	if (bis_machine_halting(m))
		return;
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		if (bis_processor_start(mod))
			bis_log(m, BIS_LOG_ERROR, mod->name, "%s", bis_error_message());
	for (unsigned i = 0; i < m->n_harts; i++) {
		m->harts[i]->step_limit = UINT64_MAX;
		bis_hart_release(m->harts[i]);
	}
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

static int pause_machine(struct bis_machine *m)
{
	if (bis_machine_state(m) != BIS_RUNNING)
		return bis_fail(EINVAL, "the machine is not running");
	bis_machine_park(m);
	bis_clock_freeze(m);
	pause_modules(m);
	atomic_store(&m->state, BIS_PAUSED);
	if (!bis_machine_tell_break(m))
		tell(m, BIS_EVENT_PAUSED, 0);
	return 0;
}

static int resume(struct bis_machine *m)
{
	if (bis_machine_state(m) != BIS_PAUSED)
		return bis_fail(EINVAL, "the machine is not paused");
	resume_modules(m);
	atomic_store(&m->state, BIS_RUNNING);
	bis_clock_thaw(m);
	tell(m, BIS_EVENT_RESUMED, 0);
	bis_machine_release(m);
	return 0;
}

static int step_harts(struct bis_machine *m, uint64_t harts, uint64_t count)
{
	if (m->n_harts < 64)
		harts &= (UINT64_C(1) << m->n_harts) - 1;
	if (!harts)
		return bis_fail(EINVAL, "no hart to step");
	if (bis_machine_state(m) != BIS_PAUSED)
		return bis_fail(EINVAL, "stepping needs a paused machine");
	resume_modules(m);
	bis_clock_thaw(m);
	for (unsigned i = 0; i < m->n_harts; i++) {
		if (!(harts >> i & 1))
			continue;
		m->harts[i]->step_limit = count;
		m->harts[i]->fruitless = 0;
		bis_hart_release(m->harts[i]);
	}
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_hart_wait_parked(m->harts[i]);
	bis_clock_freeze(m);
	pause_modules(m);
	if (!bis_machine_tell_break(m))
		tell(m, BIS_EVENT_STEPPED, count);
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

int bis_machine_resume(struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = resume(m);
	bis_machine_unlock_control(m);
	return err;
}

int bis_machine_step_harts(struct bis_machine *m, uint64_t harts, uint64_t count)
{
	int err;

	bis_machine_lock_control(m);
	err = step_harts(m, harts, count);
	bis_machine_unlock_control(m);
	return err;
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
