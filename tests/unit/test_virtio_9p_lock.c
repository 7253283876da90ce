/* Virtio-9p: locks that are waited for, what they wait for, and what ends the waiting. */
#include "tests/unit/p9_flight_rig.h"

/* The lock is taken, and it takes until let_lock_go to find that out. */
static int gated_lock(struct mfs *fs, struct mfs_node *node, const struct mfs_lock *lock)
{
	(void)fs, (void)node, (void)lock;
	pthread_mutex_lock(&gate.lock);
	gate.locking = true;
	pthread_cond_broadcast(&gate.changed);
	while (gate.locking)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return -EAGAIN;
}

static void wait_for_locking(void)
{
	pthread_mutex_lock(&gate.lock);
	while (!gate.locking)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void let_lock_go(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.locking = false;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void a_lock_is_had_when_it_becomes_free(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0};

	open_locked(c);
	for (unsigned i = 0; i < 3; i++) {
		begin_waiting(c, &slot, 5);
		assert_int_equal(lock(c, NO_LOCK, 1), P9_LOCK_SUCCESS);
		assert_int_equal(p9_wait(c, &slot), 0);
		assert_int_equal(p9_get(c, 1), P9_LOCK_SUCCESS);
		assert_int_equal(lock(c, WRITE_LOCK, 1), P9_LOCK_BLOCKED);
		assert_int_equal(p9(c, P9_TLOCK, "dbdqqds", NEW, NO_LOCK, 0, Q(0), Q(0), 2, "box"), 0);
		assert_int_equal(lock(c, WRITE_LOCK, 1), P9_LOCK_SUCCESS);
	}
}

static void a_lock_that_the_host_gives_up_is_had(void **state)
{
	struct flock held = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct p9_client *c = *state;
	struct p9_slot slot = {0};
	int fd;

	p9_make_file(c, "file", "content");
	fd = open(p9_path(c, "file"), O_RDWR);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &held), 0);
	p9_open(c, NEW, "file", 2);
	begin_waiting(c, &slot, 5);
	close(fd);
	assert_int_equal(p9_wait(c, &slot), 0);
	assert_int_equal(p9_get(c, 1), P9_LOCK_SUCCESS);
}

static void waiting_ends_with_a_flush(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0}, flush = {0};

	open_locked(c);
	begin_waiting(c, &slot, 5);
	p9_submit(c, &flush, 6, P9_TFLUSH, "w", 5);
	vrig_notify(c->r, 0);
	assert_int_equal(p9_wait(c, &slot), EINTR);
	assert_int_equal(p9_wait(c, &flush), 0);
	assert_int_equal(lock(c, NO_LOCK, 1), P9_LOCK_SUCCESS);
	assert_int_equal(lock(c, WRITE_LOCK, 3), P9_LOCK_SUCCESS); /* nobody has it */
}

/* A thread is still finding out that the lock is taken when it is flushed: it does not begin to wait then. */
static void a_flush_ends_waiting_that_has_not_begun(void **state)
{
	enum { BUSY = 64 }; /* requests that the device takes at a time: one behind them is taken by a thread */
	struct p9_client *c = *state;
	struct p9_slot slots[BUSY] = {0}, slot = {0}, flush = {0};
	unsigned answered = 0;

	start_with_long_queue(c);
	begin(c);
	p9_hook(c)->lock = gated_lock;
	for (uint16_t i = 0; i < BUSY; i++)
		p9_submit(c, &slots[i], (uint16_t)(10 + i), P9_TFSYNC, "dd", FID, 0);
	p9_submit(c, &slot, 5, P9_TLOCK, "dbdqqds", FID, WRITE_LOCK, BLOCK, Q(0), Q(0), 2, "box");
	vrig_notify(c->r, 0);
	wait_for_inside(8);
	set_gate(true);
	wait_for_locking();
	p9_submit(c, &flush, 6, P9_TFLUSH, "w", 5);
	vrig_notify(c->r, 0);
	let_lock_go();
	for (unsigned i = 0; i < BUSY + 2; i++) {
		uint32_t id, used;

		vrig_wait_used(c->r, 0, &id, &used);
		if (id == slot.head || id == flush.head) {
			assert_int_equal(id, answered ? flush.head : slot.head);
			assert_int_equal(p9_take_reply(c, answered ? &flush : &slot, used), answered ? 0 : EINTR);
			answered++;
		}
	}
	assert_int_equal(answered, 2);
}

