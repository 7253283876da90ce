/*
 * The driver of a virtio keyboard, mouse or tablet for tests: buffers for events, the events in them, and what the
 * configuration says.
 */
#ifndef BISCUIT_UNIT_INPUT_RIG_H
#define BISCUIT_UNIT_INPUT_RIG_H

#include <stdlib.h>

#include <biscuit/input.h>

#include "tests/unit/virtio_rig.h"

enum { EVENTS, STATUS, QUEUES };
enum { SELECT_NAME = 1, SELECT_SERIAL, SELECT_IDS, SELECT_PROPS = 0x10, SELECT_BITS, SELECT_RANGE };
enum { SYN, KEY, REL, ABS, LED = 0x11, REP = 0x14 };
enum { REPORT = 0, DROPPED = 3 };
enum { REL_HWHEEL = 6, REL_WHEEL = 8, REL_WHEEL_FINE = 11, REL_HWHEEL_FINE = 12 };

#define SIZE 256u

struct event {
	uint16_t type, code;
	uint32_t value;
};

struct irig {
	struct vrig *v;
	uint64_t buffers; /* where descriptor i's buffer is: i * 8 */
	uint8_t data[128];
};

static inline struct irig *irig_open(const char *spec)
{
	struct irig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->v = vrig_open(spec);
	vrig_start(r->v, 0, QUEUES, SIZE);
	r->buffers = vrig_alloc(r->v, SIZE * 8);
	return r;
}

static inline void irig_close(struct irig *r)
{
	vrig_close(r->v);
	free(r);
}

/* Gives the device that many more buffers, as far as the queue has room. */
static inline void offer(struct irig *r, unsigned count)
{
	struct vrig_queue *q = &r->v->q[EVENTS];
	unsigned room = 0;

	for (unsigned i = 0; i < SIZE; i++)
		room += !q->taken[i];
	for (count = count < room ? count : room; count; count--) {
		uint16_t head = vrig_take_desc(q);

		vrig_set_desc(r->v, EVENTS, head, r->buffers + head * 8u, 8, VRIG_WRITE, 0);
		vrig_make_available(r->v, EVENTS, head);
	}
	vrig_notify(r->v, EVENTS);
}

static inline bool next_event(struct irig *r, struct event *e)
{
	uint32_t id, len;

	if (!vrig_used(r->v, EVENTS, &id, &len))
		return false;
	assert_int_equal(len, 8);
	vrig_get(r->v, r->buffers + id * 8u, e, sizeof(*e));
	return true;
}

static inline void expect(struct irig *r, uint16_t type, uint16_t code, int32_t value)
{
	struct event e;

	if (!next_event(r, &e))
		fail_msg("no event, expected %u %u %d", type, code, value);
	if (e.type != type || e.code != code || e.value != (uint32_t)value)
		fail_msg("%u %u %d, expected %u %u %d", e.type, e.code, (int)e.value, type, code, value);
}

static inline void expect_nothing(struct irig *r)
{
	struct event e;

	if (next_event(r, &e))
		fail_msg("%u %u %d, expected nothing", e.type, e.code, (int)e.value);
}

static inline size_t send_n(struct irig *r, const struct bis_input_event *events, size_t count)
{
	return bis_input_send(r->v->m, events, count);
}
#define send(r, ...)	      send_n((r), &(struct bis_input_event){__VA_ARGS__}, 1)
#define key(r, code_, value_) send((r), .kind = BIS_INPUT_KEY, .code = (code_), .value = (value_))

/* What the configuration says; its size. */
static inline unsigned ask(struct irig *r, unsigned select, unsigned subsel)
{
	unsigned size;

	vrig_set_config(r->v, 0, 1, select);
	vrig_set_config(r->v, 1, 1, subsel);
	size = (unsigned)vrig_config(r->v, 2, 1);
	assert_in_range(size, 0, 128);
	for (unsigned i = 0; i < 128; i++)
		r->data[i] = (uint8_t)vrig_config(r->v, 8 + i, 1);
	for (unsigned i = size; i < 128; i++)
		assert_int_equal(r->data[i], 0);
	return size;
}

static inline bool bit(const struct irig *r, unsigned n)
{
	return r->data[n / 8] >> n % 8 & 1;
}

/* Keys as the driver believes them to be. */
struct believed {
	bool down[768];
	unsigned events, losses;
	struct event last;
};

static inline void believe(struct irig *r, struct believed *b)
{
	struct event e;

	while (next_event(r, &e)) {
		if (e.type == KEY)
			b->down[e.code] = e.value;
		b->losses += e.type == SYN && e.code == DROPPED;
		b->events++;
		b->last = e;
	}
}

#endif
