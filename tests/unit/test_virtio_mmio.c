/* Virtio over MMIO: the register window of a device, feature negotiation and status, queue set-up and its rules. */
#include "tests/unit/virtio_fake.h"

#define QUEUE 8u /* entries */

static void the_window_says_what_it_is(void **state)
{
	struct virtio_test *t = *state;

	assert_int_equal(vrig_rd(t->r, VRIG_MAGIC), 0x74726976);
	assert_int_equal(vrig_rd(t->r, VRIG_VERSION), 2);
	assert_int_equal(vrig_rd(t->r, VRIG_DEVICE_ID), 42);
	assert_int_equal(vrig_rd(t->r, VRIG_VENDOR_ID), 0x554d4551);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 0);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	assert_int_equal(vrig_rd(t->r, VRIG_INTERRUPT_STATUS), 0);
	/* No shared memory: its length is -1 (section 4.2.2). */
	assert_int_equal(vrig_rd(t->r, VRIG_SHM_LEN), UINT32_MAX);
	assert_int_equal(vrig_rd(t->r, VRIG_SHM_LEN + 4), UINT32_MAX);
	/* Registers that do not exist, or are for writing alone. */
	assert_int_equal(vrig_rd(t->r, 0x28), 0);
	assert_int_equal(vrig_rd(t->r, 0xf8), 0);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_NOTIFY), 0);
	vrig_wr(t->r, VRIG_MAGIC, 0);
	assert_int_equal(vrig_rd(t->r, VRIG_MAGIC), 0x74726976);
}

static void registers_take_whole_words_alone(void **state)
{
	struct virtio_test *t = *state;
	struct bis_bus *bus = t->r->m->bus;
	uint64_t value;

	for (unsigned size = 1; size <= 8; size *= 2) {
		enum bis_bus_result expected = size == 4 ? BIS_BUS_OK : BIS_BUS_FAULT;

		assert_int_equal(bis_bus_read(bus, VRIG_WINDOW + VRIG_QUEUE_DESC, size, &value), expected);
		assert_int_equal(bis_bus_write(bus, VRIG_WINDOW + VRIG_QUEUE_DESC, size, 0), expected);
	}
	assert_int_equal(bis_bus_read(bus, VRIG_WINDOW + 2, 4, &value), BIS_BUS_FAULT);
	assert_int_equal(bis_bus_read(bus, VRIG_WINDOW + 0x200, 4, &value), BIS_BUS_FAULT);
	assert_false(vrig_needs_reset(t->r));
}

/* --- Features and status --- */

static void features_are_offered_by_halves(void **state)
{
	struct virtio_test *t = *state;

	assert_int_equal(vrig_offered(t->r),
			 FAKE_FEATURE | FAKE_UPPER | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX);
	vrig_wr(t->r, VRIG_DEVICE_FEATURES_SEL, 2);
	assert_int_equal(vrig_rd(t->r, VRIG_DEVICE_FEATURES), 0);
	vrig_wr(t->r, VRIG_DEVICE_FEATURES_SEL, UINT32_MAX);
	assert_int_equal(vrig_rd(t->r, VRIG_DEVICE_FEATURES), 0);
}

static void accepted_features_count_from_features_ok_on(void **state)
{
	struct virtio_test *t = *state;

	vrig_reset(t->r);
	vrig_wr(t->r, VRIG_STATUS, 1);
	vrig_wr(t->r, VRIG_STATUS, 3);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, (uint32_t)FAKE_FEATURE);
	assert_false(virtio_has(t->v, FAKE_FEATURE));
	vrig_wr(t->r, VRIG_STATUS, 11);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 11);
	assert_true(virtio_has(t->v, FAKE_FEATURE));
	assert_false(virtio_has(t->v, FAKE_UPPER));
	assert_false(virtio_has(t->v, FAKE_FEATURE | FAKE_UPPER));
	vrig_wr(t->r, VRIG_STATUS, 0);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 0);
	assert_false(virtio_has(t->v, FAKE_FEATURE));
	vrig_negotiate(t->r, FAKE_UPPER);
	assert_true(virtio_has(t->v, FAKE_UPPER | VIRTIO_F_VERSION_1));
}

