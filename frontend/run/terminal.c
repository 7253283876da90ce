/*
 * Raw mode of the terminal (POSIX, General Terminal Interface). Output processing stays on, so that the messages of the
 * command itself begin at the left edge.
 */
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <biscuit/error.h>

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* Written by the main thread in terminal_open, then constant; `raw` is the only thing that changes. */
static struct {
	int fd;
	bool open;
	struct termios cooked;
	struct sigaction old[BIS_ARRAY_SIZE(crash_signals)];
	volatile sig_atomic_t raw;
} terminal;

static void crashed(int sig, siginfo_t *info, void *context)
{
	(void)context;
	terminal_restore();
	for (size_t i = 0; i < BIS_ARRAY_SIZE(crash_signals); i++)
		if (crash_signals[i] == sig)
			sigaction(sig, &terminal.old[i], NULL);
	/* A fault comes again when its instruction is repeated, with its own context; a signal that was sent does not.
	 */
	if (info->si_code <= 0)
		raise(sig);
}

static void restore_at_exit(void)
{
	terminal_restore();
}

int terminal_open(int fd)
{
	struct sigaction act = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

	if (tcgetattr(fd, &terminal.cooked))
		return bis_fail(errno, "terminal: %s", strerror(errno));
	terminal.fd = fd;
	terminal.open = true;
	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(crash_signals); i++)
		sigaction(crash_signals[i], &act, &terminal.old[i]);
	if (atexit(restore_at_exit))
		return bis_fail(ENOMEM, "terminal: out of memory");
	return 0;
}

static bool in_foreground(void)
{
	return tcgetpgrp(terminal.fd) == getpgrp();
}

void terminal_raw(void)
{
	struct termios raw = terminal.cooked;

	if (!terminal.open || !in_foreground())
		return;
	raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	raw.c_cflag |= CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	terminal.raw = 1;
	tcsetattr(terminal.fd, TCSANOW, &raw);
}

void terminal_restore(void)
{
	int saved = errno;
	sigset_t block, old;

	if (!terminal.raw)
		return;
	/* From the background this would stop the process, with the terminal left as it is. */
	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &block, &old);
	tcsetattr(terminal.fd, TCSANOW, &terminal.cooked);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	terminal.raw = 0;
	errno = saved;
}
