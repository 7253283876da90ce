/*
 * Requests in the background. Up to NATIVE_WORKERS threads, started when a request is posted and no thread is idle,
 * take them in order; several are carried out at once. A request that waits for a lock or for events occupies no
 * thread. The module owns the threads; they never take the device lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "magicfs/native_internal.h"
#include "modules/worker.h"

/* --- Lists --- */

void native_job_append(struct native_jobs *list, struct native_job *job)
{
	job->next = NULL;
	if (list->last)
		list->last->next = job;
	else
		list->first = job;
	list->last = job;
}

static struct native_job *take_first(struct native_jobs *list)
{
	struct native_job *job = list->first;

	if (job) {
		list->first = job->next;
		if (!list->first)
			list->last = NULL;
	}
	return job;
}

struct native_job *native_job_remove(struct native_jobs *list, uint64_t address)
{
	struct native_jobs rest = {0};
	struct native_job *job, *found = NULL;

	while ((job = take_first(list))) {
		if (!found && job->address == address)
			found = job;
		else
			native_job_append(&rest, job);
	}
	*list = rest;
	return found;
}

/* --- Ends --- */

void native_update_irq(struct native *n)
{
	bis_irq_set(n->irq, n->enable & MAGICFS_ENABLE_DONE && n->done.first);
}

void native_finish(struct native *n, struct native_job *job, int64_t result, uint64_t extra)
{
	/* The guest may post the block again as soon as it sees `done`. */
	pthread_mutex_lock(&n->lock);
	job->state = JOB_DONE;
	pthread_mutex_unlock(&n->lock);
	native_answer(n, job->address, result, extra);
	pthread_mutex_lock(&n->lock);
	native_job_append(&n->done, job);
	native_update_irq(n);
	pthread_mutex_unlock(&n->lock);
}

uint64_t native_take(struct native *n)
{
	struct native_job *job;
	uint64_t address = 0;

	pthread_mutex_lock(&n->lock);
	job = take_first(&n->done);
	if (job) {
		address = job->address;
		job->state = JOB_FREE;
		n->posted--;
		native_update_irq(n);
	}
	pthread_mutex_unlock(&n->lock);
	return address;
}

/* --- Workers --- */

static bool has_work(const struct native *n)
{
	return n->queue.first || (!n->paused && (n->retry_locks || n->serve_events));
}

static void run_job(struct native *n, struct native_job *job)
{
	uint64_t extra = 0;
	int64_t result = native_carry_out(n, &job->request, job, &extra);

	/* One that waits is not ours any more. */
	if (result != NATIVE_WAITS)
		native_finish(n, job, result, extra);
}

/* Does one thing that is wanted. The lock is held, and given up meanwhile. */
static void work(struct native *n)
{
	struct native_job *job = take_first(&n->queue);
	bool locks = !job && n->retry_locks;

	if (job) {
		job->state = JOB_TAKEN;
		n->queued--;
	} else if (locks) {
		n->retry_locks = false;
	} else {
		n->serve_events = false;
	}
	n->running++;
	pthread_mutex_unlock(&n->lock);
	if (job)
		run_job(n, job);
	else if (locks)
		native_locks_serve(n);
	else
		native_events_serve(n);
	pthread_mutex_lock(&n->lock);
	if (--n->running == 0 && !has_work(n))
		pthread_cond_broadcast(&n->idle);
}