/* As xv6 does, which looks at the lower half of the bits alone. */
static void a_driver_without_version_1_is_served(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c;

	vrig_reset(t->r);
	vrig_wr(t->r, VRIG_STATUS, 1);
	vrig_wr(t->r, VRIG_STATUS, 3);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, 0);
	vrig_wr(t->r, VRIG_STATUS, 11);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 11);
	vrig_queue(t->r, 0, QUEUE);
	vrig_driver_ok(t->r);
	vrig_submit(t->r, 0, VRIG_OUT(RIG_DATA, 1));
	assert_int_equal(virtio_pop(t->v, 0, &c), 1);
}

static void features_not_offered_are_refused(void **state)
{
	struct virtio_test *t = *state;
	uint64_t offered = vrig_offered(t->r);

	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(vrig_try_negotiate(t->r, UINT64_C(1) << bit), offered >> bit & 1);
	/* Bits beyond those, too. */
	vrig_reset(t->r);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES_SEL, 2);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, 0);
	vrig_wr(t->r, VRIG_STATUS, 11);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 11);
	vrig_reset(t->r);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES_SEL, 2);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, 1);
	vrig_wr(t->r, VRIG_STATUS, 11);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 3);
	/* A second try may be a better one. */
	vrig_reset(t->r);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, 1);
	vrig_wr(t->r, VRIG_STATUS, 11);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 3);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, (uint32_t)FAKE_FEATURE);
	vrig_wr(t->r, VRIG_STATUS, 11);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 11);
	assert_false(vrig_needs_reset(t->r));
}

static void status_bits_are_set_and_never_cleared_but_by_reset(void **state)
{
	struct virtio_test *t = *state;

	vrig_negotiate(t->r, 0);
	vrig_wr(t->r, VRIG_STATUS, VIRTIO_STATUS_FAILED);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), VIRTIO_STATUS_FAILED | 11);
	/* NEEDS_RESET is the device's to set. */
	vrig_wr(t->r, VRIG_STATUS, 0xffffff70);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), VIRTIO_STATUS_FAILED | 11);
	vrig_reset(t->r);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), 0);
}

static void driver_ok_is_told_once(void **state)
{
	struct virtio_test *t = *state;

	assert_false(virtio_live(t->v));
	vrig_start(t->r, 0, 1, QUEUE);
	assert_true(virtio_live(t->v));
	assert_int_equal(t->f->started, 1);
	vrig_driver_ok(t->r);
	assert_int_equal(t->f->started, 1);
	vrig_start(t->r, 0, 1, QUEUE);
	assert_int_equal(t->f->started, 2);
}

static void driver_ok_without_features_ok_breaks_a_rule(void **state)
{
	struct virtio_test *t = *state;

	vrig_wr(t->r, VRIG_STATUS, 7);
	assert_int_equal(vrig_rd(t->r, VRIG_STATUS), VIRTIO_STATUS_NEEDS_RESET | 3);
	assert_int_equal(t->f->started, 0);
	assert_false(vrig_irq(t->r)); /* nobody is there yet to be interrupted */
	vrig_start(t->r, 0, 1, QUEUE);
}

static void features_are_settled_by_features_ok(void **state)
{
	struct virtio_test *t = *state;

	vrig_start(t->r, FAKE_FEATURE, 1, QUEUE);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES_SEL, 0);
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, (uint32_t)FAKE_FEATURE);
	assert_false(vrig_needs_reset(t->r));
	vrig_wr(t->r, VRIG_DRIVER_FEATURES, 0);
	assert_true(virtio_has(t->v, FAKE_FEATURE));
	assert_true(vrig_needs_reset(t->r));
}

/* --- Queues --- */

static void each_queue_has_its_own_registers(void **state)
{
	struct virtio_test *t = *state;

	vrig_start(t->r, 0, 1, QUEUE);
	vrig_wr(t->r, VRIG_QUEUE_SEL, 1);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_NUM_MAX), VIRTIO_QUEUE_SIZE);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	vrig_wr(t->r, VRIG_QUEUE_SEL, 0);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_NUM_MAX), VIRTIO_QUEUE_SIZE);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 1);
	vrig_wr(t->r, VRIG_QUEUE_SEL, FAKE_QUEUES);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_NUM_MAX), 0);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	vrig_wr(t->r, VRIG_QUEUE_SEL, UINT32_MAX);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_NUM_MAX), 0);
	assert_false(vrig_needs_reset(t->r));
}

