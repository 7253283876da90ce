/*
 * Character back end on a pseudo-terminal: another program (screen, a test) opens its other end by path, leaves and
 * comes back as it likes. While nobody has it open, the newest 64 KiB of output are kept for whoever comes. The path is
 * logged and can be had under a symbolic link. Runs with the device lock held: register writes on a hart's thread, the
 * watches on the controller thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/chardev.h>
#include <biscuit/module.h>

#include "modules/modules.h"

#define BACKLOG	     65536u
#define PATH_SIZE    64u
#define LAST_WAIT_MS 1000 /* how long a slow reader is waited for at the end */

struct pty_end {
	struct bis_module *mod;
	struct bis_chardev *chardev;
	char *name; /* of the character device */
	char *link; /* symbolic link made, or NULL */
	int master;
	int opens; /* inotify descriptor: tells when somebody opens the other end */
	struct bis_watch *master_watch, *opens_watch;
	bool connected; /* somebody has the other end open */
	bool blocked;	/* the terminal is full; room is waited for */
	char path[PATH_SIZE];
	size_t backlog_start, backlog_len;
	uint8_t backlog[BACKLOG]; /* output while nobody is there, newest bytes */
};

static const struct bis_field pty_fields[] = {
	BIS_FIELD_ARRAY(struct pty_end, path, TEXT, PATH_SIZE, BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
			"path of the other end"),
	BIS_FIELD(struct pty_end, connected, BOOL, BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
		  "somebody has the other end open"),
	BIS_FIELD_END,
};

static const struct bis_option pty_options[] = {
	{"link", BIS_OPTION_TEXT, "", NULL, "symbolic link to make to the terminal's path"},
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device to plug into"},
	{0},
};

static void choose_events(struct pty_end *p)
{
	unsigned events = 0;

	if (p->connected && bis_chardev_input_room(p->chardev))
		events |= BIS_WATCH_IN;
	if (p->connected && p->blocked)
		events |= BIS_WATCH_OUT;
	bis_watch_set(p->master_watch, events);
}

/* --- Output --- */

static void backlog_put(struct pty_end *p, const uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		p->backlog[(p->backlog_start + p->backlog_len) % BACKLOG] = buf[i];
		if (p->backlog_len < BACKLOG)
			p->backlog_len++;
		else
			p->backlog_start = (p->backlog_start + 1) % BACKLOG;
	}
}

/* Writes to the terminal; what it does not take now makes it blocked. A hang-up shows when the watch is served. */
static size_t terminal_write(struct pty_end *p, const uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t part = write(p->master, buf + done, len - done);

		if (part > 0)
			done += (size_t)part;
		else if (part == 0 || errno != EINTR)
			break;
	}
	p->blocked = done < len;
	return done;
}

/* Sends what was kept; true when all of it is out. */
static bool backlog_send(struct pty_end *p)
{
	while (p->backlog_len) {
		size_t run = BACKLOG - p->backlog_start;
		size_t sent;

		run = run < p->backlog_len ? run : p->backlog_len;
		sent = terminal_write(p, p->backlog + p->backlog_start, run);
		p->backlog_start = (p->backlog_start + sent) % BACKLOG;
		p->backlog_len -= sent;
		if (sent < run)
			return false;
	}
	return true;
}

static size_t pty_write(void *self, const uint8_t *buf, size_t len)
{
	struct pty_end *p = self;
	size_t taken;

	if (!p->connected) {
		backlog_put(p, buf, len);
		return len;
	}
	if (!backlog_send(p)) {
		choose_events(p);
		return 0;
	}
	taken = terminal_write(p, buf, len);
	if (taken < len)
		choose_events(p);
	return taken;
}

/* --- Coming and going of the other side --- */

static bool somebody_there(const struct pty_end *p)
{
	struct pollfd state = {.fd = p->master};

	return poll(&state, 1, 0) == 0 || !(state.revents & (POLLHUP | POLLERR));
}

/* Somebody may have come, gone or read: sends what waits, or keeps it while nobody is there. */
static void update_connection(struct pty_end *p)
{
	p->connected = somebody_there(p);
	p->blocked = false;
	if (!p->connected || backlog_send(p))
		bis_chardev_flush(p->chardev);
	choose_events(p);
}

static void pty_opened(void *self, unsigned events)
{
	struct pty_end *p = self;
	_Alignas(struct inotify_event) char news[4096];

	(void)events;
	while (read(p->opens, news, sizeof(news)) > 0)
		;
	update_connection(p);
}

/* --- Input --- */

