/* Split virtqueues: chains and their cursors, notifications and interrupts with and without event indices, threads. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/virtio_fake.h"

#define QUEUE 16u /* entries */

static int setup(void **state)
{
	virtio_test_setup(state);
	vrig_start(((struct virtio_test *)*state)->r, VIRTIO_F_INDIRECT_DESC, FAKE_QUEUES, QUEUE);
	return 0;
}

static int setup_event(void **state)
{
	virtio_test_setup(state);
	vrig_start(((struct virtio_test *)*state)->r, VIRTIO_F_EVENT_IDX, FAKE_QUEUES, QUEUE);
	return 0;
}

/* --- Chains --- */

static void cursors_walk_over_the_ranges(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 8192);
	struct virtio_chain c;
	char got[16] = "";
	uint8_t in[8];

	vrig_put(t->r, pa, "abcdefgh", 8);
	vrig_submit(t->r, 0, VRIG_OUT(pa, 3), VRIG_OUT(pa + 3, 5), VRIG_IN(pa + 100, 2), VRIG_IN(pa + 4094, 6));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.readable, 8);
	assert_int_equal(c.writable, 8);
	assert_int_equal(virtio_read(&c, got, 2), 2);
	assert_int_equal(virtio_skip(&c, 2), 2);
	assert_int_equal(virtio_read(&c, got + 2, 16), 4);
	assert_string_equal(got, "abefgh");
	assert_int_equal(c.readable, 0);
	assert_int_equal(virtio_read(&c, got, 1), 0);
	assert_int_equal(virtio_skip(&c, 1), 0);
	assert_int_equal(virtio_write(&c, "1", 1), 1);
	assert_int_equal(virtio_write(&c, "23456789", 8), 7);
	assert_int_equal(c.written, 8);
	vrig_get(t->r, pa + 100, in, 2);
	vrig_get(t->r, pa + 4094, in + 2, 6);
	assert_memory_equal(in, "12345678", 8);
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
}

static void used_entries_carry_head_and_length(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 4096);
	struct virtio_chain a, b;
	uint16_t first, second;
	uint32_t id, len;

	first = vrig_submit(t->r, 1, VRIG_OUT(pa, 4), VRIG_IN(pa, 8));
	second = vrig_submit(t->r, 1, VRIG_IN(pa, 100));
	assert_int_equal(virtio_pop(t->v, 1, &a), 1);
	assert_int_equal(virtio_pop(t->v, 1, &b), 1);
	assert_false(vrig_used(t->r, 1, &id, &len));
	virtio_write(&b, "xyz", 3);
	virtio_push(&b);
	virtio_push(&a);
	assert_true(vrig_used(t->r, 1, &id, &len));
	assert_int_equal(id, second);
	assert_int_equal(len, 3);
	assert_true(vrig_used(t->r, 1, &id, &len));
	assert_int_equal(id, first);
	assert_int_equal(len, 0);
	assert_false(vrig_used(t->r, 1, &id, &len));
}

static void a_chain_put_back_comes_again(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 4096);
	uint16_t head = vrig_submit(t->r, 0, VRIG_IN(pa, 8));
	struct virtio_chain c;

	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_false(virtio_available(t->v, 0));
	virtio_unpop(&c);
	assert_true(virtio_available(t->v, 0));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.head, head);
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
}

static void indirect_tables_hold_chains(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 4096), table = vrig_alloc(t->r, 4096) + 8; /* any alignment */
	struct vrig_range all[QUEUE];
	struct virtio_chain c;

	/* As long as the queue, for one descriptor. */
	for (unsigned i = 0; i < QUEUE; i++)
		all[i] = i < 5 ? VRIG_OUT(pa, 10) : VRIG_IN(pa, 20);
	vrig_submit_indirect(t->r, 0, all, QUEUE);
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.n_ranges, QUEUE);
	assert_int_equal(c.readable, 50);
	assert_int_equal(c.writable, (QUEUE - 5) * 20);
	/* Behind plain ones; WRITE on the descriptor of the table means nothing; the order inside is free. */
	vrig_set_desc(t->r, 0, 8, pa, 1, VRIG_NEXT, 3);
	vrig_set_desc(t->r, 0, 3, table, 48, VRIG_INDIRECT | VRIG_WRITE, 0);
	vrig_set_desc_at(t->r, table, 0, pa, 2, VRIG_NEXT, 2);
	vrig_set_desc_at(t->r, table, 2, pa, 4, VRIG_NEXT | VRIG_WRITE, 1);
	vrig_set_desc_at(t->r, table, 1, pa, 8, VRIG_WRITE, 0);
	vrig_make_available(t->r, 0, 8);
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.readable, 3);
	assert_int_equal(c.writable, 12);
	assert_false(vrig_needs_reset(t->r));
}