static void good_queues_become_ready(void **state)
{
	struct virtio_test *t = *state;
	uint64_t end = VRIG_RAM_END;

	for (unsigned size = 1; size <= VIRTIO_QUEUE_SIZE; size *= 2) {
		vrig_negotiate(t->r, 0);
		vrig_place_queue(t->r, 0, size, end - size * 16, BIS_RAM_BASE + 2, BIS_RAM_BASE + 4);
		assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 1);
		vrig_negotiate(t->r, 0);
		vrig_place_queue(t->r, 1, size, BIS_RAM_BASE, end - 6 - size * 2, (end - 6 - size * 8) & ~3ull);
		assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 1);
	}
	assert_false(vrig_needs_reset(t->r));
}

static void bad_queues_do_not_become_ready(void **state)
{
	struct virtio_test *t = *state;
	const uint64_t ram = BIS_RAM_BASE, end = VRIG_RAM_END;
	const struct {
		uint32_t size;
		uint64_t desc, avail, used;
	} bad[] = {
		{0, ram, ram + 0x1000, ram + 0x2000},
		{3, ram, ram + 0x1000, ram + 0x2000},
		{255, ram, ram + 0x1000, ram + 0x2000},
		{2 * VIRTIO_QUEUE_SIZE, ram, ram + 0x1000, ram + 0x2000},
		{0x8000, ram, ram + 0x1000, ram + 0x2000},
		{0x10008, ram, ram + 0x1000, ram + 0x2000},
		{UINT32_MAX, ram, ram + 0x1000, ram + 0x2000},
		{8, ram + 8, ram + 0x1000, ram + 0x2000},
		{8, ram, ram + 0x1001, ram + 0x2000},
		{8, ram, ram + 0x1000, ram + 0x2002},
		{8, 0, ram + 0x1000, ram + 0x2000},
		{8, ram, 0, ram + 0x2000},
		{8, ram, ram + 0x1000, 0},
		{8, ram - 16, ram + 0x1000, ram + 0x2000},
		{8, end - 8 * 16 + 16, ram + 0x1000, ram + 0x2000},
		{8, ram, end - 20, ram + 0x2000},
		{8, ram, ram + 0x1000, end - 68},
		{8, UINT64_MAX - 15, ram + 0x1000, ram + 0x2000},
		{8, ram, UINT64_MAX - 1, ram + 0x2000},
		{8, ram, ram + 0x1000, UINT64_MAX - 3},
		{8, VRIG_WINDOW, ram + 0x1000, ram + 0x2000},
		{8, ram | 1ull << 63, ram + 0x1000, ram + 0x2000},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		vrig_start(t->r, 0, 0, 0);
		vrig_place_queue(t->r, 0, bad[i].size, bad[i].desc, bad[i].avail, bad[i].used);
		if (vrig_rd(t->r, VRIG_QUEUE_READY) || !vrig_needs_reset(t->r))
			fail_msg("case %zu: taken", i);
		assert_int_equal(vrig_ack(t->r), 2);
	}
	/* Without a word about the queue. */
	vrig_start(t->r, 0, 0, 0);
	vrig_wr(t->r, VRIG_QUEUE_READY, 1);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	assert_true(vrig_needs_reset(t->r));
}

static void a_ready_queue_stays_as_it_is(void **state)
{
	struct virtio_test *t = *state;
	static const unsigned registers[] = {
		VRIG_QUEUE_NUM,	       VRIG_QUEUE_DESC,	  VRIG_QUEUE_DESC + 4,	 VRIG_QUEUE_DRIVER,
		VRIG_QUEUE_DRIVER + 4, VRIG_QUEUE_DEVICE, VRIG_QUEUE_DEVICE + 4,
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(registers); i++) {
		vrig_start(t->r, 0, 1, QUEUE);
		vrig_wr(t->r, VRIG_QUEUE_READY, 1); /* no change */
		assert_false(vrig_needs_reset(t->r));
		vrig_wr(t->r, registers[i], 16);
		assert_true(vrig_needs_reset(t->r));
		assert_int_equal(t->v->size[0], QUEUE);
		assert_int_equal(t->v->desc[0], t->r->q[0].desc);
		assert_int_equal(t->v->avail[0], t->r->q[0].avail);
		assert_int_equal(t->v->used[0], t->r->q[0].used);
	}
}

