/*
 * Requests posted to the native MagicFS device: they end in DONE, interrupt when told to, are limited in number, wait
 * for locks and events without keeping others waiting, can be cancelled, and survive a pause but not a reset.
 */
#include <pthread.h>
#include <semaphore.h>

#include "tests/unit/magicfs_rig.h"

/* --- A file system whose reads wait, and whose locks are the test's --- */

static sem_t reads_begun, reads_may_go;
static _Atomic bool lock_is_taken;
static _Atomic unsigned lock_tries;
static struct native *device;
static _Atomic uint32_t closes_handle; /* by the next lock that is taken already */

static ssize_t waiting_read(struct mfs *fs, struct mfs_node *node, struct bis_memory *m,
			    const struct bis_mem_range *ranges, size_t count, uint64_t offset, bool nowait)
{
	(void)fs;
	(void)node;
	(void)m;
	(void)ranges;
	(void)count;
	(void)nowait;
	sem_post(&reads_begun);
	sem_wait(&reads_may_go);
	return (ssize_t)offset;
}

static int told_lock(struct mfs *fs, struct mfs_node *node, const struct mfs_lock *lock)
{
	(void)fs;
	(void)node;
	lock_tries++;
	if (lock->type == MFS_LOCK_NONE)
		lock_is_taken = false;
	if (!lock_is_taken)
		return 0;
	if (closes_handle)
		assert_ok(native_handle_close(device, atomic_exchange(&closes_handle, 0)));
	return -EAGAIN;
}

static int setup(void **state)
{
	struct mrig *r = mrig_open("");
	struct mfs_ops *ops = mrig_take_ops(r);

	sem_init(&reads_begun, 0, 0);
	sem_init(&reads_may_go, 0, 0);
	lock_is_taken = false;
	lock_tries = 0;
	ops->read = waiting_read;
	ops->lock = told_lock;
	mrig_host_write(r, "file", "0123456789", 10);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	mrig_close(*state);
	return 0;
}

static uint64_t lock_block(struct mrig *r, uint32_t handle, uint32_t flags)
{
	struct magicfs_request q = {.op = MAGICFS_LOCK, .handle = handle, .flags = flags, .mask = MAGICFS_LOCK_WRITE};

	return mrig_block(r, q);
}

static int64_t unlock(struct mrig *r, uint32_t handle)
{
	struct magicfs_request q = {.op = MAGICFS_LOCK, .handle = handle, .mask = MAGICFS_LOCK_NONE};

	return mrig_do(r, q);
}

static int64_t cancel(struct mrig *r, uint64_t block)
{
	struct magicfs_request q = {.op = MAGICFS_CANCEL, .value = {block}};

	return mrig_do(r, q);
}

/* --- Tests --- */

static void a_posted_request_ends_in_done(void **state)
{
	struct mrig *r = *state;
	uint64_t buffer = mrig_alloc(r, sizeof(struct magicfs_stat));
	struct magicfs_request q = mrig_make(r, MAGICFS_STAT, 0, "file");
	struct magicfs_stat st;
	uint64_t block;

	assert_int_equal(mrig_read_reg(r, MAGICFS_DONE), 0);
	q.buffer = buffer;
	q.length = sizeof(st);
	q.tag = 42;
	block = mrig_block(r, q);
	mrig_post(r, block);
	assert_int_equal(mrig_finish(r, block), sizeof(st));
	assert_int_equal(r->last.tag, 42);
	mrig_get(r, buffer, &st, sizeof(st));
	assert_int_equal(st.size, 10);
	assert_int_equal(mrig_read_reg(r, MAGICFS_DONE), 0);
}

