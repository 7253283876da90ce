/* What a person does at the terminal of the window: selection, search, keys, mouse and paste. */
#include <vterm_keycodes.h>

#include "tests/unit/term_rig.h"

/* --- Selection --- */

static void characters_are_selected_by_dragging(void **state)
{
	struct fixture *f = *state;

	put(f, "hello you\r\nthere");
	term_select(f->t, pos(f, 0, 6), TERM_BY_CHARACTER);
	assert_false(term_has_selection(f->t));
	assert_selected(f, NULL);
	term_select_to(f->t, pos(f, 1, 1));
	assert_selected(f, "you\nth");
	term_select_to(f->t, pos(f, 0, 4)); /* to the other side */
	assert_selected(f, "o y");
	term_select_none(f->t);
	assert_selected(f, NULL);
}

static void selected_columns_of_a_line(void **state)
{
	struct fixture *f = *state;
	unsigned from, to;

	put(f, "hello you\r\nthere");
	term_select(f->t, pos(f, 0, 6), TERM_BY_CHARACTER);
	term_select_to(f->t, pos(f, 2, 1));
	assert_true(term_selected(f->t, term_top(f->t), &from, &to));
	assert_int_equal(from, 6);
	assert_int_equal(to, 10);
	assert_true(term_selected(f->t, term_top(f->t) + 2, &from, &to));
	assert_int_equal(from, 0);
	assert_int_equal(to, 2);
	assert_false(term_selected(f->t, term_top(f->t) + 3, &from, &to));
}

static void words_are_paths_too(void **state)
{
	struct fixture *f = *state;

	put(f, "(a/b-c.d) x");
	term_select(f->t, pos(f, 0, 3), TERM_BY_WORD);
	assert_selected(f, "a/b-c.d");
	term_select_to(f->t, pos(f, 1, 0));
	assert_selected(f, "a/b-c.d) x");
	term_select(f->t, pos(f, 0, 0), TERM_BY_WORD);
	assert_selected(f, "(");
}

static void a_word_and_a_line_go_on_where_they_were_wrapped(void **state)
{
	struct fixture *f = *state;

	put(f, "see abcdefghijklmn end\r\nnext");
	term_select(f->t, pos(f, 1, 2), TERM_BY_WORD);
	assert_selected(f, "abcdefghijklmn");
	term_select(f->t, pos(f, 1, 2), TERM_BY_LINE);
	assert_selected(f, "see abcdefghijklmn end");
	term_select_to(f->t, pos(f, 3, 0));
	assert_selected(f, "see abcdefghijklmn end\nnext");
}

static void wide_characters_are_selected_whole(void **state)
{
	struct fixture *f = *state;

	put(f, "a\xe6\x97\xa5"
	       "e\xcc\x81z");
	term_select(f->t, pos(f, 0, 2), TERM_BY_CHARACTER);
	term_select_to(f->t, pos(f, 0, 3));
	assert_selected(f, "\xe6\x97\xa5"
			   "e\xcc\x81");
	term_select(f->t, pos(f, 0, 0), TERM_BY_CHARACTER);
	term_select_to(f->t, pos(f, 0, 1));
	assert_selected(f, "a\xe6\x97\xa5");
}

static void a_selection_scrolls_with_its_text(void **state)
{
	struct fixture *f = *state;

	put(f, "\r\n\r\n\r\nkeep me");
	term_select(f->t, pos(f, 3, 0), TERM_BY_LINE);
	put_numbers(f, 0, 50);
	assert_selected(f, "keep me");
	put_numbers(f, 0, 200); /* the line is no longer kept */
	assert_selected(f, NULL);
}

static void a_selection_goes_when_its_text_changes(void **state)
{
	struct fixture *f = *state;

	put(f, "hello\r\nyou");
	term_select(f->t, pos(f, 0, 0), TERM_BY_WORD);
	put(f, "!");
	assert_selected(f, "hello");
	put(f, "\x1b[1;2Hx");
	assert_selected(f, NULL);
	term_select(f->t, pos(f, 1, 0), TERM_BY_WORD);
	put(f, "\x1b[2J");
	assert_selected(f, NULL);
}

static void positions_outside_are_cut(void **state)
{
	struct fixture *f = *state;

	put(f, "hello\r\nyou");
	term_select(f->t, (struct term_pos){0, 0}, TERM_BY_CHARACTER);
	term_select_to(f->t, (struct term_pos){UINT64_MAX, UINT32_MAX});
	assert_selected(f, "hello\nyou\n\n");
}

/* --- Search --- */

