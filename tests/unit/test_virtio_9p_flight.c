/* Virtio-9p: many requests at once, flushing; and another session, a reset, a pause or a removal meanwhile. */
#include "tests/unit/p9_flight_rig.h"

/* --- Parallel requests --- */

static void slow_requests_run_in_parallel(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slots[8] = {0};
	unsigned seen = 0;

	begin(c);
	for (uint16_t i = 0; i < 8; i++)
		p9_submit(c, &slots[i], (uint16_t)(10 + i), P9_TFSYNC, "dd", FID, 0);
	vrig_notify(c->r, 0);
	wait_for_inside(8);
	/* Quick ones do not wait for them. */
	assert_int_equal(p9(c, P9_TGETATTR, "dq", FID, Q(0x7ff)), 0);
	set_gate(true);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t id, used;

		vrig_wait_used(c->r, 0, &id, &used);
		for (unsigned k = 0; k < 8; k++) {
			if (slots[k].head == id) {
				assert_int_equal(p9_take_reply(c, &slots[k], used), 0);
				seen |= 1u << k;
			}
		}
	}
	assert_int_equal(seen, 0xff);
}

/* Of several requests that come at once, each finds a thread, also where one thread has been there before. */
static void requests_behind_a_thread_that_sleeps_run_in_parallel(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slots[3] = {0};

	begin(c);
	set_gate(true);
	assert_int_equal(p9(c, P9_TFSYNC, "dd", FID, 0), 0);
	set_gate(false);
	for (uint16_t i = 0; i < 3; i++)
		p9_submit(c, &slots[i], (uint16_t)(10 + i), P9_TFSYNC, "dd", FID, 0);
	vrig_notify(c->r, 0);
	wait_for_inside(3);
	set_gate(true);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t id, used;

		vrig_wait_used(c->r, 0, &id, &used);
	}
}

/* More than the device takes at a time: the rest waits in the queue, and each comes back once. */
static void more_requests_than_it_takes_are_all_answered(void **state)
{
	enum { COUNT = 200 };
	struct p9_client *c = *state;
	struct p9_slot slots[COUNT] = {0};
	bool seen[COUNT] = {false};

	for (unsigned round = 0; round < 4; round++) {
		c->r->next = c->slot.in + P9_ROOM + 0x20000;
		memset(slots, 0, sizeof(slots));
		memset(seen, 0, sizeof(seen));
		vrig_start(c->r, 1 | (round % 2 ? VIRTIO_F_EVENT_IDX : 0), 1, 512);
		assert_int_equal(p9(c, P9_TVERSION, "ds", 8192, "9P2000.L"), 0);
		assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), 0);
		begin(c);
		for (uint16_t i = 0; i < COUNT; i++)
			p9_submit(c, &slots[i], i, i % 4 ? P9_TFSYNC : P9_TCLUNK, i % 4 ? "dd" : "d", i % 4 ? FID : 77,
				  0);
		vrig_notify(c->r, 0);
		wait_for_inside(8);
		set_gate(true);
		for (unsigned i = 0; i < COUNT; i++) {
			uint32_t id, used;
			unsigned k = 0;

			vrig_wait_used(c->r, 0, &id, &used);
			while (k < COUNT && (seen[k] || slots[k].head != id))
				k++;
			assert_true(k < COUNT);
			seen[k] = true;
			assert_int_equal(p9_take_reply(c, &slots[k], used), k % 4 ? 0 : EBADF);
		}
		rig_wait_for(vrig_irq(c->r));
	}
}

static void a_fid_may_go_while_it_is_used(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0};

	begin(c);
	p9_submit(c, &slot, 5, P9_TFSYNC, "dd", FID, 0);
	vrig_notify(c->r, 0);
	wait_for_inside(1);
	assert_int_equal(p9_close(c, FID), 0);
	assert_int_equal(p9_close(c, FID), EBADF);
	assert_int_equal(atomic_load(&c->fs->open_nodes), 1);
	set_gate(true);
	assert_int_equal(p9_wait(c, &slot), 0);
	rig_wait_for(atomic_load(&c->fs->open_nodes) == 0);
}

