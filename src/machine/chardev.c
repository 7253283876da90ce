/*
 * Character devices: the queue between a console's front ends and its back end. Runs on whatever thread holds the
 * device lock. The machine owns the devices through its list; a device owns its plugged back end until it is unplugged.
 */
#include "chardev_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#define MAX_FRONTS    8
#define MAX_LISTENERS 4

struct queue {
	size_t head, len;
	uint8_t data[BIS_CHARDEV_QUEUE];
};

struct front {
	bis_chardev_notify notify;
	void *arg;
};

struct listener {
	void (*heard)(void *arg, const uint8_t *buf, size_t len);
	void *arg;
};

struct bis_chardev {
	struct bis_chardev *next;
	char *name;
	const struct bis_chardev_ops *ops; /* NULL: no back end */
	void *self;
	struct front fronts[MAX_FRONTS];
	size_t front_count;
	struct front drain;
	struct listener listeners[MAX_LISTENERS];
	size_t listener_count;
	unsigned columns, rows; /* of the terminal; 0: not known */
	bool eof;
	bool input_full;    /* the input queue was full; the back end hears when half of it is free */
	bool output_choked; /* the output queue was full; front ends hear when half of it is free */
	bool notifying, notify_again;
	struct queue in, out;
};

/* --- Queues --- */

static size_t queue_room(const struct queue *q)
{
	return sizeof(q->data) - q->len;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t queue_put(struct queue *q, const uint8_t *buf, size_t len)
{
	size_t done = 0;

	len = min_size(len, queue_room(q));
	while (done < len) {
		size_t tail = (q->head + q->len) % sizeof(q->data);
		size_t part = min_size(len - done, sizeof(q->data) - tail);

		memcpy(q->data + tail, buf + done, part);
		q->len += part;
		done += part;
	}
	return len;
}

/* The first run of bytes that lie together; *len is its length. */
static const uint8_t *queue_front(const struct queue *q, size_t *len)
{
	*len = min_size(q->len, sizeof(q->data) - q->head);
	return q->data + q->head;
}

static void queue_drop(struct queue *q, size_t len)
{
	q->head = (q->head + len) % sizeof(q->data);
	q->len -= len;
}

static size_t queue_get(struct queue *q, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len && q->len) {
		size_t run;
		const uint8_t *from = queue_front(q, &run);

		run = min_size(run, len - done);
		memcpy(buf + done, from, run);
		queue_drop(q, run);
		done += run;
	}
	return done;
}

/* --- The list of a machine --- */

struct bis_chardev *bis_chardev_find(struct bis_machine *m, const char *name)
{
	for (struct bis_chardev *c = *bis_machine_chardevs(m); c; c = c->next) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

int bis_chardev_open(struct bis_machine *m, const char *name, struct bis_chardev **out)
{
	struct bis_chardev *c = bis_chardev_find(m, name);

	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return bis_fail(ENOMEM, "no memory for the character device '%s'", name);
		c->name = strdup(name);
		if (!c->name) {
			free(c);
			return bis_fail(ENOMEM, "no memory for the character device '%s'", name);
		}
		c->next = *bis_machine_chardevs(m);
		*bis_machine_chardevs(m) = c;
	}
	*out = c;
	return 0;
}

int bis_chardev_create(struct bis_machine *m, const char *name, const struct bis_chardev_ops *ops, void *self,
		       struct bis_chardev **out)
{
	struct bis_chardev *c;
	int err = bis_chardev_open(m, name, &c);

	if (err)
		return err;
	if (c->ops)
		return bis_fail(EEXIST, "the character device '%s' already has a back end; expected another name",
				name);
	c->ops = ops;
	c->self = self;
	c->eof = false;
	*out = c;
	return 0;
}