static void the_interrupt_follows_done_and_enable(void **state)
{
	struct mrig *r = *state;
	uint64_t block = mrig_block(r, (struct magicfs_request){.op = MAGICFS_NOP});

	mrig_post(r, block);
	rig_wait_for(mrig_read_reg(r, NATIVE_STATUS) & MAGICFS_STATUS_DONE);
	assert_false(mrig_irq(r));
	mrig_write_reg(r, MAGICFS_ENABLE, UINT64_MAX);
	assert_int_equal(mrig_read_reg(r, MAGICFS_ENABLE), MAGICFS_ENABLE_DONE);
	assert_true(mrig_irq(r));
	assert_true(mrig_read_reg(r, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
	assert_int_equal(mrig_read_reg(r, MAGICFS_DONE), block);
	assert_false(mrig_irq(r));
	mrig_post(r, block);
	rig_wait_for(mrig_irq(r));
	mrig_write_reg(r, MAGICFS_ENABLE, 0);
	assert_false(mrig_irq(r));
}

static void several_are_carried_out_at_once(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ);
	uint64_t blocks[NATIVE_WORKERS];

	for (unsigned i = 0; i < NATIVE_WORKERS; i++) {
		blocks[i] = mrig_block(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, i));
		mrig_post(r, blocks[i]);
	}
	/* All have begun before any may end. */
	for (unsigned i = 0; i < NATIVE_WORKERS; i++)
		sem_wait(&reads_begun);
	assert_true(mrig_read_reg(r, NATIVE_STATUS) & NATIVE_STATUS_BUSY);
	/* Meanwhile a plain request is carried out. */
	assert_int_equal(mrig_simple(r, MAGICFS_NOP, 0, NULL), 0);
	for (unsigned i = 0; i < NATIVE_WORKERS; i++)
		sem_post(&reads_may_go);
	for (unsigned i = 0; i < NATIVE_WORKERS; i++) {
		rig_wait_for(mrig_done(r, blocks[i]));
		mrig_load(r, blocks[i]);
		assert_int_equal(r->last.result, i);
	}
}

/* Workers that have been woken but have not begun yet are not there for one more request. */
static void one_that_waits_for_storage_keeps_no_other_waiting(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ);
	uint64_t blocks[NATIVE_WORKERS];

	for (unsigned i = 0; i < NATIVE_WORKERS; i++)
		blocks[i] = mrig_block(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, i));
	/* Each time one more than there are workers asleep. */
	for (unsigned count = 1; count <= NATIVE_WORKERS; count++) {
		for (unsigned i = 0; i < count; i++)
			mrig_post(r, blocks[i]);
		for (unsigned i = 0; i < count; i++)
			sem_wait(&reads_begun);
		for (unsigned i = 0; i < count; i++)
			sem_post(&reads_may_go);
		rig_wait_for(!(mrig_read_reg(r, NATIVE_STATUS) & NATIVE_STATUS_BUSY));
		for (unsigned i = 0; i < count; i++)
			assert_int_not_equal(mrig_read_reg(r, MAGICFS_DONE), 0);
	}
}

static void a_request_under_way_is_busy_and_too_many_are_refused(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ);
	uint64_t slow = mrig_block(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, 7)), block;

	mrig_post(r, slow);
	mrig_write_reg(r, MAGICFS_POST, slow);
	assert_int_equal(mrig_error(r), NATIVE_ERROR_BUSY);
	for (unsigned i = 1; i < MAGICFS_POSTED_MAX; i++) {
		block = mrig_block(r, (struct magicfs_request){.op = MAGICFS_NOP});
		mrig_post(r, block);
	}
	block = mrig_block(r, (struct magicfs_request){.op = MAGICFS_NOP});
	mrig_write_reg(r, MAGICFS_POST, block);
	assert_int_equal(mrig_error(r), NATIVE_ERROR_AGAIN);
	sem_post(&reads_may_go);
	for (unsigned i = 0; i < MAGICFS_POSTED_MAX; i++) {
		rig_wait_for(mrig_read_reg(r, NATIVE_STATUS) & MAGICFS_STATUS_DONE);
		assert_int_not_equal(mrig_read_reg(r, MAGICFS_DONE), 0);
	}
	assert_false(mrig_done(r, block));
	/* Taking makes room. */
	mrig_post(r, block);
	assert_int_equal(mrig_finish(r, block), 0);
}

static void a_lock_waits_until_it_is_given_up(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t block = lock_block(r, handle, MAGICFS_WAIT), plain;

	lock_is_taken = true;
	mrig_post(r, block);
	rig_wait_for(lock_tries == 1);
	/* It keeps no worker: eight others are carried out. */
	for (unsigned i = 0; i < NATIVE_WORKERS; i++) {
		plain = mrig_block(r, (struct magicfs_request){.op = MAGICFS_NOP});
		mrig_post(r, plain);
		assert_int_equal(mrig_finish(r, plain), 0);
	}
	assert_false(mrig_done(r, block));
	assert_int_equal(unlock(r, handle), 0);
	assert_int_equal(mrig_finish(r, block), 0);
}

static void without_wait_a_lock_fails_at_once(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	struct magicfs_request q = {.op = MAGICFS_LOCK, .handle = handle, .mask = MAGICFS_LOCK_READ};
	uint64_t block = lock_block(r, handle, 0);

	lock_is_taken = true;
	mrig_post(r, block);
	assert_int_equal(mrig_finish(r, block), -EAGAIN);
	assert_int_equal(mrig_do(r, q), -EAGAIN);
	/* A hart does not wait. */
	q.flags = MAGICFS_WAIT;
	assert_int_equal(mrig_do(r, q), -EINVAL);
}