static void ranges_of_no_length_are_left_out(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 4096);
	struct virtio_chain c;

	vrig_submit(t->r, 0, VRIG_OUT(0, 0), VRIG_OUT(pa, 1), VRIG_OUT(pa, 0), VRIG_IN(UINT64_MAX, 0), VRIG_IN(pa, 7));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.n_ranges, 2);
	assert_int_equal(c.readable, 1);
	assert_int_equal(c.writable, 7);
	vrig_submit(t->r, 0, VRIG_OUT(1, 0));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.n_ranges, 0);
	assert_int_equal(virtio_write(&c, "x", 1), 0);
	virtio_push(&c);
	assert_true(vrig_used(t->r, 0, NULL, NULL));
}

static void a_range_may_be_all_of_ram_many_times(void **state)
{
	struct virtio_test *t = *state;
	struct vrig_range all[QUEUE];
	struct virtio_chain c;

	for (unsigned i = 0; i < QUEUE; i++)
		all[i] = VRIG_IN(BIS_RAM_BASE, RIG_RAM_SIZE);
	vrig_submit_n(t->r, 0, all, QUEUE);
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(c.writable, RIG_RAM_SIZE * QUEUE);
}

static void range_lists_follow_the_cursors(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 4096);
	struct bis_mem_range got[4];
	struct virtio_chain c;

	vrig_submit(t->r, 0, VRIG_OUT(pa, 10), VRIG_OUT(pa + 50, 10), VRIG_IN(pa + 100, 10), VRIG_IN(pa + 200, 10));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	virtio_skip(&c, 4);
	assert_int_equal(virtio_read_ranges(&c, 9, got, 4), 2);
	assert_int_equal(got[0].pa.v, pa + 4);
	assert_int_equal(got[0].len, 6);
	assert_int_equal(got[1].pa.v, pa + 50);
	assert_int_equal(got[1].len, 3);
	assert_int_equal(virtio_read_ranges(&c, 6, got, 1), 1);
	assert_int_equal(virtio_read_ranges(&c, 7, got, 1), -E2BIG);
	assert_int_equal(virtio_read_ranges(&c, 0, got, 0), 0);
	assert_int_equal(virtio_read_ranges(&c, SIZE_MAX, got, 4), 2);
	virtio_write(&c, "0123456789", 10);
	assert_int_equal(virtio_write_ranges(&c, 4, got, 4), 1);
	assert_int_equal(got[0].pa.v, pa + 200);
	assert_int_equal(got[0].len, 4);
}

static void files_move_at_the_cursors(void **state)
{
	struct virtio_test *t = *state;
	int fd = memfd_create("disk", MFD_CLOEXEC);
	uint64_t pa = vrig_alloc(t->r, 4096);
	struct virtio_chain c;
	char got[16] = "";

	assert_int_equal(pwrite(fd, "0123456789", 10, 0), 10);
	vrig_put(t->r, pa, "abcdef", 6);
	vrig_submit(t->r, 0, VRIG_OUT(pa, 2), VRIG_OUT(pa + 2, 4), VRIG_IN(pa + 100, 3), VRIG_IN(pa + 200, 9));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(virtio_write_from_fd(&c, fd, 4, 5), 5);
	assert_int_equal(virtio_write_from_fd(&c, fd, 9, 100), 1); /* the file ends */
	assert_int_equal(c.written, 6);
	vrig_get(t->r, pa + 100, got, 3);
	vrig_get(t->r, pa + 200, got + 3, 3);
	assert_string_equal(got, "456789");
	assert_int_equal(virtio_skip(&c, 1), 1);
	assert_int_equal(virtio_read_to_fd(&c, fd, 100, 100), 5); /* the chain ends */
	assert_int_equal(virtio_read_to_fd(&c, fd, 100, 100), 0);
	assert_int_equal(pread(fd, got, 5, 100), 5);
	assert_memory_equal(got, "bcdef", 5);
	close(fd);
	assert_int_equal(virtio_write_from_fd(&c, fd, 0, 1), -EBADF);
	assert_int_equal(c.written, 6);
}

