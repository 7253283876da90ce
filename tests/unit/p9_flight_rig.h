/* Virtio-9p with operations that the test holds up, and locks that are waited for. */
#ifndef BISCUIT_UNIT_P9_FLIGHT_RIG_H
#define BISCUIT_UNIT_P9_FLIGHT_RIG_H

#include "tests/unit/p9_rig.h"

#define Q(value) ((uint64_t)(value))

enum { READ_LOCK, WRITE_LOCK, NO_LOCK, BLOCK = 1 };

/* What the operations below, which the host calls on any thread, share with the test. */
static struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	bool locking;	       /* gated_lock holds its caller up */
	unsigned inside, most; /* calls that wait now; the most at a time */
	pthread_t served;      /* the thread of the last call */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline int gated_sync(struct mfs *fs, struct mfs_node *node, bool data_only)
{
	(void)fs, (void)node, (void)data_only;
	pthread_mutex_lock(&gate.lock);
	gate.inside++;
	if (gate.inside > gate.most)
		gate.most = gate.inside;
	pthread_cond_broadcast(&gate.changed);
	while (!gate.open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.inside--;
	pthread_mutex_unlock(&gate.lock);
	return 0;
}

static inline void set_gate(bool open)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = open;
	if (!open)
		gate.most = 0;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static inline void wait_for_inside(unsigned count)
{
	pthread_mutex_lock(&gate.lock);
	while (gate.inside < count)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

/* A file open as FID, and fsync held up. */
static inline void begin(struct p9_client *c)
{
	p9_hook(c)->sync = gated_sync;
	set_gate(false);
	p9_make_file(c, "file", "content");
	p9_open(c, FID, "file", 2);
}

static inline void start_with_long_queue(struct p9_client *c)
{
	vrig_start(c->r, 1, 1, 512);
	c->r->next = c->slot.in + P9_ROOM + 0x20000;
	assert_int_equal(p9(c, P9_TVERSION, "ds", 8192, "9P2000.L"), 0);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), 0);
}

static inline int lock(struct p9_client *c, unsigned type, unsigned process)
{
	assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", FID, type, 0, Q(0), Q(0), process, "box"), 0);
	return (int)p9_get(c, 1);
}

/* Process 1 has the lock of FID; makes process 2 wait for it. */
static inline void begin_waiting(struct p9_client *c, struct p9_slot *slot, uint16_t tag)
{
	p9_submit(c, slot, tag, P9_TLOCK, "dbdqqds", NEW, WRITE_LOCK, BLOCK, Q(0), Q(0), 2, "box");
	vrig_notify(c->r, 0);
	assert_int_equal(p9(c, P9_TGETATTR, "dq", NEW, Q(0)), 0); /* and nothing else waits */
}

static inline void open_locked(struct p9_client *c)
{
	p9_make_file(c, "file", "content");
	p9_open(c, FID, "file", 2);
	p9_open(c, NEW, "file", 2);
	assert_int_equal(lock(c, WRITE_LOCK, 1), P9_LOCK_SUCCESS);
}

#endif
