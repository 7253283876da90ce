/*
 * --profile. A thread asks each hart that executes code, at a fixed rate, to look where it is; the hart does so on its
 * own thread, between two instructions, and nothing is parked or woken for it. A hart that does not come to it (it
 * waits in a device) counts the time at the place where it goes on. What was seen is in one table, under a lock.
 */
#include "profile.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/error.h>
#include <biscuit/trace.h>

#include "frontend/debug/debug.h"
#include "frontend/run/message.h"
#include "frontend/run/profile_internal.h"
#include "frontend/run/spec.h"

#define DEFAULT_PATH "biscuit.prof"
#define DEFAULT_RATE 997 /* a prime: not in step with what a guest does in round numbers */
#define RATE_MAX     20000
#define SECOND	     1000000000

struct sampled_hart {
	struct profile *profile;
	_Atomic uint64_t ticks; /* of the clock since its last sample */
};

struct profile {
	struct bis_machine *m;
	const struct debug *d;
	char *path;
	FILE *file;
	unsigned rate;
	pthread_t thread;
	atomic_bool quit;
	struct sampled_hart harts[BIS_MAX_HARTS];
	pthread_mutex_t lock; /* guards the table */
	struct profile_table table;
};

/* --- FILE[,rate=HZ] --- */

static int read_rate(const char *text, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > RATE_MAX)
		return bis_fail(EINVAL, "--profile: rate is '%s', expected a number from 1 to %d", text, RATE_MAX);
	*out = (unsigned)n;
	return 0;
}

static int read_item(const struct spec_item *item, char **path, unsigned *rate)
{
	const char *end = item->value ? item->value + item->value_length : item->key + item->key_length;
	char *text = spec_copy(item->key, (size_t)(end - item->key));
	int err = 0;

	if (!text)
		return bis_fail(ENOMEM, "--profile: out of memory");
	if (!strncmp(text, "rate=", 5)) {
		err = read_rate(text + 5, rate);
	} else if (!*text || *path) {
		err = bis_fail(EINVAL, "--profile: '%s', expected FILE[,rate=HZ]", text);
	} else {
		*path = text;
		return 0;
	}
	free(text);
	return err;
}

/* *path is to be freed in any case. */
static int read_value(const char *value, char **path, unsigned *rate)
{
	const char *rest = value ? value : "";
	struct spec_item item;
	int err = value && !*value ? bis_fail(EINVAL, "--profile: is empty, expected FILE[,rate=HZ]") : 0;

	*path = NULL;
	*rate = DEFAULT_RATE;
	while (!err && spec_next(&rest, &item))
		err = read_item(&item, path, rate);
	if (!err && !*path && !(*path = strdup(DEFAULT_PATH)))
		err = bis_fail(ENOMEM, "--profile: out of memory");
	return err;
}

int profile_check(const char *value)
{
	unsigned rate;
	char *path;
	int err = read_value(value, &path, &rate);

	free(path);
	return err;
}

/* --- Sampling --- */

static struct profile_frame frame_of(const struct debug *d, uint64_t pc)
{
	uint64_t offset;
	const char *symbol = debug_symbol_at(d, pc, &offset);

	return symbol ? (struct profile_frame){.symbol = symbol}
		      : (struct profile_frame){.page = pc & ~(uint64_t)(BIS_PAGE_SIZE - 1)};
}

static void count(struct profile *p, const struct bis_hart *h, const struct profile_frame *frames, size_t depth,
		  uint64_t ticks)
{
	pthread_mutex_lock(&p->lock);
	profile_table_add(&p->table, bis_hart_id(h), depth ? bis_hart_priv(h) : BIS_PRIV_U, frames, (unsigned)depth,
			  ticks);
	pthread_mutex_unlock(&p->lock);
}