static void waiting_ends_with_the_session(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0};
	uint32_t id, used;

	open_locked(c);
	begin_waiting(c, &slot, 5);
	p9_submit(c, &c->slot, 1, P9_TVERSION, "ds", 8192, "9P2000.L");
	vrig_notify(c->r, 0);
	assert_int_equal(p9_wait(c, &slot), EINTR);
	vrig_wait_used(c->r, 0, &id, &used);
	assert_int_equal(p9_take_reply(c, &c->slot, used), 0);
}

static void more_waiting_than_it_can_bear_is_told(void **state)
{
	enum { COUNT = 100 };
	struct p9_client *c = *state;
	struct p9_slot slots[COUNT] = {0};
	unsigned had = 0, told = 0;

	start_with_long_queue(c);
	open_locked(c);
	for (uint16_t i = 0; i < COUNT; i++)
		p9_submit(c, &slots[i], (uint16_t)(10 + i), P9_TLOCK, "dbdqqds", NEW, READ_LOCK, BLOCK, Q(0), Q(0), 2,
			  "box");
	p9_submit(c, &c->slot, 1, P9_TCLUNK, "d", FID); /* process 1 gives up */
	vrig_notify(c->r, 0);
	for (unsigned i = 0; i <= COUNT; i++) {
		uint32_t id, used;

		vrig_wait_used(c->r, 0, &id, &used);
		for (unsigned k = 0; k < COUNT; k++) {
			if (slots[k].head == id && slots[k].out) {
				assert_int_equal(p9_take_reply(c, &slots[k], used), 0);
				*(p9_get(c, 1) == P9_LOCK_SUCCESS ? &had : &told) += 1;
				slots[k].out = 0;
				break;
			}
		}
	}
	assert_int_equal(had + told, COUNT);
	assert_true(had >= 16 && told >= 16);
}

/* The driver is told to ask again, and the lock is not taken behind its back. */
static void a_pause_ends_waiting_for_a_lock(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0};

	rig_add(c->r->m, "riscv");
	rig_add(c->r->m, "sv");
	rig_start_paused(c->r->m);
	assert_ok(bis_machine_resume(c->r->m));
	open_locked(c);
	begin_waiting(c, &slot, 5);
	assert_ok(bis_machine_pause(c->r->m));
	assert_int_equal(p9_wait(c, &slot), 0);
	assert_int_equal(p9_get(c, 1), P9_LOCK_BLOCKED);
	assert_ok(bis_machine_resume(c->r->m));
	assert_int_equal(lock(c, NO_LOCK, 1), P9_LOCK_SUCCESS);
	assert_int_equal(lock(c, WRITE_LOCK, 3), P9_LOCK_SUCCESS);
	assert_ok(bis_machine_pause(c->r->m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P9_TEST(a_lock_is_had_when_it_becomes_free), P9_TEST(a_lock_that_the_host_gives_up_is_had),
		P9_TEST(waiting_ends_with_a_flush),	     P9_TEST(a_flush_ends_waiting_that_has_not_begun),
		P9_TEST(waiting_ends_with_the_session),	     P9_TEST(more_waiting_than_it_can_bear_is_told),
		P9_TEST(a_pause_ends_waiting_for_a_lock),
	};

	return cmocka_run_group_tests_name("virtio_9p_lock", tests, NULL, NULL);
}
