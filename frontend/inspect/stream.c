/*
 * Files that wait for more: each open one has a queue of its own, and whoever waits for it is called on one thread, the
 * bell, which the threads that bring something only wake. A queue that nobody empties loses what no longer fits, whole
 * pieces at a time, and says how many. in->stream_lock guards everything here.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

#define QUEUE_MAX ((size_t)1 << 20)

struct inspect_stream {
	struct inspect_stream *next;
	enum inspect_stream_kind kind;
	const void *source;
	struct inspect_waiter *waiters;
	char *data; /* of QUEUE_MAX bytes, a ring */
	size_t head, len;
	uint64_t lost;
	bool ended;
};

/* --- The queue --- */

static void append(struct inspect_stream *s, const char *data, size_t len)
{
	size_t tail = (s->head + s->len) % QUEUE_MAX;
	size_t first = len < QUEUE_MAX - tail ? len : QUEUE_MAX - tail;

	memcpy(s->data + tail, data, first);
	memcpy(s->data, data + first, len - first);
	s->len += len;
}

static void put(struct inspect_stream *s, const char *data, size_t len)
{
	char note[80];
	size_t note_len = 0;

	if (s->ended)
		return;
	if (s->lost && s->kind == INSPECT_EVENTS)
		note_len =
			(size_t)snprintf(note, sizeof(note), "{\"event\":\"lost\",\"count\":%" PRIu64 "}\n", s->lost);
	if (len + note_len > QUEUE_MAX - s->len) {
		s->lost++;
		return;
	}
	append(s, note, note_len);
	append(s, data, len);
	s->lost = 0;
	s->ended = s->kind == INSPECT_WAIT;
}

static size_t take(struct inspect_stream *s, char *buf, size_t size)
{
	size_t len = size < s->len ? size : s->len;
	size_t first = len < QUEUE_MAX - s->head ? len : QUEUE_MAX - s->head;

	memcpy(buf, s->data + s->head, first);
	memcpy(buf + first, s->data, len - first);
	s->head = (s->head + len) % QUEUE_MAX;
	s->len -= len;
	return len;
}

/* --- The bell --- */

static void ring(struct inspect *in)
{
	in->ringing = true;
	pthread_cond_signal(&in->rung);
}

/* Takes the waiters off every stream that has something for them. */
static struct inspect_waiter *gather(struct inspect *in)
{
	struct inspect_waiter *all = NULL;

	for (struct inspect_stream *s = in->streams; s; s = s->next) {
		while (s->waiters && (s->len || s->ended)) {
			struct inspect_waiter *w = s->waiters;

			s->waiters = w->next;
			w->queued = false;
			w->next = all;
			all = w;
		}
	}
	return all;
}

static void *serve_bell(void *arg)
{
	struct inspect *in = arg;

	pthread_mutex_lock(&in->stream_lock);
	while (in->ringing || !in->ending) {
		struct inspect_waiter *w;

		if (!in->ringing) {
			pthread_cond_wait(&in->rung, &in->stream_lock);
			continue;
		}
		in->ringing = false;
		w = gather(in);
		pthread_mutex_unlock(&in->stream_lock);
		while (w) {
			struct inspect_waiter *next = w->next;

			w->ready(w);
			w = next;
		}
		pthread_mutex_lock(&in->stream_lock);
	}
	pthread_mutex_unlock(&in->stream_lock);
	return NULL;
}

int inspect_streams_start(struct inspect *in)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&in->bell, NULL, serve_bell, in);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	in->has_bell = !err;
	return err ? bis_fail(err, "cannot start a thread: %s", strerror(err)) : 0;
}

void inspect_streams_stop(struct inspect *in)
{
	pthread_mutex_lock(&in->stream_lock);
	in->ending = true;
	ring(in);
	pthread_mutex_unlock(&in->stream_lock);
	if (in->has_bell)
		pthread_join(in->bell, NULL);
	in->has_bell = false;
}

void inspect_end_streams(struct inspect *in, unsigned grace_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)grace_ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&in->stream_lock);
	for (struct inspect_stream *s = in->streams; s; s = s->next)
		s->ended = true;
	ring(in);
	while (grace_ms && in->streams && !pthread_cond_timedwait(&in->closed, &in->stream_lock, &until))
		;
	pthread_mutex_unlock(&in->stream_lock);
}

