/*
 * Virtio console: bytes in both directions, back-pressure in both, what a pause and a reset do to them, and a driver
 * that asks for more than is reasonable.
 */
#include <biscuit/chardev.h>

#include "tests/unit/virtio_rig.h"

enum { RECEIVE, TRANSMIT, QUEUES };
enum { EMERG_WR = 8 };

#define F_SIZE	      (UINT64_C(1) << 0)
#define F_EMERG_WRITE (UINT64_C(1) << 2)
#define SINK_SIZE     (1u << 20)

struct fixture {
	struct vrig *r;
	struct bis_chardev *chardev;
	uint64_t buffer; /* 64 KiB of guest memory */
	/* The back end: keeps what it gets, `limit` bytes at most. */
	uint8_t *out;
	size_t len, limit;
	unsigned refills;
};

static size_t sink_write(void *self, const uint8_t *buf, size_t len)
{
	struct fixture *f = self;
	size_t n = len < f->limit - f->len ? len : f->limit - f->len;

	memcpy(f->out + f->len, buf, n);
	f->len += n;
	return n;
}

static void sink_destroy(void *self)
{
	(void)self;
}

static const struct bis_chardev_ops sink_ops = {.write = sink_write, .destroy = sink_destroy};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->out = malloc(SINK_SIZE);
	f->limit = SINK_SIZE;
	f->r = vrig_open("virtio-console");
	f->buffer = vrig_alloc(f->r, 65536);
	assert_ok(bis_chardev_create(f->r->m, "console", &sink_ops, f, &f->chardev));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vrig_close(f->r);
	free(f->out);
	free(f);
	return 0;
}

static void accept_up_to(struct fixture *f, size_t limit)
{
	bis_machine_lock_devices(f->r->m);
	f->limit = limit;
	bis_chardev_flush(f->chardev);
	bis_machine_unlock_devices(f->r->m);
}

static size_t type(struct fixture *f, const char *text)
{
	size_t taken;

	bis_machine_lock_devices(f->r->m);
	taken = bis_chardev_input(f->chardev, (const uint8_t *)text, strlen(text));
	bis_machine_unlock_devices(f->r->m);
	return taken;
}

/* The buffer's bytes count on from `first`, modulo a prime. */
static void fill_buffer(struct fixture *f, size_t first)
{
	static uint8_t bytes[65536];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((first + i) % 251);
	vrig_put(f->r, f->buffer, bytes, sizeof(bytes));
}

static void expect_counted(const struct fixture *f, size_t len)
{
	assert_int_equal(f->len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(f->out[i], i % 251);
}

static void is_a_console_of_one_port(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vrig_rd(f->r, VRIG_DEVICE_ID), 3);
	assert_int_equal(vrig_offered(f->r) & 0xffffff, F_SIZE | F_EMERG_WRITE);
	assert_int_equal(vrig_config(f->r, 0, 4), 0);
	assert_int_equal(vrig_config(f->r, 4, 4), 0);
}

static void set_size(struct fixture *f, unsigned columns, unsigned rows)
{
	bis_machine_lock_devices(f->r->m);
	bis_chardev_set_size(f->chardev, columns, rows);
	bis_machine_unlock_devices(f->r->m);
}

static void the_driver_hears_of_the_terminals_size(void **state)
{
	struct fixture *f = *state;

	set_size(f, 132, 43);
	vrig_start(f->r, F_SIZE, QUEUES, 8);
	vrig_ack(f->r);
	assert_int_equal(vrig_config(f->r, 0, 2), 132);
	assert_int_equal(vrig_config(f->r, 2, 2), 43);
	set_size(f, 80, 25);
	assert_int_equal(vrig_ack(f->r), 2);
	assert_int_equal(vrig_config(f->r, 0, 4), 25 << 16 | 80);
	set_size(f, 80, 25); /* as it was */
	assert_int_equal(vrig_ack(f->r), 0);
	set_size(f, 1000000, 70000); /* cut to what the register holds */
	assert_int_equal(vrig_config(f->r, 0, 4), UINT32_MAX);
}

static void a_size_set_during_a_pause_is_told_after_it(void **state)
{
	struct fixture *f = *state;

	rig_add(f->r->m, "riscv");
	rig_start_paused(f->r->m);
	assert_ok(bis_machine_resume(f->r->m));
	bis_machine_lock_devices(f->r->m);
	vrig_start(f->r, F_SIZE, QUEUES, 8);
	vrig_ack(f->r);
	bis_machine_unlock_devices(f->r->m);
	assert_ok(bis_machine_pause(f->r->m));
	set_size(f, 80, 25);
	assert_int_equal(vrig_config(f->r, 0, 4), 0);
	assert_ok(bis_machine_resume(f->r->m));
	assert_int_equal(vrig_ack(f->r), 2);
	assert_int_equal(vrig_config(f->r, 0, 2), 80);
}

