/*
 * The spare thread. It exists from the first job on and sleeps between jobs. Any thread may ask; jobs belong to who
 * asks.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <biscuit/error.h>

#include "src/translate/spare.h"

struct bis_spare {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	pthread_t thread;
	bool started, ends;
	struct bis_spare_job *first, **last;
};

static void *run(void *arg)
{
	struct bis_spare *b = arg;

	pthread_mutex_lock(&b->lock);
	while (!b->ends) {
		struct bis_spare_job *job = b->first;

		if (!job) {
			pthread_cond_wait(&b->wake, &b->lock);
			continue;
		}
		b->first = job->next;
		if (!b->first)
			b->last = &b->first;
		pthread_mutex_unlock(&b->lock);
		job->work(job);
		atomic_store_explicit(&job->done, true, memory_order_release);
		pthread_mutex_lock(&b->lock);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

int bis_spare_create(struct bis_spare **out)
{
	struct bis_spare *b = calloc(1, sizeof(*b));

	if (!b)
		return bis_fail(ENOMEM, "no memory for a spare thread");
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->wake, NULL);
	b->last = &b->first;
	*out = b;
	return 0;
}

void bis_spare_destroy(struct bis_spare *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->ends = true;
	pthread_cond_signal(&b->wake);
	pthread_mutex_unlock(&b->lock);
	if (b->started)
		pthread_join(b->thread, NULL);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* The thread takes no signals: they are others'. */
static void start(struct bis_spare *b)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	b->started = !pthread_create(&b->thread, NULL, run, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool bis_spare_ask(struct bis_spare *b, struct bis_spare_job *job)
{
	bool asked;

	pthread_mutex_lock(&b->lock);
	if (!b->started)
		start(b);
	asked = b->started;
	if (asked) {
		job->next = NULL;
		atomic_store_explicit(&job->done, false, memory_order_relaxed);
		*b->last = job;
		b->last = &job->next;
		pthread_cond_signal(&b->wake);
	}
	pthread_mutex_unlock(&b->lock);
	return asked;
}
