/*
 * Virtio keyboard, mouse and tablet: what they say of themselves, that events arrive in order and whole, and that a
 * driver which is slow to give buffers never keeps a key pressed that is not.
 */
#include "tests/unit/input_rig.h"

/* --- Configuration --- */

static void each_says_what_it_is(void **state)
{
	static const struct {
		const char *spec, *name;
		uint8_t product;
	} devices[] = {{"virtio-keyboard", "Biscuit keyboard", 1},
		       {"virtio-mouse", "Biscuit mouse", 2},
		       {"virtio-tablet,name=pen", "Biscuit tablet", 3}};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(devices); i++) {
		struct irig *r = irig_open(devices[i].spec);
		const char *serial = bis_module_name(r->v->mod);

		assert_int_equal(vrig_rd(r->v, VRIG_DEVICE_ID), 18);
		assert_int_equal(ask(r, SELECT_NAME, 0), strlen(devices[i].name));
		assert_memory_equal(r->data, devices[i].name, strlen(devices[i].name));
		assert_int_equal(ask(r, SELECT_SERIAL, 0), strlen(serial));
		assert_memory_equal(r->data, serial, strlen(serial));
		assert_int_equal(ask(r, SELECT_IDS, 0), 8);
		assert_int_equal(r->data[0], 6); /* BUS_VIRTUAL */
		assert_int_equal(r->data[4], devices[i].product);
		assert_int_equal(ask(r, SELECT_PROPS, 0), 0);
		assert_int_equal(ask(r, 0, 0), 0);
		assert_int_equal(ask(r, 0xff, 0xff), 0);
		assert_int_equal(ask(r, SELECT_BITS, 0xff), 0);
		irig_close(r);
	}
}

static void a_keyboard_has_keys_and_lights(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");

	(void)state;
	assert_in_range(ask(r, SELECT_BITS, KEY), 15, 32); /* no buttons */
	assert_true(bit(r, BIS_KEY_ESC) && bit(r, BIS_KEY_A) && bit(r, BIS_KEY_POWER) && bit(r, BIS_KEY_RIGHTALT));
	assert_false(bit(r, 0));
	assert_int_equal(ask(r, SELECT_BITS, REP), 1);
	assert_int_equal(ask(r, SELECT_BITS, LED), 1);
	assert_int_equal(r->data[0], 7);
	assert_int_equal(ask(r, SELECT_BITS, REL), 0);
	assert_int_equal(ask(r, SELECT_BITS, ABS), 0);
	assert_int_equal(ask(r, SELECT_RANGE, 0), 0);
	irig_close(r);
}

static void pointers_have_buttons_and_axes(void **state)
{
	struct irig *mouse = irig_open("virtio-mouse"), *tablet = irig_open("virtio-tablet");
	uint32_t range[5];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct irig *r = i ? tablet : mouse;

		assert_in_range(ask(r, SELECT_BITS, KEY), 0x112 / 8 + 1, 128);
		assert_true(bit(r, BIS_BTN_LEFT) && bit(r, BIS_BTN_RIGHT) && bit(r, BIS_BTN_MIDDLE));
		assert_false(bit(r, BIS_KEY_A));
		assert_false(bit(r, BIS_BTN_TOUCH)); /* it would be a touch screen */
		assert_int_equal(ask(r, SELECT_BITS, REP), 0);
		assert_int_equal(ask(r, SELECT_BITS, LED), 0);
		assert_int_equal(ask(r, SELECT_BITS, REL), 2);
		assert_true(bit(r, REL_WHEEL) && bit(r, REL_HWHEEL) && bit(r, REL_WHEEL_FINE) &&
			    bit(r, REL_HWHEEL_FINE));
		assert_int_equal(bit(r, 0) && bit(r, 1), i == 0);
		assert_int_equal(ask(r, SELECT_BITS, ABS), i);
		assert_int_equal(ask(r, SELECT_RANGE, 0), i ? 20 : 0);
	}
	assert_int_equal(ask(tablet, SELECT_RANGE, 1), 20);
	memcpy(range, tablet->data, sizeof(range));
	assert_int_equal(range[0], 0);
	assert_int_equal(range[1], BIS_INPUT_RANGE);
	assert_int_equal(ask(tablet, SELECT_RANGE, 2), 0);
	/* Only the first two bytes can be written; both at once, too. */
	vrig_set_config(tablet->v, 2, 1, 99);
	assert_int_equal(vrig_config(tablet->v, 2, 1), 0);
	vrig_set_config(tablet->v, 0, 4, SELECT_RANGE);
	assert_int_equal(vrig_config(tablet->v, 2, 1), 20);
	irig_close(mouse);
	irig_close(tablet);
}

