/* See fake_machine.h. Everything runs on the test's thread; the device lock is taken where the core takes it. */
#include "tests/unit/fake_machine.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "modules/device/native.h"
#include "src/machine/chardev_internal.h"
#include "src/machine/display_internal.h"
#include "src/machine/input_internal.h"
#include "src/memory/bus_internal.h"

struct bis_timer {
	struct bis_timer *next;
	struct bis_module *mod;
	void (*fire)(void *self);
	uint64_t when;
};

struct bis_watch {
	struct bis_watch *next;
	struct bis_module *mod;
	int fd;
	void (*ready)(void *self, unsigned events);
	unsigned events;
};

void bis_machine_lock_devices(struct bis_machine *m)
{
	pthread_mutex_lock(&m->lock);
}

void bis_machine_unlock_devices(struct bis_machine *m)
{
	pthread_mutex_unlock(&m->lock);
}

/* --- The machine, as modules ask about it --- */

struct bis_machine *bis_module_machine(const struct bis_module *mod)
{
	return mod->machine;
}

const struct bis_module_class *bis_module_class_of(const struct bis_module *mod)
{
	return mod->class;
}

void *bis_module_self(const struct bis_module *mod)
{
	return mod->self;
}

struct bis_memory *bis_module_memory(const struct bis_module *mod)
{
	return mod->machine->memory;
}

const char *bis_module_name(const struct bis_module *mod)
{
	return mod->name;
}

struct bis_irq *bis_module_irq(const struct bis_module *mod, unsigned index)
{
	return &((struct bis_module *)(uintptr_t)mod)->irqs[index];
}

int bis_module_slot(const struct bis_module *mod)
{
	return mod->slot;
}

int bis_module_window(const struct bis_module *mod, size_t index, uint64_t *base, uint64_t *size)
{
	if (!mod->mmio || index)
		return -ENOENT;
	*base = FAKE_WINDOW;
	*size = mod->mmio->size;
	return 0;
}

const char *bis_module_spec(const struct bis_module *mod)
{
	return bis_module_name(mod);
}

uint64_t bis_module_now(struct bis_module *mod)
{
	return mod->machine->now;
}

struct bis_module *bis_machine_module(struct bis_machine *m, size_t index)
{
	struct bis_module *mod = m->modules;

	while (mod && index--)
		mod = mod->next;
	return mod;
}

struct bis_memory *bis_machine_memory(struct bis_machine *m)
{
	return m->memory;
}

unsigned bis_machine_harts(const struct bis_machine *m)
{
	return m->harts;
}

struct bis_hart *bis_machine_hart(struct bis_machine *m, unsigned index)
{
	return index < m->harts ? &m->hart[index] : NULL;
}

bool bis_machine_guest_modules_allowed(const struct bis_machine *m)
{
	return m->guest_modules;
}

enum bis_clock bis_machine_clock(const struct bis_machine *m)
{
	return m->clock;
}

uint64_t bis_machine_now(const struct bis_machine *m)
{
	return m->now;
}

