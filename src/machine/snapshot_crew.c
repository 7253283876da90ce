/* Threads that compress and decompress snapshots, snapshot_crew.h. */
#include "src/machine/snapshot_crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct snapshot_crew {
	const struct crew_trade *trade;
	void *tool; /* the owner's */
	pthread_t threads[CREW_CPUS_MAX - 1];
	unsigned n_threads, max_threads;

	pthread_mutex_t lock;
	pthread_cond_t given_more, done_more;
	bool quit;
	uint64_t given, begun, returned; /* pieces, ever: returned <= begun <= given <= returned + CREW_PIECES */
	struct crew_piece pieces[CREW_PIECES];
};

static struct crew_piece *piece(struct snapshot_crew *c, uint64_t n)
{
	return &c->pieces[n % CREW_PIECES];
}

/* Does the next piece that nobody is at. Lock held, but for the work. */
static void work_once(struct snapshot_crew *c, void *tool)
{
	struct crew_piece *p = piece(c, c->begun++);
	const char *problem;

	pthread_mutex_unlock(&c->lock);
	problem = c->trade->work(tool, p);
	pthread_mutex_lock(&c->lock);
	p->problem = problem;
	p->done = true;
	pthread_cond_signal(&c->done_more);
}

static void *crew_thread(void *arg)
{
	struct snapshot_crew *c = arg;
	void *tool = c->trade->make();

	pthread_mutex_lock(&c->lock);
	while (tool && !c->quit) {
		if (c->begun < c->given)
			work_once(c, tool);
		else
			pthread_cond_wait(&c->given_more, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	c->trade->free(tool);
	return NULL;
}

/* Signals are for other threads. */
static void start_thread(struct snapshot_crew *c)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&c->threads[c->n_threads], NULL, crew_thread, c) == 0)
		c->n_threads++;
	else
		c->max_threads = c->n_threads;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct snapshot_crew *snapshot_crew_create(const struct crew_trade *trade)
{
	struct snapshot_crew *c = calloc(1, sizeof(*c));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!c)
		return NULL;
	c->trade = trade;
	c->tool = trade->make();
	if (!c->tool) {
		free(c);
		return NULL;
	}
	c->max_threads = cpus < 1 ? 0 : (unsigned)(cpus < CREW_CPUS_MAX ? cpus : CREW_CPUS_MAX) - 1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->given_more, NULL);
	pthread_cond_init(&c->done_more, NULL);
	return c;
}

void snapshot_crew_destroy(struct snapshot_crew *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->quit = true;
	pthread_cond_broadcast(&c->given_more);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->n_threads; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->done_more);
	pthread_cond_destroy(&c->given_more);
	pthread_mutex_destroy(&c->lock);
	c->trade->free(c->tool);
	free(c);
}

struct crew_piece *snapshot_crew_next(struct snapshot_crew *c)
{
	return c->given - c->returned < CREW_PIECES ? piece(c, c->given) : NULL;
}

void snapshot_crew_give(struct snapshot_crew *c)
{
	bool more_hands;

	pthread_mutex_lock(&c->lock);
	piece(c, c->given)->done = false;
	c->given++;
	more_hands = c->given - c->begun > 1 && c->n_threads < c->max_threads;
	pthread_cond_signal(&c->given_more);
	pthread_mutex_unlock(&c->lock);
	if (more_hands)
		start_thread(c);
}

struct crew_piece *snapshot_crew_take(struct snapshot_crew *c)
{
	struct crew_piece *p = piece(c, c->returned);

	if (c->returned == c->given)
		return NULL;
	pthread_mutex_lock(&c->lock);
	while (!p->done) {
		if (c->begun < c->given)
			work_once(c, c->tool);
		else
			pthread_cond_wait(&c->done_more, &c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return p;
}

void snapshot_crew_return(struct snapshot_crew *c)
{
	c->returned++;
}
