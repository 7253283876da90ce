/*
 * Both halves of a network, for tests: a back end that keeps what the guest sends, and a front end that is a guest
 * without a device. Calls that need the device lock take it.
 */
#ifndef BISCUIT_UNIT_NET_FAKE_H
#define BISCUIT_UNIT_NET_FAKE_H

#include <pthread.h>
#include <stdlib.h>

#include <biscuit/machine.h>
#include <biscuit/netdev.h>

#include "tests/unit/unit.h"

#define NET_FAKE_FRAMES 1024

struct net_frame {
	size_t len;
	uint8_t bytes[2048]; /* the first of them */
};

/* --- Back end --- */

struct net_back {
	struct bis_machine *m;
	struct bis_netdev *netdev;
	struct net_frame got[NET_FAKE_FRAMES];
	size_t count;
	unsigned wakes, destroyed;
	bool lazy; /* does not fetch when woken */
	uint8_t frame[BIS_NETDEV_FRAME];
};

static inline void net_keep(struct net_frame *to, const uint8_t *bytes, size_t len)
{
	to->len = len;
	memcpy(to->bytes, bytes, len < sizeof(to->bytes) ? len : sizeof(to->bytes));
}

/* Fetches all there is; the number of frames. */
static inline size_t net_back_fetch(struct net_back *b)
{
	size_t before = b->count, len;

	while ((len = bis_netdev_fetch(b->netdev, b->frame)))
		net_keep(&b->got[b->count++ % NET_FAKE_FRAMES], b->frame, len);
	return b->count - before;
}

static inline void net_back_wake(void *self)
{
	struct net_back *b = self;

	b->wakes++;
	if (!b->lazy)
		net_back_fetch(b);
}

static inline void net_back_destroy(void *self)
{
	struct net_back *b = self;

	b->destroyed++;
}

/* Plugged in under `name`, with flags of enum bis_netdev_flags that select one of these. */
static inline struct net_back *net_back_plug(struct bis_machine *m, const char *name, unsigned flags)
{
	static const struct bis_netdev_ops ops[] = {
		{.wake = net_back_wake, .destroy = net_back_destroy, .flags = 0},
		{.wake = net_back_wake, .destroy = net_back_destroy, .flags = 1},
		{.wake = net_back_wake, .destroy = net_back_destroy, .flags = 2},
		{.wake = net_back_wake, .destroy = net_back_destroy, .flags = 3},
	};
	struct net_back *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->m = m;
	bis_machine_lock_devices(m);
	assert_ok(bis_netdev_create(m, name, &ops[flags], b, &b->netdev));
	bis_machine_unlock_devices(m);
	return b;
}

static inline void net_back_unplug(struct net_back *b)
{
	bis_machine_lock_devices(b->m);
	bis_netdev_destroy(b->netdev);
	bis_machine_unlock_devices(b->m);
}

/* --- Front end --- */

struct net_front {
	struct bis_machine *m;
	struct bis_netdev *netdev;
	pthread_mutex_t lock; /* what follows */
	struct net_frame got[NET_FAKE_FRAMES];
	size_t count, limit; /* takes frames until it has `limit` */
	struct net_frame out[NET_FAKE_FRAMES];
	size_t out_first, out_count;
	size_t dropped, links;
	bool link;
};

static inline bool net_front_receive(void *self, const uint8_t *frame, size_t len, unsigned flags)
{
	struct net_front *f = self;
	bool room;

	(void)flags;
	pthread_mutex_lock(&f->lock);
	room = f->count < f->limit;
	if (room)
		net_keep(&f->got[f->count++ % NET_FAKE_FRAMES], frame, len);
	pthread_mutex_unlock(&f->lock);
	return room;
}

static inline size_t net_front_fetch(void *self, uint8_t *frame, unsigned flags)
{
	struct net_front *f = self;
	size_t len = 0;

	(void)flags;
	pthread_mutex_lock(&f->lock);
	if (f->out_first < f->out_count) {
		const struct net_frame *next = &f->out[f->out_first++];

		len = next->len;
		if (frame)
			memcpy(frame, next->bytes, len);
	}
	pthread_mutex_unlock(&f->lock);
	return len;
}

static inline void net_front_dropped(void *self)
{
	struct net_front *f = self;

	f->dropped++;
}

static inline void net_front_link(void *self, bool up)
{
	struct net_front *f = self;

	f->link = up;
	f->links++;
}

static inline struct net_front *net_front_attach(struct bis_machine *m, const char *name)
{
	static const struct bis_netdev_front_ops ops = {.receive = net_front_receive,
							.fetch = net_front_fetch,
							.dropped = net_front_dropped,
							.link = net_front_link};
	struct net_front *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->m = m;
	f->limit = SIZE_MAX;
	pthread_mutex_init(&f->lock, NULL);
	bis_machine_lock_devices(m);
	assert_ok(bis_netdev_open(m, name, &f->netdev));
	assert_ok(bis_netdev_attach(f->netdev, &ops, f));
	bis_netdev_start(f->netdev);
	bis_machine_unlock_devices(m);
	return f;
}

static inline void net_front_detach(struct net_front *f)
{
	bis_machine_lock_devices(f->m);
	bis_netdev_detach(f->netdev, f);
	bis_machine_unlock_devices(f->m);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Puts a frame before the back end. */
static inline void net_front_send(struct net_front *f, const void *bytes, size_t len)
{
	pthread_mutex_lock(&f->lock);
	assert_true(f->out_count < NET_FAKE_FRAMES && len <= sizeof(f->out[0].bytes));
	net_keep(&f->out[f->out_count++], bytes, len);
	pthread_mutex_unlock(&f->lock);
	bis_machine_lock_devices(f->m);
	bis_netdev_kick(f->netdev);
	bis_machine_unlock_devices(f->m);
}

/* How many of its frames have been fetched. */
static inline size_t net_front_fetched(struct net_front *f)
{
	size_t fetched;

	pthread_mutex_lock(&f->lock);
	fetched = f->out_first;
	pthread_mutex_unlock(&f->lock);
	return fetched;
}

/* Takes frames until it has `limit` of them. */
static inline void net_front_accept(struct net_front *f, size_t limit)
{
	pthread_mutex_lock(&f->lock);
	f->limit = limit;
	pthread_mutex_unlock(&f->lock);
	bis_machine_lock_devices(f->m);
	bis_netdev_flush(f->netdev);
	bis_machine_unlock_devices(f->m);
}

#endif
