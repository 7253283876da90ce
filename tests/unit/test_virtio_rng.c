/*
 * The virtio entropy device: buffers get random bytes, never more than fit, and a greedy driver gets them in turns,
 * none while the machine is paused.
 */
#include "tests/unit/virtio_rig.h"

static void buffers_are_filled_with_random_bytes(void **state)
{
	struct vrig *r = vrig_open("virtio-rng");
	uint64_t pa = vrig_alloc(r, 4096);
	uint8_t a[64], b[64], zero[64] = {0};

	(void)state;
	assert_int_equal(vrig_rd(r, VRIG_DEVICE_ID), 4);
	vrig_start(r, 0, 1, 8);
	assert_int_equal(vrig_request(r, 0, VRIG_IN(pa + 8, 40), VRIG_IN(pa + 48, 24)), 64);
	assert_int_equal(vrig_wait_irq(r), 1);
	vrig_get(r, pa + 8, a, sizeof(a));
	assert_memory_not_equal(a, zero, sizeof(a));
	assert_int_equal(vrig_request(r, 0, VRIG_IN(pa + 8, 64)), 64);
	vrig_get(r, pa + 8, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(b));
	/* Nothing around the buffers. */
	vrig_get(r, pa, a, 8);
	vrig_get(r, pa + 72, b, 64);
	assert_memory_equal(a, zero, 8);
	assert_memory_equal(b, zero, 64);
	vrig_close(r);
}

static void take(const char *spec, uint8_t out[64])
{
	struct vrig *r = vrig_open(spec);
	uint64_t pa = vrig_alloc(r, 4096);

	vrig_start(r, 0, 1, 8);
	assert_int_equal(vrig_request(r, 0, VRIG_IN(pa, 64)), 64);
	vrig_get(r, pa, out, 64);
	vrig_close(r);
}

static void a_seed_gives_the_same_numbers_in_each_run(void **state)
{
	uint8_t a[64], b[64], other[64];

	(void)state;
	take("virtio-rng,seed=7", a);
	take("virtio-rng,seed=7", b);
	take("virtio-rng,seed=8", other);
	assert_memory_equal(a, b, 64);
	assert_memory_not_equal(a, other, 64);
	assert_memory_not_equal(a, a + 32, 32);
}

/* Section 5.4.6.1: one byte at least; how many more is up to the device. */
static void long_buffers_get_a_part(void **state)
{
	struct vrig *r = vrig_open("virtio-rng");
	uint32_t len;

	(void)state;
	vrig_start(r, VIRTIO_F_EVENT_IDX, 1, 8);
	len = vrig_request(r, 0, VRIG_IN(vrig_alloc(r, 0x200000), 0x200000));
	assert_in_range(len, 1, 0x1fffff);
	assert_int_equal(vrig_request(r, 0, VRIG_OUT(RIG_DATA, 8)), 0);
	assert_false(vrig_needs_reset(r));
	vrig_close(r);
}

static void all_requests_are_served_in_the_end(void **state)
{
	struct vrig *r = vrig_open("virtio-rng");
	uint64_t pa = vrig_alloc(r, 4096);
	uint32_t len;

	(void)state;
	vrig_start(r, VIRTIO_F_EVENT_IDX, 1, 256);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 256; i++)
			vrig_submit(r, 0, VRIG_IN(pa, 16));
		vrig_notify(r, 0);
		for (unsigned i = 0; i < 256; i++) {
			vrig_wait_used(r, 0, NULL, &len);
			assert_int_equal(len, 16);
		}
	}
	vrig_close(r);
}

static _Atomic bool timers_looked_at;

static void note_look(void *self)
{
	(void)self;
	timers_looked_at = true;
}

static void a_turn_does_not_come_while_the_machine_is_paused(void **state)
{
	struct vrig *r = vrig_open("virtio-rng");
	struct bis_timer *timer;
	unsigned before;
	uint64_t pa;

	(void)state;
	rig_add(r->m, "riscv");
	rig_add(r->m, "sv");
	rig_start_paused(r->m);
	pa = vrig_alloc(r, 4096);
	vrig_start(r, VIRTIO_F_EVENT_IDX, 1, 256);
	for (unsigned i = 0; i < 200; i++)
		vrig_submit(r, 0, VRIG_IN(pa, 16));
	/* As an instruction does that is stepped over. */
	vrig_notify(r, 0);
	before = vrig_get16(r, r->q[0].used + 2);
	assert_in_range(before, 1, 199);
	/* When this timer has fired, the device's has had its chance: both are due, and it was set first. */
	assert_ok(bis_timer_create(r->mod, note_look, &timer));
	bis_timer_set(timer, 0);
	rig_wait_for(timers_looked_at);
	bis_machine_lock_devices(r->m);
	assert_int_equal(vrig_get16(r, r->q[0].used + 2), before);
	bis_machine_unlock_devices(r->m);
	bis_timer_destroy(timer);
	assert_ok(bis_machine_resume(r->m));
	rig_wait_for(vrig_get16(r, r->q[0].used + 2) == 200);
	vrig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_filled_with_random_bytes),
		cmocka_unit_test(a_seed_gives_the_same_numbers_in_each_run),
		cmocka_unit_test(long_buffers_get_a_part),
		cmocka_unit_test(all_requests_are_served_in_the_end),
		cmocka_unit_test(a_turn_does_not_come_while_the_machine_is_paused),
	};

	return cmocka_run_group_tests_name("virtio-rng", tests, NULL, NULL);
}
