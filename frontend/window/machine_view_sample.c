/*
 * Looks at the machine: a thread of its own, so that the window waits for nobody. While it is asked to, it takes
 * samples at safepoints, ten a second unless that costs more than a hundredth of the time, fewer while nothing changes;
 * and tells of those that differ. It carries out the view's orders, too, which take the control lock as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/error.h>
#include <biscuit/module.h>

#include "frontend/window/machine_view_internal.h"

enum {
	SAMPLE_MS = 100,
	SLOWEST_MS = 500,
	CALM_MS = 250,	/* while nothing changes */
	IDLE_MS = 2500, /* unasked for so long: nobody looks */
	SPARK_MS = 500,
	MEMORY_SAMPLES = 2, /* every so many */
	TABLES_SAMPLES = 8,
	COST_PART = 100,
};

struct sampler {
	struct debug *debug;
	struct bis_machine *machine;
	void (*news)(void *arg);
	void *arg;
	pthread_t thread;

	pthread_mutex_t lock; /* none of the machine's locks is taken under it */
	pthread_cond_t changed;
	bool quit, fresh, replied;
	uint64_t wanted_us; /* when a sample was asked for last; 0: nobody looks */
	unsigned hart;
	char verb[64]; /* "": no order */
	char reply[512];
	struct sample shown;

	/* Of the thread alone. */
	struct sample last, next;
	bool have_last;
	unsigned count;
	uint64_t tables_satp; /* whose tables are in `next` */
	struct memory_watch *memory;
	uint64_t spark_ms, spark_instret[BIS_MAX_HARTS];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- At the safepoint: copies --- */

static void take_registers(struct bis_hart *h, struct hart_sample *out)
{
	const struct bis_reg_desc *d;

	for (size_t i = 0; i < SAMPLE_REGS && (d = bis_hart_reg_desc(h, i)); i++)
		out->regs[i] = bis_hart_reg(h, d->slot);
}

static void take_hart(struct bis_hart *h, struct hart_sample *out)
{
	int satp = bis_hart_csr_number(h, "satp");

	out->pc = bis_hart_pc(h);
	out->priv = bis_hart_priv(h);
	out->halted = bis_hart_halted(h);
	take_registers(h, out);
	bis_hart_counters(h, &out->counters);
	if (satp < 0 || bis_hart_csr_get(h, (unsigned)satp, &out->satp))
		out->satp = 0;
}

static int take_all(void *arg)
{
	struct sampler *s = arg;
	struct bis_module *mod;

	s->next.n_harts = bis_machine_harts(s->machine);
	for (unsigned i = 0; i < s->next.n_harts; i++)
		take_hart(bis_machine_hart(s->machine, i), &s->next.harts[i]);
	s->next.xlen = bis_hart_isa(bis_machine_hart(s->machine, 0))->xlen;
	s->next.n_devices = 0;
	for (size_t i = 0; (mod = bis_machine_module(s->machine, i)); i++)
		devices_take(mod, &s->next);
	return 0;
}

/* --- After it --- */

double sample_rate(uint64_t now, uint64_t before, double seconds, double old)
{
	double fresh = now > before ? (double)(now - before) / seconds : 0;

	fresh = old + (fresh - old) * 0.35;
	return fresh < 0.05 ? 0 : fresh;
}

static void compare_registers(struct sampler *s, unsigned hart)
{
	struct hart_sample *h = &s->next.harts[hart];
	const struct hart_sample *old = &s->last.harts[hart];

	for (unsigned i = 0; i < SAMPLE_REGS; i++)
		h->changed_ms[i] = h->regs[i] != old->regs[i] ? s->next.ms : old->changed_ms[i];
}

static void compare_harts(struct sampler *s, double seconds)
{
	for (unsigned i = 0; i < s->next.n_harts; i++) {
		struct hart_sample *h = &s->next.harts[i];
		const struct hart_sample *old = &s->last.harts[i];

		compare_registers(s, i);
		h->mips = sample_rate(h->counters.instret, old->counters.instret, seconds * 1e6, old->mips);
		memcpy(h->sparks, old->sparks, sizeof(h->sparks));
	}
	for (unsigned c = 0; c < SAMPLE_CAUSES; c++) {
		uint64_t traps[2] = {0}, interrupts[2] = {0};

		for (unsigned i = 0; i < s->next.n_harts; i++) {
			traps[0] += s->last.harts[i].counters.traps[c];
			traps[1] += s->next.harts[i].counters.traps[c];
			interrupts[0] += s->last.harts[i].counters.interrupts[c];
			interrupts[1] += s->next.harts[i].counters.interrupts[c];
		}
		s->next.traps[c] = sample_rate(traps[1], traps[0], seconds, s->last.traps[c]);
		s->next.interrupts[c] = sample_rate(interrupts[1], interrupts[0], seconds, s->last.interrupts[c]);
	}
}

static bool is_fading(const struct sample *s)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < s->n_harts; i++)
		for (unsigned k = 0; k < SAMPLE_REGS; k++)
			last = s->harts[i].changed_ms[k] > last ? s->harts[i].changed_ms[k] : last;
	for (size_t i = 0; i < s->n_devices; i++)
		last = s->devices[i].changed_ms > last ? s->devices[i].changed_ms : last;
	return last && s->ms - last < FADE_MS * 2;
}