/* --- Events --- */

static void keys_arrive_with_a_report(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");

	(void)state;
	offer(r, 16);
	expect_nothing(r);
	assert_int_equal(key(r, BIS_KEY_A, 1), 1);
	assert_int_equal(vrig_ack(r->v), 1);
	expect(r, KEY, BIS_KEY_A, 1);
	expect(r, SYN, REPORT, 0);
	assert_int_equal(key(r, BIS_KEY_A, 2), 1); /* the driver repeats by itself */
	expect_nothing(r);
	assert_int_equal(key(r, BIS_KEY_A, 0), 1);
	expect(r, KEY, BIS_KEY_A, 0);
	expect(r, SYN, REPORT, 0);
	/* What it cannot express. */
	key(r, BIS_BTN_LEFT, 1);
	key(r, 0, 1);
	key(r, 600, 1);
	key(r, 65535, 1);
	assert_int_equal(send(r, .kind = BIS_INPUT_TEXT, .value = 'x'), 0);
	assert_int_equal(send(r, .kind = BIS_INPUT_BUTTON, .code = BIS_BTN_LEFT, .value = 1), 0);
	expect_nothing(r);
	irig_close(r);
}

static void a_mouse_moves_and_scrolls(void **state)
{
	struct irig *r = irig_open("virtio-mouse");

	(void)state;
	offer(r, 64);
	send(r, .kind = BIS_INPUT_RELATIVE, .x = -5, .y = 7);
	expect(r, REL, 0, -5);
	expect(r, REL, 1, 7);
	expect(r, SYN, REPORT, 0);
	send(r, .kind = BIS_INPUT_RELATIVE, .y = 1);
	expect(r, REL, 1, 1);
	expect(r, SYN, REPORT, 0);
	send(r, .kind = BIS_INPUT_BUTTON, .code = BIS_BTN_RIGHT, .value = 1);
	expect(r, KEY, BIS_BTN_RIGHT, 1);
	expect(r, SYN, REPORT, 0);
	/* Notches are counted over several fine steps, in both directions. */
	send(r, .kind = BIS_INPUT_WHEEL, .y = 100);
	expect(r, REL, REL_WHEEL_FINE, 100);
	expect(r, SYN, REPORT, 0);
	send(r, .kind = BIS_INPUT_WHEEL, .y = 260, .x = -120);
	expect(r, REL, REL_HWHEEL_FINE, -120);
	expect(r, REL, REL_HWHEEL, -1);
	expect(r, REL, REL_WHEEL_FINE, 260);
	expect(r, REL, REL_WHEEL, 3);
	expect(r, SYN, REPORT, 0);
	send(r, .kind = BIS_INPUT_WHEEL, .y = INT32_MIN);
	expect(r, REL, REL_WHEEL_FINE, INT32_MIN);
	expect(r, REL, REL_WHEEL, INT32_MIN / 120);
	expect(r, SYN, REPORT, 0);
	send(r, .kind = BIS_INPUT_WHEEL, .y = INT32_MIN);
	expect(r, REL, REL_WHEEL_FINE, INT32_MIN);
	irig_close(r);
}

static void a_tablet_tells_place_and_button_together(void **state)
{
	struct irig *r = irig_open("virtio-tablet");
	const struct bis_input_event click[] = {
		{.kind = BIS_INPUT_ABSOLUTE, .x = 100, .y = 40000},
		{.kind = BIS_INPUT_BUTTON, .code = BIS_BTN_LEFT, .value = 1},
		{.kind = BIS_INPUT_RELATIVE, .x = 4},
	};

	(void)state;
	offer(r, 64);
	assert_int_equal(send_n(r, click, 3), 2);
	expect(r, ABS, 0, 100);
	expect(r, ABS, 1, BIS_INPUT_RANGE);
	expect(r, KEY, BIS_BTN_LEFT, 1);
	expect(r, SYN, REPORT, 0);
	expect_nothing(r);
	irig_close(r);
}

static void only_a_device_in_use_takes_events(void **state)
{
	struct vrig *v = vrig_open("virtio-keyboard");
	struct bis_input_event e = {.kind = BIS_INPUT_KEY, .code = BIS_KEY_A, .value = 1};

	(void)state;
	assert_int_equal(bis_input_kinds(v->m), 0);
	assert_int_equal(bis_input_send(v->m, &e, 1), 0);
	vrig_start(v, 0, QUEUES, 8);
	assert_int_equal(bis_input_kinds(v->m), 1 << BIS_INPUT_KEY);
	assert_int_equal(bis_input_send(v->m, &e, 1), 1);
	vrig_reset(v);
	assert_int_equal(bis_input_kinds(v->m), 0);
	assert_ok(bis_machine_remove(v->m, v->mod));
	assert_int_equal(bis_input_send(v->m, &e, 1), 0);
	vrig_close(v);
}