/* More requests than a 16-bit index counts. */
static void indices_wrap_around(void **state)
{
	struct virtio_test *t = *state;
	uint64_t pa = vrig_alloc(t->r, 4096);
	struct virtio_chain c;
	uint32_t id, len;

	for (unsigned i = 0; i < 70000; i++) {
		uint16_t head = vrig_submit(t->r, 0, VRIG_IN(pa, 8));

		assert_int_equal(virtio_pop(t->v, 0, &c), 1);
		virtio_write(&c, "12345678", i % 8);
		virtio_push(&c);
		virtio_signal(t->v, 0);
		assert_true(vrig_irq(t->r));
		vrig_ack(t->r);
		assert_true(vrig_used(t->r, 0, &id, &len));
		assert_int_equal(id, head);
		assert_int_equal(len, i % 8);
	}
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	assert_false(vrig_needs_reset(t->r));
}

/* --- Notifications and interrupts --- */

static void submit_and_return(struct virtio_test *t, unsigned count)
{
	struct virtio_chain c;

	for (unsigned i = 0; i < count; i++) {
		vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 1));
		assert_int_equal(virtio_pop(t->v, 0, &c), 1);
		virtio_push(&c);
	}
}

static void take_all_used(struct virtio_test *t)
{
	while (vrig_used(t->r, 0, NULL, NULL))
		;
}

static void without_event_indices_flags_decide(void **state)
{
	struct virtio_test *t = *state;
	struct vrig_queue *q = &t->r->q[0];

	virtio_signal(t->v, 0);
	assert_false(vrig_irq(t->r)); /* nothing was given back */
	submit_and_return(t, 2);
	assert_false(vrig_irq(t->r));
	virtio_signal(t->v, 0);
	assert_true(vrig_irq(t->r));
	assert_int_equal(vrig_ack(t->r), 1);
	assert_false(vrig_irq(t->r));
	virtio_signal(t->v, 0);
	assert_false(vrig_irq(t->r)); /* told once */
	vrig_put16(t->r, q->avail, 1);
	submit_and_return(t, 1);
	virtio_signal(t->v, 0);
	assert_false(vrig_irq(t->r));
	/* The device's wish. */
	assert_false(virtio_want_notify(t->v, 0, false));
	assert_int_equal(vrig_get16(t->r, q->used), 1);
	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 1));
	assert_true(virtio_want_notify(t->v, 0, true));
	assert_int_equal(vrig_get16(t->r, q->used), 0);
}

/* Virtio 1.2, section 2.7.7.2: an interrupt when the used index passes the entry that the driver named. */
static void the_drivers_event_index_decides_on_interrupts(void **state)
{
	struct virtio_test *t = *state;
	uint64_t event = t->r->q[0].avail + 4 + QUEUE * 2;
	static const struct {
		unsigned count; /* entries given back together */
		int event;	/* the index named, from the used index before */
		bool interrupt;
	} cases[] = {
		{1, 0, true},	 {1, 1, false},	     {1, -1, false},	  {3, 0, true},	  {3, 1, true},
		{3, 2, true},	 {3, 3, false},	     {3, -1, false},	  {16, 15, true}, {16, 16, false},
		{16, -1, false}, {1, 0x7fff, false}, {1, -0x8000, false},
	};

	/* Twice over, the second time across the wrap of the index. */
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
			take_all_used(t);
			vrig_put16(t->r, event, (uint16_t)(t->r->q[0].next_used + cases[i].event));
			submit_and_return(t, cases[i].count);
			virtio_signal(t->v, 0);
			if (vrig_irq(t->r) != cases[i].interrupt)
				fail_msg("%u entries, event %+d, round %u", cases[i].count, cases[i].event, round);
			vrig_ack(t->r);
		}
		while (t->v->next_used[0] < 65500 && round == 0) {
			submit_and_return(t, 1);
			virtio_signal(t->v, 0);
			take_all_used(t);
		}
		vrig_ack(t->r);
	}
}

