/*
 * Input: names of codes, and which device gets which events.
 */
#include <stdlib.h>

#include <biscuit/input.h>

#include "tests/unit/fake_machine.h"

struct sink {
	bool off;
	unsigned wanted;
	size_t limit, count, calls, room;
	struct bis_input_event got[256];
};

static bool in_use(void *self)
{
	return !((struct sink *)self)->off;
}

static unsigned wanted(void *self)
{
	return ((struct sink *)self)->wanted;
}

static size_t room(void *self)
{
	return ((struct sink *)self)->room;
}

static size_t take(void *self, const struct bis_input_event *events, size_t count)
{
	struct sink *s = self;
	size_t n = 0;

	s->calls++;
	assert_in_range(count, 1, 64);
	while (n < count && s->count < s->limit)
		s->got[s->count++] = events[n++];
	return n;
}

#define KEYS	 (1u << BIS_INPUT_KEY)
#define POINTERS (1u << BIS_INPUT_BUTTON | 1u << BIS_INPUT_ABSOLUTE)

static const struct bis_input_ops keyboard = {.kinds = KEYS, .in_use = in_use, .take = take};
static const struct bis_input_ops tablet = {.kinds = POINTERS, .take = take};
static const struct bis_input_ops chooser = {.kinds = KEYS | POINTERS, .wanted = wanted, .take = take, .room = room};

static int setup(void **state)
{
	*state = fake_create(1);
	return 0;
}

static int teardown(void **state)
{
	fake_destroy(*state);
	return 0;
}

static const struct bis_input_event group[] = {
	{.kind = BIS_INPUT_ABSOLUTE, .x = 1, .y = 2},
	{.kind = BIS_INPUT_BUTTON, .code = BIS_BTN_LEFT, .value = 1},
	{.kind = BIS_INPUT_KEY, .code = BIS_KEY_A, .value = 1},
	{.kind = BIS_INPUT_TEXT, .value = 'a'},
	{.kind = (enum bis_input_kind)BIS_INPUT_KINDS},
	{.kind = (enum bis_input_kind)0xffffffff},
};

static void codes_have_names_and_names_have_codes(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct bis_input_code *c; (c = bis_input_code(n)); n++) {
		if (n)
			assert_true(c->code > bis_input_code(n - 1)->code);
		assert_int_equal(bis_input_code_find(c->name), c->code);
		assert_ptr_equal(bis_input_code_name(c->code), c->name);
		assert_int_equal(strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(c->name));
	}
	assert_true(n > 200);
	assert_int_equal(bis_input_code_find("a"), 30);
	assert_int_equal(bis_input_code_find("enter"), 28);
	assert_int_equal(bis_input_code_find("left-shift"), 42);
	assert_int_equal(bis_input_code_find("f12"), 88);
	assert_int_equal(bis_input_code_find("power"), 116);
	assert_int_equal(bis_input_code_find("button-left"), 0x110);
	assert_int_equal(BIS_BTN_MIDDLE, 0x112);
	assert_int_equal(bis_input_code_find("no such key"), 0);
	assert_int_equal(bis_input_code_find(""), 0);
	assert_null(bis_input_code_name(0));
	assert_null(bis_input_code_name(UINT16_MAX));
	assert_null(bis_input_code(SIZE_MAX));
}

static void devices_get_their_kinds_in_one_piece(void **state)
{
	struct bis_machine *m = *state;
	struct sink keys = {.limit = 256}, pointer = {.limit = 256};

	assert_int_equal(bis_input_send(m, group, BIS_ARRAY_SIZE(group)), 0);
	assert_int_equal(bis_input_kinds(m), 0);
	assert_ok(bis_input_attach(m, &keyboard, &keys));
	assert_ok(bis_input_attach(m, &tablet, &pointer));
	assert_int_equal(bis_input_kinds(m), KEYS | POINTERS);
	assert_int_equal(bis_input_send(m, group, BIS_ARRAY_SIZE(group)), 3);
	assert_int_equal(keys.count, 1);
	assert_int_equal(keys.got[0].code, 30);
	assert_int_equal(pointer.calls, 1);
	assert_int_equal(pointer.count, 2);
	assert_int_equal(pointer.got[0].kind, BIS_INPUT_ABSOLUTE);
	assert_int_equal(pointer.got[1].kind, BIS_INPUT_BUTTON);
	keys.off = true;
	assert_int_equal(bis_input_kinds(m), POINTERS);
	assert_int_equal(bis_input_send(m, &group[2], 1), 0);
	assert_int_equal(keys.calls, 1);
	bis_input_detach(m, &pointer);
	assert_int_equal(bis_input_send(m, group, BIS_ARRAY_SIZE(group)), 0);
	bis_input_detach(m, &keys);
	bis_input_detach(m, &keys);
}

static void an_event_that_two_devices_take_counts_once(void **state)
{
	struct bis_machine *m = *state;
	struct sink keys = {.limit = 256}, all = {.limit = 1, .wanted = KEYS | POINTERS};

	assert_ok(bis_input_attach(m, &keyboard, &keys));
	assert_ok(bis_input_attach(m, &chooser, &all));
	assert_int_equal(bis_input_send(m, group, 3), 2);
	assert_int_equal(all.count, 1);
	all.limit = 256;
	assert_int_equal(bis_input_send(m, group, 3), 3);
	all.wanted = 1u << BIS_INPUT_BUTTON;
	all.count = 0;
	assert_int_equal(bis_input_send(m, group, 3), 2);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.got[0].kind, BIS_INPUT_BUTTON);
	all.wanted = UINT32_MAX;
	assert_int_equal(bis_input_kinds(m), KEYS | POINTERS);
	bis_input_detach(m, &keys);
	bis_input_detach(m, &all);
}

static void room_is_that_of_the_fullest_device_in_use(void **state)
{
	struct bis_machine *m = *state;
	struct sink keys = {.limit = 256}, all = {.room = 7};

	assert_int_equal(bis_input_room(m), SIZE_MAX);
	assert_ok(bis_input_attach(m, &keyboard, &keys));
	assert_ok(bis_input_attach(m, &chooser, &all));
	assert_int_equal(bis_input_room(m), SIZE_MAX); /* it is not in use */
	all.wanted = KEYS;
	assert_int_equal(bis_input_room(m), 7);
	bis_input_detach(m, &keys);
	bis_input_detach(m, &all);
}

static void a_flood_arrives_whole_and_in_order(void **state)
{
	struct bis_machine *m = *state;
	struct sink keys = {.limit = 200};
	struct bis_input_event flood[250];

	for (unsigned i = 0; i < 250; i++)
		flood[i] = (struct bis_input_event){.kind = BIS_INPUT_KEY, .code = (uint16_t)(i + 1), .value = i & 1};
	assert_ok(bis_input_attach(m, &keyboard, &keys));
	assert_int_equal(bis_input_send(m, flood, 250), 200);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(keys.got[i].code, i + 1);
	assert_int_equal(bis_input_send(m, NULL, 0), 0);
	bis_input_detach(m, &keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_have_names_and_names_have_codes),
		cmocka_unit_test_setup_teardown(devices_get_their_kinds_in_one_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(an_event_that_two_devices_take_counts_once, setup, teardown),
		cmocka_unit_test_setup_teardown(room_is_that_of_the_fullest_device_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_arrives_whole_and_in_order, setup, teardown),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
