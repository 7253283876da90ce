/*
 * The terminal of the window: what bytes become on the screen and above it, and lines that are broken anew.
 */
#include "tests/unit/term_rig.h"

/* --- What bytes become --- */

static void text_goes_where_the_cursor_is(void **state)
{
	struct fixture *f = *state;

	put(f, "hello\r\nyou\x1b[1;3HXY\x1b[4;10Hz");
	assert_string_equal(row_text(f, 0), "heXYo");
	assert_string_equal(row_text(f, 1), "you");
	assert_string_equal(row_text(f, 3), "         z");
	put(f, "\x1b[2J\x1b[H");
	assert_string_equal(row_text(f, 0), "");
	assert_cursor(f, 0, 0);
}

static void styles_and_colours_stay_with_the_characters(void **state)
{
	struct fixture *f = *state;

	put(f, "\x1b[1;3;4;7;9;31mA\x1b[0;38;5;196;48;5;16mB\x1b[38;2;1;2;3;48;2;250;251;252mC\x1b[mD\x1b[21mE");
	assert_int_equal(cell(f, 0, 0).style, TERM_BOLD | TERM_ITALIC | TERM_UNDERLINE | TERM_STRIKE | TERM_REVERSE);
	assert_int_equal(cell(f, 0, 1).style, 0);
	assert_int_equal(term_rgb(f->t, cell(f, 0, 1).fg, true), 0xff0000);
	assert_int_equal(term_rgb(f->t, cell(f, 0, 1).bg, false), 0x000000);
	assert_int_equal(term_rgb(f->t, cell(f, 0, 2).fg, true), 0x010203);
	assert_int_equal(term_rgb(f->t, cell(f, 0, 2).bg, false), 0xfafbfc);
	assert_int_equal(cell(f, 0, 3).fg | cell(f, 0, 3).bg, 0);
	assert_int_equal(cell(f, 0, 4).style, TERM_UNDERLINE | TERM_DOUBLE);
}

static void erasing_keeps_the_background(void **state)
{
	struct fixture *f = *state;

	put(f, "\x1b[48;2;0;0;255m\x1b[K");
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(term_rgb(f->t, cell(f, 0, i).bg, false), 0x0000ff);
	assert_int_equal(cell(f, 1, 0).bg, 0);
	put(f, "\x1b[m\x1b[2K");
	assert_int_equal(cell(f, 0, 0).bg, 0);
}

static void reverse_video_swaps_the_default_colours(void **state)
{
	struct fixture *f = *state;
	uint32_t front = term_rgb(f->t, 0, true), back = term_rgb(f->t, 0, false);

	put(f, "\x1b[?5h");
	assert_int_equal(term_rgb(f->t, 0, true), back);
	assert_int_equal(term_rgb(f->t, 0, false), front);
}

static void wide_characters_take_two_cells(void **state)
{
	struct fixture *f = *state;

	put(f, "\xe6\x97\xa5x");
	assert_int_equal(cell(f, 0, 0).character, 0x65e5);
	assert_true(cell(f, 0, 0).style & TERM_WIDE);
	assert_true(cell(f, 0, 1).style & TERM_RIGHT);
	assert_int_equal(cell(f, 0, 2).character, 'x');
	put(f, "\x1b[1;2Hy"); /* the right half is overwritten */
	assert_string_equal(row_text(f, 0), " yx");
	assert_int_equal(cell(f, 0, 0).style, 0);
	put(f, "\r\xe6\x97\xa5\rz"); /* the left one */
	assert_string_equal(row_text(f, 0), "z x");
	assert_int_equal(cell(f, 0, 1).style, 0);
}

static void a_wide_character_that_does_not_fit_goes_to_the_next_line(void **state)
{
	struct fixture *f = *state;

	put(f, "123456789\xe6\x97\xa5");
	assert_string_equal(row_text(f, 0), "123456789");
	assert_string_equal(row_text(f, 1), "\xe6\x97\xa5");
	assert_true(term_wrapped(f->t, term_top(f->t)));
	assert_int_equal(term_resize(f->t, 11, 4), 0);
	assert_string_equal(row_text(f, 0), "123456789\xe6\x97\xa5");
	assert_int_equal(term_resize(f->t, 3, 4), 0);
	assert_string_equal(row_text(f, 3), "\xe6\x97\xa5");
	assert_int_equal(term_resize(f->t, 10, 4), 0);
	assert_string_equal(row_text(f, 0), "123456789");
	assert_string_equal(row_text(f, 1), "\xe6\x97\xa5");
}

