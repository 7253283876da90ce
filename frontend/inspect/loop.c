/*
 * The threads that serve a mount. One at a time, the leader, waits for a request; when it has one, another takes its
 * place, so that a request that takes long keeps nobody waiting. Threads are made as they are needed and stay.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FUSE_USE_VERSION 31
#include <fuse_lowlevel.h>

#include <biscuit/error.h>

#include "frontend/inspect/fuse_internal.h"

#define THREADS_MAX 64
#define STACK_SIZE  ((size_t)512 << 10)

struct inspect_loop {
	struct fuse_session *se;
	int wake; /* eventfd: readable once the loop is to end */
	pthread_mutex_t lock;
	pthread_cond_t free; /* there is no leader, or the loop has ended */
	/* Guarded by lock: */
	bool led, ended;
	unsigned idle;
	size_t count;
	pthread_t threads[THREADS_MAX];
};

/* Waits for a request as the leader: its size, or 0 and below where the session or the loop has ended. */
static int receive(struct inspect_loop *l, struct fuse_buf *buf)
{
	struct pollfd fds[2] = {{.fd = fuse_session_fd(l->se), .events = POLLIN}, {.fd = l->wake, .events = POLLIN}};
	int got;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return 0;
		if (!fds[0].revents)
			continue;
		got = fuse_session_receive_buf(l->se, buf);
		if (got != -EAGAIN && got != -EINTR)
			return got;
	}
}

static void *serve(void *arg);

/* With the lock. Without a new thread, requests wait for the others. */
static void add_thread(struct inspect_loop *l)
{
	pthread_attr_t attr;
	sigset_t all, old;

	if (l->count == THREADS_MAX || l->ended)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!pthread_create(&l->threads[l->count], &attr, serve, l)) {
		l->count++;
		l->idle++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

static void end_loop(struct inspect_loop *l)
{
	l->ended = true;
	pthread_cond_broadcast(&l->free);
}

/* With the lock: becomes the leader, gets a request, and gives the lead away. False at the end. */
static bool lead(struct inspect_loop *l, struct fuse_buf *buf)
{
	int got;

	while (l->led && !l->ended)
		pthread_cond_wait(&l->free, &l->lock);
	if (l->ended)
		return false;
	l->led = true;
	l->idle--;
	pthread_mutex_unlock(&l->lock);
	got = receive(l, buf);
	pthread_mutex_lock(&l->lock);
	l->led = false;
	if (got <= 0) {
		end_loop(l);
		return false;
	}
	if (!l->idle)
		add_thread(l);
	pthread_cond_signal(&l->free);
	return true;
}

static void *serve(void *arg)
{
	struct inspect_loop *l = arg;
	struct fuse_buf buf = {0};

	pthread_mutex_lock(&l->lock);
	while (lead(l, &buf)) {
		pthread_mutex_unlock(&l->lock);
		fuse_session_process_buf(l->se, &buf);
		pthread_mutex_lock(&l->lock);
		l->idle++;
	}
	pthread_mutex_unlock(&l->lock);
	free(buf.mem);
	return NULL;
}

int inspect_loop_start(struct fuse_session *se, struct inspect_loop **out)
{
	struct inspect_loop *l = calloc(1, sizeof(*l));
	bool started;

	if (!l)
		return bis_fail(ENOMEM, "no memory for the threads of the mount");
	l->se = se;
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->free, NULL);
	pthread_mutex_lock(&l->lock);
	if (l->wake >= 0)
		add_thread(l);
	started = l->count > 0;
	pthread_mutex_unlock(&l->lock);
	if (!started) {
		inspect_loop_stop(l);
		return bis_fail(EAGAIN, "cannot start a thread for the mount");
	}
	*out = l;
	return 0;
}

void inspect_loop_stop(struct inspect_loop *l)
{
	uint64_t one = 1;

	if (l->wake >= 0 && write(l->wake, &one, sizeof(one)) < 0)
		bis_fail(errno, "eventfd: %s", strerror(errno));
	pthread_mutex_lock(&l->lock);
	end_loop(l);
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < l->count; i++)
		pthread_join(l->threads[i], NULL);
	if (l->wake >= 0)
		close(l->wake);
	pthread_cond_destroy(&l->free);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