bool sample_differs(const struct sample *a, const struct sample *b)
{
	return !a->n_harts || is_fading(b) || a->state != b->state ||
	       a->uptime / 1000000000 != b->uptime / 1000000000 ||
	       memcmp(a->harts, b->harts, b->n_harts * sizeof(b->harts[0])) != 0 ||
	       memcmp(a->traps, b->traps, sizeof(b->traps)) != 0 ||
	       memcmp(a->interrupts, b->interrupts, sizeof(b->interrupts)) != 0 || a->n_devices != b->n_devices ||
	       memcmp(a->devices, b->devices, b->n_devices * sizeof(b->devices[0])) != 0 ||
	       memcmp(&a->memory, &b->memory, sizeof(b->memory)) != 0 ||
	       memcmp(&a->tables, &b->tables, sizeof(b->tables)) != 0;
}

/* A point of each hart's line of speeds. */
static void add_sparks(struct sampler *s)
{
	uint64_t ms = s->next.ms, passed = ms - s->spark_ms;

	if (s->spark_ms && (passed < SPARK_MS || s->next.state != BIS_RUNNING))
		return;
	for (unsigned i = 0; i < s->next.n_harts; i++) {
		struct hart_sample *h = &s->next.harts[i];
		uint64_t instret = h->counters.instret, old = s->spark_instret[i];

		if (s->spark_ms && instret >= old) {
			memmove(h->sparks, h->sparks + 1, sizeof(h->sparks) - sizeof(h->sparks[0]));
			h->sparks[SAMPLE_SPARKS - 1] = (float)((double)(instret - old) / (double)passed / 1e3);
		}
		s->spark_instret[i] = instret;
	}
	s->spark_ms = ms;
}

static void look_at_memory(struct sampler *s, unsigned hart)
{
	struct sample *n = &s->next;

	if (!s->memory)
		s->memory = memory_watch_create(bis_machine_memory(s->machine));
	if (s->memory && s->count % MEMORY_SAMPLES == 0)
		memory_watch_look(s->memory, &n->memory);
	if (s->count % TABLES_SAMPLES && n->harts[hart].satp == s->tables_satp)
		return;
	s->tables_satp = n->harts[hart].satp;
	tables_look(bis_machine_memory(s->machine), n->xlen, n->harts[hart].satp, &n->tables);
}

static void take_sample(struct sampler *s, unsigned hart)
{
	double seconds;

	s->last = s->next;
	s->next.ms = now_us() / 1000;
	for (unsigned i = 0; i < bis_machine_harts(s->machine); i++) /* the safepoint wakes them */
		s->next.harts[i].sleeping = bis_hart_sleeping(bis_machine_hart(s->machine, i));
	(void)!bis_machine_at_safepoint(s->machine, take_all, s);
	s->next.state = bis_machine_state(s->machine);
	s->next.uptime = bis_machine_now(s->machine);
	hart = hart < s->next.n_harts ? hart : 0;
	for (unsigned i = 0; i < s->next.n_harts; i++)
		debug_format_address(s->debug, s->next.harts[i].pc, s->next.harts[i].where,
				     sizeof(s->next.harts[i].where));
	seconds = (double)(s->next.ms - s->last.ms) / 1000;
	if (s->have_last && seconds > 0) {
		compare_harts(s, seconds);
		devices_compare(&s->next, &s->last, seconds);
	}
	add_sparks(s);
	look_at_memory(s, hart);
	s->have_last = true;
	s->count++;
}

/* --- The thread --- */