static void output_reaches_the_character_device(void **state)
{
	struct fixture *f = *state;

	vrig_start(f->r, 0, QUEUES, 8);
	vrig_put(f->r, f->buffer, "hello, world", 12);
	assert_int_equal(vrig_request(f->r, TRANSMIT, VRIG_OUT(f->buffer, 5), VRIG_OUT(f->buffer + 5, 7)), 0);
	assert_int_equal(f->len, 12);
	assert_memory_equal(f->out, "hello, world", 12);
	assert_int_equal(vrig_ack(f->r), 1);
}

static void input_comes_to_waiting_buffers(void **state)
{
	struct fixture *f = *state;
	char bytes[8];
	uint32_t id, len;
	uint16_t head;

	vrig_start(f->r, 0, QUEUES, 8);
	head = vrig_submit(f->r, RECEIVE, VRIG_IN(f->buffer, 3), VRIG_IN(f->buffer + 4096, 61));
	vrig_notify(f->r, RECEIVE);
	assert_false(vrig_used(f->r, RECEIVE, NULL, NULL));
	assert_false(vrig_irq(f->r));
	type(f, "tests");
	assert_true(vrig_used(f->r, RECEIVE, &id, &len));
	assert_int_equal(id, head);
	assert_int_equal(len, 5);
	assert_int_equal(vrig_ack(f->r), 1);
	vrig_get(f->r, f->buffer, bytes, 3);
	vrig_get(f->r, f->buffer + 4096, bytes + 3, 2);
	assert_memory_equal(bytes, "tests", 5);
}

static void input_waits_for_buffers(void **state)
{
	struct fixture *f = *state;
	uint32_t len;
	char bytes[16];

	type(f, "typed ");
	vrig_start(f->r, VIRTIO_F_EVENT_IDX, QUEUES, 8);
	type(f, "ahead");
	vrig_submit(f->r, RECEIVE, VRIG_IN(f->buffer, 4));
	vrig_submit(f->r, RECEIVE, VRIG_IN(f->buffer + 4, 100));
	vrig_notify(f->r, RECEIVE);
	assert_true(vrig_used(f->r, RECEIVE, NULL, &len));
	assert_int_equal(len, 4);
	assert_true(vrig_used(f->r, RECEIVE, NULL, &len));
	assert_int_equal(len, 7);
	vrig_get(f->r, f->buffer, bytes, 11);
	assert_memory_equal(bytes, "typed ahead", 11);
	assert_int_equal(bis_chardev_readable(f->chardev), 0);
}

/* A buffer that can hold nothing comes back empty and does not hold up the next. */
static void a_buffer_without_room_is_passed_over(void **state)
{
	struct fixture *f = *state;
	uint32_t len;

	vrig_start(f->r, 0, QUEUES, 8);
	vrig_submit(f->r, RECEIVE, VRIG_OUT(f->buffer, 8));
	vrig_submit(f->r, RECEIVE, VRIG_IN(f->buffer, 8));
	type(f, "x");
	assert_true(vrig_used(f->r, RECEIVE, NULL, &len));
	assert_int_equal(len, 0);
	assert_true(vrig_used(f->r, RECEIVE, NULL, &len));
	assert_int_equal(len, 1);
}

static void output_waits_for_a_slow_other_side(void **state)
{
	struct fixture *f = *state;
	size_t queued = 0;

	vrig_start(f->r, VIRTIO_F_EVENT_IDX, QUEUES, 16);
	f->limit = 1000;
	/* Until one does not come back; from then on the device takes no more. */
	while (queued < 8 * 50000) {
		fill_buffer(f, 0);
		vrig_submit(f->r, TRANSMIT, VRIG_OUT(f->buffer, 251 * 100));
		queued += 251 * 100;
		vrig_notify(f->r, TRANSMIT);
		if (!vrig_used(f->r, TRANSMIT, NULL, NULL))
			break;
	}
	assert_in_range(queued, 65536, 65536 + 1000 + 251 * 100);
	vrig_submit(f->r, TRANSMIT, VRIG_OUT(f->buffer, 251 * 100));
	queued += 251 * 100;
	vrig_notify(f->r, TRANSMIT);
	assert_false(vrig_used(f->r, TRANSMIT, NULL, NULL));
	vrig_ack(f->r);
	assert_int_equal(f->len, 1000);
	accept_up_to(f, SINK_SIZE);
	assert_true(vrig_used(f->r, TRANSMIT, NULL, NULL));
	assert_true(vrig_used(f->r, TRANSMIT, NULL, NULL));
	assert_int_equal(vrig_ack(f->r), 1);
	expect_counted(f, queued);
}