static void a_tag_in_use_is_refused(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0}, again = {0};

	begin(c);
	p9_submit(c, &slot, 5, P9_TFSYNC, "dd", FID, 0);
	vrig_notify(c->r, 0);
	wait_for_inside(1);
	p9_submit(c, &again, 5, P9_TCLUNK, "d", FID);
	vrig_notify(c->r, 0);
	assert_int_equal(p9_wait(c, &again), EBUSY);
	p9_submit(c, &again, 5, P9_TFLUSH, "w", 6);
	vrig_notify(c->r, 0);
	assert_int_equal(p9_wait(c, &again), EBUSY);
	set_gate(true);
	assert_int_equal(p9_wait(c, &slot), 0);
	p9_submit(c, &again, 5, P9_TCLUNK, "d", FID);
	vrig_notify(c->r, 0);
	assert_int_equal(p9_wait(c, &again), 0);
}

static ssize_t uncached_read(struct mfs *fs, struct mfs_node *node, struct bis_memory *m,
			     const struct bis_mem_range *ranges, size_t count, uint64_t offset, bool nowait)
{
	(void)fs, (void)node, (void)offset;
	if (nowait)
		return -EAGAIN;
	assert_true(count > 0);
	return bis_mem_write(m, ranges[0].pa, "late", 4) ? -EFAULT : 4;
}

static void a_read_that_would_wait_is_done_elsewhere(void **state)
{
	struct p9_client *c = *state;

	p9_make_file(c, "file", "content");
	p9_open(c, FID, "file", 0);
	p9_hook(c)->read = uncached_read;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 100), 0);
		assert_int_equal(p9_get(c, 4), 4);
		assert_memory_equal(c->reply + c->at, "late", 4);
	}
}

static int slow_stat(struct mfs *fs, const struct mfs_at *at, struct mfs_attr *out)
{
	uint64_t until = rig_now_ms() + 3;

	(void)fs, (void)at;
	pthread_mutex_lock(&gate.lock);
	gate.served = pthread_self();
	pthread_mutex_unlock(&gate.lock);
	while (rig_now_ms() < until)
		sched_yield();
	memset(out, 0, sizeof(*out));
	return 0;
}

static bool served_by_test(void)
{
	bool same;

	pthread_mutex_lock(&gate.lock);
	same = pthread_equal(gate.served, pthread_self());
	pthread_mutex_unlock(&gate.lock);
	return same;
}

/* When the host turns out to be slow, harts are not kept waiting for it. */
static void after_a_slow_request_others_take_over(void **state)
{
	struct p9_client *c = *state;

	p9_hook(c)->stat = slow_stat;
	rig_wait_for(p9(c, P9_TGETATTR, "dq", ROOT, Q(0)) == 0 && served_by_test());
	rig_wait_for(p9(c, P9_TGETATTR, "dq", ROOT, Q(0)) == 0 && !served_by_test());
}

/* A driver that sleeps until the interrupt after each request: no wake-up is lost on either side. */
static void no_interrupt_is_lost(void **state)
{
	struct p9_client *c = *state;

	for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
		vrig_start(c->r, 1 | (event_idx ? VIRTIO_F_EVENT_IDX : 0), 1, 64);
		c->r->next = c->slot.in + P9_ROOM + 0x10000;
		for (unsigned i = 0; i < 500; i++) {
			struct p9_slot slot = c->slot;

			if (i == 0)
				p9_submit(c, &slot, 1, P9_TVERSION, "ds", 8192, "9P2000.L");
			else if (i == 1)
				p9_submit(c, &slot, 1, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0);
			else
				p9_submit(c, &slot, 1, i % 3 ? P9_TFSYNC : P9_TGETATTR, i % 3 ? "dd" : "dq", ROOT, 0,
					  0);
			vrig_notify(c->r, 0);
			assert_int_equal(vrig_wait_irq(c->r), 1);
			assert_int_equal(p9_wait(c, &slot), 0);
		}
	}
}

