/*
 * Native input: the registers of docs/devices.md as a driver uses them, floods that fill the queue, and hostile
 * addresses.
 */
#include <biscuit/input.h>

#include "modules/device/native.h"
#include "modules/modules.h"
#include "tests/unit/device_rig.h"

#define QUEUE 256
#define ALL                                                                                                            \
	(INPUT_ENABLE_KEY | INPUT_ENABLE_TEXT | INPUT_ENABLE_BUTTON | INPUT_ENABLE_ABSOLUTE | INPUT_ENABLE_RELATIVE |  \
	 INPUT_ENABLE_WHEEL)
#define EVENT(kind, code) ((uint64_t)(kind) | (uint64_t)(code) << INPUT_EVENT_CODE_SHIFT)
#define XY(x, y)	  ((uint64_t)(uint32_t)(x) | (uint64_t)(uint32_t)(y) << 32)

static int setup(void **state)
{
	fixture_create(state, 1, &bis_input_class, INPUT_SLOT, "");
	return 0;
}

static uint64_t rd(struct fixture *f, unsigned reg)
{
	return fake_csr_read(f->mod, reg);
}

static void wr(struct fixture *f, unsigned reg, uint64_t val)
{
	fake_csr_write(f->mod, reg, val);
}

static unsigned waiting(struct fixture *f)
{
	return (unsigned)(rd(f, NATIVE_STATUS) & INPUT_STATUS_COUNT_MASK) >> INPUT_STATUS_COUNT_SHIFT;
}

static size_t send_one(struct fixture *f, struct bis_input_event e)
{
	return bis_input_send(f->m, &e, 1);
}

static size_t key(struct fixture *f, uint16_t code, uint32_t value)
{
	return send_one(f, (struct bis_input_event){.kind = BIS_INPUT_KEY, .code = code, .value = value});
}

static size_t button(struct fixture *f, uint16_t code, uint32_t value)
{
	return send_one(f, (struct bis_input_event){.kind = BIS_INPUT_BUTTON, .code = code, .value = value});
}

static size_t text(struct fixture *f, uint32_t c)
{
	return send_one(f, (struct bis_input_event){.kind = BIS_INPUT_TEXT, .value = c});
}

static size_t move(struct fixture *f, enum bis_input_kind kind, int32_t x, int32_t y)
{
	return send_one(f, (struct bis_input_event){.kind = kind, .x = x, .y = y});
}

static void expect(struct fixture *f, uint64_t event, uint64_t value)
{
	assert_int_equal(rd(f, INPUT_EVENT), event);
	assert_int_equal(rd(f, INPUT_VALUE), value);
}

static void drop(struct fixture *f, unsigned count)
{
	while (count--)
		assert_int_not_equal(rd(f, INPUT_EVENT), INPUT_KIND_NONE);
}

static void nothing_comes_before_it_is_wanted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(bis_input_kinds(f->m), 0);
	assert_int_equal(key(f, BIS_KEY_A, 1), 0);
	expect(f, INPUT_KIND_NONE, 0);
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY);
	wr(f, INPUT_ENABLE, INPUT_ENABLE_KEY | INPUT_ENABLE_WHEEL);
	assert_int_equal(bis_input_kinds(f->m), 1u << BIS_INPUT_KEY | 1u << BIS_INPUT_WHEEL);
	assert_int_equal(text(f, 'a'), 0);
	assert_int_equal(key(f, BIS_KEY_A, 1), 1);
	expect(f, EVENT(INPUT_KIND_KEY, BIS_KEY_A), 1);
	expect(f, INPUT_KIND_NONE, 0);
}