void bis_chardev_destroy(struct bis_chardev *c)
{
	if (!c || !c->ops)
		return;
	while (bis_chardev_flush(c) && c->ops->wait_output && c->ops->wait_output(c->self))
		;
	if (c->ops->destroy)
		c->ops->destroy(c->self);
	c->ops = NULL;
	c->self = NULL;
	c->drain = (struct front){0};
	c->input_full = false;
	c->output_choked = false;
	queue_drop(&c->out, c->out.len);
}

void bis_chardev_destroy_all(struct bis_machine *m)
{
	struct bis_chardev *c = *bis_machine_chardevs(m);

	*bis_machine_chardevs(m) = NULL;
	while (c) {
		struct bis_chardev *next = c->next;

		bis_chardev_destroy(c);
		free(c->name);
		free(c);
		c = next;
	}
}

/* --- Notification --- */

/*
 * Calls every front end. A call that comes back here (a front end reads, the back end refills) asks for another round
 * instead of nesting.
 */
static void notify_fronts(struct bis_chardev *c)
{
	if (c->notifying) {
		c->notify_again = true;
		return;
	}
	c->notifying = true;
	do {
		c->notify_again = false;
		for (size_t i = 0; i < c->front_count; i++)
			c->fronts[i].notify(c->fronts[i].arg);
	} while (c->notify_again);
	c->notifying = false;
}

/* --- Back-end side --- */

size_t bis_chardev_input(struct bis_chardev *c, const uint8_t *buf, size_t len)
{
	size_t taken = queue_put(&c->in, buf, len);

	if (queue_room(&c->in) == 0)
		c->input_full = true;
	if (taken)
		notify_fronts(c);
	return taken;
}

void bis_chardev_input_eof(struct bis_chardev *c)
{
	c->eof = true;
	notify_fronts(c);
}

size_t bis_chardev_input_room(const struct bis_chardev *c)
{
	return queue_room(&c->in);
}

void bis_chardev_on_drain(struct bis_chardev *c, bis_chardev_notify notify, void *arg)
{
	c->drain = (struct front){.notify = notify, .arg = arg};
}

void bis_chardev_set_size(struct bis_chardev *c, unsigned columns, unsigned rows)
{
	if (columns == c->columns && rows == c->rows)
		return;
	c->columns = columns;
	c->rows = rows;
	notify_fronts(c);
}

size_t bis_chardev_flush(struct bis_chardev *c)
{
	while (c->ops && c->out.len) {
		size_t run;
		const uint8_t *from = queue_front(&c->out, &run);
		size_t taken = min_size(c->ops->write(c->self, from, run), run);

		queue_drop(&c->out, taken);
		if (taken == 0)
			break;
	}
	if (c->output_choked && queue_room(&c->out) >= sizeof(c->out.data) / 2) {
		c->output_choked = false;
		notify_fronts(c);
	}
	return c->out.len;
}

/* --- Front-end side --- */

int bis_chardev_attach(struct bis_chardev *c, bis_chardev_notify notify, void *arg)
{
	if (c->front_count == MAX_FRONTS)
		return bis_fail(ENOSPC, "the character device '%s' has %d front ends, which is the most it can have",
				c->name, MAX_FRONTS);
	c->fronts[c->front_count++] = (struct front){.notify = notify, .arg = arg};
	return 0;
}

void bis_chardev_detach(struct bis_chardev *c, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->front_count; i++) {
		if (c->fronts[i].arg != arg)
			c->fronts[kept++] = c->fronts[i];
	}
	c->front_count = kept;
}

size_t bis_chardev_read(struct bis_chardev *c, uint8_t *buf, size_t len)
{
	size_t got = queue_get(&c->in, buf, len);

	if (c->input_full && queue_room(&c->in) >= sizeof(c->in.data) / 2) {
		c->input_full = false;
		if (c->drain.notify)
			c->drain.notify(c->drain.arg);
	}
	return got;
}

size_t bis_chardev_readable(const struct bis_chardev *c)
{
	return c->in.len;
}

bool bis_chardev_at_eof(const struct bis_chardev *c)
{
	return c->eof && !c->columns && c->in.len == 0;
}