/* --- A driver without buffers --- */

static void events_wait_for_buffers(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");

	(void)state;
	for (uint16_t code = BIS_KEY_1; code <= BIS_KEY_9; code++)
		key(r, code, 1);
	offer(r, 3);
	expect(r, KEY, BIS_KEY_1, 1);
	expect(r, SYN, REPORT, 0);
	expect(r, KEY, BIS_KEY_2, 1);
	expect_nothing(r);
	offer(r, 40);
	expect(r, SYN, REPORT, 0);
	for (uint16_t code = BIS_KEY_3; code <= BIS_KEY_9; code++) {
		expect(r, KEY, code, 1);
		expect(r, SYN, REPORT, 0);
	}
	expect_nothing(r);
	irig_close(r);
}

static void whoever_types_may_wait_for_room(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");
	size_t room = bis_input_room(r->v->m), took = 0;

	(void)state;
	assert_int_equal(room, 128);
	while (bis_input_room(r->v->m))
		took += key(r, BIS_KEY_A, took % 2 == 0);
	assert_int_equal(took, room);
	offer(r, 10);
	assert_int_equal(bis_input_room(r->v->m), 5);
	for (unsigned i = 0; i < 6; i++)
		key(r, BIS_KEY_B, i % 2 == 0);
	assert_int_equal(bis_input_room(r->v->m), 0);
	offer(r, 200);
	assert_int_equal(bis_input_room(r->v->m), 0); /* the loss is still to be told */
	for (unsigned i = 0; i < 3; i++) {
		struct believed b = {0};

		believe(r, &b);
		offer(r, 200);
	}
	assert_int_equal(bis_input_room(r->v->m), room);
	irig_close(r);
	/* A pointer holds nobody up. */
	r = irig_open("virtio-tablet");
	for (int i = 0; i < 1000; i++)
		send(r, .kind = BIS_INPUT_ABSOLUTE, .x = i);
	assert_true(bis_input_room(r->v->m) > 1000);
	irig_close(r);
}

static void a_flood_leaves_no_key_pressed(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");
	struct believed b = {0};
	size_t took = 0;

	(void)state;
	key(r, BIS_KEY_LEFTSHIFT, 1);
	for (unsigned i = 0; i < 1000; i++)
		took += key(r, BIS_KEY_A, i % 2 == 0);
	assert_in_range(took, 100, 128); /* the rest does not fit */
	key(r, BIS_KEY_LEFTSHIFT, 0);
	key(r, BIS_KEY_B, 1); /* held from now on */
	while (b.last.type != SYN || b.last.code != REPORT || !b.losses || b.events < 258) {
		unsigned before = b.events;

		offer(r, 7);
		believe(r, &b);
		assert_true(b.events > before);
	}
	assert_int_equal(b.losses, 1);
	for (uint16_t code = 0; code < 768; code++)
		assert_int_equal(b.down[code], code == BIS_KEY_B);
	/* From then on as ever. */
	offer(r, 32);
	believe(r, &b);
	key(r, BIS_KEY_B, 0);
	believe(r, &b);
	assert_false(b.down[BIS_KEY_B]);
	assert_int_equal(b.losses, 1);
	irig_close(r);
}

static void a_pointer_is_where_it_is_after_a_flood(void **state)
{
	struct irig *r = irig_open("virtio-tablet");
	struct event e, x = {0}, y = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		send(r, .kind = BIS_INPUT_ABSOLUTE, .x = i, .y = 2 * i);
	for (unsigned round = 0; round < 4; round++) {
		offer(r, 100);
		while (next_event(r, &e)) {
			if (e.type == ABS)
				*(e.code ? &y : &x) = e;
		}
	}
	assert_int_equal(x.value, 999);
	assert_int_equal(y.value, 1998);
	irig_close(r);
}

static void a_release_while_the_loss_is_told_is_not_missed(void **state)
{
	(void)state;
	/* Whatever number of buffers the driver has given when the key goes up. */
	for (unsigned given = 0; given < 270; given++) {
		struct irig *r = irig_open("virtio-keyboard");
		struct believed b = {0};

		for (unsigned i = 0; i < 140; i++)
			key(r, BIS_KEY_A, i % 2 == 0);
		key(r, BIS_KEY_C, 1);
		for (unsigned left = given; left; left -= left < 100 ? left : 100) {
			offer(r, left < 100 ? left : 100);
			believe(r, &b);
		}
		key(r, BIS_KEY_C, 0);
		for (unsigned i = 0; i < 3; i++) {
			offer(r, 100);
			believe(r, &b);
		}
		assert_false(b.down[BIS_KEY_C] || b.down[BIS_KEY_A]);
		irig_close(r);
	}
}