static void every_kind_arrives_as_it_was_sent(void **state)
{
	struct fixture *f = *state;
	const struct bis_input_event group[] = {
		{.kind = BIS_INPUT_ABSOLUTE, .x = 100, .y = 32767},
		{.kind = BIS_INPUT_BUTTON, .code = BIS_BTN_RIGHT, .value = 1},
		{.kind = BIS_INPUT_KEY, .code = BIS_KEY_ENTER, .value = 2},
		{.kind = BIS_INPUT_TEXT, .value = 0x1f36a},
		{.kind = BIS_INPUT_RELATIVE, .x = -3, .y = 4},
		{.kind = BIS_INPUT_WHEEL, .x = 0, .y = -120},
	};

	wr(f, INPUT_ENABLE, ALL);
	assert_int_equal(bis_input_send(f->m, group, BIS_ARRAY_SIZE(group)), 6);
	assert_int_equal(waiting(f), 6);
	expect(f, EVENT(INPUT_KIND_ABSOLUTE, 0), XY(100, 32767));
	expect(f, EVENT(INPUT_KIND_BUTTON, BIS_BTN_RIGHT), 1);
	expect(f, EVENT(INPUT_KIND_KEY, BIS_KEY_ENTER), 2);
	expect(f, EVENT(INPUT_KIND_TEXT, 0), 0x1f36a);
	assert_int_equal(rd(f, INPUT_EVENT), EVENT(INPUT_KIND_RELATIVE, 0));
	assert_int_equal((uint32_t)rd(f, INPUT_VALUE), (uint32_t)-3);
	assert_int_equal(rd(f, INPUT_HIGH), 4); /* as RV32 reads it */
	expect(f, EVENT(INPUT_KIND_WHEEL, 0), XY(0, -120));
	expect(f, INPUT_KIND_NONE, 0);
}

static void wild_values_are_made_tame(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL);
	move(f, BIS_INPUT_ABSOLUTE, INT32_MIN, INT32_MAX);
	key(f, UINT16_MAX, UINT32_MAX);
	button(f, UINT16_MAX, UINT32_MAX);
	send_one(f, (struct bis_input_event){.kind = BIS_INPUT_WHEEL, .code = 77, .x = 1});
	expect(f, EVENT(INPUT_KIND_ABSOLUTE, 0), XY(0, 32767));
	expect(f, EVENT(INPUT_KIND_KEY, UINT16_MAX), 1);
	expect(f, EVENT(INPUT_KIND_BUTTON, UINT16_MAX), 1);
	expect(f, EVENT(INPUT_KIND_WHEEL, 0), XY(1, 0));
}

static void the_interrupt_lasts_while_events_wait(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, INPUT_ENABLE_KEY);
	key(f, BIS_KEY_A, 1);
	assert_false(fake_irq(f->mod));
	assert_int_equal(rd(f, NATIVE_STATUS),
			 NATIVE_STATUS_READY | INPUT_STATUS_WAITING | 1u << INPUT_STATUS_COUNT_SHIFT);
	wr(f, INPUT_ENABLE, INPUT_ENABLE_KEY | INPUT_ENABLE_INTERRUPT);
	assert_true(fake_irq(f->mod));
	assert_true(rd(f, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_true(fake_irq(f->mod));
	key(f, BIS_KEY_A, 0);
	drop(f, 1);
	assert_true(fake_irq(f->mod));
	drop(f, 1);
	assert_false(fake_irq(f->mod));
	key(f, BIS_KEY_B, 1);
	assert_true(fake_irq(f->mod));
	wr(f, INPUT_ENABLE, INPUT_ENABLE_INTERRUPT); /* no kind: forgotten */
	assert_false(fake_irq(f->mod));
	assert_int_equal(waiting(f), 0);
}

static void events_are_read_in_bulk(void **state)
{
	struct fixture *f = *state;
	struct {
		uint32_t event, zero;
		uint64_t value;
	} got[4];

	wr(f, INPUT_ENABLE, ALL);
	for (uint32_t i = 0; i < 3; i++)
		text(f, 'a' + i);
	memset(got, 0xee, sizeof(got));
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){FAKE_RAM_END - sizeof(got)}, got, sizeof(got)));
	wr(f, INPUT_ADDRESS, FAKE_RAM_END - sizeof(got));
	assert_int_equal(rd(f, INPUT_ADDRESS), FAKE_RAM_END - sizeof(got));
	wr(f, INPUT_READ, 2);
	assert_int_equal(rd(f, INPUT_READ), 2);
	wr(f, INPUT_ADDRESS, FAKE_RAM_END - 2 * sizeof(got[0]));
	wr(f, INPUT_READ, 2);
	assert_int_equal(rd(f, INPUT_READ), 1);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_ok(bis_mem_read(f->m->memory, (bis_gpa){FAKE_RAM_END - sizeof(got)}, got, sizeof(got)));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(got[i].event, INPUT_KIND_TEXT);
		assert_int_equal(got[i].zero, 0);
		assert_int_equal(got[i].value, 'a' + i);
	}
	assert_int_equal(got[3].event, 0xeeeeeeee);
	wr(f, INPUT_READ, 0);
	assert_int_equal(rd(f, INPUT_READ), 0);
}

