/*
 * Character back end on standard input and output: a terminal with its escape key, or pipes and files passed as they
 * are. Runs with the device lock held: writes on a hart's thread, the watches on the controller thread.
 *
 * Nothing here may block and the terminal is shared with other processes, so O_NONBLOCK is never set on what was
 * inherited: output goes through an open file description of our own where the kernel gives one, and otherwise in
 * pieces that poll() has promised room for.
 *
 * A guest writes its console byte by byte. So output is left in the character device's queue, and the controller thread
 * comes for all that is there when it has woken up.
 */
#include "stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/chardev.h>
#include <biscuit/machine.h>

#include "frontend/run/escape.h"
#include "frontend/run/message.h"

#define READ_SIZE   4096
#define CAREFUL_MAX 512 /* what a descriptor that poll() calls writable takes at once */

struct stdio_end {
	struct bis_module *mod;
	struct bis_chardev *chardev;
	struct bis_watch *in_watch, *out_watch;
	int out_fd;
	bool out_own;	 /* out_fd is a description of our own, not blocking */
	bool terminal;	 /* keys are filtered and never waited with */
	bool eof;	 /* standard input has ended */
	bool out_closed; /* nobody reads any more */
	bool abandoned;
	bool collecting; /* output is what the controller thread comes for */
	struct escape escape;
	uint64_t bytes_in, bytes_out;
};

static const struct bis_option stdio_options[] = {
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device to plug into"},
	{0},
};

static const struct bis_field stdio_fields[] = {
	BIS_FIELD(struct stdio_end, bytes_in, U64, BIS_FIELD_COUNTER | BIS_FIELD_READONLY, "bytes read"),
	BIS_FIELD(struct stdio_end, bytes_out, U64, BIS_FIELD_COUNTER | BIS_FIELD_READONLY, "bytes written"),
	BIS_FIELD(struct stdio_end, eof, BOOL, BIS_FIELD_READONLY, "standard input has ended"),
	BIS_FIELD_END,
};

/* --- Output --- */

static void output_failed(struct stdio_end *s, int err)
{
	s->out_closed = true;
	if (err == EPIPE || err == EIO) {
		bis_machine_request_stop(bis_module_machine(s->mod), BIS_STOP_HOST, 128 + SIGPIPE);
		return;
	}
	message("standard output: %s", strerror(err));
	bis_machine_request_stop(bis_module_machine(s->mod), BIS_STOP_ERROR, RUN_STATUS_FAILED);
}