static void choke(struct fixture *f)
{
	f->limit = 0;
	fill_buffer(f, 0);
	/* More than the 64 KiB that the character device keeps: the rest waits in the queue. */
	vrig_submit(f->r, TRANSMIT, VRIG_OUT(f->buffer, 251 * 200), VRIG_OUT(f->buffer, 251 * 200));
	vrig_notify(f->r, TRANSMIT);
	assert_false(vrig_used(f->r, TRANSMIT, NULL, NULL));
}

static void a_pause_neither_loses_nor_doubles_output(void **state)
{
	struct fixture *f = *state;

	rig_add(f->r->m, "riscv");
	rig_start_paused(f->r->m);
	assert_ok(bis_machine_resume(f->r->m));
	bis_machine_lock_devices(f->r->m);
	vrig_start(f->r, 0, QUEUES, 8);
	choke(f);
	vrig_submit(f->r, RECEIVE, VRIG_IN(f->buffer, 64));
	bis_machine_unlock_devices(f->r->m);
	assert_ok(bis_machine_pause(f->r->m));
	/* Guest memory stands still while the machine does. */
	accept_up_to(f, SINK_SIZE);
	type(f, "z");
	assert_false(vrig_used(f->r, TRANSMIT, NULL, NULL));
	assert_false(vrig_used(f->r, RECEIVE, NULL, NULL));
	assert_ok(bis_machine_resume(f->r->m));
	vrig_wait_used(f->r, TRANSMIT, NULL, NULL);
	vrig_wait_used(f->r, RECEIVE, NULL, NULL);
	bis_machine_lock_devices(f->r->m);
	expect_counted(f, 251 * 400);
	bis_machine_unlock_devices(f->r->m);
}

static void a_reset_forgets_what_was_waiting(void **state)
{
	struct fixture *f = *state;
	size_t sent;

	vrig_start(f->r, 0, QUEUES, 8);
	choke(f);
	vrig_start(f->r, 0, QUEUES, 8);
	f->limit = SINK_SIZE;
	bis_chardev_flush(f->chardev);
	sent = f->len;
	assert_int_equal(sent, 65536);
	vrig_put(f->r, f->buffer, "new", 3);
	vrig_request(f->r, TRANSMIT, VRIG_OUT(f->buffer, 3));
	assert_int_equal(f->len, sent + 3);
	assert_memory_equal(f->out + sent, "new", 3);
}

static void a_queue_started_anew_sends_its_first_chain_whole(void **state)
{
	struct fixture *f = *state;
	size_t sent;

	vrig_start(f->r, 0, QUEUES, 8);
	choke(f);
	vrig_wr(f->r, VRIG_QUEUE_SEL, TRANSMIT);
	vrig_wr(f->r, VRIG_QUEUE_READY, 0);
	accept_up_to(f, SINK_SIZE);
	sent = f->len;
	vrig_queue(f->r, TRANSMIT, 8);
	vrig_put(f->r, f->buffer, "new", 3);
	vrig_request(f->r, TRANSMIT, VRIG_OUT(f->buffer, 3));
	assert_int_equal(f->len, sent + 3);
}

/* The device goes on by itself after giving others their turn. */
static void a_huge_chain_is_sent_whole(void **state)
{
	struct fixture *f = *state;
	struct vrig_range ranges[12];
	uint16_t head;
	uint32_t id;

	rig_add(f->r->m, "riscv");
	rig_start_paused(f->r->m);
	assert_ok(bis_machine_resume(f->r->m));
	fill_buffer(f, 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(ranges); i++)
		ranges[i] = VRIG_OUT(f->buffer, 251 * 250);
	bis_machine_lock_devices(f->r->m);
	vrig_start(f->r, VIRTIO_F_INDIRECT_DESC, QUEUES, 16);
	head = vrig_submit_indirect(f->r, TRANSMIT, ranges, BIS_ARRAY_SIZE(ranges));
	vrig_notify(f->r, TRANSMIT);
	assert_true(f->len < 251 * 250 * BIS_ARRAY_SIZE(ranges));
	bis_machine_unlock_devices(f->r->m);
	vrig_wait_used(f->r, TRANSMIT, &id, NULL);
	assert_int_equal(id, head);
	bis_machine_lock_devices(f->r->m);
	expect_counted(f, 251 * 250 * BIS_ARRAY_SIZE(ranges));
	bis_machine_unlock_devices(f->r->m);
}

