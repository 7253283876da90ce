/*
 * Snapshots of virtio keyboards and tablets: no key stays pressed, what a driver waits for comes; what is damaged or
 * cannot be is refused.
 */
#include "tests/unit/input_rig.h"

static void keys_pressed_in_a_snapshot_are_released(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");
	struct vrig_saved s;

	(void)state;
	offer(r, 2);
	key(r, BIS_KEY_A, 1);
	key(r, BIS_KEY_B, 1); /* waits */
	s = vrig_save(r->v);
	irig_close(r);
	r = irig_open("virtio-keyboard");
	assert_ok(vrig_restore(r->v, s.data, s.len));
	offer(r, 16);
	expect(r, KEY, BIS_KEY_B, 1);
	expect(r, SYN, REPORT, 0);
	expect(r, KEY, BIS_KEY_A, 0);
	expect(r, KEY, BIS_KEY_B, 0);
	expect(r, SYN, REPORT, 0);
	expect_nothing(r);
	irig_close(r);
	free(s.data);
}

static void a_quiet_device_is_restored_quietly(void **state)
{
	struct irig *r = irig_open("virtio-tablet");
	struct vrig_saved s;

	(void)state;
	offer(r, 16);
	send(r, .kind = BIS_INPUT_ABSOLUTE, .x = 7, .y = 8);
	ask(r, SELECT_RANGE, 1);
	s = vrig_save(r->v);
	irig_close(r);
	r = irig_open("virtio-tablet");
	assert_ok(vrig_restore(r->v, s.data, s.len));
	offer(r, 16);
	expect_nothing(r);
	assert_int_equal(vrig_config(r->v, 2, 1), 20); /* what was asked for is still the answer */
	irig_close(r);
	free(s.data);
}

static void damaged_snapshots_are_refused(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");
	struct vrig_saved s;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		key(r, BIS_KEY_A, i % 2 == 0);
	s = vrig_save(r->v);
	for (size_t len = 0; len < s.len; len++)
		assert_int_equal(vrig_restore(r->v, s.data, len), -EINVAL);
	for (size_t at = 0; at < s.len; at++) {
		int err;

		s.data[at] ^= 0xc3;
		err = vrig_restore(r->v, s.data, s.len);
		s.data[at] ^= 0xc3;
		if (err)
			continue;
		for (unsigned i = 0; i < 4; i++) {
			struct believed b = {0};

			offer(r, 200);
			believe(r, &b);
			if (!b.events)
				break;
		}
		vrig_start(r->v, 0, QUEUES, SIZE);
		r->v->next = r->buffers + 4096;
	}
	assert_ok(vrig_restore(r->v, s.data, s.len));
	free(s.data);
	irig_close(r);
}

static void fields_that_cannot_be_are_refused(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");
	const struct bis_module_class *class = bis_module_class_of(r->v->mod);
	const struct bis_field *leds = bis_field_find(class->fields, "leds");
	const struct bis_field *desc = bis_field_find(class->fields, "virtio.desc");
	uint8_t *self = bis_module_self(r->v->mod);

	(void)state;
	assert_ok(class->check(self));
	self[leds->offset] = 8;
	assert_int_equal(class->check(self), -EINVAL);
	self[leds->offset] = 7;
	assert_ok(class->check(self));
	self[desc->offset] ^= 1;
	assert_int_equal(class->check(self), -EINVAL);
	self[desc->offset] ^= 1;
	irig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_pressed_in_a_snapshot_are_released),
		cmocka_unit_test(a_quiet_device_is_restored_quietly),
		cmocka_unit_test(damaged_snapshots_are_refused),
		cmocka_unit_test(fields_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests_name("snapshot_input", tests, NULL, NULL);
}
