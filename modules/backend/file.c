/*
 * Character back end that writes to a file, or to a FIFO or device that may be slow; input never comes. Runs with the
 * device lock held: register writes on a hart's thread, the watch on the controller thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/chardev.h>
#include <biscuit/module.h>

#include "modules/modules.h"

struct file_end {
	struct bis_module *mod;
	struct bis_chardev *chardev;
	struct bis_watch *watch;
	char *name; /* of the character device */
	int fd;
	bool regular; /* a regular file: always ready, and not to be watched */
	bool failed;  /* a write failed for good: output is dropped from then on */
	uint64_t written, dropped;
};

static const struct bis_field file_fields[] = {
	BIS_FIELD(struct file_end, failed, BOOL, BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
		  "a write failed and output is dropped since"),
	BIS_FIELD(struct file_end, written, U64, BIS_FIELD_COUNTER | BIS_FIELD_READONLY, "bytes written"),
	BIS_FIELD(struct file_end, dropped, U64, BIS_FIELD_COUNTER | BIS_FIELD_READONLY, "bytes dropped"),
	BIS_FIELD_END,
};

static const struct bis_option file_options[] = {
	{"path", BIS_OPTION_TEXT, NULL, NULL, "file to write to; made if it is not there"},
	{"append", BIS_OPTION_BOOL, "off", NULL, "keep what is in the file and write behind it"},
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device to plug into"},
	{0},
};

static void give_up(struct file_end *f, int err)
{
	f->failed = true;
	bis_log(bis_module_machine(f->mod), BIS_LOG_WARN, bis_module_name(f->mod),
		"cannot write: %s; output is dropped from here on", strerror(err));
}

/* write() that fails with EPIPE and raises no SIGPIPE, whatever the program does with that signal. */
static ssize_t write_without_signal(int fd, const void *buf, size_t len)
{
	static const struct timespec now = {0};
	sigset_t pipe_signal, before, pending;
	bool was_pending;
	ssize_t got;
	int err;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	got = write(fd, buf, len);
	err = errno;
	if (got < 0 && err == EPIPE && !was_pending)
		sigtimedwait(&pipe_signal, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return got;
}

static size_t file_write(void *self, const uint8_t *buf, size_t len)
{
	struct file_end *f = self;
	size_t done = 0;

	while (!f->failed && done < len) {
		ssize_t part = f->regular ? write(f->fd, buf + done, len - done)
					  : write_without_signal(f->fd, buf + done, len - done);

		if (part > 0) {
			done += (size_t)part;
			f->written += (uint64_t)part;
		} else if (part < 0 && errno == EAGAIN) {
			bis_watch_set(f->watch, BIS_WATCH_OUT);
			return done;
		} else if (part == 0 || errno != EINTR) {
			give_up(f, part == 0 ? EIO : errno);
		}
	}
	f->dropped += len - done;
	return len;
}

static void file_ready(void *self, unsigned events)
{
	struct file_end *f = self;

	(void)events;
	if (bis_chardev_flush(f->chardev) == 0)
		bis_watch_set(f->watch, 0);
}

static bool file_wait_output(void *self)
{
	const struct file_end *f = self;
	struct pollfd slow = {.fd = f->fd, .events = POLLOUT};

	return poll(&slow, 1, -1) == 1;
}

static void file_free(void *self)
{
	struct file_end *f = self;

	if (f->watch)
		bis_watch_destroy(f->watch);
	close(f->fd);
	free(f->name);
	free(f);
}

/* Writers to a FIFO need somebody at its other end. */
static int file_open(struct file_end *f, const char *path, bool append)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (append ? O_APPEND : O_TRUNC);
	const char *name = bis_module_name(f->mod);
	struct stat st;
	int err;

	f->fd = open(path, flags, 0666);
	if (f->fd < 0 && errno == ENXIO)
		return bis_fail(ENXIO, "%s: cannot open '%s' for writing: expected somebody to read it", name, path);
	if (f->fd < 0)
		return bis_fail(errno, "%s: cannot open '%s' for writing: %s", name, path, strerror(errno));
	if (fstat(f->fd, &st) == 0) {
		f->regular = S_ISREG(st.st_mode);
		return 0;
	}
	err = bis_fail(errno, "%s: '%s': %s", name, path, strerror(errno));
	close(f->fd);
	return err;
}

static int file_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct file_end *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	f->mod = mod;
	f->name = strdup(bis_option_text(options, "chardev"));
	err = f->name ? file_open(f, bis_option_text(options, "path"), bis_option_bool(options, "append"))
		      : bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	if (err) {
		free(f->name);
		free(f);
		return err;
	}
	*self = f;
	return 0;
}

static int file_attach(struct bis_module *mod, void *self)
{
	static const struct bis_chardev_ops ops = {
		.write = file_write, .wait_output = file_wait_output, .destroy = file_free};
	struct file_end *f = self;
	int err = f->regular ? 0 : bis_watch_create(mod, f->fd, file_ready, &f->watch);

	if (!err)
		err = bis_chardev_create(bis_module_machine(mod), f->name, &ops, f, &f->chardev);
	return err ? bis_fail_prefix(err, "%s", bis_module_name(mod)) : 0;
}

static void file_destroy(void *self)
{
	struct file_end *f = self;

	if (f->chardev)
		bis_chardev_destroy(f->chardev);
	else
		file_free(f);
}

const struct bis_module_class bis_chardev_file_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "chardev-file",
	.summary = "character back end: a file, FIFO or device to write to",
	.options = file_options,
	.fields = file_fields,
	.create = file_create,
	.attach = file_attach,
	.destroy = file_destroy,
};
