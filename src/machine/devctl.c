/*
 * The device controller: native register accesses, the ring of posted writes, the ring of interrupt lines, timers and
 * watched descriptors. One thread a machine; it sleeps in poll() while nothing is due.
 *
 * The rings and lists are guarded by the machine's device lock, except the interrupt ring, which has a lock of its own
 * so that a thread may queue a line whatever locks it holds.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"

#define POSTED_RING 256
#define IRQ_RING    256 /* a line is in the ring once at most */
#define MAX_WATCHES 64

struct bis_timer {
	struct bis_module *module;
	void (*fire)(void *self);
	_Atomic uint64_t when;
	uint64_t pass; /* of the last look in which it fired */
	struct bis_timer *next;
};

struct bis_watch {
	struct bis_module *module;
	void (*ready)(void *self, unsigned events);
	int fd;
	_Atomic unsigned events;
	struct bis_watch *next;
};

struct posted {
	uint64_t value;
	uint8_t slot, reg;
};

struct bis_devctl {
	struct bis_machine *machine;
	pthread_t thread;
	int wake_fd;
	_Atomic bool quit;

	/* Device lock. */
	struct posted posted[POSTED_RING];
	unsigned posted_head, posted_count;
	struct bis_timer *timers;
	uint64_t pass; /* looks at the timers so far */
	struct bis_watch *watches;
	unsigned n_watches;

	pthread_mutex_t irq_lock;
	struct bis_irq *irqs[IRQ_RING];
	unsigned irq_head, irq_count;
	bool irqs_lost; /* the ring was full: every line has to be looked at */
};

void bis_devctl_kick(struct bis_devctl *d)
{
	uint64_t one = 1;
	ssize_t done = write(d->wake_fd, &one, sizeof(one));

	(void)done; /* EAGAIN: it is being woken already */
}

/* --- Native registers --- */

void bis_devctl_drain_posted(struct bis_devctl *d)
{
	while (d->posted_count) {
		struct posted p = d->posted[d->posted_head];
		struct bis_module *mod = d->machine->slots[p.slot];

		d->posted_head = (d->posted_head + 1) % POSTED_RING;
		d->posted_count--;
		if (mod && mod->devcsr->write)
			mod->devcsr->write(mod->self, p.reg, p.value);
	}
}

void bis_devctl_discard_posted(struct bis_devctl *d)
{
	d->posted_count = 0;
}

