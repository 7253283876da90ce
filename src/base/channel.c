/*
 * bis_channel: bounded two-way message channel, <biscuit/channel.h>. Any thread. Both ends share one object that is
 * freed with the second end; one mutex guards all of it, and each direction has a condition for "not empty" and one for
 * "not full". A waiter whose time has run out looks at the queue once more, so no wake-up is lost.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <biscuit/channel.h>
#include <biscuit/error.h>

struct queue {
	uint8_t *messages; /* depth slots of message_size bytes, used as a ring */
	size_t first, count;
	pthread_cond_t not_empty, not_full;
};

struct shared {
	pthread_mutex_t lock;
	size_t message_size, depth;
	struct queue queues[2]; /* queue i is received from at end i */
	unsigned ends;		/* not yet destroyed */
	bool closed;
};

struct bis_channel {
	struct shared *shared;
	unsigned side;
};

/* --- making and freeing --- */

static void free_queue(struct queue *q)
{
	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	free(q->messages);
}

static int init_queue(struct queue *q, size_t depth, size_t message_size)
{
	pthread_condattr_t attr;

	q->messages = calloc(depth, message_size);
	if (!q->messages)
		return -ENOMEM;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->not_empty, &attr);
	pthread_cond_init(&q->not_full, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

static void free_shared(struct shared *s)
{
	free_queue(&s->queues[1]);
	free_queue(&s->queues[0]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct shared *create_shared(size_t message_size, size_t depth)
{
	struct shared *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->message_size = message_size;
	s->depth = depth;
	s->ends = 2;
	if (init_queue(&s->queues[0], depth, message_size))
		goto free_object;
	if (init_queue(&s->queues[1], depth, message_size))
		goto free_first;
	pthread_mutex_init(&s->lock, NULL);
	return s;
free_first:
	free_queue(&s->queues[0]);
free_object:
	free(s);
	return NULL;
}

int bis_channel_create(size_t message_size, size_t depth, struct bis_channel **a, struct bis_channel **b)
{
	struct bis_channel *first, *second;
	struct shared *s;

	if (message_size == 0 || depth == 0)
		return bis_fail(EINVAL, "channel: message size and depth must not be 0");
	s = depth > SIZE_MAX / message_size ? NULL : create_shared(message_size, depth);
	first = calloc(1, sizeof(*first));
	second = calloc(1, sizeof(*second));
	if (!s || !first || !second) {
		free(second);
		free(first);
		if (s)
			free_shared(s);
		return bis_fail(ENOMEM, "channel: no memory for %zu messages of %zu bytes", depth, message_size);
	}
	*first = (struct bis_channel){s, 0};
	*second = (struct bis_channel){s, 1};
	*a = first;
	*b = second;
	return 0;
}

static void close_locked(struct shared *s)
{
	s->closed = true;
	for (unsigned i = 0; i < 2; i++) {
		pthread_cond_broadcast(&s->queues[i].not_empty);
		pthread_cond_broadcast(&s->queues[i].not_full);
	}
}

void bis_channel_close(struct bis_channel *end)
{
	pthread_mutex_lock(&end->shared->lock);
	close_locked(end->shared);
	pthread_mutex_unlock(&end->shared->lock);
}

void bis_channel_destroy(struct bis_channel *end)
{
	struct shared *s;
	unsigned left;

	if (!end)
		return;
	s = end->shared;
	pthread_mutex_lock(&s->lock);
	close_locked(s);
	left = --s->ends;
	pthread_mutex_unlock(&s->lock);
	if (left == 0)
		free_shared(s);
	free(end);
}

/* --- waiting --- */

/* A point in time to wait for, or one of the two cases that need no clock. */
struct deadline {
	int timeout_ms;
	struct timespec at;
};

static struct deadline deadline_in(int timeout_ms)
{
	struct deadline d = {.timeout_ms = timeout_ms};

	if (timeout_ms > 0) {
		clock_gettime(CLOCK_MONOTONIC, &d.at);
		d.at.tv_sec += timeout_ms / 1000;
		d.at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
		if (d.at.tv_nsec >= 1000000000) {
			d.at.tv_sec++;
			d.at.tv_nsec -= 1000000000;
		}
	}
	return d;
}

/* Waits once. 0 to look again, -EAGAIN or -ETIMEDOUT when the time is over. */
static int wait_once(pthread_cond_t *cond, pthread_mutex_t *lock, const struct deadline *d)
{
	if (d->timeout_ms == 0)
		return -EAGAIN;
	if (d->timeout_ms < 0) {
		pthread_cond_wait(cond, lock);
		return 0;
	}
	return pthread_cond_timedwait(cond, lock, &d->at) == ETIMEDOUT ? -ETIMEDOUT : 0;
}

static int channel_error(int err)
{
	switch (err) {
	case -EPIPE:
		return bis_fail(err, "channel: closed");
	case -EAGAIN:
		return bis_fail(err, "channel: would have to wait");
	default:
		return bis_fail(err, "channel: timed out");
	}
}

/* --- messages; the caller holds the lock --- */

static int push(struct shared *s, struct queue *q, const void *message, const struct deadline *d)
{
	int err = 0;

	while (q->count == s->depth && !s->closed && !err)
		err = wait_once(&q->not_full, &s->lock, d);
	if (s->closed)
		return -EPIPE;
	if (q->count == s->depth)
		return err;
	memcpy(q->messages + (q->first + q->count) % s->depth * s->message_size, message, s->message_size);
	q->count++;
	pthread_cond_signal(&q->not_empty);
	return 0;
}

static int pop(struct shared *s, struct queue *q, void *message, const struct deadline *d)
{
	int err = 0;

	while (q->count == 0 && !s->closed && !err)
		err = wait_once(&q->not_empty, &s->lock, d);
	if (q->count == 0)
		return s->closed ? -EPIPE : err;
	memcpy(message, q->messages + q->first * s->message_size, s->message_size);
	q->first = (q->first + 1) % s->depth;
	q->count--;
	pthread_cond_signal(&q->not_full);
	return 0;
}

static struct queue *outgoing(struct bis_channel *end)
{
	return &end->shared->queues[end->side ^ 1];
}

static struct queue *incoming(struct bis_channel *end)
{
	return &end->shared->queues[end->side];
}

/* --- verbs --- */

int bis_channel_send(struct bis_channel *end, const void *message, int timeout_ms)
{
	struct deadline d = deadline_in(timeout_ms);
	int err;

	pthread_mutex_lock(&end->shared->lock);
	err = push(end->shared, outgoing(end), message, &d);
	pthread_mutex_unlock(&end->shared->lock);
	return err ? channel_error(err) : 0;
}

int bis_channel_recv(struct bis_channel *end, void *message, int timeout_ms)
{
	struct deadline d = deadline_in(timeout_ms);
	int err;

	pthread_mutex_lock(&end->shared->lock);
	err = pop(end->shared, incoming(end), message, &d);
	pthread_mutex_unlock(&end->shared->lock);
	return err ? channel_error(err) : 0;
}

int bis_channel_try_recv(struct bis_channel *end, void *message)
{
	return bis_channel_recv(end, message, 0);
}

int bis_channel_query(struct bis_channel *end, const void *request, void *reply, int timeout_ms)
{
	struct deadline d = deadline_in(timeout_ms);
	int err;

	pthread_mutex_lock(&end->shared->lock);
	err = push(end->shared, outgoing(end), request, &d);
	if (!err)
		err = pop(end->shared, incoming(end), reply, &d);
	pthread_mutex_unlock(&end->shared->lock);
	return err ? channel_error(err) : 0;
}

size_t bis_channel_pending(struct bis_channel *end)
{
	size_t count;

	pthread_mutex_lock(&end->shared->lock);
	count = incoming(end)->count;
	pthread_mutex_unlock(&end->shared->lock);
	return count;
}

/* The lock is not held while `each` runs, which may therefore use the channel itself. */
int bis_channel_iterate(struct bis_channel *end, int (*each)(void *arg, const void *message), void *arg)
{
	const struct deadline now = {0};
	size_t waiting = bis_channel_pending(end);
	void *message;
	int result = 0;

	if (waiting == 0)
		return 0;
	message = malloc(end->shared->message_size);
	if (!message)
		return bis_fail(ENOMEM, "channel: no memory for a message of %zu bytes", end->shared->message_size);
	while (result == 0 && waiting-- > 0) {
		int err;

		pthread_mutex_lock(&end->shared->lock);
		err = pop(end->shared, incoming(end), message, &now);
		pthread_mutex_unlock(&end->shared->lock);
		if (err)
			break;
		result = each(arg, message);
	}
	free(message);
	return result;
}