/* --- Streams --- */

/* What a new stream of the kind has to say at once. */
static void begin(struct inspect *in, struct inspect_stream *s)
{
	enum bis_run_state state = bis_machine_state(in->machine);

	if (s->kind == INSPECT_WAIT && (state == BIS_PAUSED || state == BIS_STOPPED))
		put(s, in->last_stop, strlen(in->last_stop));
}

int inspect_stream_open(struct inspect *in, enum inspect_stream_kind kind, const void *source,
			struct inspect_stream **out)
{
	struct inspect_stream *s = calloc(1, sizeof(*s));

	if (s)
		s->data = malloc(QUEUE_MAX);
	if (!s || !s->data) {
		free(s);
		return bis_fail(ENOMEM, "no memory for a queue");
	}
	s->kind = kind;
	s->source = source;
	pthread_mutex_lock(&in->stream_lock);
	begin(in, s);
	s->next = in->streams;
	in->streams = s;
	pthread_mutex_unlock(&in->stream_lock);
	*out = s;
	return 0;
}

void inspect_stream_close(struct inspect *in, struct inspect_stream *s)
{
	struct inspect_stream **at = &in->streams;
	struct inspect_waiter *w;

	pthread_mutex_lock(&in->stream_lock);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	pthread_cond_signal(&in->closed);
	w = s->waiters;
	for (struct inspect_waiter *each = w; each; each = each->next)
		each->queued = false;
	pthread_mutex_unlock(&in->stream_lock);
	while (w) {
		struct inspect_waiter *next = w->next;

		w->ready(w);
		w = next;
	}
	free(s->data);
	free(s);
}

/* Puts w in the stream's list: -EAGAIN, or -EINTR where it has been cancelled. */
static int queue_waiter(struct inspect_stream *s, struct inspect_waiter *w)
{
	if (!w)
		return -EAGAIN;
	if (w->cancelled)
		return -EINTR;
	w->queued = true;
	w->next = s->waiters;
	s->waiters = w;
	return -EAGAIN;
}

ssize_t inspect_stream_read(struct inspect *in, struct inspect_stream *s, void *buf, size_t size,
			    struct inspect_waiter *w)
{
	ssize_t result;

	pthread_mutex_lock(&in->stream_lock);
	if (s->len || s->ended || !size)
		result = (ssize_t)take(s, buf, size);
	else
		result = queue_waiter(s, w);
	pthread_mutex_unlock(&in->stream_lock);
	return result;
}

bool inspect_stream_ready(struct inspect *in, struct inspect_stream *s, struct inspect_waiter *w)
{
	bool ready;

	pthread_mutex_lock(&in->stream_lock);
	ready = s->len || s->ended;
	if (!ready)
		(void)queue_waiter(s, w);
	pthread_mutex_unlock(&in->stream_lock);
	return ready;
}

static bool unqueue(struct inspect_stream *s, const struct inspect_waiter *w)
{
	for (struct inspect_waiter **at = &s->waiters; *at; at = &(*at)->next) {
		if (*at != w)
			continue;
		*at = w->next;
		return true;
	}
	return false;
}

bool inspect_waiter_cancel(struct inspect *in, struct inspect_waiter *w)
{
	bool queued;

	pthread_mutex_lock(&in->stream_lock);
	queued = w->queued;
	w->cancelled = true;
	w->queued = false;
	for (struct inspect_stream *s = queued ? in->streams : NULL; s && !unqueue(s, w); s = s->next)
		;
	pthread_mutex_unlock(&in->stream_lock);
	return queued;
}

void inspect_stream_put(struct inspect *in, enum inspect_stream_kind kind, const void *source, const void *data,
			size_t len)
{
	bool wanted = false;

	pthread_mutex_lock(&in->stream_lock);
	for (struct inspect_stream *s = in->streams; s; s = s->next) {
		if (s->kind != kind || s->source != source)
			continue;
		put(s, data, len);
		wanted |= s->waiters != NULL;
	}
	if (wanted)
		ring(in);
	pthread_mutex_unlock(&in->stream_lock);
}
