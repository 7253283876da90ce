/* See net_thread.h. */
#include "modules/backend/net_thread.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "modules/worker.h"

int net_thread_init(struct net_thread *t, const char *owner)
{
	t->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->event < 0)
		return bis_fail(errno, "%s: no event descriptor: %s", owner, strerror(errno));
	return 0;
}

int net_thread_start(struct net_thread *t, const char *owner, void *(*main)(void *arg), void *arg)
{
	int err = worker_start(owner, &t->thread, main, arg);

	t->started = err == 0;
	return err;
}

void net_thread_fini(struct net_thread *t)
{
	if (t->started) {
		atomic_store(&t->quit, true);
		net_thread_wake(t);
		pthread_join(t->thread, NULL);
		t->started = false;
	}
	if (t->event >= 0)
		close(t->event);
	t->event = -1;
}

void net_thread_wake(struct net_thread *t)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then the descriptor is readable already. */
	if (write(t->event, &one, sizeof(one)) < 0)
		return;
}

void net_thread_pause(struct net_thread *t, bool paused)
{
	atomic_store(&t->paused, paused);
	net_thread_wake(t);
}

static void empty_counter(struct net_thread *t)
{
	uint64_t count;

	if (read(t->event, &count, sizeof(count)) < 0)
		return;
}

int net_thread_wait(struct net_thread *t, struct pollfd *fds, nfds_t count, int timeout_ms, bool *go)
{
	int ready;

	fds[0] = (struct pollfd){.fd = t->event, .events = POLLIN};
	ready = poll(fds, count, timeout_ms);
	if (ready > 0 && fds[0].revents)
		empty_counter(t);
	while (atomic_load(&t->paused) && !atomic_load(&t->quit)) {
		struct pollfd own = {.fd = t->event, .events = POLLIN};

		if (poll(&own, 1, -1) > 0)
			empty_counter(t);
	}
	*go = !atomic_load(&t->quit);
	return ready;
}
