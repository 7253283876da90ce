/*
 * The requests of a virtio-9p device on their way. What seldom waits is carried out where the driver notifies, on the
 * hart's thread with the device lock held: that takes less time than waking another thread. Everything else, and for a
 * while after that has taken long everything, goes to worker threads, which are started when they are first needed and
 * never take the device lock. A request that waits for a file lock takes no worker: one thread tries for all of them.
 * The queue owns the requests and the threads.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "magicfs/virtio_9p_queue.h"
#include "modules/worker.h"

#define QUEUE	     0u
#define REQUESTS_MAX 64u
#define WAITING_MAX  48u /* requests that wait for locks; further ones are told that the lock is taken */
#define MS	     UINT64_C(1000000)
#define SLOW_NS	     (1 * MS) /* what takes longer than this in place was slow, */
#define SUSPECT_NS                                                                                                     \
	(50 * MS)	   /* unless it was the only one for so long: a host with much to do interrupts any thread     \
			    */
#define AVOID_NS (20 * MS) /* how long nothing is carried out in place after slow ones */
#define RETRY_NS (4 * MS)  /* how often locks are tried that something else on the host may give up */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

/* --- Requests: the queue's lock is held --- */

static struct p9_request *new_request(struct p9_queue *q)
{
	struct p9_request *r = TAILQ_FIRST(&q->free);

	if (r) {
		TAILQ_REMOVE(&q->free, r, link);
		return r;
	}
	r = q->n_requests < REQUESTS_MAX ? malloc(sizeof(*r)) : NULL;
	if (!r)
		return NULL;
	q->n_requests++;
	r->session = q->session;
	r->node = NULL;
	TAILQ_INIT(&r->flushes);
	return r;
}

static struct p9_request *find_tag(struct p9_queue *q, uint16_t tag)
{
	struct p9_request *r;

	LIST_FOREACH(r, &q->busy, busy)
	{
		if (r->tag == tag && !r->failed)
			return r;
	}
	return NULL;
}

static void give_back(struct p9_queue *q, struct p9_request *r)
{
	virtio_push(&r->chain);
	LIST_REMOVE(r, busy);
	TAILQ_INSERT_HEAD(&q->free, r, link);
}

/* The request has its answer. Those that flush it follow. */
static void retire(struct p9_queue *q, struct p9_request *r)
{
	struct p9_request *flush;

	give_back(q, r);
	while ((flush = TAILQ_FIRST(&r->flushes))) {
		TAILQ_REMOVE(&r->flushes, flush, link);
		TAILQ_CONCAT(&r->flushes, &flush->flushes, link);
		p9_answer(flush, 0);
		give_back(q, flush);
	}
	if (LIST_EMPTY(&q->busy))
		pthread_cond_broadcast(&q->idle);
	if (q->starved && q->n_sleeping)
		pthread_cond_signal(&q->work);
}

static void finish(struct p9_queue *q, struct p9_request *r, int err)
{
	bool unlocks = r->type == P9_TLOCK || r->type == P9_TCLUNK || r->type == P9_TREMOVE;

	p9_answer(r, err);
	retire(q, r);
	if (unlocks && q->n_waiting)
		pthread_cond_signal(&q->freed);
}

/* --- Waiting for locks: the queue's lock is held --- */

static void end_waiting(struct p9_queue *q, struct p9_request *r, int err)
{
	TAILQ_REMOVE(&q->waiting, r, link);
	q->n_waiting--;
	r->waiting = false;
	mfs_node_put(r->node);
	r->node = NULL;
	finish(q, r, err);
}

/* Answers all of them, with an error if `err` is not 0. */
static void end_all_waiting(struct p9_queue *q, int err)
{
	struct p9_request *r;

	while ((r = TAILQ_FIRST(&q->waiting))) {
		p9_restart(r);
		p9_put8(r, P9_LOCK_BLOCKED);
		end_waiting(q, r, err);
	}
}

static void try_locks(struct p9_queue *q)
{
	struct p9_request *r, *next;
	bool any = false;

	for (r = TAILQ_FIRST(&q->waiting); r; r = next) {
		int err = mfs_lock(r->node, &r->lock);

		next = TAILQ_NEXT(r, link);
		if (err == -EAGAIN)
			continue;
		p9_restart(r);
		p9_put8(r, P9_LOCK_SUCCESS);
		end_waiting(q, r, err);
		any = true;
	}
	if (any)
		virtio_signal(q->virtio, QUEUE);
}