static void *worker_main(void *arg)
{
	struct native *n = arg;

	pthread_mutex_lock(&n->lock);
	while (!n->quit) {
		if (has_work(n)) {
			work(n);
			continue;
		}
		n->asleep++;
		pthread_cond_wait(&n->work, &n->lock);
		n->asleep--;
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

/* A thread more, if there are not enough that sleep, some of which may have been woken already. Lock held. */
static int want_worker(struct native *n)
{
	int err = 0;

	if (n->queued > n->asleep && n->workers < NATIVE_WORKERS) {
		err = worker_start(bis_module_name(n->module), &n->worker[n->workers], worker_main, n);
		if (!err)
			n->workers++;
	}
	pthread_cond_signal(&n->work);
	return n->workers ? 0 : err;
}

static void want(struct native *n, bool *what)
{
	pthread_mutex_lock(&n->lock);
	/* Whoever waits was posted, so there are workers; else nobody waits. */
	*what = n->workers > 0;
	pthread_cond_signal(&n->work);
	pthread_mutex_unlock(&n->lock);
}

void native_retry_locks(struct native *n)
{
	want(n, &n->retry_locks);
}

void native_serve_events(struct native *n)
{
	want(n, &n->serve_events);
}

/* --- Posting --- */

/* A free job for a request at `address`. Lock held. */
static int find_job(struct native *n, uint64_t address, struct native_job **out)
{
	struct native_job *job = NULL;

	if (!n->jobs)
		n->jobs = calloc(MAGICFS_POSTED_MAX, sizeof(*n->jobs));
	if (!n->jobs)
		return -ENOMEM;
	for (uint32_t i = 0; i < n->jobs_used; i++) {
		struct native_job *j = &n->jobs[i];

		if (j->state == JOB_FREE)
			job = job ? job : j;
		else if (j->state != JOB_DONE && j->address == address)
			return -EBUSY;
	}
	if (!job && n->jobs_used == MAGICFS_POSTED_MAX)
		return -EAGAIN;
	*out = job ? job : &n->jobs[n->jobs_used++];
	return 0;
}

int native_post(struct native *n, uint64_t address, const struct magicfs_request *r)
{
	struct native_job *job = NULL;
	int err;

	pthread_mutex_lock(&n->lock);
	err = find_job(n, address, &job);
	if (!err) {
		*job = (struct native_job){.address = address, .state = JOB_QUEUED, .request = *r};
		native_job_append(&n->queue, job);
		n->queued++;
		err = want_worker(n);
		if (err) {
			native_job_remove(&n->queue, address);
			n->queued--;
			job->state = JOB_FREE;
			err = -EAGAIN;
		} else {
			n->posted++;
		}
	}
	pthread_mutex_unlock(&n->lock);
	return err;
}

static bool may_wait(const struct magicfs_request *r)
{
	return r->op == MAGICFS_EVENTS || (r->op == MAGICFS_LOCK && r->flags & MAGICFS_WAIT);
}

bool native_cancel(struct native *n, uint64_t address)
{
	bool found = false;

	pthread_mutex_lock(&n->lock);
	for (uint32_t i = 0; i < n->jobs_used && !found; i++) {
		struct native_job *j = &n->jobs[i];

		found = (j->state == JOB_QUEUED || j->state == JOB_TAKEN) && j->address == address &&
			may_wait(&j->request);
		if (found)
			j->cancelled = true;
	}
	pthread_mutex_unlock(&n->lock);
	return found;
}

bool native_is_cancelled(struct native *n, const struct native_job *job)
{
	bool cancelled;

	pthread_mutex_lock(&n->lock);
	cancelled = job->cancelled;
	pthread_mutex_unlock(&n->lock);
	return cancelled;
}

/* --- After a restore --- */

static int put_back(struct native *n, struct native_job *job, enum native_wait wait)
{
	int err = 0;

	if (wait == NATIVE_WAIT_NONE) {
		job->state = JOB_DONE;
		native_job_append(&n->done, job);
		return 0;
	}
	job->state = JOB_TAKEN;
	if (wait == NATIVE_WAIT_LOCK) {
		(void)native_handle_get(n, job->request.handle, &job->node); /* without it, it ends with -ESTALE */
		native_job_append(&n->waiting, job);
		bis_timer_set(n->retry, bis_module_now(n->module) + NATIVE_RETRY_NS);
	} else {
		native_job_append(&n->watches.waiting, job);
		bis_watch_set(n->watch, BIS_WATCH_IN);
	}
	/* Whoever waits has been posted, and so there is a worker. */
	if (!n->workers) {
		err = worker_start(bis_module_name(n->module), &n->worker[0], worker_main, n);
		n->workers += !err;
	}
	return err;
}

int native_job_restore(struct native *n, uint64_t address, const struct magicfs_request *r, enum native_wait wait)
{
	struct native_job *job = NULL;
	int err;

	if (address % 8 || (wait == NATIVE_WAIT_LOCK && r->op != MAGICFS_LOCK) ||
	    (wait == NATIVE_WAIT_EVENTS && r->op != MAGICFS_EVENTS))
		return -EINVAL;
	pthread_mutex_lock(&n->lock);
	err = find_job(n, address, &job);
	pthread_mutex_unlock(&n->lock);
	if (err)
		return err == -ENOMEM ? err : -EINVAL;
	*job = (struct native_job){.address = address, .request = *r};
	n->posted++;
	return put_back(n, job, wait);
}

/* --- Lifecycle --- */

void native_set_paused(struct native *n, bool paused)
{
	pthread_mutex_lock(&n->lock);
	n->paused = paused;
	pthread_cond_broadcast(&n->work);
	pthread_mutex_unlock(&n->lock);
}

void native_settle(struct native *n)
{
	pthread_mutex_lock(&n->lock);
	while (n->running || has_work(n))
		pthread_cond_wait(&n->idle, &n->lock);
	pthread_mutex_unlock(&n->lock);
}

void native_jobs_clear(struct native *n)
{
	pthread_mutex_lock(&n->lock);
	while (n->waiting.first)
		mfs_node_put(take_first(&n->waiting)->node);
	n->watches.waiting = (struct native_jobs){0};
	n->done = (struct native_jobs){0};
	n->queue = (struct native_jobs){0};
	n->queued = 0;
	n->retry_locks = false;
	n->serve_events = false;
	n->posted = 0;
	free(n->jobs);
	n->jobs = NULL;
	n->jobs_used = 0;
	native_update_irq(n);
	pthread_mutex_unlock(&n->lock);
}

void native_workers_end(struct native *n)
{
	pthread_mutex_lock(&n->lock);
	n->quit = true;
	pthread_cond_broadcast(&n->work);
	pthread_mutex_unlock(&n->lock);
	for (uint32_t i = 0; i < n->workers; i++)
		pthread_join(n->worker[i], NULL);
}
