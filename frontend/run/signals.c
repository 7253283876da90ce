/*
 * The signal thread: waits on a signalfd. The main thread owns the structure and ends the thread through an eventfd.
 */
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "frontend/run/now.h"
#include "frontend/run/terminal.h"

#define PATIENCE_MS 2000
#define ECHO_MS	    200 /* the same signal again so soon is no second wish: timeout(1) sends it twice */

static const int served[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};

struct signals {
	pthread_t thread;
	int signal_fd, quit_fd;
	pthread_mutex_t lock;
	struct bis_machine *machine; /* under the lock */
	int ending;		     /* the signal that has come, 0: none; written by the thread under the lock */
	int64_t ending_since;	     /* thread's, ms */
};

void signals_die(int sig)
{
	sigset_t set;

	terminal_restore();
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);
}

static void serve_end(struct signals *s, int sig)
{
	if (s->ending == sig && now_ms() - s->ending_since < ECHO_MS)
		return;
	if (s->ending)
		signals_die(s->ending);
	s->ending_since = now_ms();
	pthread_mutex_lock(&s->lock);
	s->ending = sig;
	if (s->machine)
		bis_machine_request_stop(s->machine, BIS_STOP_HOST, 128 + sig);
	pthread_mutex_unlock(&s->lock);
}

static void serve(struct signals *s, int sig)
{
	if (sig == SIGTSTP) {
		terminal_restore();
		kill(getpid(), SIGSTOP);
	} else if (sig == SIGCONT) {
		pthread_mutex_lock(&s->lock);
		if (s->machine && !s->ending)
			terminal_raw();
		pthread_mutex_unlock(&s->lock);
	} else {
		serve_end(s, sig);
	}
}

static void *signal_thread(void *arg)
{
	struct signals *s = arg;
	struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = s->quit_fd, .events = POLLIN}};
	struct signalfd_siginfo info;

	for (;;) {
		int n = poll(fds, BIS_ARRAY_SIZE(fds), s->ending ? PATIENCE_MS : -1);

		if (n == 0)
			signals_die(s->ending);
		if (n < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		if (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			serve(s, (int)info.ssi_signo);
	}
}

/* Signals that the process was told to ignore (nohup, a background job) stay ignored. */
static void served_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(served); i++) {
		struct sigaction now;

		if (!sigaction(served[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaddset(set, served[i]);
	}
}

int signals_start(struct signals **out)
{
	struct signals *s = calloc(1, sizeof(*s));
	sigset_t set;
	int err;

	if (!s)
		return bis_fail(ENOMEM, "signals: out of memory");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error for the guest */
	served_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_mutex_init(&s->lock, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	s->quit_fd = eventfd(0, EFD_CLOEXEC);
	err = s->signal_fd < 0 || s->quit_fd < 0 ? errno : pthread_create(&s->thread, NULL, signal_thread, s);
	if (!err) {
		*out = s;
		return 0;
	}
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->quit_fd >= 0)
		close(s->quit_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return bis_fail(err, "signals: %s", strerror(err));
}

int signals_watch_machine(struct signals *s, struct bis_machine *m)
{
	int come;

	pthread_mutex_lock(&s->lock);
	s->machine = m;
	come = s->ending;
	pthread_mutex_unlock(&s->lock);
	return come;
}

int signals_end(struct signals *s)
{
	uint64_t one = 1;
	int come;

	if (!s)
		return 0;
	if (write(s->quit_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(s->thread, NULL);
	close(s->signal_fd);
	close(s->quit_fd);
	pthread_mutex_destroy(&s->lock);
	come = s->ending;
	free(s);
	return come;
}
