/*
 * Threads of modules. The module that starts one ends and joins it, at the latest in its destroy.
 */
#ifndef BISCUIT_MODULES_WORKER_H
#define BISCUIT_MODULES_WORKER_H

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <biscuit/error.h>

/* Starts a thread that takes no signals: those are for the program's own threads. `owner` starts the message. -errno of
 * the host. */
BIS_MUST_CHECK static inline int worker_start(const char *owner, pthread_t *thread, void *(*main)(void *arg), void *arg)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, NULL, main, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err ? bis_fail(err, "%s: cannot start a thread: %s", owner, strerror(err)) : 0;
}

#endif