static void a_waiting_lock_is_tried_again_while_others_hold_it(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t block = lock_block(r, handle, MAGICFS_WAIT);

	lock_is_taken = true;
	rig_start_paused(r->m);
	assert_ok(bis_machine_resume(r->m));
	mrig_post(r, block);
	rig_wait_for(lock_tries >= 3);
	assert_false(mrig_done(r, block));
	lock_is_taken = false;
	assert_int_equal(mrig_finish(r, block), 0);
	assert_ok(bis_machine_pause(r->m));
}

static void what_waits_can_be_cancelled(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t lock = lock_block(r, handle, MAGICFS_WAIT);
	uint64_t events = mrig_block(r, mrig_io(MAGICFS_EVENTS, 0, RIG_DATA, 8192, 0));

	assert_int_equal(cancel(r, lock), -ENOENT);
	lock_is_taken = true;
	/* At once: perhaps no worker has looked at it yet. */
	for (unsigned i = 0; i < 200; i++) {
		mrig_post(r, lock);
		assert_int_equal(cancel(r, lock), 0);
		assert_int_equal(mrig_finish(r, lock), -EINTR);
		mrig_post(r, events);
		assert_int_equal(cancel(r, events), 0);
		assert_int_equal(mrig_finish(r, events), -EINTR);
	}
	assert_int_equal(cancel(r, lock), -ENOENT);
	assert_int_equal(cancel(r, 0), -ENOENT);
}

static void closing_a_file_ends_locks_that_wait_for_it(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t block = lock_block(r, handle, MAGICFS_WAIT);

	lock_is_taken = true;
	mrig_post(r, block);
	rig_wait_for(lock_tries == 1 && !(mrig_read_reg(r, NATIVE_STATUS) & NATIVE_STATUS_BUSY));
	assert_int_equal(mrig_simple(r, MAGICFS_CLOSE, handle, NULL), 0);
	assert_int_equal(mrig_finish(r, block), -EBADF);
}

/* The handle is closed while the lock is tried: nobody could end the wait any more. */
static void a_lock_of_a_closed_file_does_not_wait(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t block = lock_block(r, handle, MAGICFS_WAIT);

	lock_is_taken = true;
	closes_handle = handle;
	device = mrig_native(r);
	mrig_post(r, block);
	assert_int_equal(mrig_finish(r, block), -EBADF);
}

static void a_pause_waits_for_what_is_carried_out_but_not_for_locks(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t lock = lock_block(r, handle, MAGICFS_WAIT);
	uint64_t slow = mrig_block(r, mrig_io(MAGICFS_READ, handle, RIG_DATA, 1, 7));

	rig_start_paused(r->m);
	assert_ok(bis_machine_resume(r->m));
	lock_is_taken = true;
	mrig_post(r, lock);
	mrig_post(r, slow);
	sem_post(&reads_may_go);
	assert_ok(bis_machine_pause(r->m));
	assert_true(mrig_done(r, slow));
	assert_false(mrig_done(r, lock));
	lock_is_taken = false;
	native_retry_locks(mrig_native(r));
	native_settle(mrig_native(r));
	assert_false(mrig_done(r, lock));
	assert_ok(bis_machine_resume(r->m));
	assert_int_equal(mrig_finish(r, slow), 7);
	assert_int_equal(mrig_finish(r, lock), 0);
	assert_ok(bis_machine_pause(r->m));
}

static void a_reset_drops_everything(void **state)
{
	struct mrig *r = *state;
	uint32_t handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	uint64_t lock = lock_block(r, handle, MAGICFS_WAIT);
	uint64_t events = mrig_block(r, mrig_io(MAGICFS_EVENTS, 0, RIG_DATA, 8192, 0));
	uint64_t nop = mrig_block(r, (struct magicfs_request){.op = MAGICFS_NOP});
	struct magicfs_request q = mrig_io(MAGICFS_MAP, handle, 0, 4096, 0);

	assert_int_equal(mrig_do(r, q), MRIG_WINDOW);
	lock_is_taken = true;
	mrig_write_reg(r, MAGICFS_ENABLE, MAGICFS_ENABLE_DONE);
	mrig_post(r, lock);
	mrig_post(r, events);
	mrig_post(r, nop);
	rig_wait_for(mrig_irq(r));
	rig_start_paused(r->m);
	assert_ok(bis_machine_reset(r->m));
	assert_false(mrig_irq(r));
	assert_int_equal(mrig_read_reg(r, MAGICFS_DONE), 0);
	assert_int_equal(mrig_read_reg(r, MAGICFS_ENABLE), 0);
	assert_int_equal(mrig_simple(r, MAGICFS_SYNC, handle, NULL), -EBADF);
	assert_int_equal(cancel(r, lock), -ENOENT);
	assert_int_equal(cancel(r, events), -ENOENT);
	assert_false(mrig_done(r, lock));
	assert_int_equal(r->fs->open_nodes, 1); /* the share's root */
	/* And it works as at first. */
	handle = mrig_open_ok(r, "file", MAGICFS_O_READ_WRITE);
	q.handle = handle;
	assert_int_equal(mrig_do(r, q), MRIG_WINDOW);
	mrig_post(r, nop);
	assert_int_equal(mrig_finish(r, nop), 0);
}