uint32_t bis_devcsr_identity(const char *class_name, uint8_t version)
{
	uint32_t hash = 2166136261u; /* FNV-1a, folded to 24 bits */

	for (const char *c = class_name; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	return ((hash >> 24) ^ (hash & 0xffffff)) << 8 | version;
}

uint64_t bis_devctl_read(struct bis_machine *m, unsigned slot, unsigned reg)
{
	const struct bis_module *mod;
	uint64_t value = 0;

	bis_machine_lock_devices(m);
	bis_devctl_drain_posted(m->devctl);
	mod = m->slots[slot];
	if (mod && reg == BIS_DEVCSR_IDENTITY)
		value = bis_devcsr_identity(mod->class->name, mod->class->version);
	else if (mod && mod->devcsr->read)
		value = mod->devcsr->read(mod->self, reg);
	bis_machine_unlock_devices(m);
	return value;
}

void bis_devctl_write(struct bis_machine *m, unsigned slot, unsigned reg, uint64_t value)
{
	struct bis_devctl *d = m->devctl;
	const struct bis_module *unlocked = NULL;
	struct bis_module *mod;

	bis_machine_lock_devices(m);
	mod = m->slots[slot];
	if (mod && reg != BIS_DEVCSR_IDENTITY && (mod->devcsr->posted >> reg & 1)) {
		if (d->posted_count == POSTED_RING)
			bis_devctl_drain_posted(d);
		d->posted[(d->posted_head + d->posted_count++) % POSTED_RING] =
			(struct posted){value, (uint8_t)slot, (uint8_t)reg};
		bis_devctl_kick(d);
	} else if (mod && reg != BIS_DEVCSR_IDENTITY && mod->devcsr->write) {
		bis_devctl_drain_posted(d);
		if (mod->devcsr->unlocked >> reg & 1)
			unlocked = mod;
		else
			mod->devcsr->write(mod->self, reg, value);
	}
	bis_machine_unlock_devices(m);
	/* The module cannot go meanwhile: that takes every hart parked, and this one is at work. */
	if (unlocked)
		unlocked->devcsr->write(unlocked->self, reg, value);
}

/* --- Interrupt ring --- */

void bis_devctl_queue_irq(struct bis_devctl *d, struct bis_irq *line)
{
	if (atomic_exchange(&line->queued, true))
		return;
	pthread_mutex_lock(&d->irq_lock);
	if (d->irq_count < IRQ_RING) {
		d->irqs[(d->irq_head + d->irq_count++) % IRQ_RING] = line;
	} else {
		atomic_store(&line->queued, false);
		d->irqs_lost = true;
	}
	pthread_mutex_unlock(&d->irq_lock);
	bis_devctl_kick(d);
}

static struct bis_irq *next_irq(struct bis_devctl *d)
{
	struct bis_irq *line = NULL;

	pthread_mutex_lock(&d->irq_lock);
	if (d->irq_count) {
		line = d->irqs[d->irq_head];
		d->irq_head = (d->irq_head + 1) % IRQ_RING;
		d->irq_count--;
	}
	pthread_mutex_unlock(&d->irq_lock);
	return line;
}

/* Device lock held. */
static void drain_irqs(struct bis_devctl *d)
{
	struct bis_irq *line;
	bool lost;

	while ((line = next_irq(d))) {
		atomic_store(&line->queued, false);
		bis_irq_deliver(line);
	}
	pthread_mutex_lock(&d->irq_lock);
	lost = d->irqs_lost;
	d->irqs_lost = false;
	pthread_mutex_unlock(&d->irq_lock);
	if (lost)
		bis_irq_deliver_all(d->machine);
}

static void forget_irqs(struct bis_devctl *d, const struct bis_module *mod)
{
	unsigned kept = 0;

	pthread_mutex_lock(&d->irq_lock);
	for (unsigned i = 0; i < d->irq_count; i++) {
		struct bis_irq *line = d->irqs[(d->irq_head + i) % IRQ_RING];

		if (line->module != mod)
			d->irqs[(d->irq_head + kept++) % IRQ_RING] = line;
	}
	d->irq_count = kept;
	pthread_mutex_unlock(&d->irq_lock);
}

/* --- Timers --- */

uint64_t bis_module_now(struct bis_module *mod)
{
	return bis_machine_now(mod->machine);
}

int bis_timer_create(struct bis_module *mod, void (*fire)(void *self), struct bis_timer **out)
{
	struct bis_timer *t = calloc(1, sizeof(*t));
	struct bis_devctl *d = mod->machine->devctl;

	if (!t)
		return bis_fail(ENOMEM, "%s: no memory for a timer", mod->name);
	t->module = mod;
	t->fire = fire;
	atomic_store(&t->when, UINT64_MAX);
	bis_machine_lock_devices(mod->machine);
	t->next = d->timers;
	d->timers = t;
	bis_machine_unlock_devices(mod->machine);
	*out = t;
	return 0;
}

static struct bis_timer *find_timer(const struct bis_module *mod, size_t index)
{
	for (struct bis_timer *t = mod->machine->devctl->timers; t; t = t->next)
		if (t->module == mod && index-- == 0)
			return t;
	return NULL;
}

bool bis_devctl_timer(const struct bis_module *mod, size_t index, uint64_t *when)
{
	const struct bis_timer *t = find_timer(mod, index);

	if (t)
		*when = atomic_load(&t->when);
	return t != NULL;
}

bool bis_devctl_set_timer(struct bis_module *mod, size_t index, uint64_t when)
{
	struct bis_timer *t = find_timer(mod, index);

	if (t)
		bis_timer_set(t, when);
	return t != NULL;
}

void bis_timer_set(struct bis_timer *t, uint64_t when_ns)
{
	uint64_t before = atomic_exchange(&t->when, when_ns);

	if (when_ns < before)
		bis_devctl_kick(t->module->machine->devctl);
}

/* Takes `t` out of the list. Device lock held. */
static void unlist_timer(struct bis_devctl *d, const struct bis_timer *t)
{
	struct bis_timer **at = &d->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
}

void bis_timer_destroy(struct bis_timer *t)
{
	if (!t)
		return;
	bis_machine_lock_devices(t->module->machine);
	unlist_timer(t->module->machine->devctl, t);
	bis_machine_unlock_devices(t->module->machine);
	free(t);
}

/* Fires what is due, each once; then looks from the start again, since a callback may change the list. Device lock
 * held. */
static void fire_timers(struct bis_devctl *d)
{
	struct bis_timer *t = d->timers;
	uint64_t now = bis_machine_now(d->machine);

	d->pass++;
	while (t) {
		uint64_t when = atomic_load(&t->when);

		if (when > now || t->pass == d->pass || !atomic_compare_exchange_strong(&t->when, &when, UINT64_MAX)) {
			t = t->next;
			continue;
		}
		t->pass = d->pass;
		t->fire(t->module->self);
		t = d->timers;
	}
}

/* The harts look after the virtual clock: they hear of a deadline that has come nearer. */
static void tell_harts(struct bis_machine *m, uint64_t next)
{
	if (next < atomic_exchange(&m->next_timer, next))
		for (unsigned i = 0; i < m->n_harts; i++)
			bis_hart_request(m->harts[i], REQ_IRQ);
}

/* The time until the next timer in *ts; NULL if none can fire, or the harts wake us. Device lock held. */
static struct timespec *until_next(struct bis_devctl *d, struct timespec *ts)
{
	uint64_t next = UINT64_MAX, now = bis_machine_now(d->machine), wait;

	if (atomic_load(&d->machine->frozen_at) != TIME_RUNS)
		return NULL;
	for (const struct bis_timer *t = d->timers; t; t = t->next)
		if (atomic_load(&t->when) < next)
			next = atomic_load(&t->when);
	if (d->machine->cfg.clock == BIS_CLOCK_VIRTUAL) {
		tell_harts(d->machine, next);
		return NULL;
	}
	if (next == UINT64_MAX)
		return NULL;
	wait = next > now ? next - now : 0;
	ts->tv_sec = (time_t)(wait / 1000000000 > 86400 ? 86400 : wait / 1000000000);
	ts->tv_nsec = (long)(wait % 1000000000);
	return ts;
}

/* --- Watches --- */

int bis_watch_create(struct bis_module *mod, int fd, void (*ready)(void *self, unsigned events), struct bis_watch **out)
{
	struct bis_watch *w = calloc(1, sizeof(*w));
	struct bis_devctl *d = mod->machine->devctl;

	if (!w)
		return bis_fail(ENOMEM, "%s: no memory for a watch", mod->name);
	w->module = mod;
	w->ready = ready;
	w->fd = fd;
	bis_machine_lock_devices(mod->machine);
	if (d->n_watches == MAX_WATCHES) {
		bis_machine_unlock_devices(mod->machine);
		free(w);
		return bis_fail(ENOSPC, "%s: at most %d descriptors can be watched", mod->name, MAX_WATCHES);
	}
	w->next = d->watches;
	d->watches = w;
	d->n_watches++;
	bis_machine_unlock_devices(mod->machine);
	*out = w;
	return 0;
}

void bis_watch_set(struct bis_watch *w, unsigned events)
{
	if (atomic_exchange(&w->events, events) != events)
		bis_devctl_kick(w->module->machine->devctl);
}

static void unlist_watch(struct bis_devctl *d, const struct bis_watch *w)
{
	struct bis_watch **at = &d->watches;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at) {
		*at = w->next;
		d->n_watches--;
	}
}