static void emergency_output_needs_no_queue(void **state)
{
	struct fixture *f = *state;

	vrig_set_config(f->r, EMERG_WR, 4, 'E');
	vrig_set_config(f->r, EMERG_WR, 1, 'W');
	vrig_set_config(f->r, 0, 4, 'x');
	vrig_set_config(f->r, 4, 4, 'x');
	assert_int_equal(f->len, 2);
	assert_memory_equal(f->out, "EW", 2);
}

/* The back end puts more input in, in the middle of a read. */
static void drain_refill(void *arg)
{
	struct fixture *f = arg;
	uint8_t bytes[BIS_CHARDEV_QUEUE];

	memset(bytes, 'b', sizeof(bytes));
	if (f->refills++ == 0)
		bis_chardev_input(f->chardev, bytes, bis_chardev_input_room(f->chardev));
}

static void input_stays_in_order_when_the_back_end_refills(void **state)
{
	struct fixture *f = *state;
	static uint8_t bytes[65536], got[65536];
	bool second = false;

	memset(bytes, 'a', sizeof(bytes));
	bis_chardev_on_drain(f->chardev, drain_refill, f);
	assert_int_equal(bis_chardev_input(f->chardev, bytes, sizeof(bytes)), sizeof(bytes));
	vrig_start(f->r, 0, QUEUES, 32);
	for (unsigned i = 0; i < 16; i++)
		vrig_submit(f->r, RECEIVE, VRIG_IN(f->buffer + i * 4096, 4096));
	vrig_notify(f->r, RECEIVE);
	for (unsigned i = 0; i < 16; i++) {
		uint32_t id, len;

		assert_true(vrig_used(f->r, RECEIVE, &id, &len));
		assert_int_equal(id, i);
	}
	vrig_get(f->r, f->buffer, got, sizeof(got));
	for (size_t i = 0; i < sizeof(got); i++) {
		second = second || got[i] == 'b';
		assert_int_equal(got[i], second ? 'b' : 'a');
	}
}

static void a_broken_queue_leaves_the_character_device_alone(void **state)
{
	struct fixture *f = *state;

	vrig_start(f->r, 0, QUEUES, 8);
	vrig_submit(f->r, TRANSMIT, VRIG_OUT(VRIG_RAM_END, 8));
	vrig_notify(f->r, TRANSMIT);
	assert_true(vrig_needs_reset(f->r));
	assert_int_equal(f->len, 0);
	type(f, "kept");
	assert_int_equal(bis_chardev_readable(f->chardev), 4);
}

static void device_without_back_end_drops_output(void **state)
{
	struct vrig *r = vrig_open("virtio-console,chardev=nobody");
	uint64_t buffer = vrig_alloc(r, 4096);

	(void)state;
	vrig_start(r, 0, QUEUES, 8);
	assert_int_equal(vrig_request(r, TRANSMIT, VRIG_OUT(buffer, 4096)), 0);
	vrig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_a_console_of_one_port, setup, teardown),
		cmocka_unit_test_setup_teardown(the_driver_hears_of_the_terminals_size, setup, teardown),
		cmocka_unit_test_setup_teardown(a_size_set_during_a_pause_is_told_after_it, setup, teardown),
		cmocka_unit_test_setup_teardown(output_reaches_the_character_device, setup, teardown),
		cmocka_unit_test_setup_teardown(input_comes_to_waiting_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(input_waits_for_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_buffer_without_room_is_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(output_waits_for_a_slow_other_side, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pause_neither_loses_nor_doubles_output, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_forgets_what_was_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(a_queue_started_anew_sends_its_first_chain_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_huge_chain_is_sent_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(emergency_output_needs_no_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(input_stays_in_order_when_the_back_end_refills, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_queue_leaves_the_character_device_alone, setup, teardown),
		cmocka_unit_test(device_without_back_end_drops_output),
	};

	return cmocka_run_group_tests_name("virtio_console", tests, NULL, NULL);
}