static void bulk_reads_outside_ram_take_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t address, count;
		unsigned error;
	} bad[] = {
		{0, 1, NATIVE_ERROR_ADDRESS},
		{BIS_RAM_BASE - 8, 1, NATIVE_ERROR_ADDRESS},
		{FAKE_RAM_END - 16, 2, NATIVE_ERROR_ADDRESS},
		{FAKE_RAM_END - 16 * 255, 256, NATIVE_ERROR_ADDRESS},
		{UINT64_MAX, 1, NATIVE_ERROR_ADDRESS},
		{UINT64_MAX - 15, 256, NATIVE_ERROR_ADDRESS},
		{BIS_RAM_BASE, 257, NATIVE_ERROR_TOO_BIG},
		{BIS_RAM_BASE, UINT64_MAX, NATIVE_ERROR_TOO_BIG},
		{BIS_RAM_BASE, UINT64_C(1) << 60, NATIVE_ERROR_TOO_BIG},
	};

	wr(f, INPUT_ENABLE, ALL);
	text(f, 'x');
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		wr(f, INPUT_ADDRESS, bad[i].address);
		wr(f, INPUT_READ, bad[i].count);
		assert_int_equal(fake_csr_error(f->mod), bad[i].error);
		assert_int_equal(rd(f, INPUT_READ), 0);
	}
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_int_equal(fake_csr_error(f->mod), 0);
	expect(f, INPUT_KIND_TEXT, 'x');
	wr(f, INPUT_HIGH, 1);
	wr(f, INPUT_ADDRESS, 0x80000000);
	wr(f, INPUT_READ, 1);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_ADDRESS);
}

static void what_does_not_fit_is_counted_and_marked(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL);
	assert_int_equal(bis_input_room(f->m), QUEUE);
	for (uint32_t i = 0; i < QUEUE; i++)
		assert_int_equal(text(f, i), 1);
	assert_int_equal(bis_input_room(f->m), 0);
	assert_false(rd(f, NATIVE_STATUS) & INPUT_STATUS_LOSING);
	assert_int_equal(text(f, 1000), 0);
	assert_true(rd(f, NATIVE_STATUS) & INPUT_STATUS_LOSING);
	for (uint32_t i = 0; i < QUEUE; i++) {
		expect(f, INPUT_KIND_TEXT, i);
		if (i == 0)
			assert_int_equal(text(f, 1001), 0); /* until all has been taken */
		assert_int_equal(bis_input_room(f->m), i < QUEUE - 1 ? 0 : QUEUE - 1);
	}
	assert_int_equal(waiting(f), 1);
	assert_int_equal(text(f, 'y'), 1);
	expect(f, INPUT_KIND_LOST, 2);
	expect(f, INPUT_KIND_TEXT, 'y');
	expect(f, INPUT_KIND_NONE, 0);
}