/* Hart's thread, between two instructions. */
static void take_sample(void *arg, struct bis_hart *h)
{
	struct sampled_hart *s = arg;
	uint64_t ticks = atomic_exchange(&s->ticks, 0);
	struct debug_frame found[PROFILE_DEPTH];
	struct profile_frame frames[PROFILE_DEPTH];
	size_t depth;

	if (!ticks)
		return;
	depth = debug_backtrace(s->profile->d, h, found, BIS_ARRAY_SIZE(found));
	/* Callers stand behind their call, which may be the last instruction of a function. */
	for (size_t i = 0; i < depth; i++)
		frames[i] = frame_of(s->profile->d, found[i].pc - (i ? 1 : 0));
	count(s->profile, h, frames, depth, ticks);
}

/* A hart that sleeps is not woken: what it has not counted yet counts as sleep, too. */
static void tick(struct profile *p, uint64_t ticks)
{
	if (bis_machine_state(p->m) != BIS_RUNNING)
		return;
	for (unsigned i = 0; i < bis_machine_harts(p->m); i++) {
		struct bis_hart *h = bis_machine_hart(p->m, i);
		struct sampled_hart *s = &p->harts[i];

		atomic_fetch_add(&s->ticks, ticks);
		if (bis_hart_sleeping(h) || bis_hart_halted(h))
			count(p, h, NULL, 0, atomic_exchange(&s->ticks, 0));
		else
			(void)bis_hart_ask_sample(h, take_sample, s);
	}
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

static void *sample_thread(void *arg)
{
	struct profile *p = arg;
	uint64_t period = SECOND / p->rate, next = now_ns() + period;

	while (!atomic_load(&p->quit)) {
		struct timespec until = {.tv_sec = (time_t)(next / SECOND), .tv_nsec = (long)(next % SECOND)};
		uint64_t now, due;

		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
			continue;
		now = now_ns();
		due = 1 + (now - next) / period; /* where the host had no time for this thread */
		tick(p, due);
		next += due * period;
	}
	return NULL;
}

/* --- Beginning and end --- */

static int start(struct profile *p)
{
	int err;

	p->file = fopen(p->path, "we");
	if (!p->file)
		return bis_fail(errno, "--profile: %s: %s", p->path, strerror(errno));
	for (unsigned i = 0; i < BIS_MAX_HARTS; i++)
		p->harts[i].profile = p;
	pthread_mutex_init(&p->lock, NULL);
	err = pthread_create(&p->thread, NULL, sample_thread, p);
	if (!err)
		return 0;
	pthread_mutex_destroy(&p->lock);
	fclose(p->file);
	return bis_fail(err, "--profile: cannot start a thread: %s", strerror(err));
}

int profile_start(const char *value, struct bis_machine *m, const struct debug *d, struct profile **out)
{
	struct profile *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return bis_fail(ENOMEM, "--profile: out of memory");
	p->m = m;
	p->d = d;
	err = read_value(value, &p->path, &p->rate);
	if (!err)
		err = start(p);
	if (err) {
		free(p->path);
		free(p);
		return err;
	}
	*out = p;
	return 0;
}

static int forget(void *arg)
{
	struct profile *p = arg;

	for (unsigned i = 0; i < bis_machine_harts(p->m); i++)
		bis_hart_forget_sample(bis_machine_hart(p->m, i));
	return 0;
}

void profile_stop(struct profile *p)
{
	int err;

	if (!p)
		return;
	atomic_store(&p->quit, true);
	pthread_join(p->thread, NULL);
	(void)bis_machine_at_safepoint(p->m, forget, p);
	err = profile_table_write(&p->table, p->file);
	if (fclose(p->file) && !err)
		err = bis_fail(errno, "--profile: %s", strerror(errno));
	if (err)
		message("warning: %s", bis_error_message());
	else
		profile_table_print(&p->table, p->path);
	profile_table_free(&p->table);
	pthread_mutex_destroy(&p->lock);
	free(p->path);
	free(p);
}
