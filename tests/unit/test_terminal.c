/*
 * The terminal: whatever ends the process, its settings come back; and the escape keys. Each case runs in a child
 * process that has a pseudo-terminal as its controlling terminal.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "frontend/run/escape.h"
#include "frontend/run/terminal.h"
#include "tests/unit/unit.h"

struct tty {
	int master, slave;
	struct termios before;
};

static void open_tty(struct tty *t)
{
	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->master >= 0);
	assert_int_equal(grantpt(t->master), 0);
	assert_int_equal(unlockpt(t->master), 0);
	t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
	assert_true(t->slave >= 0);
	assert_int_equal(tcgetattr(t->slave, &t->before), 0);
}

static void close_tty(struct tty *t)
{
	close(t->slave);
	close(t->master);
}

static void assert_as_before(const struct tty *t)
{
	struct termios now;

	assert_int_equal(tcgetattr(t->slave, &now), 0);
	assert_int_equal(now.c_iflag, t->before.c_iflag);
	assert_int_equal(now.c_oflag, t->before.c_oflag);
	assert_int_equal(now.c_cflag, t->before.c_cflag);
	assert_int_equal(now.c_lflag, t->before.c_lflag);
}

/* In the child: raw mode on the terminal, or the status 1. */
static void go_raw(const struct tty *t)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT};
	struct rlimit none = {0, 0};
	struct termios now;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(crashes); i++)
		signal(crashes[i], SIG_DFL); /* in place of the test library's */

	setrlimit(RLIMIT_CORE, &none);
	if (setsid() < 0 || ioctl(t->slave, TIOCSCTTY, 0) || terminal_open(t->slave))
		_exit(1);
	terminal_raw();
	if (tcgetattr(t->slave, &now) || now.c_lflag & (ICANON | ECHO | ISIG) || !(now.c_oflag & OPOST))
		_exit(1);
}

/* Runs `act` in a child in raw mode; its wait status. */
static int in_child(const struct tty *t, void (*act)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		go_raw(t);
		act();
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void call_exit(void)
{
	exit(7);
}

static void read_nowhere(void)
{
	volatile uintptr_t nowhere = 8;

	*(volatile int *)nowhere;
}

static void call_abort(void)
{
	abort();
}

static void send_segv(void)
{
	kill(getpid(), SIGSEGV);
}

static void send_bus(void)
{
	kill(getpid(), SIGBUS);
}

static void restore_twice(void)
{
	terminal_restore();
	terminal_restore();
	_exit(7);
}

static void exit_restores(void **state)
{
	static void (*const ways[])(void) = {call_exit, restore_twice};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(ways); i++) {
		struct tty t;
		int status;

		open_tty(&t);
		status = in_child(&t, ways[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 7);
		assert_as_before(&t);
		close_tty(&t);
	}
}

static void crashes_restore_and_stay_crashes(void **state)
{
	static const struct {
		void (*act)(void);
		int sig;
	} ways[] = {{read_nowhere, SIGSEGV}, {call_abort, SIGABRT}, {send_segv, SIGSEGV}, {send_bus, SIGBUS}};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(ways); i++) {
		struct tty t;
		int status;

		open_tty(&t);
		status = in_child(&t, ways[i].act);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), ways[i].sig);
		assert_as_before(&t);
		close_tty(&t);
	}
}

static void what_is_no_terminal_is_refused(void **state)
{
	int fd = open("/dev/null", O_RDWR);

	(void)state;
	assert_fails(terminal_open(fd), -ENOTTY, "terminal");
	terminal_raw();
	terminal_restore();
	close(fd);
}

/* --- Escape keys --- */

static void assert_filtered(struct escape *e, const char *in, const char *out, enum escape_action action)
{
	enum escape_action got;
	uint8_t buf[32];
	size_t len = strlen(in);

	memcpy(buf, in, len);
	len = escape_filter(e, buf, len, &got);
	assert_int_equal(len, strlen(out));
	assert_memory_equal(buf, out, len);
	assert_int_equal(got, action);
}

static void plain_keys_pass(void **state)
{
	struct escape e = {0};

	(void)state;
	assert_filtered(&e, "", "", ESCAPE_NONE);
	assert_filtered(&e, "help\r\x03\x1a\x1b[A\x7fx", "help\r\x03\x1a\x1b[A\x7fx", ESCAPE_NONE);
}

static void escape_keys_are_taken_out(void **state)
{
	struct escape e = {0};

	(void)state;
	assert_filtered(&e, "a\x01xb", "a", ESCAPE_QUIT);
	e = (struct escape){0};
	assert_filtered(&e, "a\x01hb", "ab", ESCAPE_HELP);
	assert_filtered(&e,
			"a\x01\x01"
			"b",
			"a\x01"
			"b",
			ESCAPE_NONE);
	assert_filtered(&e, "a\x01qb", "ab", ESCAPE_NONE);
}

static void an_escape_may_come_in_two_reads(void **state)
{
	struct escape e = {0};

	(void)state;
	assert_filtered(&e, "a\x01", "a", ESCAPE_NONE);
	assert_filtered(&e, "\x01", "\x01", ESCAPE_NONE);
	assert_filtered(&e, "x\x01", "x", ESCAPE_NONE);
	assert_filtered(&e, "x", "", ESCAPE_QUIT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(exit_restores),
	cmocka_unit_test(crashes_restore_and_stay_crashes),
	cmocka_unit_test(what_is_no_terminal_is_refused),
	cmocka_unit_test(plain_keys_pass),
	cmocka_unit_test(escape_keys_are_taken_out),
	cmocka_unit_test(an_escape_may_come_in_two_reads),
};

int main(void)
{
	return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