static void the_devices_event_index_asks_for_notifications(void **state)
{
	struct virtio_test *t = *state;
	uint64_t event = t->r->q[0].used + 4 + QUEUE * 8;
	struct virtio_chain c;

	/* A device that only takes what there is gets told of the next. */
	submit_and_return(t, 3);
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	assert_int_equal(vrig_get16(t->r, event), 3);
	/* One that wants quiet leaves the index behind. */
	assert_false(virtio_want_notify(t->v, 0, false));
	submit_and_return(t, 2);
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	assert_int_equal(vrig_get16(t->r, event), 3);
	assert_int_equal(vrig_get16(t->r, t->r->q[0].used), 0);
	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 1));
	assert_true(virtio_want_notify(t->v, 0, true));
	assert_int_equal(vrig_get16(t->r, event), 5);
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_false(virtio_want_notify(t->v, 0, true));
	assert_int_equal(vrig_get16(t->r, event), 6);
}

/* --- A driver and a worker that run at the same time --- */

#define RACE_REQUESTS 100000u

struct race {
	struct virtio_test *t;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool kicked, stop; /* lock */
};

static bool wait_for_kick(struct race *race)
{
	bool more;

	pthread_mutex_lock(&race->lock);
	while (!race->kicked && !race->stop)
		pthread_cond_wait(&race->changed, &race->lock);
	more = !race->stop;
	race->kicked = false;
	pthread_mutex_unlock(&race->lock);
	return more;
}

static void kick(struct race *race, bool stop)
{
	pthread_mutex_lock(&race->lock);
	race->kicked = true;
	race->stop = stop;
	pthread_cond_signal(&race->changed);
	pthread_mutex_unlock(&race->lock);
}

static void *race_worker(void *arg)
{
	struct race *race = arg;
	struct virtio *v = race->t->v;
	struct virtio_chain c;

	while (wait_for_kick(race)) {
		do {
			virtio_want_notify(v, 0, false);
			while (virtio_pop(v, 0, &c)) {
				uint32_t n = 0;

				virtio_read(&c, &n, sizeof(n));
				n = ~n;
				virtio_write(&c, &n, sizeof(n));
				virtio_push(&c);
				virtio_signal(v, 0);
			}
		} while (virtio_want_notify(v, 0, true));
	}
	return NULL;
}

/* The barrier of a driver between its index and the device's event word; ThreadSanitizer knows no fences. */
static void driver_fence(void)
{
	uint32_t word = 0;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
}

/* Notifies only where the device's event index asks for it, as a driver does. */
static void race_submit(struct race *race, uint64_t pa, uint32_t n)
{
	struct vrig *r = race->t->r;
	uint16_t old = r->q[0].next_avail, event;

	vrig_put(r, pa, &n, sizeof(n));
	vrig_submit(r, 0, VRIG_OUT(pa, 4), VRIG_IN(pa + 4, 4));
	driver_fence();
	event = vrig_get16(r, r->q[0].used + 4 + QUEUE * 8);
	if ((uint16_t)(r->q[0].next_avail - event - 1) < (uint16_t)(r->q[0].next_avail - old))
		kick(race, false);
}

/* Takes answers; without one, sleeps until the interrupt that it has asked for. */
static unsigned race_collect(struct vrig *r)
{
	unsigned got = 0;

	while (!got) {
		while (vrig_used(r, 0, NULL, NULL))
			got++;
		driver_fence();
		if (!got && vrig_get16(r, r->q[0].used + 2) == r->q[0].next_used)
			vrig_wait_irq(r);
	}
	return got;
}