void bis_watch_destroy(struct bis_watch *w)
{
	if (!w)
		return;
	bis_machine_lock_devices(w->module->machine);
	unlist_watch(w->module->machine->devctl, w);
	bis_machine_unlock_devices(w->module->machine);
	free(w);
}

static bool is_listed(const struct bis_devctl *d, const struct bis_watch *wanted)
{
	for (const struct bis_watch *w = d->watches; w; w = w->next)
		if (w == wanted)
			return true;
	return false;
}

/* --- The thread --- */

struct poll_set {
	struct pollfd fds[MAX_WATCHES + 1];
	struct bis_watch *watches[MAX_WATCHES + 1];
	nfds_t count;
};

static void fill_poll_set(const struct bis_devctl *d, struct poll_set *set)
{
	set->fds[0] = (struct pollfd){.fd = d->wake_fd, .events = POLLIN};
	set->count = 1;
	for (struct bis_watch *w = d->watches; w && set->count <= MAX_WATCHES; w = w->next) {
		unsigned events = atomic_load(&w->events);

		if (!events)
			continue;
		set->fds[set->count] = (struct pollfd){.fd = w->fd, .events = (short)events};
		set->watches[set->count++] = w;
	}
}

/* Device lock held. A callback may destroy other watches. */
static void serve_watches(const struct bis_devctl *d, const struct poll_set *set)
{
	for (nfds_t i = 1; i < set->count; i++) {
		struct bis_watch *w = set->watches[i];
		unsigned got = (unsigned)set->fds[i].revents;

		if (!got || !is_listed(d, w))
			continue;
		if (got & (POLLHUP | POLLERR | POLLNVAL))
			got |= BIS_WATCH_IN | BIS_WATCH_OUT;
		got &= atomic_load(&w->events);
		if (got)
			w->ready(w->module->self, got);
		else
			atomic_store(&w->events, 0); /* hung up, and nobody wants to hear of it */
	}
}

