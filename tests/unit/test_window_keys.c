/* Keys as SDL names them, keys as guests know them, and what types a character. */
#include <SDL.h>
#include <string.h>

#include <biscuit/input.h>

#include "frontend/window/keys.h"
#include "tests/unit/unit.h"

static void keys_have_their_codes(void **state)
{
	static const struct {
		SDL_Scancode scancode;
		uint16_t code;
	} known[] = {
		{SDL_SCANCODE_A, 30},	      {SDL_SCANCODE_Z, 44},	      {SDL_SCANCODE_1, 2},
		{SDL_SCANCODE_0, 11},	      {SDL_SCANCODE_RETURN, 28},      {SDL_SCANCODE_ESCAPE, 1},
		{SDL_SCANCODE_SPACE, 57},     {SDL_SCANCODE_F1, 59},	      {SDL_SCANCODE_F10, 68},
		{SDL_SCANCODE_F11, 87},	      {SDL_SCANCODE_F12, 88},	      {SDL_SCANCODE_LCTRL, 29},
		{SDL_SCANCODE_RALT, 100},     {SDL_SCANCODE_LGUI, 125},	      {SDL_SCANCODE_UP, 103},
		{SDL_SCANCODE_DELETE, 111},   {SDL_SCANCODE_KP_ENTER, 96},    {SDL_SCANCODE_KP_7, 71},
		{SDL_SCANCODE_KP_PERIOD, 83}, {SDL_SCANCODE_GRAVE, 41},	      {SDL_SCANCODE_NONUSBACKSLASH, 86},
		{SDL_SCANCODE_POWER, 116},    {SDL_SCANCODE_PRINTSCREEN, 99},
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(known); i++)
		assert_int_equal(keys_code(known[i].scancode), known[i].code);
}

static void what_is_no_key_has_no_code(void **state)
{
	(void)state;
	assert_int_equal(keys_code(SDL_SCANCODE_UNKNOWN), 0);
	assert_int_equal(keys_code((SDL_Scancode)-1), 0);
	assert_int_equal(keys_code(SDL_NUM_SCANCODES), 0);
	assert_int_equal(keys_code((SDL_Scancode)0x7fffffff), 0);
}

/* Keys of one place differ, but for the key beside enter, which has two places. */
static void no_two_letters_or_figures_share_a_code(void **state)
{
	(void)state;
	for (int a = SDL_SCANCODE_A; a < SDL_SCANCODE_NONUSHASH; a++)
		for (int b = SDL_SCANCODE_A; b < a; b++)
			assert_int_not_equal(keys_code((SDL_Scancode)a), keys_code((SDL_Scancode)b));
}

static void every_code_has_a_name(void **state)
{
	(void)state;
	for (int s = 0; s < SDL_NUM_SCANCODES; s++)
		if (keys_code((SDL_Scancode)s))
			assert_non_null(bis_input_code_name(keys_code((SDL_Scancode)s)));
}

static void buttons_have_their_codes(void **state)
{
	(void)state;
	assert_int_equal(keys_button(SDL_BUTTON_LEFT), 0x110);
	assert_int_equal(keys_button(SDL_BUTTON_RIGHT), 0x111);
	assert_int_equal(keys_button(SDL_BUTTON_MIDDLE), 0x112);
	assert_int_equal(keys_button(SDL_BUTTON_X1), 0x113);
	assert_int_equal(keys_button(SDL_BUTTON_X2), 0x114);
	assert_int_equal(keys_button(0), 0);
	assert_int_equal(keys_button(200), 0);
}

static void assert_typed(uint32_t c, uint16_t code, bool shift)
{
	struct typed t = keys_typed(c);

	assert_int_equal(t.code, code);
	assert_int_equal(t.shift, shift);
}

static void characters_are_typed_as_on_a_keyboard_of_the_united_states(void **state)
{
	(void)state;
	assert_typed('a', 30, false);
	assert_typed('A', 30, true);
	assert_typed('7', 8, false);
	assert_typed('&', 8, true);
	assert_typed('_', 12, true);
	assert_typed('\\', 43, false);
	assert_typed('"', 40, true);
	assert_typed('~', 41, true);
	assert_typed(' ', 57, false);
	assert_typed('\n', 28, false);
	assert_typed('\t', 15, false);
}

/* A key and the shift key together type one character at most. */
static void every_ascii_character_has_a_key_of_its_own(void **state)
{
	(void)state;
	for (uint32_t a = ' '; a <= '~'; a++) {
		struct typed t = keys_typed(a);

		assert_int_not_equal(t.code, 0);
		for (uint32_t b = ' '; b < a; b++)
			assert_false(keys_typed(b).code == t.code && keys_typed(b).shift == t.shift);
	}
}

static void other_characters_have_no_key(void **state)
{
	(void)state;
	assert_typed(0, 0, false);
	assert_typed(0x1b, 0, false);
	assert_typed(0x7f, 0, false);
	assert_typed(0xe4, 0, false);
	assert_typed(0xffffffff, 0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_their_codes),
		cmocka_unit_test(what_is_no_key_has_no_code),
		cmocka_unit_test(no_two_letters_or_figures_share_a_code),
		cmocka_unit_test(every_code_has_a_name),
		cmocka_unit_test(buttons_have_their_codes),
		cmocka_unit_test(characters_are_typed_as_on_a_keyboard_of_the_united_states),
		cmocka_unit_test(every_ascii_character_has_a_key_of_its_own),
		cmocka_unit_test(other_characters_have_no_key),
	};

	return cmocka_run_group_tests_name("window_keys", tests, NULL, NULL);
}