/* --- Flushing --- */

static void a_flush_is_answered_after_what_it_flushes(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slot = {0}, flush = {0}, second = {0}, third = {0};

	begin(c);
	assert_int_equal(p9(c, P9_TFLUSH, "w", 99), 0); /* nothing of that tag */
	assert_p9_end(c);
	assert_int_equal(p9(c, P9_TFLUSH, "w", 1), 0); /* itself */
	p9_submit(c, &slot, 5, P9_TFSYNC, "dd", FID, 0);
	p9_submit(c, &flush, 6, P9_TFLUSH, "w", 5);
	p9_submit(c, &second, 7, P9_TFLUSH, "w", 5);
	p9_submit(c, &third, 8, P9_TFLUSH, "w", 6); /* a flush of the flush */
	vrig_notify(c->r, 0);
	wait_for_inside(1);
	assert_int_equal(p9(c, P9_TGETATTR, "dq", FID, Q(0x7ff)), 0);
	assert_int_equal(p9(c, P9_TFLUSH, "w", 99), 0);
	set_gate(true);
	assert_int_equal(p9_wait(c, &slot), 0);
	assert_int_equal(p9_wait(c, &flush), 0);
	assert_int_equal(p9_wait(c, &second), 0);
	assert_int_equal(p9_wait(c, &third), 0);
}

/* A request that was left behind by its session finds none of the next one's fids. */
static void the_next_session_is_left_alone(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slow[8] = {0}, late = {0};
	unsigned bad = 0;

	begin(c);
	for (uint16_t i = 0; i < 8; i++)
		p9_submit(c, &slow[i], (uint16_t)(10 + i), P9_TFSYNC, "dd", FID, 0);
	vrig_notify(c->r, 0);
	wait_for_inside(8);
	p9_submit(c, &late, 5, P9_TFSYNC, "dd", FID, 0);
	vrig_notify(c->r, 0);
	assert_int_equal(p9(c, P9_TVERSION, "ds", 8192, "9P2000.L"), 0);
	assert_int_equal(p9(c, P9_TATTACH, "ddssd", ROOT, P9_NONE, "", "", 0), 0);
	p9_open(c, FID, "file", 2);
	set_gate(true);
	for (unsigned i = 0; i < 9; i++) {
		uint32_t id, used;

		vrig_wait_used(c->r, 0, &id, &used);
		if (id == late.head) {
			assert_int_equal(p9_take_reply(c, &late, used), EBADF);
			bad++;
		}
	}
	assert_int_equal(bad, 1);
	assert_int_equal(p9_close(c, FID), 0);
}

/* --- Reset, pause, removal --- */

#define FLIGHT 16u

/* Reads into c->slot.in + 0x10000 * i, and slow things between them. */
static void submit_flight(struct p9_client *c, struct p9_slot *slots)
{
	for (uint16_t i = 0; i < FLIGHT; i++) {
		slots[i].out = c->slot.out + 0x1000u * i;
		slots[i].in = c->slot.in + 0x1000u * i;
		if (i % 3 == 0)
			p9_submit(c, &slots[i], (uint16_t)(i + 2), P9_TFSYNC, "dd", FID, 0);
		else
			p9_submit(c, &slots[i], (uint16_t)(i + 2), P9_TREAD, "dqd", FID, Q(0), 4000);
	}
}

static void begin_flight(struct p9_client *c)
{
	static char content[4001];

	memset(content, 'c', 4000);
	c->r->next = c->slot.in + P9_ROOM;
	p9_start(c);
	p9_make_file(c, "file", content);
	p9_open(c, FID, "file", 2);
}

static void fill(struct p9_client *c, uint8_t byte)
{
	assert_ok(bis_mem_fill(bis_machine_memory(c->r->m), (bis_gpa){c->slot.in}, byte, FLIGHT * 0x1000));
}