static void no_key_stays_down_after_a_flood(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL | INPUT_ENABLE_INTERRUPT);
	key(f, BIS_KEY_LEFTSHIFT, 1);
	key(f, BIS_KEY_A, 1);
	button(f, BIS_BTN_LEFT, 1);
	for (uint32_t i = 3; i < QUEUE; i++)
		text(f, 'x');
	key(f, BIS_KEY_A, 0);
	button(f, BIS_BTN_LEFT, 0);
	key(f, BIS_KEY_B, 1);
	key(f, BIS_KEY_C, 1);
	key(f, BIS_KEY_C, 0);
	button(f, BIS_BTN_RIGHT, 1);
	drop(f, QUEUE);
	assert_true(fake_irq(f->mod));
	expect(f, INPUT_KIND_LOST, 6);
	expect(f, EVENT(INPUT_KIND_KEY, BIS_KEY_A), 0);
	expect(f, EVENT(INPUT_KIND_KEY, BIS_KEY_B), 1);
	expect(f, EVENT(INPUT_KIND_BUTTON, BIS_BTN_LEFT), 0);
	expect(f, EVENT(INPUT_KIND_BUTTON, BIS_BTN_RIGHT), 1);
	expect(f, INPUT_KIND_NONE, 0);
	assert_false(fake_irq(f->mod));
}

static void more_keys_than_the_queue_has_places_are_told_of_in_turns(void **state)
{
	struct fixture *f = *state;
	unsigned down = 0;
	uint64_t event;

	wr(f, INPUT_ENABLE, INPUT_ENABLE_KEY);
	for (uint16_t code = 1; code < 0x300; code++)
		key(f, code, 1);
	drop(f, QUEUE);
	expect(f, INPUT_KIND_LOST, 0x2ff - QUEUE);
	for (down = QUEUE; (event = rd(f, INPUT_EVENT)); down++)
		assert_int_equal(event, EVENT(INPUT_KIND_KEY, down + 1));
	assert_int_equal(down, 0x2ff);
	assert_false(rd(f, NATIVE_STATUS) & INPUT_STATUS_LOSING);
}

static void movements_join_in_a_queue_that_fills(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL);
	for (int i = 0; i < 100; i++)
		move(f, BIS_INPUT_ABSOLUTE, i, i); /* a path is kept while there is room */
	assert_int_equal(waiting(f), 100);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(move(f, BIS_INPUT_RELATIVE, 1, -2), 1);
	assert_int_equal(waiting(f), 128);
	assert_int_equal(key(f, BIS_KEY_A, 1), 1);
	drop(f, 127);
	expect(f, INPUT_KIND_RELATIVE, XY(10000 - 27, -2 * (10000 - 27)));
	expect(f, EVENT(INPUT_KIND_KEY, BIS_KEY_A), 1);
}

static void movements_in_a_full_queue_are_added_up(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL);
	for (int i = 0; i < QUEUE; i++)
		text(f, 'x');
	assert_int_equal(move(f, BIS_INPUT_ABSOLUTE, 5, 6), 1);
	assert_int_equal(move(f, BIS_INPUT_RELATIVE, INT32_MAX, INT32_MIN), 1);
	assert_int_equal(move(f, BIS_INPUT_WHEEL, 120, 0), 1);
	assert_int_equal(move(f, BIS_INPUT_RELATIVE, 10, -10), 1);
	assert_int_equal(move(f, BIS_INPUT_ABSOLUTE, 7, 8), 1);
	assert_int_equal(move(f, BIS_INPUT_WHEEL, -20, 240), 1);
	drop(f, QUEUE);
	expect(f, INPUT_KIND_ABSOLUTE, XY(7, 8));
	expect(f, INPUT_KIND_RELATIVE, XY(INT32_MAX, INT32_MIN));
	expect(f, INPUT_KIND_WHEEL, XY(100, 240));
	expect(f, INPUT_KIND_NONE, 0); /* nothing was lost */
}

