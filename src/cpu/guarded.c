/*
 * Accesses that survive SIGBUS (guarded.h): the handler jumps back to the access under way on this thread. A signal's
 * handler belongs to the whole process, and what it interrupts to one thread; so this file has state of both kinds.
 */
#include "src/cpu/guarded.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#include <biscuit/error.h>

#include "src/cpu/guest_access.h"

/* Where the access under way goes on if it fails; a handler can reach it without a call. */
static _Thread_local sigjmp_buf *volatile landing __attribute__((tls_model("initial-exec")));

static pthread_mutex_t arm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before; /* arm_lock; the handler reads it, which is why it is never changed to a lesser one */

/* Did an access raise it, or has somebody sent it? */
static bool is_access(const siginfo_t *info)
{
	return info->si_code > 0;
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
	} else if (is_access(info)) {
		signal(sig, SIG_DFL); /* the access does so again */
	} else if (before.sa_handler == SIG_DFL) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	if (landing && is_access(info)) {
		/* Whoever called this handler may have blocked signals; the access had not. */
		pthread_sigmask(SIG_SETMASK, &((const ucontext_t *)context)->uc_sigmask, NULL);
		siglongjmp(*landing, 1);
	}
	pass_on(sig, info, context);
}

int bis_guarded_arm(void)
{
	struct sigaction act = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK}, now;
	int err = 0;

	pthread_mutex_lock(&arm_lock);
	if (sigaction(SIGBUS, NULL, &now))
		err = errno;
	if (!err && !((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_bus_error)) {
		before = now;
		if (sigaction(SIGBUS, &act, NULL))
			err = errno;
	}
	pthread_mutex_unlock(&arm_lock);
	return err ? bis_fail(err, "no handler for SIGBUS: %s", strerror(err)) : 0;
}

bool bis_guarded_load(const uint8_t *host, unsigned size, uint64_t *out)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 0)) {
		landing = NULL;
		return false;
	}
	landing = &here;
	atomic_signal_fence(memory_order_seq_cst);
	*out = guest_load(host, size);
	atomic_signal_fence(memory_order_seq_cst);
	landing = NULL;
	return true;
}

bool bis_guarded_store(uint8_t *host, unsigned size, uint64_t value)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 0)) {
		landing = NULL;
		return false;
	}
	landing = &here;
	atomic_signal_fence(memory_order_seq_cst);
	guest_store(host, size, value);
	atomic_signal_fence(memory_order_seq_cst);
	landing = NULL;
	return true;
}