static void *waiter_main(void *arg)
{
	struct p9_queue *q = arg;

	pthread_mutex_lock(&q->lock);
	while (!q->quit) {
		uint64_t until = now_ns() + RETRY_NS;
		struct timespec ts = {(time_t)(until / (1000 * MS)), (long)(until % (1000 * MS))};

		if (q->n_waiting == 0) {
			pthread_cond_wait(&q->freed, &q->lock);
			continue;
		}
		pthread_cond_timedwait(&q->freed, &q->lock, &ts);
		try_locks(q);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void wait_for_lock(struct p9_queue *q, struct p9_request *r)
{
	if (!q->has_waiter && !q->quit)
		q->has_waiter = worker_start(q->name, &q->waiter, waiter_main, q) == 0;
	TAILQ_INSERT_TAIL(&q->waiting, r, link);
	q->n_waiting++;
	r->waiting = true;
	if (!TAILQ_EMPTY(&r->flushes)) {
		end_waiting(q, r, -EINTR);
	} else if (!q->has_waiter || q->draining || q->n_waiting > WAITING_MAX) {
		p9_restart(r);
		p9_put8(r, P9_LOCK_BLOCKED);
		end_waiting(q, r, 0);
	} else {
		pthread_cond_signal(&q->freed);
	}
}

/* --- Flushing: the queue's lock is held --- */

/* Tflush oldtag[2]: Rflush, when the request of that tag has been answered, or is not known. */
static void flush(struct p9_queue *q, struct p9_request *r)
{
	struct p9_request *old;
	uint16_t tag;

	p9_restart(r);
	tag = p9_get16(r);
	if (!r->failed && !p9_got_all(r))
		r->failed = -EINVAL;
	old = r->failed || tag == r->tag ? NULL : find_tag(q, tag);
	if (!old) {
		finish(q, r, r->failed);
		return;
	}
	TAILQ_INSERT_TAIL(&old->flushes, r, link);
	if (old->waiting)
		end_waiting(q, old, -EINTR);
}

/* --- Taking requests: the queue's lock is held --- */

/* There is no room to say what is wrong. */
static void refuse(struct p9_queue *q, struct p9_request *r)
{
	bis_log_limited(bis_module_machine(q->virtio->module), &q->log_limit, BIS_LOG_WARN, q->name,
			"a request with %llu bytes of message and room for a reply of %llu gets no reply",
			(unsigned long long)r->chain.readable, (unsigned long long)r->chain.writable);
	virtio_push(&r->chain);
	TAILQ_INSERT_HEAD(&q->free, r, link);
	virtio_signal(q->virtio, QUEUE);
}

/* The next request but a Tflush, which is busy then; NULL if there is none, or no room for it. */
static struct p9_request *take(struct p9_queue *q)
{
	struct p9_request *r;

	while ((r = new_request(q))) {
		if (!virtio_pop(q->virtio, QUEUE, &r->chain)) {
			q->starved = false;
			TAILQ_INSERT_HEAD(&q->free, r, link);
			return NULL;
		}
		if (!p9_receive(r)) {
			refuse(q, r);
			continue;
		}
		if (!r->failed && find_tag(q, r->tag))
			r->failed = -EBUSY;
		LIST_INSERT_HEAD(&q->busy, r, busy);
		if (r->type != P9_TFLUSH)
			return r;
		flush(q, r); /* here and now, so that they are answered in order */
		virtio_signal(q->virtio, QUEUE);
	}
	q->starved = true; /* until the queue is found empty */
	return NULL;
}

/* --- Carrying out --- */

/* The queue's lock is not held while the request is carried out, and is when this returns. */
static void carry_out(struct p9_queue *q, struct p9_request *r)
{
	int verdict = p9_serve(r);

	pthread_mutex_lock(&q->lock);
	if (r->type == P9_TVERSION)
		end_all_waiting(q, -EINTR);
	if (verdict == P9_WAIT)
		wait_for_lock(q, r);
	else if (verdict == P9_LATER)
		TAILQ_INSERT_TAIL(&q->ready, r, link);
	else
		finish(q, r, verdict);
}

static struct p9_request *take_ready(struct p9_queue *q)
{
	struct p9_request *r = TAILQ_FIRST(&q->ready);

	if (r)
		TAILQ_REMOVE(&q->ready, r, link);
	else if (q->starved)
		r = take(q);
	if (r)
		r->may_wait = true;
	return r;
}

static void *worker_main(void *arg);

/* Somebody sees to the requests that are ready: false if there is no thread for it. The queue's lock is held. */
static bool wake_worker(struct p9_queue *q)
{
	if (q->n_sleeping) {
		pthread_cond_signal(&q->work);
		return true;
	}
	if (q->n_workers < P9_WORKERS && worker_start(q->name, &q->workers[q->n_workers], worker_main, q) == 0)
		q->n_workers++;
	return q->n_workers > 0;
}

static void *worker_main(void *arg)
{
	struct p9_queue *q = arg;

	pthread_mutex_lock(&q->lock);
	while (!q->quit) {
		struct p9_request *r = take_ready(q);

		if (!r) {
			q->n_sleeping++;
			pthread_cond_wait(&q->work, &q->lock);
			q->n_sleeping--;
			continue;
		}
		/* One that is woken twice before it runs is still one. */
		if (!TAILQ_EMPTY(&q->ready))
			wake_worker(q);
		pthread_mutex_unlock(&q->lock);
		carry_out(q, r);
		virtio_signal(q->virtio, QUEUE);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* Device lock. The queue's lock is held, but not while the request is carried out. */
static void run_in_place(struct p9_queue *q, struct p9_request *r)
{
	uint64_t before = now_ns(), after;

	pthread_mutex_unlock(&q->lock);
	carry_out(q, r);
	after = now_ns();
	if (after - before <= SLOW_NS)
		return;
	if (after < q->suspect_until)
		q->slow_until = after + AVOID_NS;
	q->suspect_until = after + SUSPECT_NS;
}

void p9_queue_run(struct p9_queue *q)
{
	uint64_t start = now_ns();
	struct p9_request *r;
	bool any = false;

	pthread_mutex_lock(&q->lock);
	while ((r = take(q))) {
		uint64_t now = any ? now_ns() : start;

		if (r->failed || (p9_is_quick(r) && now >= q->slow_until && now - start <= SLOW_NS))
			run_in_place(q, r);
		else
			TAILQ_INSERT_TAIL(&q->ready, r, link);
		any = true;
		if (TAILQ_EMPTY(&q->ready) || wake_worker(q))
			continue;
		while ((r = take_ready(q)))
			run_in_place(q, r);
	}
	pthread_mutex_unlock(&q->lock);
	if (any)
		virtio_signal(q->virtio, QUEUE);
}

void p9_queue_drain(struct p9_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->draining = true;
	end_all_waiting(q, 0);
	virtio_signal(q->virtio, QUEUE);
	while (!LIST_EMPTY(&q->busy))
		pthread_cond_wait(&q->idle, &q->lock);
	q->draining = false;
	pthread_mutex_unlock(&q->lock);
}

/* --- Lifecycle --- */

void p9_queue_init(struct p9_queue *q, struct virtio *v, struct p9_session *session, const char *name)
{
	pthread_condattr_t attr;

	q->virtio = v;
	q->session = session;
	q->name = name;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->work, NULL);
	pthread_cond_init(&q->idle, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->freed, &attr);
	pthread_condattr_destroy(&attr);
	TAILQ_INIT(&q->free);
	TAILQ_INIT(&q->ready);
	TAILQ_INIT(&q->waiting);
	LIST_INIT(&q->busy);
}

void p9_queue_fini(struct p9_queue *q)
{
	struct p9_request *r;

	pthread_mutex_lock(&q->lock);
	q->quit = true;
	pthread_cond_broadcast(&q->work);
	pthread_cond_broadcast(&q->freed);
	pthread_mutex_unlock(&q->lock);
	while (q->n_workers > 0)
		pthread_join(q->workers[--q->n_workers], NULL);
	if (q->has_waiter)
		pthread_join(q->waiter, NULL);
	while ((r = TAILQ_FIRST(&q->free))) {
		TAILQ_REMOVE(&q->free, r, link);
		free(r);
	}
	pthread_cond_destroy(&q->freed);
	pthread_cond_destroy(&q->idle);
	pthread_cond_destroy(&q->work);
	pthread_mutex_destroy(&q->lock);
}
