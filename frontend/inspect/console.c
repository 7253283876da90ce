/*
 * The console of a device as files: `in` takes what is typed, `out` gives what comes from now on, `log` what came so
 * far. The character device tells of its output with the device lock held; in->stream_lock guards the logs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/chardev.h>
#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

#define LOG_SIZE ((size_t)256 << 10)

struct inspect_console {
	struct inspect_console *next;
	struct inspect *in;
	struct bis_chardev *chardev;
	char *name;
	uint64_t total; /* bytes put out so far; the last LOG_SIZE of them are kept */
	char log[LOG_SIZE];
};

static void heard(void *arg, const uint8_t *buf, size_t len)
{
	struct inspect_console *c = arg;
	size_t skip = len > LOG_SIZE ? len - LOG_SIZE : 0;

	pthread_mutex_lock(&c->in->stream_lock);
	c->total += skip;
	for (size_t done = skip; done < len;) {
		size_t at = (size_t)(c->total % LOG_SIZE);
		size_t part = len - done < LOG_SIZE - at ? len - done : LOG_SIZE - at;

		memcpy(c->log + at, buf + done, part);
		c->total += part;
		done += part;
	}
	pthread_mutex_unlock(&c->in->stream_lock);
	if (len)
		inspect_stream_put(c->in, INSPECT_CONSOLE, c, buf, len);
}

static struct inspect_console *find(struct inspect *in, const char *name)
{
	struct inspect_console *c;

	pthread_mutex_lock(&in->stream_lock);
	c = in->consoles;
	while (c && strcmp(c->name, name) != 0)
		c = c->next;
	pthread_mutex_unlock(&in->stream_lock);
	return c;
}

struct inspect_console *inspect_console_of(struct inspect *in, const char *chardev)
{
	struct inspect_console *c = find(in, chardev);
	struct bis_chardev *device = bis_chardev_find(in->machine, chardev);

	if (c || !device)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->in = in;
	c->chardev = device;
	c->name = strdup(chardev);
	if (!c->name || bis_chardev_listen(device, heard, c)) {
		free(c->name);
		free(c);
		return NULL;
	}
	pthread_mutex_lock(&in->stream_lock);
	c->next = in->consoles;
	in->consoles = c;
	pthread_mutex_unlock(&in->stream_lock);
	return c;
}

void inspect_consoles_free(struct inspect *in)
{
	while (in->consoles) {
		struct inspect_console *c = in->consoles;

		bis_machine_lock_devices(in->machine);
		bis_chardev_unlisten(c->chardev, c);
		bis_machine_unlock_devices(in->machine);
		in->consoles = c->next;
		free(c->name);
		free(c);
	}
}

/* The console of the device whose directory n is in. They live as long as `in`. */
static int console_of(struct inspect *in, const struct inspect_node *n, struct inspect_console **out)
{
	char *name = inspect_module_chardev(in, n->parent->name);
	struct inspect_console *c = name ? find(in, name) : NULL;

	free(name);
	if (!c)
		return bis_fail(ENODEV, "%s has no console", n->parent->name);
	*out = c;
	return 0;
}

static ssize_t type(struct inspect *in, const struct inspect_node *n, const void *data, size_t len)
{
	struct inspect_console *c;
	size_t taken;
	int err = console_of(in, n, &c);

	if (err)
		return err;
	bis_machine_lock_devices(in->machine);
	taken = bis_chardev_input(c->chardev, data, len);
	bis_machine_unlock_devices(in->machine);
	if (!taken)
		return bis_fail(EAGAIN, "the guest has not read what was typed before (%u bytes)", BIS_CHARDEV_QUEUE);
	return (ssize_t)taken;
}

static int open_out(struct inspect *in, const struct inspect_node *n, struct inspect_stream **out)
{
	struct inspect_console *c;
	int err = console_of(in, n, &c);

	return err ? err : inspect_stream_open(in, INSPECT_CONSOLE, c, out);
}

static int generate_log(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct inspect_console *c;
	size_t len, start;
	int err = console_of(in, n, &c);

	if (err)
		return err;
	pthread_mutex_lock(&in->stream_lock);
	len = c->total < LOG_SIZE ? (size_t)c->total : LOG_SIZE;
	start = (size_t)((c->total - len) % LOG_SIZE);
	inspect_put_bytes(out, c->log + start, len < LOG_SIZE - start ? len : LOG_SIZE - start);
	if (len > LOG_SIZE - start)
		inspect_put_bytes(out, c->log, len - (LOG_SIZE - start));
	pthread_mutex_unlock(&in->stream_lock);
	return 0;
}

const struct inspect_type inspect_console_in_type = {.kind = INSPECT_TEXT, .accept_raw = type};
const struct inspect_type inspect_console_out_type = {.kind = INSPECT_STREAM, .open_stream = open_out};
const struct inspect_type inspect_console_log_type = {.kind = INSPECT_TEXT, .generate = generate_log};
