/*
 * The thread of a network back end: it waits for its descriptors and for being woken, and never takes the device lock,
 * so that the lifecycle calls of the module may wait for it.
 */
#ifndef BISCUIT_MODULES_NET_THREAD_H
#define BISCUIT_MODULES_NET_THREAD_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include <biscuit/types.h>

#define NET_THREAD_TURN 64 /* frames of one direction that a back end moves before it looks at the other */

struct net_thread {
	pthread_t thread;
	int event; /* event descriptor, or -1 */
	bool started;
	_Atomic bool quit, paused;
};

/* Makes the event descriptor; -errno with message, which names `owner`. */
BIS_MUST_CHECK int net_thread_init(struct net_thread *t, const char *owner);
/* Starts the thread, without signals. -errno with message. */
BIS_MUST_CHECK int net_thread_start(struct net_thread *t, const char *owner, void *(*main)(void *arg), void *arg);
/* Ends the thread, if there is one, and waits for it; closes the descriptor. */
void net_thread_fini(struct net_thread *t);

/* Any thread. */
void net_thread_wake(struct net_thread *t);
/* While paused, net_thread_wait does not return. */
void net_thread_pause(struct net_thread *t, bool paused);

/*
 * On the thread: waits until one of the descriptors is ready, the thread is woken or `timeout_ms` has passed (-1: no
 * end). fds[0] is the thread's own and filled in here. The result of poll(2); *go is false when the thread is to end.
 */
int net_thread_wait(struct net_thread *t, struct pollfd *fds, nfds_t count, int timeout_ms, bool *go);

#endif
