/*
 * Network devices, <biscuit/netdev.h>: the meeting point of a network front end and a back end, with a bounded queue of
 * frames towards the guest. The machine owns them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "src/machine/netdev_internal.h"

#define FRAME_MIN 14u /* an Ethernet header */

#define HEADER 4u	  /* bytes before a frame in the queue: its length */
#define SKIP   UINT32_MAX /* instead of a length: go on at the start of the ring */

/* A ring of frames, each in one piece. Records are multiples of 4 bytes, so a header always fits before the end. */
struct ring {
	size_t head, tail; /* where the first record begins and the next one will; below the size of data */
	size_t used;	   /* bytes between them, skipped ones included */
	uint8_t data[BIS_NETDEV_QUEUE];
};

struct bis_netdev {
	struct bis_netdev *next;
	char *name;

	/* Halves and cable: both locks to change, either to look. */
	const struct bis_netdev_ops *back;
	void *back_self;
	const struct bis_netdev_front_ops *front;
	void *front_self;
	bool unplugged; /* the cable */

	pthread_mutex_t lock;
	bool started;	  /* lock */
	bool choked;	  /* the back end waits for room, lock */
	struct ring ring; /* lock */
};

/* --- The ring --- */

static size_t record_size(size_t len)
{
	return HEADER + ((len + 3) & ~(size_t)3);
}

static void put_header(struct ring *r, uint32_t value)
{
	memcpy(r->data + r->tail, &value, HEADER);
}

/* Moves `size` used bytes' end on. */
static void advance_tail(struct ring *r, size_t size)
{
	r->used += size;
	r->tail += size;
	if (r->tail == sizeof(r->data))
		r->tail = 0;
}

static bool ring_put(struct ring *r, const uint8_t *frame, size_t len)
{
	size_t need = record_size(len);

	if (r->used == 0)
		r->head = r->tail = 0;
	if (r->used && r->tail <= r->head) {
		if (need > r->head - r->tail)
			return false;
	} else if (need > sizeof(r->data) - r->tail) {
		if (need > r->head)
			return false;
		put_header(r, SKIP);
		advance_tail(r, sizeof(r->data) - r->tail);
	}
	put_header(r, (uint32_t)len);
	memcpy(r->data + r->tail + HEADER, frame, len);
	advance_tail(r, need);
	return true;
}

static void advance_head(struct ring *r, size_t size)
{
	r->used -= size;
	r->head += size;
	if (r->head == sizeof(r->data))
		r->head = 0;
}

/* The first frame, in place; NULL if there is none. */
static const uint8_t *ring_front(struct ring *r, size_t *len)
{
	uint32_t header;

	if (r->used == 0)
		return NULL;
	memcpy(&header, r->data + r->head, HEADER);
	if (header == SKIP) {
		advance_head(r, sizeof(r->data) - r->head);
		memcpy(&header, r->data, HEADER);
	}
	*len = header;
	return r->data + r->head + HEADER;
}

/* --- The list of a machine --- */

struct bis_netdev *bis_netdev_find(struct bis_machine *m, const char *name)
{
	for (struct bis_netdev *n = *bis_machine_netdevs(m); n; n = n->next) {
		if (strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}

int bis_netdev_open(struct bis_machine *m, const char *name, struct bis_netdev **out)
{
	struct bis_netdev *n = bis_netdev_find(m, name);

	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n)
			return bis_fail(ENOMEM, "no memory for the network '%s'", name);
		n->name = strdup(name);
		if (!n->name) {
			free(n);
			return bis_fail(ENOMEM, "no memory for the network '%s'", name);
		}
		pthread_mutex_init(&n->lock, NULL);
		n->next = *bis_machine_netdevs(m);
		*bis_machine_netdevs(m) = n;
	}
	*out = n;
	return 0;
}

void bis_netdev_destroy_all(struct bis_machine *m)
{
	struct bis_netdev *n = *bis_machine_netdevs(m);

	*bis_machine_netdevs(m) = NULL;
	while (n) {
		struct bis_netdev *next = n->next;

		bis_netdev_destroy(n);
		pthread_mutex_destroy(&n->lock);
		free(n->name);
		free(n);
		n = next;
	}
}

/* --- Link --- */

/* Either lock held. */
static bool has_link(const struct bis_netdev *n)
{
	return n->back && !n->unplugged;
}

/* Lock held: tells the front end if the link is not what it was. */
static void tell_link(struct bis_netdev *n, bool before)
{
	bool up = has_link(n);

	if (up != before && n->front && n->front->link)
		n->front->link(n->front_self, up);
}

void bis_netdev_set_link(struct bis_netdev *n, bool up)
{
	bool before;

	pthread_mutex_lock(&n->lock);
	before = has_link(n);
	n->unplugged = !up;
	tell_link(n, before);
	pthread_mutex_unlock(&n->lock);
	bis_netdev_kick(n);
}

bool bis_netdev_link(struct bis_netdev *n)
{
	bool up;

	pthread_mutex_lock(&n->lock);
	up = has_link(n);
	pthread_mutex_unlock(&n->lock);
	return up;
}

/* --- Back-end side --- */

static void set_back(struct bis_netdev *n, const struct bis_netdev_ops *ops, void *self)
{
	bool before;

	pthread_mutex_lock(&n->lock);
	before = has_link(n);
	n->back = ops;
	n->back_self = self;
	n->choked = false;
	n->ring.used = 0;
	tell_link(n, before);
	pthread_mutex_unlock(&n->lock);
}