/* A notification or interrupt lost would leave both waiting for each other. */
static void no_notification_is_lost_between_threads(void **state)
{
	struct race race = {.t = *state, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct vrig *r = race.t->r;
	uint64_t pa = vrig_alloc(r, 4096);
	unsigned sent = 0, done = 0;
	pthread_t worker;
	uint32_t answer;

	assert_int_equal(pthread_create(&worker, NULL, race_worker, &race), 0);
	while (done < RACE_REQUESTS) {
		while (sent < RACE_REQUESTS && sent - done < 1 + sent % (QUEUE / 2)) {
			race_submit(&race, pa + sent % QUEUE * 8, sent);
			sent++;
		}
		done += race_collect(r);
	}
	vrig_get(r, pa + (sent - 1) % QUEUE * 8 + 4, &answer, 4);
	assert_int_equal(answer, ~(sent - 1));
	kick(&race, true);
	pthread_join(worker, NULL);
}

/* --- Chains that are void --- */

static void chains_from_before_a_reset_are_dropped(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c;

	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 8));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	vrig_start(t->r, 0, FAKE_QUEUES, QUEUE);
	virtio_push(&c);
	virtio_signal(t->v, 0);
	virtio_unpop(&c);
	assert_int_equal(vrig_get16(t->r, t->r->q[0].used + 2), 0);
	assert_false(vrig_irq(t->r));
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 8));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
}

static void a_queue_out_of_use_waits_for_workers_and_drops_its_chains(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c, other;

	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 8));
	vrig_submit(t->r, 1, VRIG_IN(RIG_DATA, 8));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_int_equal(virtio_pop(t->v, 1, &other), 1);
	t->f->in_hand = &other;
	vrig_wr(t->r, VRIG_QUEUE_SEL, 0);
	vrig_wr(t->r, VRIG_QUEUE_READY, 0);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	assert_int_equal(t->f->quiesced, 2); /* the first was the driver's reset */
	assert_true(vrig_used(t->r, 1, NULL, NULL));
	vrig_queue(t->r, 0, QUEUE);
	virtio_push(&c);
	assert_int_equal(vrig_get16(t->r, t->r->q[0].used + 2), 0);
	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 8));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	assert_false(vrig_needs_reset(t->r));
}

static void fields_set_from_outside_do_no_harm(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c;

	vrig_submit(t->r, 0, VRIG_IN(RIG_DATA, 8));
	t->v->size[0] = 0;
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	t->v->size[0] = 2 * VIRTIO_QUEUE_SIZE;
	assert_int_equal(virtio_pop(t->v, 0, &c), 0);
	t->v->size[0] = QUEUE;
	t->v->used[0] = 4;
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
	virtio_push(&c);
	assert_true(vrig_needs_reset(t->r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cursors_walk_over_the_ranges, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(used_entries_carry_head_and_length, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(a_chain_put_back_comes_again, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(indirect_tables_hold_chains, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(ranges_of_no_length_are_left_out, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(a_range_may_be_all_of_ram_many_times, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(range_lists_follow_the_cursors, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(files_move_at_the_cursors, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(indices_wrap_around, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(without_event_indices_flags_decide, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(the_drivers_event_index_decides_on_interrupts, setup_event,
						virtio_test_teardown),
		cmocka_unit_test_setup_teardown(the_devices_event_index_asks_for_notifications, setup_event,
						virtio_test_teardown),
		cmocka_unit_test_setup_teardown(no_notification_is_lost_between_threads, setup_event,
						virtio_test_teardown),
		cmocka_unit_test_setup_teardown(chains_from_before_a_reset_are_dropped, setup, virtio_test_teardown),
		cmocka_unit_test_setup_teardown(a_queue_out_of_use_waits_for_workers_and_drops_its_chains, setup,
						virtio_test_teardown),
		cmocka_unit_test_setup_teardown(fields_set_from_outside_do_no_harm, setup, virtio_test_teardown),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}