bool bis_chardev_interactive(const struct bis_chardev *c)
{
	return c->columns || bis_chardev_answers(c);
}

bool bis_chardev_answers(const struct bis_chardev *c)
{
	return c->ops && c->ops->interactive;
}

void bis_chardev_size(const struct bis_chardev *c, unsigned *columns, unsigned *rows)
{
	*columns = c->columns;
	*rows = c->rows;
}

static size_t put_output(struct bis_chardev *c, const uint8_t *buf, size_t len)
{
	size_t taken = 0;

	if (!c->ops)
		return len;
	if (c->out.len == 0)
		taken = min_size(c->ops->write(c->self, buf, len), len);
	return taken + queue_put(&c->out, buf + taken, len - taken);
}

size_t bis_chardev_write(struct bis_chardev *c, const uint8_t *buf, size_t len)
{
	size_t taken = put_output(c, buf, len);

	for (size_t i = 0; i < c->listener_count; i++)
		c->listeners[i].heard(c->listeners[i].arg, buf, taken);
	/* A front end that needs room for a burst hears of it too, not only one that was refused. */
	if (queue_room(&c->out) < sizeof(c->out.data) / 8)
		c->output_choked = true;
	return taken;
}

size_t bis_chardev_room(const struct bis_chardev *c)
{
	return c->ops ? queue_room(&c->out) : sizeof(c->out.data);
}

/* --- Listeners --- */

int bis_chardev_listen(struct bis_chardev *c, void (*heard)(void *arg, const uint8_t *buf, size_t len), void *arg)
{
	if (c->listener_count == MAX_LISTENERS)
		return bis_fail(ENOSPC, "the character device '%s' has %d listeners, which is the most it can have",
				c->name, MAX_LISTENERS);
	c->listeners[c->listener_count++] = (struct listener){.heard = heard, .arg = arg};
	return 0;
}

void bis_chardev_unlisten(struct bis_chardev *c, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->listener_count; i++) {
		if (c->listeners[i].arg != arg)
			c->listeners[kept++] = c->listeners[i];
	}
	c->listener_count = kept;
}

/* --- For snapshots --- */

struct bis_chardev *bis_chardev_next(struct bis_chardev *c)
{
	return c->next;
}

const char *bis_chardev_name(const struct bis_chardev *c)
{
	return c->name;
}

static void save_queue(const struct queue *q, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	uint32_t len = (uint32_t)q->len;
	size_t first;
	const uint8_t *front = queue_front(q, &first);

	put(arg, &len, sizeof(len));
	put(arg, front, first);
	put(arg, q->data, q->len - first);
}

void bis_chardev_save(const struct bis_chardev *c, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	save_queue(&c->in, put, arg);
	save_queue(&c->out, put, arg);
}

/* Moves *data behind the queue it begins with. What has come in the meantime is behind what was saved. */
static int restore_queue(struct queue *q, const uint8_t **data, size_t *left)
{
	struct queue newer = *q;
	const uint8_t *front;
	uint32_t len;
	size_t run;

	if (*left < sizeof(len))
		return -EINVAL;
	memcpy(&len, *data, sizeof(len));
	*data += sizeof(len);
	*left -= sizeof(len);
	if (len > *left || len > sizeof(q->data))
		return -EINVAL;
	q->head = q->len = 0;
	queue_put(q, *data, len);
	*data += len;
	*left -= len;
	while ((front = queue_front(&newer, &run), run)) {
		queue_put(q, front, run);
		queue_drop(&newer, run);
	}
	return 0;
}

int bis_chardev_restore(struct bis_chardev *c, const uint8_t *data, size_t len)
{
	int err = restore_queue(&c->in, &data, &len);

	if (!err)
		err = restore_queue(&c->out, &data, &len);
	if (err)
		return err;
	c->input_full = queue_room(&c->in) == 0;
	c->output_choked = queue_room(&c->out) < sizeof(c->out.data) / 8;
	bis_chardev_flush(c);
	return 0;
}