/* False once there is nothing more to read now. */
static bool read_some(struct pty_end *p)
{
	uint8_t buf[4096];
	size_t room = bis_chardev_input_room(p->chardev);
	ssize_t got;

	if (room == 0)
		return false;
	got = read(p->master, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (got > 0)
		bis_chardev_input(p->chardev, buf, (size_t)got);
	return got > 0;
}

static void pty_ready(void *self, unsigned events)
{
	struct pty_end *p = self;

	if (events & BIS_WATCH_IN) {
		while (read_some(p))
			;
	}
	update_connection(p);
}

static void pty_drained(void *arg)
{
	choose_events(arg);
}

/* --- The end --- */

static bool pty_wait_output(void *self)
{
	const struct pty_end *p = self;
	struct pollfd full = {.fd = p->master, .events = POLLOUT};

	return p->connected && poll(&full, 1, LAST_WAIT_MS) == 1 && !(full.revents & (POLLHUP | POLLERR));
}

/* The kernel drops what has not been read when the master closes: gives the other side a moment to read the rest. */
static void wait_until_read(const struct pty_end *p)
{
	static const struct timespec step = {.tv_nsec = 1000000};
	int slave = p->connected ? open(p->path, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
	int unread;

	if (slave < 0)
		return;
	for (int i = 0; i < LAST_WAIT_MS && ioctl(slave, FIONREAD, &unread) == 0 && unread > 0; i++)
		nanosleep(&step, NULL);
	close(slave);
}

/* Only a link that still leads here is ours to remove. */
static void remove_link(const struct pty_end *p)
{
	char target[PATH_SIZE];
	ssize_t len = p->link ? readlink(p->link, target, sizeof(target)) : -1;

	if (len > 0 && (size_t)len == strlen(p->path) && memcmp(target, p->path, (size_t)len) == 0)
		unlink(p->link);
}

static void pty_free(void *self)
{
	struct pty_end *p = self;

	if (p->master_watch)
		bis_watch_destroy(p->master_watch);
	if (p->opens_watch)
		bis_watch_destroy(p->opens_watch);
	if (p->master >= 0) {
		wait_until_read(p);
		remove_link(p);
		close(p->master);
	}
	if (p->opens >= 0)
		close(p->opens);
	free(p->link);
	free(p->name);
	free(p);
}

/* --- The beginning --- */

/* No echo and no translation, for whoever opens it without settings of their own. */
static int make_raw(const char *path)
{
	struct termios settings;
	int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	int err = 0;

	if (slave < 0)
		return -errno;
	if (tcgetattr(slave, &settings) == 0) {
		cfmakeraw(&settings);
		err = tcsetattr(slave, TCSANOW, &settings) ? -errno : 0;
	} else {
		err = -errno;
	}
	close(slave);
	return err;
}

static int open_terminal(struct pty_end *p)
{
	int err = 0;

	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->master < 0 || grantpt(p->master) || unlockpt(p->master))
		err = -errno;
	else if (ptsname_r(p->master, p->path, sizeof(p->path)))
		err = -errno;
	if (!err)
		err = make_raw(p->path);
	if (err)
		return bis_fail(err, "%s: cannot make a pseudo-terminal: %s", bis_module_name(p->mod), strerror(-err));
	p->opens = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p->opens < 0 || inotify_add_watch(p->opens, p->path, IN_OPEN) < 0)
		return bis_fail(errno, "%s: cannot watch '%s': %s", bis_module_name(p->mod), p->path, strerror(errno));
	return 0;
}

/* A link that a run before left behind leads to some terminal and is replaced; anything else is left alone. */
static int make_link(struct pty_end *p, const char *path)
{
	static const char terminals[] = "/dev/pts/";
	char target[PATH_SIZE] = "";

	if (*path == '\0')
		return 0;
	if (readlink(path, target, sizeof(target) - 1) > 0 && strncmp(target, terminals, sizeof(terminals) - 1) == 0)
		unlink(path);
	if (symlink(p->path, path))
		return bis_fail(errno, "%s: cannot make the link '%s': %s", bis_module_name(p->mod), path,
				strerror(errno));
	p->link = strdup(path);
	return p->link ? 0 : bis_fail(ENOMEM, "no memory for %s", bis_module_name(p->mod));
}

static int pty_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct pty_end *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	p->mod = mod;
	p->master = -1;
	p->opens = -1;
	p->name = strdup(bis_option_text(options, "chardev"));
	err = p->name ? open_terminal(p) : bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	if (!err)
		err = make_link(p, bis_option_text(options, "link"));
	if (err) {
		pty_free(p);
		return err;
	}
	*self = p;
	return 0;
}

static int pty_attach(struct bis_module *mod, void *self)
{
	static const struct bis_chardev_ops ops = {
		.write = pty_write, .wait_output = pty_wait_output, .destroy = pty_free, .interactive = true};
	struct pty_end *p = self;
	int err = bis_watch_create(mod, p->master, pty_ready, &p->master_watch);

	if (!err)
		err = bis_watch_create(mod, p->opens, pty_opened, &p->opens_watch);
	if (!err)
		err = bis_chardev_create(bis_module_machine(mod), p->name, &ops, p, &p->chardev);
	if (err)
		return bis_fail_prefix(err, "%s", bis_module_name(mod));
	bis_chardev_on_drain(p->chardev, pty_drained, p);
	bis_watch_set(p->opens_watch, BIS_WATCH_IN);
	update_connection(p);
	bis_log(bis_module_machine(mod), BIS_LOG_INFO, bis_module_name(mod), "console on %s",
		p->link ? p->link : p->path);
	return 0;
}

static void pty_destroy(void *self)
{
	struct pty_end *p = self;

	if (p->chardev)
		bis_chardev_destroy(p->chardev);
	else
		pty_free(p);
}

/* What nobody has read yet is there for whoever comes. */
static int pty_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	const struct pty_end *p = self;
	size_t run = BACKLOG - p->backlog_start;

	run = run < p->backlog_len ? run : p->backlog_len;
	put(arg, p->backlog + p->backlog_start, run);
	put(arg, p->backlog, p->backlog_len - run);
	return 0;
}

static int pty_restore(void *self, const void *data, size_t len)
{
	struct pty_end *p = self;

	if (len > BACKLOG)
		return bis_fail(EINVAL, "%s: more output is kept than there is room for", bis_module_name(p->mod));
	p->backlog_start = 0;
	p->backlog_len = len;
	memcpy(p->backlog, data, len);
	update_connection(p);
	return 0;
}

const struct bis_module_class bis_chardev_pty_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "chardev-pty",
	.summary = "character back end: a pseudo-terminal for another program",
	.options = pty_options,
	.fields = pty_fields,
	.create = pty_create,
	.attach = pty_attach,
	.destroy = pty_destroy,
	.save = pty_save,
	.restore = pty_restore,
};