static void search_finds_backwards_and_forwards_round_the_end(void **state)
{
	struct fixture *f = *state;
	unsigned spans[4][2];

	put(f, "needle 1");
	put_numbers(f, 0, 30);
	put(f, "\r\nNeedle 2 needle");
	term_search(f->t, "needle");
	assert_true(term_find(f->t, true));
	assert_selected(f, "needle");
	assert_int_equal(term_finds(f->t, term_top(f->t) + 2, spans, 4), 2);
	assert_int_equal(spans[0][0], 0);
	assert_int_equal(spans[0][1], 6);
	assert_int_equal(spans[1][0], 9);
	assert_int_equal(spans[1][1], 10);
	assert_int_equal(term_finds(f->t, term_top(f->t) + 3, spans, 4), 1); /* the rest of the second one */
	assert_int_equal(spans[0][1], 5);
	assert_true(term_find(f->t, true));
	assert_selected(f, "Needle");
	assert_int_equal(term_view(f->t), term_top(f->t));
	assert_true(term_find(f->t, true));
	assert_int_equal(term_view(f->t), term_first(f->t));
	assert_true(term_find(f->t, true)); /* from the last one again */
	assert_int_equal(term_view(f->t), term_top(f->t));
	assert_true(term_find(f->t, false));
	assert_int_equal(term_view(f->t), term_first(f->t));
	term_search(f->t, "nothing like it");
	assert_false(term_find(f->t, true));
	term_search(f->t, "");
	assert_false(term_find(f->t, false));
	assert_int_equal(term_finds(f->t, term_top(f->t) + 2, spans, 4), 0);
}

static void capital_letters_in_the_query_matter(void **state)
{
	struct fixture *f = *state;

	put(f, "abc ABC");
	term_search(f->t, "ABC");
	assert_true(term_find(f->t, true));
	assert_selected(f, "ABC");
	assert_true(term_find(f->t, true));
	assert_selected(f, "ABC");
	term_search(f->t, "c a"); /* with the blank between */
	assert_true(term_find(f->t, true));
	assert_selected(f, "c A");
}

/* --- To the guest --- */

static void keys_become_sequences(void **state)
{
	struct fixture *f = *state;

	term_type(f->t, 'a', 0);
	term_type(f->t, 'c', VTERM_MOD_CTRL);
	term_type(f->t, 0xfc, 0);
	term_key(f->t, VTERM_KEY_UP, 0);
	put(f, "\x1b[?1h"); /* application cursor keys */
	term_key(f->t, VTERM_KEY_UP, 0);
	assert_string_equal(f->out, "a\x03\xc3\xbc\x1b[A\x1bOA");
}

static void paste_is_bracketed_when_asked_for_and_clean(void **state)
{
	struct fixture *f = *state;

	term_paste(f->t, "a\r\nb\nc\x1b[201~\x03\x7f\td", 17);
	assert_string_equal(f->out, "a\rb\rc[201~\td");
	f->len = 0;
	put(f, "\x1b[?2004h");
	term_paste(f->t, "x", 1);
	assert_string_equal(f->out, "\x1b[200~x\x1b[201~");
	f->len = 0;
	term_paste(f->t, "", 0);
	assert_int_equal(f->len, 0);
}

static void the_mouse_is_reported_when_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_false(term_wants_mouse(f->t));
	term_mouse(f->t, 1, 2, 1, true, 0);
	assert_int_equal(f->len, 0);
	put(f, "\x1b[?1000h\x1b[?1006h");
	assert_true(term_wants_mouse(f->t));
	term_mouse(f->t, 1, 2, 1, false, 0);
	term_mouse(f->t, 1, 2, 1, true, 0);
	term_mouse(f->t, 100, 100, 4, true, 0); /* cut to the screen */
	assert_non_null(strstr(f->out, "\x1b[<0;3;2M"));
	assert_non_null(strstr(f->out, "\x1b[<64;10;4M"));
}

static void focus_is_told_when_asked_for(void **state)
{
	struct fixture *f = *state;

	term_focus(f->t, true);
	assert_int_equal(f->len, 0);
	put(f, "\x1b[?1004h");
	term_focus(f->t, true);
	term_focus(f->t, false);
	assert_string_equal(f->out, "\x1b[I\x1b[O");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(characters_are_selected_by_dragging),
		TEST(selected_columns_of_a_line),
		TEST(words_are_paths_too),
		TEST(a_word_and_a_line_go_on_where_they_were_wrapped),
		TEST(wide_characters_are_selected_whole),
		TEST(a_selection_scrolls_with_its_text),
		TEST(a_selection_goes_when_its_text_changes),
		TEST(positions_outside_are_cut),
		TEST(search_finds_backwards_and_forwards_round_the_end),
		TEST(capital_letters_in_the_query_matter),
		TEST(keys_become_sequences),
		TEST(paste_is_bracketed_when_asked_for_and_clean),
		TEST(the_mouse_is_reported_when_asked_for),
		TEST(focus_is_told_when_asked_for),
	};

	return cmocka_run_group_tests_name("term hands", tests, NULL, NULL);
}