uint64_t bis_machine_ticks(const struct bis_machine *m)
{
	return m->now / (1000000000 / BIS_TIMEBASE_HZ);
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

void bis_machine_request_stop(struct bis_machine *m, enum bis_stop_reason why, int status)
{
	m->stop_asked = true;
	m->stop_reason = why;
	m->stop_status = status;
}

void bis_machine_request_reset(struct bis_machine *m)
{
	m->reset_asked = true;
}

void bis_machine_request_pause(struct bis_machine *m)
{
	m->pause_asked = true;
}

int bis_machine_request_add(struct bis_machine *m, const char *spec, void (*done)(void *arg, int result), void *arg)
{
	snprintf(m->request, sizeof(m->request), "%s", spec);
	m->request_done = done;
	m->request_arg = arg;
	return 0;
}

void bis_log(struct bis_machine *m, enum bis_log_level level, const char *module, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	(void)module;
	va_start(ap, fmt);
	vsnprintf(m->log, sizeof(m->log), fmt, ap);
	va_end(ap);
}

/* --- Lines --- */

void bis_irq_set(struct bis_irq *line, bool level)
{
	if (!line)
		return;
	if (level && !line->level)
		line->rises++;
	line->level = level;
}

bool bis_irq_level(const struct bis_irq *line)
{
	return line->level;
}

void bis_hart_set_line(struct bis_hart *h, enum bis_hart_line line, bool level)
{
	h->lines = level ? h->lines | 1u << line : h->lines & ~(1u << line);
}

void bis_hart_set_mtimecmp(struct bis_hart *h, uint64_t ticks)
{
	h->mtimecmp = ticks;
}

uint64_t bis_hart_mtimecmp(const struct bis_hart *h)
{
	return h->mtimecmp;
}

bool fake_irq(const struct bis_module *mod)
{
	return mod->irqs[0].level;
}

void fake_set_input(struct bis_module *chip, unsigned input, bool level)
{
	bis_machine_lock_devices(chip->machine);
	chip->chip->set_input(chip->self, input, level);
	bis_machine_unlock_devices(chip->machine);
}

bool fake_line(const struct bis_machine *m, unsigned hart, enum bis_hart_line line)
{
	return m->hart[hart].lines >> line & 1;
}

/* --- Attachments --- */

int bis_attach_mmio(struct bis_module *mod, const struct bis_mmio_ops *ops)
{
	mod->mmio = ops;
	return 0;
}

int bis_attach_devcsr(struct bis_module *mod, const struct bis_devcsr_ops *ops)
{
	mod->devcsr = ops;
	return 0;
}

int bis_attach_irqchip(struct bis_module *mod, const char *kind, const struct bis_irqchip_ops *ops)
{
	mod->chip = ops;
	mod->chip_kind = kind;
	return 0;
}

/* --- Timers --- */

int bis_timer_create(struct bis_module *mod, void (*fire)(void *self), struct bis_timer **out)
{
	struct bis_timer *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	*t = (struct bis_timer){.next = mod->machine->timers, .mod = mod, .fire = fire, .when = UINT64_MAX};
	mod->machine->timers = t;
	*out = t;
	return 0;
}

void bis_timer_set(struct bis_timer *t, uint64_t when_ns)
{
	t->when = when_ns;
}

void bis_timer_destroy(struct bis_timer *t)
{
	struct bis_timer **at = &t->mod->machine->timers;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

static struct bis_timer *first_due(struct bis_machine *m, uint64_t until)
{
	struct bis_timer *first = NULL;

	for (struct bis_timer *t = m->timers; t; t = t->next) {
		if (t->when <= until && (!first || t->when < first->when))
			first = t;
	}
	return first;
}

void fake_advance(struct bis_machine *m, uint64_t ns)
{
	uint64_t until = m->now + ns;
	struct bis_timer *t;

	while ((t = first_due(m, until))) {
		if (t->when > m->now)
			m->now = t->when;
		t->when = UINT64_MAX;
		bis_machine_lock_devices(m);
		t->fire(t->mod->self);
		bis_machine_unlock_devices(m);
	}
	m->now = until;
}

/* --- Watches --- */

int bis_watch_create(struct bis_module *mod, int fd, void (*ready)(void *self, unsigned events), struct bis_watch **out)
{
	struct bis_watch *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	*w = (struct bis_watch){.next = mod->machine->watches, .mod = mod, .fd = fd, .ready = ready};
	mod->machine->watches = w;
	*out = w;
	return 0;
}

void bis_watch_set(struct bis_watch *w, unsigned events)
{
	w->events = events;
}

void bis_watch_destroy(struct bis_watch *w)
{
	struct bis_watch **at = &w->mod->machine->watches;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}

static bool serve(struct bis_machine *m, int timeout_ms)
{
	struct bis_watch *of[16];
	struct pollfd fds[16];
	nfds_t n = 0;

	for (struct bis_watch *w = m->watches; w && n < 16; w = w->next) {
		if (!w->events)
			continue;
		of[n] = w;
		fds[n++] = (struct pollfd){.fd = w->fd, .events = (short)w->events};
	}
	if (poll(fds, n, timeout_ms) <= 0)
		return false;
	for (nfds_t i = 0; i < n; i++) {
		unsigned events = (unsigned)fds[i].revents;

		if (!events)
			continue;
		if (events & (POLLHUP | POLLERR))
			events |= BIS_WATCH_IN;
		bis_machine_lock_devices(m);
		of[i]->ready(of[i]->mod->self, events & (BIS_WATCH_IN | BIS_WATCH_OUT));
		bis_machine_unlock_devices(m);
	}
	return true;
}

void fake_serve(struct bis_machine *m)
{
	assert_true(serve(m, 10000));
}

bool fake_serve_ready(struct bis_machine *m)
{
	return serve(m, 0);
}

/* --- Life of the machine and its modules --- */

struct bis_machine *fake_create(unsigned harts)
{
	struct bis_machine *m = calloc(1, sizeof(*m));
	pthread_mutexattr_t attr;

	assert_non_null(m);
	m->harts = harts;
	for (unsigned i = 0; i < harts; i++)
		m->hart[i] = (struct bis_hart){.machine = m, .id = i};
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE); /* as the core's */
	pthread_mutex_init(&m->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	assert_ok(bis_memory_create(&m->memory));
	assert_ok(bis_memory_add_ram(m->memory, "ram", (bis_gpa){BIS_RAM_BASE}, FAKE_RAM_SIZE));
	assert_ok(bis_bus_create(m->memory, &m->lock, &m->bus));
	return m;
}

static int build(struct bis_module *mod, const char *text)
{
	static const struct bis_option none[] = {{NULL, BIS_OPTION_TEXT, NULL, NULL, NULL}};
	const struct bis_module_class *class = mod->class;
	struct bis_options *options;
	int err = bis_options_parse(mod->name, class->options ? class->options : none, text, &options);

	if (err)
		return err;
	bis_machine_lock_devices(mod->machine);
	err = class->create(mod, options, &mod->self);
	if (!err && class->attach) {
		err = class->attach(mod, mod->self);
		if (err)
			class->destroy(mod->self);
	}
	bis_machine_unlock_devices(mod->machine);
	bis_options_free(options);
	return err;
}

int fake_try_add(struct bis_machine *m, const struct bis_module_class *class, int slot, const char *options,
		 struct bis_module **out)
{
	struct bis_module *mod = calloc(1, sizeof(*mod));
	int err;

	assert_non_null(mod);
	mod->machine = m;
	mod->class = class;
	mod->slot = slot;
	snprintf(mod->name, sizeof(mod->name), "%s", class->name);
	err = build(mod, options);
	if (err) {
		free(mod);
		return err;
	}
	if (mod->mmio)
		assert_ok(bis_bus_map(m->bus, mod->name, FAKE_WINDOW, mod->mmio, mod->self));
	mod->next = m->modules;
	m->modules = mod;
	*out = mod;
	return 0;
}

struct bis_module *fake_add(struct bis_machine *m, const struct bis_module_class *class, int slot, const char *options)
{
	struct bis_module *mod = NULL;

	assert_ok(fake_try_add(m, class, slot, options, &mod));
	return mod;
}

void fake_remove(struct bis_module *mod)
{
	struct bis_machine *m = mod->machine;
	struct bis_module **at = &m->modules;

	while (*at != mod)
		at = &(*at)->next;
	*at = mod->next;
	if (mod->mmio)
		assert_ok(bis_bus_unmap(m->bus, FAKE_WINDOW));
	bis_machine_lock_devices(m);
	mod->class->destroy(mod->self);
	bis_machine_unlock_devices(m);
	free(mod);
}

void fake_destroy(struct bis_machine *m)
{
	while (m->modules)
		fake_remove(m->modules);
	bis_machine_lock_devices(m);
	bis_chardev_destroy_all(m);
	bis_display_destroy_all(m);
	assert_null(m->inputs);
	bis_machine_unlock_devices(m);
	assert_null(m->timers);
	assert_null(m->watches);
	bis_bus_destroy(m->bus);
	bis_memory_destroy(m->memory);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void call(struct bis_module *mod, void (*step)(void *self))
{
	bis_machine_lock_devices(mod->machine);
	if (step)
		step(mod->self);
	bis_machine_unlock_devices(mod->machine);
}

void fake_reset(struct bis_module *mod)
{
	call(mod, mod->class->reset);
}

void fake_pause(struct bis_module *mod)
{
	call(mod, mod->class->pause);
}

void fake_resume(struct bis_module *mod)
{
	call(mod, mod->class->resume);
}

/* --- Registers --- */

enum bis_bus_result fake_try_read(struct bis_module *mod, uint64_t off, unsigned size, uint64_t *val)
{
	return bis_bus_read(mod->machine->bus, FAKE_WINDOW + off, size, val);
}

enum bis_bus_result fake_try_write(struct bis_module *mod, uint64_t off, unsigned size, uint64_t val)
{
	return bis_bus_write(mod->machine->bus, FAKE_WINDOW + off, size, val);
}

uint64_t fake_read(struct bis_module *mod, uint64_t off, unsigned size)
{
	uint64_t val = 0;

	assert_int_equal(fake_try_read(mod, off, size, &val), BIS_BUS_OK);
	return val;
}

void fake_write(struct bis_module *mod, uint64_t off, unsigned size, uint64_t val)
{
	assert_int_equal(fake_try_write(mod, off, size, val), BIS_BUS_OK);
}

uint64_t fake_csr_read(struct bis_module *mod, unsigned reg)
{
	uint64_t val;

	bis_machine_lock_devices(mod->machine);
	val = mod->devcsr->read(mod->self, reg);
	bis_machine_unlock_devices(mod->machine);
	return val;
}

void fake_csr_write(struct bis_module *mod, unsigned reg, uint64_t val)
{
	bis_machine_lock_devices(mod->machine);
	mod->devcsr->write(mod->self, reg, val);
	bis_machine_unlock_devices(mod->machine);
}

unsigned fake_csr_error(struct bis_module *mod)
{
	return (unsigned)(fake_csr_read(mod, NATIVE_STATUS) & NATIVE_STATUS_ERROR_MASK) >> NATIVE_STATUS_ERROR_SHIFT;
}