static void combining_marks_join_their_character(void **state)
{
	struct fixture *f = *state;

	put(f, "e\xcc\x81\xcc\xa3\xcc\x88o"); /* three, of which a cell keeps two */
	assert_int_equal(cell(f, 0, 0).character, 'e');
	assert_int_equal(cell(f, 0, 0).marks[0], 0x301);
	assert_int_equal(cell(f, 0, 0).marks[1], 0x323);
	assert_int_equal(cell(f, 0, 1).character, 'o');
	put(f, "\r\n");
	for (const char *s = "u\xcc\x88"; *s; s++) /* in pieces */
		term_write(f->t, s, 1);
	assert_int_equal(cell(f, 1, 0).marks[0], 0x308);
}

static void broken_utf8_is_shown_as_such(void **state)
{
	struct fixture *f = *state;

	put(f, "a\xff"
	       "b\xc3(");
	assert_int_equal(cell(f, 0, 0).character, 'a');
	assert_int_equal(cell(f, 0, 1).character, 0xfffd);
	assert_int_equal(cell(f, 0, 2).character, 'b');
}

static void control_characters_as_utf8_are_none(void **state)
{
	struct fixture *f = *state;

	put(f, "\xc2\x80\xc2");
	put(f, "\x85\xc2\x1b[C\x80\x7f");
	assert_string_equal(row_text(f, 0), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd");
	assert_cursor(f, 0, 5);
	put(f, "\r\xe2\x82");
	put(f, "\xac");
	assert_string_equal(row_text(f, 0), "\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd");
}

static void cursor_has_the_shape_the_guest_wants(void **state)
{
	struct fixture *f = *state;
	struct term_pos at;

	assert_int_equal(term_cursor(f->t, &at), TERM_CURSOR_BLOCK);
	put(f, "\x1b[4 q");
	assert_int_equal(term_cursor(f->t, &at), TERM_CURSOR_UNDERLINE);
	put(f, "\x1b[6 q");
	assert_int_equal(term_cursor(f->t, &at), TERM_CURSOR_BAR);
	put(f, "\x1b[?25l");
	assert_int_equal(term_cursor(f->t, &at), TERM_CURSOR_NONE);
}

static void title_and_bell_are_told(void **state)
{
	struct fixture *f = *state;

	put(f, "\x1b]0;a\xc3\xbctitle\a\a");
	assert_string_equal(f->title, "a\xc3\xbctitle");
	assert_string_equal(term_title(f->t), "a\xc3\xbctitle");
	assert_int_equal(f->bells, 1);
	put(f, "\x1bP$q544e\x1b\\\x1b_any\x1b\\x\x1b]2;");
	for (int i = 0; i < 5000; i++)
		put(f, "long ");
	put(f, "\a");
	assert_true(strlen(f->title) < 128);
}

static void questions_are_answered(void **state)
{
	struct fixture *f = *state;

	put(f, "\x1b[2;3H\x1b[6n");
	assert_string_equal(f->out, "\x1b[2;3R");
}

static void a_character_is_repeated_where_there_is_one(void **state)
{
	struct fixture *f = *state;

	put(f, "\x1b[3b"); /* nothing yet */
	assert_cursor(f, 0, 0);
	put(f, "x\x1b[3b");
	assert_string_equal(row_text(f, 0), "xxxx");
	put(f, "\xe6\x97\xa5\x1b[b");
	assert_string_equal(row_text(f, 0), "xxxx\xe6\x97\xa5\xe6\x97\xa5");
	put(f, "\x1b[999b");
}

/* The alignment pattern is no text: a character that was written before it is not repeated, nor is one of its own. */
static void the_alignment_pattern_is_not_repeated(void **state)
{
	struct fixture *f = *state;

	put(f, "\x1b#8\x1b[5b");
	assert_string_equal(row_text(f, 0), "EEEEEEEEEE");
	put(f, "\x1b#8\x1b[H\x1b[5bok");
	assert_string_equal(row_text(f, 0), "okEEEEEEEE");
}

/* --- Lines that leave the screen --- */

static void lines_are_kept_after_they_left_the_screen(void **state)
{
	struct fixture *f = *state;

	put(f, "l0");
	put_numbers(f, 1, 20);
	assert_int_equal(term_top(f->t) - term_first(f->t), 16);
	assert_int_equal(term_end(f->t) - term_top(f->t), 4);
	assert_string_equal(line_text(f, term_first(f->t)), "l0");
	assert_string_equal(row_text(f, 3), "l19");
}

static void the_oldest_lines_go_first(void **state)
{
	struct fixture *f = *state;

	put_numbers(f, 0, 500);
	assert_int_equal(term_top(f->t) - term_first(f->t), 100);
	assert_string_equal(line_text(f, term_first(f->t)), "l396");
	assert_string_equal(row_text(f, 3), "l499");
	assert_string_equal(line_text(f, 0), ""); /* no longer there */
	assert_string_equal(line_text(f, UINT64_MAX), "");
}

static void no_history_is_possible(void **state)
{
	struct fixture *f = *state;

	put_numbers(f, 0, 50);
	assert_int_equal(term_top(f->t), term_first(f->t));
	assert_string_equal(row_text(f, 0), "l46");
	assert_int_equal(term_resize(f->t, 20, 2), 0);
	assert_string_equal(row_text(f, 1), "l49");
}

static void a_region_at_the_top_scrolls_into_the_history(void **state)
{
	struct fixture *f = *state;

	put(f, "a\r\nb\r\nc\r\nstatus\x1b[1;3r\x1b[3;1H\n\nd");
	assert_string_equal(line_text(f, term_first(f->t)), "a");
	assert_string_equal(row_text(f, 0), "c");
	assert_string_equal(row_text(f, 2), "d");
	assert_string_equal(row_text(f, 3), "status");
}

static void a_region_elsewhere_keeps_nothing(void **state)
{
	struct fixture *f = *state;

	put(f, "a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\nx");
	assert_int_equal(term_top(f->t), term_first(f->t));
	assert_string_equal(row_text(f, 0), "a");
	assert_string_equal(row_text(f, 1), "c");
	assert_string_equal(row_text(f, 2), "x");
	assert_string_equal(row_text(f, 3), "d");
	put(f, "\x1b[2;1H\x1bM"); /* down again */
	assert_string_equal(row_text(f, 1), "");
	assert_string_equal(row_text(f, 2), "c");
}

static void characters_and_lines_are_inserted_and_deleted(void **state)
{
	struct fixture *f = *state;

	put(f, "abcdef\r\nsecond\r\nthird\x1b[1;2H\x1b[2@");
	assert_string_equal(row_text(f, 0), "a  bcdef");
	put(f, "\x1b[3P");
	assert_string_equal(row_text(f, 0), "acdef");
	put(f, "\x1b[2;1H\x1b[L");
	assert_string_equal(row_text(f, 1), "");
	assert_string_equal(row_text(f, 2), "second");
	put(f, "\x1b[2M");
	assert_string_equal(row_text(f, 1), "third");
}

static void the_view_stays_when_scrolled_back(void **state)
{
	struct fixture *f = *state;
	uint64_t view;

	put_numbers(f, 0, 50);
	assert_int_equal(term_view(f->t), term_top(f->t));
	term_scroll(f->t, 5);
	view = term_view(f->t);
	assert_int_equal(view, term_top(f->t) - 5);
	put_numbers(f, 50, 60);
	assert_int_equal(term_view(f->t), view);
	term_scroll(f->t, 100000);
	assert_int_equal(term_view(f->t), term_first(f->t));
	put_numbers(f, 60, 400);
	assert_int_equal(term_view(f->t), term_first(f->t)); /* what was shown is gone */
	term_scroll(f->t, -100000);
	assert_int_equal(term_view(f->t), term_top(f->t));
	put(f, "\r\n");
	assert_int_equal(term_view(f->t), term_top(f->t));
}

static void the_alternate_screen_leaves_the_other_alone(void **state)
{
	struct fixture *f = *state;

	put_numbers(f, 0, 20);
	put(f, "\x1b[?1049h\x1b[H\x1b[2Jfull");
	assert_true(term_in_alternate(f->t));
	assert_string_equal(row_text(f, 0), "full");
	assert_int_equal(term_first(f->t), term_top(f->t));
	put_numbers(f, 0, 20); /* nothing of it is kept */
	term_scroll(f->t, 3);
	assert_int_equal(term_view(f->t), term_top(f->t));
	put(f, "\x1b[?1049l");
	assert_false(term_in_alternate(f->t));
	assert_string_equal(row_text(f, 3), "l19");
	assert_string_equal(line_text(f, term_top(f->t) - 1), "l15");
}

/* --- Sizes --- */

static void wrapped_lines_are_broken_anew(void **state)
{
	struct fixture *f = *state;

	put(f, "0123456789abcdefghij$ x");
	assert_cursor(f, 2, 3);
	assert_true(term_wrapped(f->t, term_top(f->t)));
	assert_int_equal(term_resize(f->t, 40, 4), 0);
	assert_string_equal(row_text(f, 0), "0123456789abcdefghij$ x");
	assert_cursor(f, 0, 23);
	assert_int_equal(term_resize(f->t, 5, 4), 0);
	assert_string_equal(row_text(f, 3), "j$ x" + 1);
	assert_string_equal(line_text(f, term_first(f->t)), "01234");
	assert_cursor(f, 3, 3);
	put(f, "!");
	assert_int_equal(term_resize(f->t, 30, 4), 0);
	assert_string_equal(row_text(f, 0), "0123456789abcdefghij$ x!");
	put(f, "?");
	assert_string_equal(row_text(f, 0), "0123456789abcdefghij$ x!?");
}

static void lines_that_were_not_wrapped_are_not_joined(void **state)
{
	struct fixture *f = *state;

	put(f, "0123456789\r\nabc\x1b[3;10Hx\x1b[4;1Hy");
	assert_false(term_wrapped(f->t, term_top(f->t)));
	assert_false(term_wrapped(f->t, term_top(f->t) + 2));
	assert_int_equal(term_resize(f->t, 20, 4), 0);
	assert_string_equal(row_text(f, 0), "0123456789");
	assert_string_equal(row_text(f, 1), "abc");
	assert_string_equal(row_text(f, 3), "y");
}

static void a_wrap_is_known_however_the_text_is_cut(void **state)
{
	struct fixture *f = *state;

	for (const char *s = "0123456789abc"; *s; s++)
		term_write(f->t, s, 1);
	assert_true(term_wrapped(f->t, term_top(f->t)));
	put(f, "\x1b[2;1H2nd"); /* written there on purpose: no longer the same line */
	assert_false(term_wrapped(f->t, term_top(f->t)));
}

static void a_higher_screen_takes_lines_back(void **state)
{
	struct fixture *f = *state;

	put_numbers(f, 0, 20);
	assert_int_equal(term_resize(f->t, 10, 10), 0);
	assert_string_equal(row_text(f, 0), "l10");
	assert_cursor(f, 9, 3);
	assert_int_equal(term_resize(f->t, 10, 2), 0);
	assert_string_equal(row_text(f, 1), "l19");
	assert_cursor(f, 1, 3);
}

static void blank_rows_below_do_not_push_text_away(void **state)
{
	struct fixture *f = *state;

	put(f, "one\r\ntwo");
	assert_int_equal(term_resize(f->t, 10, 2), 0);
	assert_string_equal(row_text(f, 0), "one");
	assert_cursor(f, 1, 3);
	assert_int_equal(term_top(f->t), term_first(f->t));
}

static void the_alternate_screen_is_cut_and_the_other_broken_anew(void **state)
{
	struct fixture *f = *state;

	put(f, "0123456789abc\x1b[?1049h\x1b[2J\x1b[4;10Hx");
	assert_int_equal(term_resize(f->t, 20, 6), 0);
	assert_cursor(f, 3, 10);
	put(f, "\x1b[?1049l");
	assert_string_equal(row_text(f, 0), "0123456789abc");
}

static void sizes_are_cut_to_what_there_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(term_resize(f->t, 0, 0), 0);
	assert_int_equal(term_columns(f->t), TERM_COLUMNS_MIN);
	assert_int_equal(term_rows(f->t), 1);
	put(f, "\xe6\x97\xa5\xe6\x97\xa5xyz");
	assert_int_equal(term_resize(f->t, UINT32_MAX, UINT32_MAX), 0);
	assert_int_equal(term_columns(f->t), TERM_COLUMNS_MAX);
	assert_int_equal(term_rows(f->t), TERM_ROWS_MAX);
	assert_string_equal(row_text(f, 0), "\xe6\x97\xa5\xe6\x97\xa5xyz");
}