static void a_new_driver_starts_with_nothing(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		key(r, BIS_KEY_A, i % 2 == 0);
	vrig_start(r->v, 0, QUEUES, SIZE);
	offer(r, 16);
	expect_nothing(r);
	key(r, BIS_KEY_A, 0);
	expect(r, KEY, BIS_KEY_A, 0);
	expect(r, SYN, REPORT, 0);
	irig_close(r);
}

static void a_buffer_too_small_breaks_the_device(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");

	(void)state;
	vrig_submit(r->v, EVENTS, VRIG_IN(r->buffers, 7));
	vrig_notify(r->v, EVENTS);
	assert_false(vrig_needs_reset(r->v));
	key(r, BIS_KEY_A, 1);
	assert_true(vrig_needs_reset(r->v));
	assert_int_equal(key(r, BIS_KEY_A, 0), 0);
	irig_close(r);
}

static void nothing_is_written_while_the_machine_is_paused(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");

	(void)state;
	rig_add(r->v->m, "riscv");
	offer(r, 16);
	rig_start_paused(r->v->m);
	key(r, BIS_KEY_A, 1);
	expect_nothing(r);
	assert_ok(bis_machine_resume(r->v->m));
	expect(r, KEY, BIS_KEY_A, 1);
	expect(r, SYN, REPORT, 0);
	irig_close(r);
}

/* --- The status queue --- */

static void lights_are_noted(void **state)
{
	struct irig *r = irig_open("virtio-keyboard");
	const struct event on[] = {{LED, 1, 1}, {LED, 2, 1}, {LED, 9, 1}, {KEY, 0, 1}}, off = {LED, 1, 0};
	const struct bis_field *f = bis_field_find(bis_module_class_of(r->v->mod)->fields, "leds");
	char text[32];

	(void)state;
	vrig_put(r->v, r->buffers, on, sizeof(on));
	assert_int_equal(vrig_request(r->v, STATUS, VRIG_OUT(r->buffers, sizeof(on))), 0);
	bis_field_format(f, bis_module_self(r->v->mod), text, sizeof(text));
	assert_int_equal(strtoul(text, NULL, 0), 6);
	vrig_put(r->v, r->buffers, &off, sizeof(off));
	assert_int_equal(vrig_request(r->v, STATUS, VRIG_OUT(r->buffers, 8)), 0);
	assert_int_equal(vrig_request(r->v, STATUS, VRIG_OUT(r->buffers, 7)), 0);
	assert_int_equal(vrig_request(r->v, STATUS, VRIG_IN(r->buffers, 8)), 0);
	bis_field_format(f, bis_module_self(r->v->mod), text, sizeof(text));
	assert_int_equal(strtoul(text, NULL, 0), 4);
	/* More than a turn's worth is served in the end. */
	for (unsigned i = 0; i < 200; i++)
		vrig_submit(r->v, STATUS, VRIG_OUT(r->buffers, 8));
	vrig_notify(r->v, STATUS);
	for (unsigned i = 0; i < 200; i++)
		vrig_wait_used(r->v, STATUS, NULL, NULL);
	irig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_says_what_it_is),
		cmocka_unit_test(a_keyboard_has_keys_and_lights),
		cmocka_unit_test(pointers_have_buttons_and_axes),
		cmocka_unit_test(keys_arrive_with_a_report),
		cmocka_unit_test(a_mouse_moves_and_scrolls),
		cmocka_unit_test(a_tablet_tells_place_and_button_together),
		cmocka_unit_test(only_a_device_in_use_takes_events),
		cmocka_unit_test(events_wait_for_buffers),
		cmocka_unit_test(whoever_types_may_wait_for_room),
		cmocka_unit_test(a_flood_leaves_no_key_pressed),
		cmocka_unit_test(a_pointer_is_where_it_is_after_a_flood),
		cmocka_unit_test(a_release_while_the_loss_is_told_is_not_missed),
		cmocka_unit_test(a_new_driver_starts_with_nothing),
		cmocka_unit_test(a_buffer_too_small_breaks_the_device),
		cmocka_unit_test(nothing_is_written_while_the_machine_is_paused),
		cmocka_unit_test(lights_are_noted),
	};

	return cmocka_run_group_tests_name("virtio_input", tests, NULL, NULL);
}
