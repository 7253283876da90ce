/* Virtio block device: many requests at once, and requests in flight at a reset, a pause and a removal. */
#include "tests/unit/blk_rig.h"

#define FLIGHT 16u

/* Makes FLIGHT requests available, each with a header and status of its own; writes go to sectors behind 1000. */
static void submit_flight(struct fixture *f, uint32_t len)
{
	for (unsigned i = 0; i < FLIGHT; i++) {
		uint64_t header = f->header + i * 32, status = f->status + 8 + i,
			 data = f->data + i * (BUF_SIZE / FLIGHT);
		uint8_t none = S_NONE;

		vrig_put(f->r, status, &none, 1);
		if (i % 4 == 3) {
			put_header(f, header, i % 8 == 3 ? T_OUT : T_FLUSH, 1000 + i);
			if (i % 8 == 3)
				vrig_submit(f->r, 0, VRIG_OUT(header, 16), VRIG_OUT(data, 512), VRIG_IN(status, 1));
			else
				vrig_submit(f->r, 0, VRIG_OUT(header, 16), VRIG_IN(status, 1));
		} else {
			put_header(f, header, T_IN, i * 10);
			vrig_submit(f->r, 0, VRIG_OUT(header, 16), VRIG_IN(data, len), VRIG_IN(status, 1));
		}
	}
}

static void assert_flight(struct fixture *f, uint32_t len)
{
	for (unsigned i = 0; i < FLIGHT; i++) {
		uint8_t status;

		vrig_get(f->r, f->status + 8 + i, &status, 1);
		assert_int_equal(status, S_OK);
		if (i % 4 != 3)
			assert_pattern(f, f->data + i * (BUF_SIZE / FLIGHT), i * 10, len);
	}
}

static void all_requests_of_a_flight_come_back_once(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 60; round++) {
		uint64_t event_idx = round % 2 ? VIRTIO_F_EVENT_IDX : 0;
		uint32_t len = round % 4 < 2 ? 512 : BUF_SIZE / FLIGHT;
		unsigned seen = 0;

		vrig_start(f->r, F_ALL | event_idx, 1, 64);
		f->r->next = f->data + BUF_SIZE + 0x10000;
		for (int again = 0; again < 5; again++) {
			submit_flight(f, len);
			vrig_notify(f->r, 0);
			for (unsigned i = 0; i < FLIGHT; i++)
				vrig_wait_used(f->r, 0, NULL, NULL);
			assert_flight(f, len);
			seen += FLIGHT;
		}
		assert_int_equal(vrig_get16(f->r, f->r->q[0].used + 2), seen);
		rig_wait_for(vrig_irq(f->r));
	}
}

/* A driver that sleeps until the interrupt after each request: no wake-up is lost on either side. */
static void no_interrupt_is_lost(void **state)
{
	struct fixture *f = *state;

	for (int event_idx = 0; event_idx < 2; event_idx++) {
		vrig_start(f->r, F_ALL | (event_idx ? VIRTIO_F_EVENT_IDX : 0), 1, 64);
		for (unsigned i = 0; i < 500; i++) {
			uint32_t type = i % 5 == 4 ? T_OUT : T_IN;

			fill(f, pattern((size_t)i * 512), 1);
			put_header(f, f->header, type, type == T_IN ? i : 1000);
			vrig_submit(f->r, 0, VRIG_OUT(f->header, 16),
				    ((struct vrig_range){f->data, i % 3 ? 512 : 0x20000, type == T_IN}),
				    VRIG_IN(f->status, 1));
			vrig_notify(f->r, 0);
			assert_int_equal(vrig_wait_irq(f->r), 1);
			assert_true(vrig_used(f->r, 0, NULL, NULL));
			assert_int_equal(get_status(f), S_OK);
		}
	}
}

static void after_a_reset_memory_is_left_alone(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 100; i++) {
		uint8_t got[64];

		f->r->next = f->data + BUF_SIZE + 0x10000;
		vrig_start(f->r, F_ALL, 1, 64);
		submit_flight(f, BUF_SIZE / FLIGHT);
		vrig_notify(f->r, 0);
		if (i % 3 == 0)
			vrig_wait_used(f->r, 0, NULL, NULL);
		if (i % 2)
			vrig_reset(f->r);
		else
			assert_ok(bis_machine_reset(f->r->m));
		fill(f, 0x77, BUF_SIZE);
		assert_false(vrig_irq(f->r));
		assert_int_equal(vrig_rd(f->r, VRIG_STATUS), 0);
		for (uint64_t at = 0; at < BUF_SIZE; at += BUF_SIZE / FLIGHT) {
			vrig_get(f->r, f->data + at, got, sizeof(got));
			for (size_t k = 0; k < sizeof(got); k++)
				assert_int_equal(got[k], 0x77);
		}
	}
}

static void a_pause_in_flight_loses_nothing(void **state)
{
	struct fixture *f = *state;

	rig_add(f->r->m, "riscv");
	rig_add(f->r->m, "sv");
	rig_start_paused(f->r->m);
	for (unsigned i = 0; i < 50; i++) {
		unsigned before;

		assert_ok(bis_machine_resume(f->r->m));
		submit_flight(f, 512);
		vrig_notify(f->r, 0);
		assert_ok(bis_machine_pause(f->r->m));
		before = vrig_get16(f->r, f->r->q[0].used + 2);
		fill(f, 0x77, 64);
		assert_int_equal(vrig_get16(f->r, f->r->q[0].used + 2), before);
		assert_ok(bis_machine_resume(f->r->m));
		for (unsigned k = 0; k < FLIGHT; k++)
			vrig_wait_used(f->r, 0, NULL, NULL);
		assert_ok(bis_machine_pause(f->r->m));
	}
}

static void removal_in_flight_is_clean(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 10; i++) {
		submit_flight(f, BUF_SIZE / FLIGHT);
		vrig_notify(f->r, 0);
		vrig_close(f->r);
		open_device(f, "");
		vrig_start(f->r, F_ALL, 1, 64);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_requests_of_a_flight_come_back_once),
		TEST(no_interrupt_is_lost),
		TEST(after_a_reset_memory_is_left_alone),
		TEST(a_pause_in_flight_loses_nothing),
		TEST(removal_in_flight_is_clean),
	};

	return cmocka_run_group_tests_name("virtio_blk_flight", tests, NULL, NULL);
}