static int setup_without_history(void **state)
{
	return setup_size(state, 10, 4, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_goes_where_the_cursor_is),
		TEST(styles_and_colours_stay_with_the_characters),
		TEST(erasing_keeps_the_background),
		TEST(reverse_video_swaps_the_default_colours),
		TEST(wide_characters_take_two_cells),
		TEST(a_wide_character_that_does_not_fit_goes_to_the_next_line),
		TEST(combining_marks_join_their_character),
		TEST(broken_utf8_is_shown_as_such),
		TEST(control_characters_as_utf8_are_none),
		TEST(cursor_has_the_shape_the_guest_wants),
		TEST(title_and_bell_are_told),
		TEST(questions_are_answered),
		TEST(a_character_is_repeated_where_there_is_one),
		TEST(the_alignment_pattern_is_not_repeated),
		TEST(lines_are_kept_after_they_left_the_screen),
		TEST(the_oldest_lines_go_first),
		cmocka_unit_test_setup_teardown(no_history_is_possible, setup_without_history, teardown),
		TEST(a_region_at_the_top_scrolls_into_the_history),
		TEST(a_region_elsewhere_keeps_nothing),
		TEST(characters_and_lines_are_inserted_and_deleted),
		TEST(the_view_stays_when_scrolled_back),
		TEST(the_alternate_screen_leaves_the_other_alone),
		TEST(wrapped_lines_are_broken_anew),
		TEST(lines_that_were_not_wrapped_are_not_joined),
		TEST(a_wrap_is_known_however_the_text_is_cut),
		TEST(a_higher_screen_takes_lines_back),
		TEST(blank_rows_below_do_not_push_text_away),
		TEST(the_alternate_screen_is_cut_and_the_other_broken_anew),
		TEST(sizes_are_cut_to_what_there_is),
	};

	return cmocka_run_group_tests_name("term", tests, NULL, NULL);
}