static void *devctl_thread(void *arg)
{
	struct bis_devctl *d = arg;
	struct poll_set set = {.count = 0};
	struct timespec ts, *timeout;
	uint64_t drained;

	while (!atomic_load(&d->quit)) {
		bis_machine_lock_devices(d->machine);
		bis_devctl_drain_posted(d);
		drain_irqs(d);
		fire_timers(d);
		fill_poll_set(d, &set);
		timeout = until_next(d, &ts);
		bis_machine_unlock_devices(d->machine);
		if (ppoll(set.fds, set.count, timeout, NULL) <= 0)
			continue;
		if (set.fds[0].revents && read(d->wake_fd, &drained, sizeof(drained)) < 0)
			continue;
		bis_machine_lock_devices(d->machine);
		serve_watches(d, &set);
		bis_machine_unlock_devices(d->machine);
	}
	return NULL;
}

int bis_devctl_create(struct bis_machine *m, struct bis_devctl **out)
{
	struct bis_devctl *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return bis_fail(ENOMEM, "no memory for the device controller");
	d->machine = m;
	pthread_mutex_init(&d->irq_lock, NULL);
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->wake_fd < 0) {
		err = bis_fail(errno, "cannot make an event descriptor for the device controller");
		goto free_devctl;
	}
	err = pthread_create(&d->thread, NULL, devctl_thread, d);
	if (err) {
		err = bis_fail(err, "cannot start the device controller's thread");
		goto close_fd;
	}
	*out = d;
	return 0;
close_fd:
	close(d->wake_fd);
free_devctl:
	pthread_mutex_destroy(&d->irq_lock);
	free(d);
	return err;
}

void bis_devctl_destroy(struct bis_devctl *d)
{
	if (!d)
		return;
	atomic_store(&d->quit, true);
	bis_devctl_kick(d);
	pthread_join(d->thread, NULL);
	close(d->wake_fd);
	pthread_mutex_destroy(&d->irq_lock);
	free(d);
}

void bis_devctl_forget(struct bis_devctl *d, struct bis_module *mod)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < d->posted_count; i++) {
		struct posted p = d->posted[(d->posted_head + i) % POSTED_RING];

		if (d->machine->slots[p.slot] != mod)
			d->posted[(d->posted_head + kept++) % POSTED_RING] = p;
	}
	d->posted_count = kept;
	forget_irqs(d, mod);
}

void bis_devctl_drop_callbacks(struct bis_devctl *d, const struct bis_module *mod)
{
	for (struct bis_timer *t = d->timers, *next; t; t = next) {
		next = t->next;
		if (t->module == mod)
			bis_timer_destroy(t);
	}
	for (struct bis_watch *w = d->watches, *next; w; w = next) {
		next = w->next;
		if (w->module == mod)
			bis_watch_destroy(w);
	}
}