static void queues_that_do_not_exist_break_a_rule(void **state)
{
	struct virtio_test *t = *state;
	static const struct {
		unsigned reg;
		uint32_t value;
	} writes[] = {{VRIG_QUEUE_NUM, 8}, {VRIG_QUEUE_DESC, 0}, {VRIG_QUEUE_READY, 1}};
	static const uint32_t unknown[] = {FAKE_QUEUES, VIRTIO_QUEUES_MAX, 64, UINT32_MAX};

	for (size_t q = 0; q < BIS_ARRAY_SIZE(unknown); q++) {
		for (size_t i = 0; i < BIS_ARRAY_SIZE(writes); i++) {
			vrig_start(t->r, 0, 1, QUEUE);
			vrig_wr(t->r, VRIG_QUEUE_SEL, unknown[q]);
			vrig_wr(t->r, writes[i].reg, writes[i].value);
			assert_true(vrig_needs_reset(t->r));
		}
		vrig_start(t->r, 0, 1, QUEUE);
		vrig_notify(t->r, unknown[q]);
		assert_true(vrig_needs_reset(t->r));
		assert_int_equal(vrig_ack(t->r), 2);
	}
	assert_int_equal(t->f->notified[0] + t->f->notified[1], 0);
}

/* As Linux does with a queue that it has looked for and not found. */
static void a_queue_that_does_not_exist_may_be_taken_out_of_use(void **state)
{
	struct virtio_test *t = *state;

	vrig_start(t->r, 0, 1, QUEUE);
	vrig_wr(t->r, VRIG_QUEUE_SEL, FAKE_QUEUES);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_NUM_MAX), 0);
	vrig_wr(t->r, VRIG_QUEUE_READY, 0);
	assert_int_equal(vrig_rd(t->r, VRIG_QUEUE_READY), 0);
	assert_true(virtio_live(t->v));
}

static void notifications_reach_live_queues(void **state)
{
	struct virtio_test *t = *state;

	vrig_start(t->r, 0, 1, QUEUE);
	vrig_notify(t->r, 0);
	assert_int_equal(t->f->notified[0], 1);
	vrig_notify(t->r, 1); /* not ready */
	assert_int_equal(t->f->notified[1], 0);
	assert_false(vrig_needs_reset(t->r));
}

static void what_was_made_available_early_is_seen_at_driver_ok(void **state)
{
	struct virtio_test *t = *state;
	struct virtio_chain c;

	vrig_negotiate(t->r, 0);
	vrig_queue(t->r, 0, QUEUE);
	vrig_queue(t->r, 1, QUEUE);
	vrig_submit(t->r, 1, VRIG_OUT(RIG_DATA, 1));
	vrig_notify(t->r, 1);
	assert_int_equal(t->f->notified[1], 0);
	assert_int_equal(virtio_pop(t->v, 1, &c), 0); /* section 3.1.1: nothing is taken before DRIVER_OK */
	vrig_driver_ok(t->r);
	assert_int_equal(t->f->notified[0], 0);
	assert_int_equal(t->f->notified[1], 1);
	assert_int_equal(virtio_pop(t->v, 1, &c), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, virtio_test_setup, virtio_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_window_says_what_it_is),
		TEST(registers_take_whole_words_alone),
		TEST(features_are_offered_by_halves),
		TEST(accepted_features_count_from_features_ok_on),
		TEST(a_driver_without_version_1_is_served),
		TEST(features_not_offered_are_refused),
		TEST(status_bits_are_set_and_never_cleared_but_by_reset),
		TEST(driver_ok_is_told_once),
		TEST(driver_ok_without_features_ok_breaks_a_rule),
		TEST(features_are_settled_by_features_ok),
		TEST(each_queue_has_its_own_registers),
		TEST(good_queues_become_ready),
		TEST(bad_queues_do_not_become_ready),
		TEST(a_ready_queue_stays_as_it_is),
		TEST(queues_that_do_not_exist_break_a_rule),
		TEST(a_queue_that_does_not_exist_may_be_taken_out_of_use),
		TEST(notifications_reach_live_queues),
		TEST(what_was_made_available_early_is_seen_at_driver_ok),
	};

	return cmocka_run_group_tests_name("virtio-mmio", tests, NULL, NULL);
}