static struct timespec time_of(uint64_t us)
{
	return (struct timespec){.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
}

/* Under the lock, which it lets go meanwhile. What has come of it is looked at right away. */
static void carry_out(struct sampler *s, uint64_t *due)
{
	char verb[sizeof(s->verb)], *reply = NULL;
	size_t size;
	FILE *f;

	strcpy(verb, s->verb);
	s->verb[0] = '\0';
	pthread_mutex_unlock(&s->lock);
	f = open_memstream(&reply, &size);
	if (f) {
		int err = debug_verb(s->debug, verb, f);

		fclose(f);
		pthread_mutex_lock(&s->lock);
		s->replied = err;
		snprintf(s->reply, sizeof(s->reply), "%s", err ? bis_error_message() : "");
	} else {
		pthread_mutex_lock(&s->lock);
	}
	free(reply);
	*due = 0;
}

/* When to look again: the guest's time is worth more than the picture's. */
static uint64_t pause_us(uint64_t cost, bool differs)
{
	uint64_t pause = (differs ? SAMPLE_MS : CALM_MS) * 1000;

	pause = cost * COST_PART > pause ? cost * COST_PART : pause;
	return pause < SLOWEST_MS * 1000 ? pause : SLOWEST_MS * 1000;
}

static void sample_once(struct sampler *s, uint64_t *due)
{
	unsigned hart = s->hart;
	uint64_t start = now_us();
	bool differs;

	pthread_mutex_unlock(&s->lock);
	take_sample(s, hart);
	differs = sample_differs(&s->last, &s->next);
	*due = start + pause_us(now_us() - start, differs);
	pthread_mutex_lock(&s->lock);
	if (!differs)
		return;
	s->shown = s->next;
	s->fresh = true;
	pthread_mutex_unlock(&s->lock);
	s->news(s->arg);
	pthread_mutex_lock(&s->lock);
}

/* Nobody looks: what costs the guest something goes, and rates begin anew. */
static void rest(struct sampler *s)
{
	s->wanted_us = 0;
	pthread_mutex_unlock(&s->lock);
	memory_watch_destroy(s->memory);
	s->memory = NULL;
	s->have_last = false;
	s->spark_ms = 0;
	memset(&s->next, 0, sizeof(s->next));
	pthread_mutex_lock(&s->lock);
}

static void *run(void *arg)
{
	struct sampler *s = arg;
	uint64_t due = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->quit) {
		uint64_t now = now_us();
		struct timespec until = time_of(due);

		if (*s->verb)
			carry_out(s, &due);
		else if (!s->wanted_us)
			pthread_cond_wait(&s->changed, &s->lock);
		else if (now > s->wanted_us && now - s->wanted_us > IDLE_MS * 1000)
			rest(s);
		else if (now >= due)
			sample_once(s, &due);
		else
			pthread_cond_timedwait(&s->changed, &s->lock, &until);
	}
	pthread_mutex_unlock(&s->lock);
	memory_watch_destroy(s->memory);
	return NULL;
}

/* --- What the view calls --- */

int sampler_create(struct debug *d, void (*news)(void *arg), void *arg, struct sampler **out)
{
	struct sampler *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	sigset_t all, old;
	int err;

	if (!s)
		return bis_fail(ENOMEM, "no memory for the picture of the machine");
	s->debug = d;
	s->machine = debug_machine(d);
	s->news = news;
	s->arg = arg;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		pthread_cond_destroy(&s->changed);
		pthread_mutex_destroy(&s->lock);
		free(s);
		return bis_fail(err, "no thread for the picture of the machine: %s", strerror(err));
	}
	*out = s;
	return 0;
}

void sampler_destroy(struct sampler *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void sampler_want(struct sampler *s, unsigned hart)
{
	uint64_t now = now_us();

	pthread_mutex_lock(&s->lock);
	if (!s->wanted_us)
		pthread_cond_signal(&s->changed);
	s->wanted_us = now;
	s->hart = hart;
	pthread_mutex_unlock(&s->lock);
}

bool sampler_take(struct sampler *s, struct sample *out)
{
	bool fresh;

	pthread_mutex_lock(&s->lock);
	fresh = s->fresh;
	if (fresh)
		*out = s->shown;
	s->fresh = false;
	pthread_mutex_unlock(&s->lock);
	return fresh;
}

void sampler_order(struct sampler *s, const char *verb)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->verb, sizeof(s->verb), "%s", verb);
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

bool sampler_reply(struct sampler *s, char *buf, size_t size)
{
	bool replied;

	pthread_mutex_lock(&s->lock);
	replied = s->replied;
	s->replied = false;
	if (replied)
		snprintf(buf, size, "%s", s->reply);
	pthread_mutex_unlock(&s->lock);
	return replied;
}