/* One write that does not block: bytes taken, 0 where there is no room now, -errno. */
static ssize_t write_some(const struct stdio_end *s, const uint8_t *buf, size_t len)
{
	ssize_t n;

	if (!s->out_own) {
		struct pollfd p = {.fd = s->out_fd, .events = POLLOUT};

		if (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLOUT | POLLERR | POLLHUP)))
			return 0;
		if (len > CAREFUL_MAX)
			len = CAREFUL_MAX;
	}
	do
		n = write(s->out_fd, buf, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

static size_t stdio_write(void *self, const uint8_t *buf, size_t len)
{
	struct stdio_end *s = self;
	size_t done = 0;

	if (s->collecting && !s->out_closed) {
		bis_watch_set(s->out_watch, BIS_WATCH_OUT);
		return 0;
	}
	while (done < len && !s->out_closed) {
		ssize_t n = write_some(s, buf + done, len - done);

		if (n < 0)
			output_failed(s, (int)-n);
		else if (n == 0)
			break;
		else
			done += (size_t)n;
	}
	s->bytes_out += done;
	return s->out_closed ? len : done;
}

static bool stdio_wait_output(void *self)
{
	const struct stdio_end *s = self;
	struct pollfd p = {.fd = s->out_fd, .events = POLLOUT};

	if (s->abandoned || s->out_closed)
		return false;
	return poll(&p, 1, -1) == 1 && p.revents & POLLOUT;
}

static void output_ready(void *self, unsigned events)
{
	struct stdio_end *s = self;

	(void)events;
	s->collecting = false;
	bis_watch_set(s->out_watch, bis_chardev_flush(s->chardev) ? BIS_WATCH_OUT : 0);
	s->collecting = true;
}

void stdio_abandon_output(void *self)
{
	struct stdio_end *s = self;

	s->abandoned = true;
}

/* --- Input --- */

static void input_ended(struct stdio_end *s)
{
	s->eof = true;
	bis_watch_set(s->in_watch, 0);
	bis_chardev_input_eof(s->chardev);
}

static void obey(struct stdio_end *s, enum escape_action action)
{
	if (action == ESCAPE_QUIT)
		bis_machine_request_stop(bis_module_machine(s->mod), BIS_STOP_HOST, 0);
	else if (action == ESCAPE_HELP)
		message("Ctrl-A x ends the machine, Ctrl-A h shows this, Ctrl-A Ctrl-A is one Ctrl-A for the guest");
}

static void input_ready(void *self, unsigned events)
{
	struct stdio_end *s = self;
	enum escape_action action;
	uint8_t buf[READ_SIZE];
	size_t room = bis_chardev_input_room(s->chardev), len;
	ssize_t n;

	(void)events;
	/* A guest that does not read must not keep the exit key from working. */
	if (s->terminal || room > sizeof(buf))
		room = sizeof(buf);
	if (!room) {
		bis_watch_set(s->in_watch, 0); /* until drained */
		return;
	}
	n = read(STDIN_FILENO, buf, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		input_ended(s);
		return;
	}
	len = (size_t)n;
	s->bytes_in += len;
	if (s->terminal) {
		len = escape_filter(&s->escape, buf, len, &action);
		obey(s, action);
	}
	bis_chardev_input(s->chardev, buf, len);
}

static void drained(void *arg)
{
	struct stdio_end *s = arg;

	if (!s->eof)
		bis_watch_set(s->in_watch, BIS_WATCH_IN);
}

/* --- Lifecycle --- */

static const struct bis_chardev_ops plain_ops = {
	.write = stdio_write, .wait_output = stdio_wait_output, .destroy = free, .interactive = false};
static const struct bis_chardev_ops person_ops = {
	.write = stdio_write, .wait_output = stdio_wait_output, .destroy = free, .interactive = true};

/* Opens standard output anew, so that our not blocking is not everybody's. Sockets cannot be opened so. */
static void open_output(struct stdio_end *s)
{
	struct stat st;

	s->out_fd = -1;
	if (!fstat(STDOUT_FILENO, &st) && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		s->out_fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	s->out_own = s->out_fd >= 0;
	if (!s->out_own)
		s->out_fd = STDOUT_FILENO;
}

static int stdio_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct stdio_end *s = calloc(1, sizeof(*s));
	const struct bis_chardev_ops *ops;
	int err;

	if (!s)
		return bis_fail(ENOMEM, "%s: out of memory", bis_module_name(mod));
	s->mod = mod;
	s->terminal = isatty(STDIN_FILENO);
	ops = s->terminal && isatty(STDOUT_FILENO) ? &person_ops : &plain_ops;
	open_output(s);
	err = bis_chardev_create(bis_module_machine(mod), bis_option_text(options, "chardev"), ops, s, &s->chardev);
	if (err) {
		if (s->out_own)
			close(s->out_fd);
		free(s);
		return bis_fail_prefix(err, "%s", bis_module_name(mod));
	}
	bis_chardev_on_drain(s->chardev, drained, s);
	*self = s;
	return 0;
}

static int stdio_start(void *self)
{
	struct stdio_end *s = self;
	int err = bis_watch_create(s->mod, STDIN_FILENO, input_ready, &s->in_watch);

	if (!err)
		err = bis_watch_create(s->mod, s->out_fd, output_ready, &s->out_watch);
	if (err)
		return err;
	bis_watch_set(s->in_watch, BIS_WATCH_IN);
	s->collecting = true;
	return 0;
}

static void stdio_destroy(void *self)
{
	struct stdio_end *s = self;
	int own = s->out_own ? s->out_fd : -1;

	if (s->in_watch)
		bis_watch_destroy(s->in_watch);
	if (s->out_watch)
		bis_watch_destroy(s->out_watch);
	s->collecting = false;
	bis_chardev_destroy(s->chardev); /* delivers what waits, then frees s */
	if (own >= 0)
		close(own);
}

const struct bis_module_class stdio_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "chardev-stdio",
	.summary = "character back end: standard input and output of biscuit-run",
	.options = stdio_options,
	.fields = stdio_fields,
	.create = stdio_create,
	.start = stdio_start,
	.destroy = stdio_destroy,
};