/* --- Several harts --- */

#define HARTS	 4u
#define REQUESTS 500u

struct hart {
	struct mrig *r;
	pthread_t thread;
	uint64_t memory; /* of its own: a block, a name, a buffer */
	unsigned failed;
};

static int64_t hart_do(struct hart *h, struct magicfs_request q)
{
	struct bis_memory *m = bis_machine_memory(h->r->m);

	q.path = h->memory + 256;
	if (bis_mem_write_obj(m, (bis_gpa){h->memory}, &q))
		return -EFAULT;
	mrig_write_reg(h->r, MAGICFS_REQUEST, h->memory);
	return bis_mem_read_obj(m, (bis_gpa){h->memory}, &q) || !q.done ? -EFAULT : q.result;
}

/* Opens, looks, locks and closes a file of its own over and over; every answer must be its own. */
static void *hart_main(void *arg)
{
	struct hart *h = arg;

	for (unsigned i = 0; i < REQUESTS; i++) {
		struct magicfs_request q = {.op = MAGICFS_OPEN, .path_len = 5, .flags = MAGICFS_O_READ};
		int64_t handle = hart_do(h, q);
		struct magicfs_stat st = {0};

		q = mrig_io(MAGICFS_STAT, (uint32_t)handle, h->memory + 512, sizeof(st), 0);
		h->failed += handle <= 0 || hart_do(h, q) != sizeof(st);
		h->failed += bis_mem_read_obj(bis_machine_memory(h->r->m), (bis_gpa){h->memory + 512}, &st) != 0;
		h->failed += st.size != (h->memory - RIG_DATA) / 4096;
		q = (struct magicfs_request){.op = MAGICFS_CLOSE, .handle = (uint32_t)handle};
		h->failed += hart_do(h, q) != 0;
		h->failed += hart_do(h, q) != -EBADF;
	}
	return NULL;
}

static void harts_ask_at_the_same_time(void **state)
{
	static const char zeros[HARTS];
	struct mrig *r = *state;
	struct hart harts[HARTS];

	for (unsigned i = 0; i < HARTS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "hart%u", i);
		mrig_host_write(r, name, zeros, i);
		harts[i] = (struct hart){.r = r, .memory = RIG_DATA + i * UINT64_C(4096)};
		rig_write(r->m, harts[i].memory + 256, name, strlen(name));
	}
	for (unsigned i = 0; i < HARTS; i++)
		assert_int_equal(pthread_create(&harts[i].thread, NULL, hart_main, &harts[i]), 0);
	for (unsigned i = 0; i < HARTS; i++) {
		pthread_join(harts[i].thread, NULL);
		assert_int_equal(harts[i].failed, 0);
	}
	assert_int_equal(r->fs->open_nodes, 1); /* the share's root */
}

static void nothing_is_started_before_it_is_needed(void **state)
{
	struct mrig *r = *state;

	assert_int_equal(mrig_simple(r, MAGICFS_NOP, 0, NULL), 0);
	assert_int_equal(mrig_native(r)->workers, 0);
	assert_null(mrig_native(r)->jobs);
	assert_null(mrig_native(r)->handles.rows);
	assert_null(mrig_native(r)->watches.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_posted_request_ends_in_done, setup, teardown),
		cmocka_unit_test_setup_teardown(the_interrupt_follows_done_and_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(several_are_carried_out_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_waits_for_storage_keeps_no_other_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_under_way_is_busy_and_too_many_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lock_waits_until_it_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(without_wait_a_lock_fails_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_waiting_lock_is_tried_again_while_others_hold_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_can_be_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(closing_a_file_ends_locks_that_wait_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lock_of_a_closed_file_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pause_waits_for_what_is_carried_out_but_not_for_locks, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_reset_drops_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(harts_ask_at_the_same_time, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_started_before_it_is_needed, setup, teardown),
	};

	return cmocka_run_group_tests_name("magicfs_post", tests, NULL, NULL);
}
