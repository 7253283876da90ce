/*
 * The machine: creation, its end, and plain accessors. What makes it run is in run_state.c.
 */
#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "src/cpu/hart_internal.h"
#include "src/engine/engine.h"
#include "src/machine/chardev_internal.h"
#include "src/machine/display_internal.h"
#include "src/machine/input_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/netdev_internal.h"
#include "src/memory/bus_internal.h"
#include "src/translate/spare.h"

#define CODE_CACHE_MIN (512u << 10) /* a hart */
#define CODE_CACHE_MAX (1u << 30)
#define DEFAULT_RAM    ((uint64_t)128 << 20)

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

struct bis_display *_Atomic *bis_machine_displays(struct bis_machine *m)
{
	return &m->displays;
}

struct bis_input_device **bis_machine_inputs(struct bis_machine *m)
{
	return &m->inputs;
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

/* Is there a processor for another thread beside the harts'? */
static bool has_spare_processor(const struct bis_machine *m)
{
	cpu_set_t set;

	return !sched_getaffinity(0, sizeof(set), &set) && (unsigned)CPU_COUNT(&set) > m->cfg.harts;
}

/* With the virtual clock each run does the same, and is to be made of the same translations, too. */
static int make_spare(struct bis_machine *m)
{
	bool wanted = m->cfg.clock == BIS_CLOCK_HOST && has_spare_processor(m);

	if (m->cfg.background != BIS_BACKGROUND_AUTO)
		wanted = m->cfg.background == BIS_BACKGROUND_ON;
	return wanted && !m->cfg.debug_engine ? bis_spare_create(&m->spare) : 0;
}

static int make_harts(struct bis_machine *m)
{
	unsigned count = m->cfg.harts ? m->cfg.harts : 1;
	uint64_t cache = m->cfg.code_cache;
	int err;

	if (count > BIS_MAX_HARTS)
		return bis_fail(EINVAL, "%u harts: expected 1 to %d", count, BIS_MAX_HARTS);
	if (cache && (cache / count < CODE_CACHE_MIN || cache / count > CODE_CACHE_MAX))
		return bis_fail(EINVAL, "code cache of %llu KiB for %u harts: expected 512 KiB to 1 GiB a hart",
				(unsigned long long)cache >> 10, count);
	m->cfg.harts = count;
	err = make_spare(m);
	if (err)
		return err;
	for (unsigned i = 0; i < count; i++) {
		err = bis_hart_create(m, i, &m->isa, &m->harts[i]);
		if (err)
			return err;
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
	pthread_mutex_init(&m->arming_lock, NULL);
	pthread_condattr_init(&cond_attr);
	pthread_condattr_setclock(&cond_attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->request_cond, &cond_attr);
	pthread_cond_init(&m->step_cond, NULL);
	pthread_condattr_destroy(&cond_attr);
}

static int build(struct bis_machine *m)
{
	int err;

	if (!m->cfg.ram_size)
		m->cfg.ram_size = DEFAULT_RAM;
	err = bis_isa_parse(m->cfg.isa ? m->cfg.isa : "rv64", &m->isa);
	if (err)
		return err;
	err = choose_engine(m);
	if (err)
		return err;
	err = bis_memory_create(&m->memory);
	if (err)
		return err;
	err = bis_memory_add_ram(m->memory, "ram", (bis_gpa){BIS_RAM_BASE}, m->cfg.ram_size);
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
	bis_spare_destroy(m->spare);
	if (m->devctl)
		bis_modules_destroy_all(m);
	bis_machine_lock_devices(m);
	bis_chardev_destroy_all(m);
	bis_netdev_destroy_all(m);
	bis_display_destroy_all(m);
	bis_input_destroy_all(m);
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
	pthread_cond_destroy(&m->step_cond);
	pthread_cond_destroy(&m->request_cond);
	pthread_mutex_destroy(&m->idle_lock);
	pthread_mutex_destroy(&m->arming_lock);
	pthread_mutex_destroy(&m->request_lock);
	pthread_mutex_destroy(&m->device_lock);
	pthread_mutex_destroy(&m->control_lock);
	free(m);
}