int bis_netdev_create(struct bis_machine *m, const char *name, const struct bis_netdev_ops *ops, void *self,
		      struct bis_netdev **out)
{
	struct bis_netdev *n;
	int err = bis_netdev_open(m, name, &n);

	if (err)
		return err;
	if (n->back)
		return bis_fail(EEXIST, "the network '%s' already has a back end; expected another name", name);
	set_back(n, ops, self);
	*out = n;
	return 0;
}

void bis_netdev_destroy(struct bis_netdev *n)
{
	const struct bis_netdev_ops *ops;
	void *self;

	if (!n || !n->back)
		return;
	ops = n->back;
	self = n->back_self;
	set_back(n, NULL, NULL);
	if (ops->destroy)
		ops->destroy(self);
	/* What the guest has sent meanwhile has nowhere to go. */
	bis_netdev_kick(n);
}

size_t bis_netdev_fetch(struct bis_netdev *n, uint8_t *frame)
{
	size_t len;

	pthread_mutex_lock(&n->lock);
	len = n->started && has_link(n) ? n->front->fetch(n->front_self, frame, n->back->flags) : 0;
	pthread_mutex_unlock(&n->lock);
	return len;
}

/* Lock held. */
static bool take_frame(struct bis_netdev *n, const uint8_t *frame, size_t len)
{
	if (!has_link(n) || len < FRAME_MIN || len > BIS_NETDEV_FRAME)
		return false;
	if (n->started && n->ring.used == 0 && n->front->receive(n->front_self, frame, len, n->back->flags))
		return true;
	if (ring_put(&n->ring, frame, len))
		return true;
	n->choked = true;
	if (n->front && n->front->dropped)
		n->front->dropped(n->front_self);
	return false;
}

bool bis_netdev_deliver(struct bis_netdev *n, const uint8_t *frame, size_t len)
{
	bool taken;

	pthread_mutex_lock(&n->lock);
	taken = take_frame(n, frame, len);
	pthread_mutex_unlock(&n->lock);
	return taken;
}

bool bis_netdev_congested(struct bis_netdev *n)
{
	bool congested;

	pthread_mutex_lock(&n->lock);
	congested = n->ring.used > BIS_NETDEV_QUEUE / 2;
	n->choked |= congested;
	pthread_mutex_unlock(&n->lock);
	return congested;
}

/* --- Front-end side --- */

int bis_netdev_attach(struct bis_netdev *n, const struct bis_netdev_front_ops *ops, void *self)
{
	if (n->front)
		return bis_fail(EEXIST, "the network '%s' already has a device; expected another name", n->name);
	pthread_mutex_lock(&n->lock);
	n->front = ops;
	n->front_self = self;
	pthread_mutex_unlock(&n->lock);
	return 0;
}

void bis_netdev_detach(struct bis_netdev *n, void *self)
{
	if (!n->front || n->front_self != self)
		return;
	pthread_mutex_lock(&n->lock);
	n->started = false;
	n->front = NULL;
	n->front_self = NULL;
	pthread_mutex_unlock(&n->lock);
}

void bis_netdev_start(struct bis_netdev *n)
{
	pthread_mutex_lock(&n->lock);
	n->started = n->front != NULL;
	pthread_mutex_unlock(&n->lock);
	bis_netdev_flush(n);
	bis_netdev_kick(n);
}

void bis_netdev_stop(struct bis_netdev *n)
{
	pthread_mutex_lock(&n->lock);
	n->started = false;
	pthread_mutex_unlock(&n->lock);
}

void bis_netdev_settle(struct bis_netdev *n)
{
	pthread_mutex_lock(&n->lock);
	pthread_mutex_unlock(&n->lock);
}

/* Lock held: is the back end to be told of room? */
static bool has_recovered(struct bis_netdev *n)
{
	if (!n->choked || !n->back || n->ring.used > BIS_NETDEV_QUEUE / 4)
		return false;
	n->choked = false;
	return true;
}

void bis_netdev_clear(struct bis_netdev *n)
{
	bool recovered;

	pthread_mutex_lock(&n->lock);
	n->ring.used = 0;
	recovered = has_recovered(n);
	pthread_mutex_unlock(&n->lock);
	if (recovered)
		n->back->wake(n->back_self);
}

void bis_netdev_flush(struct bis_netdev *n)
{
	const uint8_t *frame;
	bool recovered;
	size_t len;

	pthread_mutex_lock(&n->lock);
	while (n->started && (frame = ring_front(&n->ring, &len)) &&
	       n->front->receive(n->front_self, frame, len, n->back->flags))
		advance_head(&n->ring, record_size(len));
	recovered = has_recovered(n);
	pthread_mutex_unlock(&n->lock);
	if (recovered)
		n->back->wake(n->back_self);
}

/* The frames the guest has sent are lost. */
static void lose_frames(struct bis_netdev *n)
{
	pthread_mutex_lock(&n->lock);
	while (n->started && n->front->fetch(n->front_self, NULL, 0))
		;
	pthread_mutex_unlock(&n->lock);
}

void bis_netdev_kick(struct bis_netdev *n)
{
	/* Without the lock: a hart that has something to send does not wait while another frame is being moved. */
	if (has_link(n))
		n->back->wake(n->back_self);
	else
		lose_frames(n);
}

unsigned bis_netdev_flags(struct bis_netdev *n)
{
	unsigned flags;

	pthread_mutex_lock(&n->lock);
	flags = n->back ? n->back->flags : 0;
	pthread_mutex_unlock(&n->lock);
	return flags;
}