static void after_a_reset_memory_is_left_alone(void **state)
{
	struct p9_client *c = *state;

	for (unsigned i = 0; i < 60; i++) {
		struct p9_slot slots[FLIGHT] = {0}, waiting = {0};
		uint8_t got[FLIGHT * 0x1000];

		begin_flight(c);
		if (i % 5 == 0) {
			assert_int_equal(lock(c, WRITE_LOCK, 1), P9_LOCK_SUCCESS);
			assert_int_equal(p9_go(c, NEW, "file"), 0);
			assert_int_equal(p9(c, P9_TLOPEN, "dd", NEW, 2), 0);
			begin_waiting(c, &waiting, 1000);
		}
		submit_flight(c, slots);
		vrig_notify(c->r, 0);
		if (i % 3 == 0)
			vrig_wait_used(c->r, 0, NULL, NULL);
		if (i % 2)
			vrig_reset(c->r);
		else
			assert_ok(bis_machine_reset(c->r->m));
		fill(c, 0x77);
		assert_int_equal(atomic_load(&c->fs->open_nodes), 0); /* and all fids are gone */
		vrig_get(c->r, c->slot.in, got, sizeof(got));
		for (size_t k = 0; k < sizeof(got); k++)
			assert_int_equal(got[k], 0x77);
		assert_false(vrig_irq(c->r));
	}
}

static void a_pause_in_flight_loses_nothing(void **state)
{
	struct p9_client *c = *state;
	struct p9_slot slots[FLIGHT] = {0};

	rig_add(c->r->m, "riscv");
	rig_add(c->r->m, "sv");
	begin_flight(c);
	rig_start_paused(c->r->m);
	for (unsigned i = 0; i < 50; i++) {
		unsigned before;

		assert_ok(bis_machine_resume(c->r->m));
		submit_flight(c, slots);
		vrig_notify(c->r, 0);
		assert_ok(bis_machine_pause(c->r->m));
		before = vrig_get16(c->r, c->r->q[0].used + 2);
		fill(c, 0x77);
		assert_int_equal(vrig_get16(c->r, c->r->q[0].used + 2), before);
		assert_ok(bis_machine_resume(c->r->m));
		for (unsigned k = 0; k < FLIGHT; k++)
			vrig_wait_used(c->r, 0, NULL, NULL);
		assert_ok(bis_machine_pause(c->r->m));
	}
	/* Fids live on. */
	assert_ok(bis_machine_resume(c->r->m));
	assert_int_equal(p9(c, P9_TREAD, "dqd", FID, Q(0), 1), 0);
	assert_ok(bis_machine_pause(c->r->m));
}

static void removal_in_flight_is_clean(void **state)
{
	struct p9_client *c = *state;

	for (unsigned i = 0; i < 10; i++) {
		struct p9_slot slots[FLIGHT] = {0}, waiting = {0};

		begin_flight(c);
		p9_open(c, NEW, "file", 2);
		assert_int_equal(lock(c, WRITE_LOCK, 1), P9_LOCK_SUCCESS);
		if (i % 2)
			begin_waiting(c, &waiting, 1000);
		submit_flight(c, slots);
		vrig_notify(c->r, 0);
		p9_close_machine(c);
		p9_open_machine(c, "", "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P9_TEST(slow_requests_run_in_parallel),
		P9_TEST(requests_behind_a_thread_that_sleeps_run_in_parallel),
		P9_TEST(more_requests_than_it_takes_are_all_answered),
		P9_TEST(a_fid_may_go_while_it_is_used),
		P9_TEST(a_tag_in_use_is_refused),
		P9_TEST(a_read_that_would_wait_is_done_elsewhere),
		P9_TEST(after_a_slow_request_others_take_over),
		P9_TEST(no_interrupt_is_lost),
		P9_TEST(a_flush_is_answered_after_what_it_flushes),
		P9_TEST(the_next_session_is_left_alone),
		P9_TEST(after_a_reset_memory_is_left_alone),
		P9_TEST(a_pause_in_flight_loses_nothing),
		P9_TEST(removal_in_flight_is_clean),
	};

	return cmocka_run_group_tests_name("virtio_9p_flight", tests, NULL, NULL);
}