static void kinds_no_longer_wanted_leave_nothing_behind(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL);
	key(f, BIS_KEY_A, 1);
	drop(f, 1);
	wr(f, INPUT_ENABLE, INPUT_ENABLE_TEXT);
	wr(f, INPUT_ENABLE, ALL);
	for (int i = 0; i < QUEUE + 1; i++)
		text(f, 'x');
	drop(f, QUEUE);
	expect(f, INPUT_KIND_LOST, 1);
	expect(f, INPUT_KIND_NONE, 0);
}

static void reset_gives_the_power_on_state(void **state)
{
	struct fixture *f = *state;

	wr(f, INPUT_ENABLE, ALL | INPUT_ENABLE_INTERRUPT);
	for (int i = 0; i < QUEUE + 5; i++)
		text(f, 'x');
	wr(f, INPUT_ADDRESS, 4);
	wr(f, INPUT_READ, 1);
	fake_reset(f->mod);
	assert_false(fake_irq(f->mod));
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY);
	assert_int_equal(rd(f, INPUT_ENABLE), 0);
	assert_int_equal(rd(f, INPUT_ADDRESS), 0);
	expect(f, INPUT_KIND_NONE, 0);
	assert_int_equal(bis_input_kinds(f->m), 0);
	wr(f, INPUT_ENABLE, ALL);
	text(f, 'z');
	expect(f, INPUT_KIND_TEXT, 'z');
}

static int set_field(struct fixture *f, const char *name, const char *value)
{
	return bis_field_parse(bis_field_find(f->mod->class->fields, name), f->mod->self, value);
}

static void after_a_restore_keys_of_another_time_are_released(void **state)
{
	struct fixture *f = *state;
	char zeros[24 * 20 + 32] = "0x40000000"; /* KEY_A, bit 30 */

	for (int i = 1; i < 24; i++)
		strcat(zeros, " 0x0");
	assert_ok(set_field(f, "enable", "0x13f"));
	assert_ok(set_field(f, "told", zeros));
	assert_ok(f->mod->class->check(f->mod->self));
	assert_true(fake_irq(f->mod));
	expect(f, EVENT(INPUT_KIND_KEY, BIS_KEY_A), 0);
	expect(f, INPUT_KIND_NONE, 0);
	/* What cannot be is refused. */
	assert_ok(set_field(f, "count", "257"));
	assert_fails(f->mod->class->check(f->mod->self), -EINVAL, "input");
	assert_ok(set_field(f, "count", "256"));
	assert_ok(set_field(f, "head", "256"));
	assert_fails(f->mod->class->check(f->mod->self), -EINVAL, "input");
	assert_ok(set_field(f, "head", "255"));
	assert_ok(set_field(f, "losing", "1"));
	assert_ok(set_field(f, "moved", "0xffffffff"));
	assert_ok(f->mod->class->check(f->mod->self));
	while (waiting(f))
		rd(f, INPUT_EVENT);
	assert_int_equal(text(f, 'k'), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(nothing_comes_before_it_is_wanted),
		TEST(every_kind_arrives_as_it_was_sent),
		TEST(wild_values_are_made_tame),
		TEST(the_interrupt_lasts_while_events_wait),
		TEST(events_are_read_in_bulk),
		TEST(bulk_reads_outside_ram_take_nothing),
		TEST(what_does_not_fit_is_counted_and_marked),
		TEST(no_key_stays_down_after_a_flood),
		TEST(more_keys_than_the_queue_has_places_are_told_of_in_turns),
		TEST(movements_join_in_a_queue_that_fills),
		TEST(movements_in_a_full_queue_are_added_up),
		TEST(kinds_no_longer_wanted_leave_nothing_behind),
		TEST(reset_gives_the_power_on_state),
		TEST(after_a_restore_keys_of_another_time_are_released),
#undef TEST
	};

	return cmocka_run_group_tests_name("native_input", tests, NULL, NULL);
}
