/* A console in the window: output that is drawn, keys and paste that reach the guest, selection, scrolling, size. */
#include <biscuit/chardev.h>

#include "tests/unit/view_rig.h"

enum { COLUMNS = 40, ROWS = 8, MARGIN = 5 };

struct fixture {
	struct view_rig rig;
	struct bis_chardev *console;
	unsigned notices;
	int width, height; /* of a cell */
};

static void notice(void *arg)
{
	((struct fixture *)arg)->notices++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct view_rig *r = &f->rig;

	*state = f;
	if (!view_rig_begin(r, 1, 1000, 400))
		return 0;
	f->width = text_width(r->text);
	f->height = text_height(r->text);
	r->area.w = COLUMNS * f->width + 2 * MARGIN;
	r->area.h = ROWS * f->height + 2 * MARGIN;
	assert_int_equal(console_view(&r->host, "console", &r->view), 0);
	f->console = bis_chardev_find(r->machine, "console");
	assert_non_null(f->console);
	bis_machine_lock_devices(r->machine);
	assert_int_equal(bis_chardev_attach(f->console, notice, f), 0);
	bis_machine_unlock_devices(r->machine);
	r->view.ops->resized(r->view.self, &r->area);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->console)
		bis_chardev_detach(f->console, f);
	view_rig_end(&f->rig);
	free(f);
	return 0;
}

/* The fixture, where there is a font. */
static struct fixture *begin(void **state)
{
	struct fixture *f = *state;

	if (!f->console)
		skip();
	return f;
}

static void guest_writes(struct fixture *f, const char *text)
{
	bis_machine_lock_devices(f->rig.machine);
	assert_int_equal(bis_chardev_write(f->console, (const uint8_t *)text, strlen(text)), strlen(text));
	bis_machine_unlock_devices(f->rig.machine);
}

static void assert_guest_reads(struct fixture *f, const char *expected)
{
	char buf[256];
	size_t n;

	bis_machine_lock_devices(f->rig.machine);
	n = bis_chardev_read(f->console, (uint8_t *)buf, sizeof(buf) - 1);
	bis_machine_unlock_devices(f->rig.machine);
	buf[n] = '\0';
	assert_string_equal(buf, expected);
}

static SDL_Rect cells(const struct fixture *f, int column, int row, int count)
{
	return (SDL_Rect){MARGIN + column * f->width, MARGIN + row * f->height, count * f->width, f->height};
}

static unsigned cell_pixels(const struct fixture *f)
{
	return (unsigned)(f->width * f->height);
}

static void output_wakes_and_is_drawn(void **state)
{
	struct fixture *f = begin(state);
	SDL_Rect second = cells(f, 1, 0, 1);

	guest_writes(f, "a\033[48;2;1;2;3m \033[m");
	assert_int_equal(f->rig.wakes, 1);
	assert_true(view_rig_update(&f->rig, true, NULL));
	view_rig_draw(&f->rig);
	assert_int_equal(view_rig_count(&f->rig, second, 0x010203), cell_pixels(f));
}

static void only_rows_that_changed_are_drawn_anew(void **state)
{
	struct fixture *f = begin(state);
	SDL_Rect first = cells(f, 0, 0, 1), second = cells(f, 0, 1, 1);

	guest_writes(f, "\033[48;2;1;2;3m \r\n\033[48;2;4;5;6m \033[m");
	view_rig_update(&f->rig, true, NULL);
	view_rig_draw(&f->rig);
	guest_writes(f, "\033[2;1H\033[48;2;7;8;9m ");
	view_rig_update(&f->rig, true, NULL);
	view_rig_draw(&f->rig);
	assert_int_equal(view_rig_count(&f->rig, first, 0x010203), cell_pixels(f));
	assert_int_equal(view_rig_count(&f->rig, second, 0x070809), cell_pixels(f));
}

static void nothing_new_costs_nothing(void **state)
{
	struct fixture *f = begin(state);
	int again = 0;

	guest_writes(f, "text");
	assert_true(view_rig_update(&f->rig, true, &again));
	assert_int_equal(again, -1);
	assert_false(view_rig_update(&f->rig, true, &again));
	assert_int_equal(again, -1);
	f->rig.wakes = 0;
	assert_false(view_rig_update(&f->rig, false, &again));
	assert_int_equal(f->rig.wakes, 0);
}

static void letters_of_one_cell_stay_in_it(void **state)
{
	struct fixture *f = begin(state);
	uint32_t back;
	SDL_Rect line = cells(f, 0, 1, COLUMNS);

	view_rig_update(&f->rig, true, NULL);
	view_rig_draw(&f->rig);
	back = view_rig_pixel(&f->rig, MARGIN, MARGIN + 3 * f->height);
	guest_writes(f, "\033[3;1H____gjpqy|\xc3\x85\033[1;1H____gjpqy|\033[8;40H");
	view_rig_update(&f->rig, true, NULL);
	view_rig_draw(&f->rig);
	assert_int_equal(view_rig_count(&f->rig, line, back), (unsigned)(line.w * line.h));
	/* The underscore, which lies deepest, is there. */
	assert_true(view_rig_count(&f->rig, cells(f, 0, 0, 4), back) < 4 * cell_pixels(f));
}

static void keys_and_text_reach_the_guest(void **state)
{
	struct fixture *f = begin(state);

	assert_true(view_rig_text(&f->rig, "ls \xc3\xa4"));
	assert_true(view_rig_key(&f->rig, SDLK_RETURN, KMOD_NONE));
	assert_true(view_rig_key(&f->rig, SDLK_c, KMOD_LCTRL));
	assert_true(view_rig_key(&f->rig, SDLK_UP, KMOD_NONE));
	assert_guest_reads(f, "ls \xc3\xa4\r\x03\033[A");
}

static void what_the_guest_does_not_read_waits(void **state)
{
	struct fixture *f = begin(state);
	size_t len = BIS_CHARDEV_QUEUE + 1000, read = 0, n;
	char *text = malloc(len + 1);
	uint8_t buf[4096];
	int again;

	memset(text, 'x', len);
	text[len] = '\0';
	SDL_SetClipboardText(text);
	free(text);
	assert_true(view_rig_key(&f->rig, SDLK_v, KMOD_LCTRL | KMOD_LSHIFT));
	view_rig_update(&f->rig, true, &again);
	assert_true(again >= 0);
	do {
		bis_machine_lock_devices(f->rig.machine);
		n = bis_chardev_read(f->console, buf, sizeof(buf));
		bis_machine_unlock_devices(f->rig.machine);
		read += n;
		view_rig_update(&f->rig, true, &again);
	} while (n);
	assert_int_equal(read, len);
	assert_int_equal(again, -1);
}

static void the_guest_hears_of_the_size(void **state)
{
	struct fixture *f = begin(state);
	struct view_rig *r = &f->rig;
	unsigned columns, rows;

	bis_chardev_size(f->console, &columns, &rows);
	assert_int_equal(columns, COLUMNS);
	assert_int_equal(rows, ROWS);
	f->notices = 0;
	r->area.w -= 3 * f->width;
	r->view.ops->resized(r->view.self, &r->area);
	bis_chardev_size(f->console, &columns, &rows);
	assert_int_equal(columns, COLUMNS - 3);
	assert_int_equal(f->notices, 1);
	r->view.ops->destroy(r->view.self);
	r->view.ops = NULL;
	bis_chardev_size(f->console, &columns, &rows);
	assert_int_equal(columns, 0);
}

static void assert_clipboard(const char *expected)
{
	char *text = SDL_GetClipboardText();

	assert_string_equal(text, expected);
	SDL_free(text);
}

static void dragging_selects_and_copies(void **state)
{
	struct fixture *f = begin(state);
	SDL_Rect from = cells(f, 6, 0, 1), to = cells(f, 2, 1, 1);

	guest_writes(f, "hello world\r\nand more");
	view_rig_update(&f->rig, true, NULL);
	SDL_SetModState(KMOD_NONE);
	view_rig_button(&f->rig, from.x + 1, from.y + 1, true, 1);
	view_rig_motion(&f->rig, to.x + 1, to.y + 1);
	view_rig_button(&f->rig, to.x + 1, to.y + 1, false, 1);
	view_rig_draw(&f->rig);
	assert_true(view_rig_count(&f->rig, from, 0x2c4a6e) > cell_pixels(f) / 3);
	assert_true(view_rig_key(&f->rig, SDLK_c, KMOD_LCTRL | KMOD_LSHIFT));
	assert_clipboard("world\nand");
}

static void a_double_click_takes_a_word(void **state)
{
	struct fixture *f = begin(state);
	SDL_Rect at = cells(f, 3, 0, 1);

	guest_writes(f, "a /usr/lib b");
	view_rig_update(&f->rig, true, NULL);
	SDL_SetModState(KMOD_NONE);
	view_rig_button(&f->rig, at.x, at.y, true, 2);
	view_rig_button(&f->rig, at.x, at.y, false, 2);
	view_rig_key(&f->rig, SDLK_c, KMOD_LCTRL | KMOD_LSHIFT);
	assert_clipboard("/usr/lib");
}

static size_t take_all(void *self, const uint8_t *buf, size_t len)
{
	(void)self;
	(void)buf;
	return len;
}

/* A size that is asked for, which a terminal on standard output answers as well. */
static void questions_are_answered_once(void **state)
{
	static const struct bis_chardev_ops terminal = {.write = take_all, .interactive = true};
	struct fixture *f = begin(state);
	struct bis_chardev *console;

	guest_writes(f, "\033[2;3H\033[6n");
	view_rig_update(&f->rig, true, NULL);
	assert_guest_reads(f, "\033[2;3R");
	bis_machine_lock_devices(f->rig.machine);
	assert_int_equal(bis_chardev_create(f->rig.machine, "console", &terminal, NULL, &console), 0);
	bis_machine_unlock_devices(f->rig.machine);
	guest_writes(f, "\033[6n\033[c\033[5n");
	view_rig_update(&f->rig, true, NULL);
	assert_guest_reads(f, "");
	view_rig_text(&f->rig, "ls"); /* what is typed is no answer */
	assert_guest_reads(f, "ls");
}

static void the_wheel_and_the_search_go_back(void **state)
{
	struct fixture *f = begin(state);
	SDL_Event wheel = {.type = SDL_MOUSEWHEEL};
	SDL_Rect first = cells(f, 0, 0, 4);

	guest_writes(f, "\033[48;2;1;2;3mmark\033[m\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9");
	view_rig_update(&f->rig, true, NULL);
	view_rig_draw(&f->rig);
	assert_int_equal(view_rig_count(&f->rig, first, 0x010203), 0);
	wheel.wheel.y = 1;
	SDL_SetModState(KMOD_NONE);
	view_rig_event(&f->rig, wheel);
	view_rig_draw(&f->rig);
	assert_true(view_rig_count(&f->rig, first, 0x010203) > cell_pixels(f));
	view_rig_key(&f->rig, SDLK_END, KMOD_LSHIFT);
	view_rig_key(&f->rig, SDLK_f, KMOD_LCTRL | KMOD_LSHIFT);
	view_rig_text(&f->rig, "mark");
	view_rig_key(&f->rig, SDLK_c, KMOD_LCTRL | KMOD_LSHIFT);
	assert_clipboard("mark");
	view_rig_key(&f->rig, SDLK_ESCAPE, KMOD_NONE);
	assert_guest_reads(f, ""); /* what was typed went to the search */
}

static void a_lost_renderer_is_drawn_again(void **state)
{
	struct fixture *f = begin(state);
	SDL_Rect first = cells(f, 0, 0, 1);

	guest_writes(f, "\033[48;2;1;2;3m \033[m");
	view_rig_update(&f->rig, true, NULL);
	view_rig_draw(&f->rig);
	SDL_FillRect(f->rig.surface, NULL, 0);
	f->rig.view.ops->renew(f->rig.view.self);
	assert_true(view_rig_update(&f->rig, true, NULL));
	view_rig_draw(&f->rig);
	assert_int_equal(view_rig_count(&f->rig, first, 0x010203), cell_pixels(f));
}

static void a_flood_is_taken_in_parts(void **state)
{
	struct fixture *f = begin(state);
	char line[81];
	int again;

	memset(line, 'y', 78);
	memcpy(line + 78, "\r\n", 3);
	for (unsigned i = 0; i < 6u << 20 >> 6; i++)
		guest_writes(f, line);
	assert_true(view_rig_update(&f->rig, true, &again));
	assert_int_equal(again, 0); /* keys and other views have their turn */
	while (again == 0)
		view_rig_update(&f->rig, true, &again);
	assert_int_equal(again, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_wakes_and_is_drawn),      TEST(only_rows_that_changed_are_drawn_anew),
		TEST(nothing_new_costs_nothing),      TEST(letters_of_one_cell_stay_in_it),
		TEST(keys_and_text_reach_the_guest),  TEST(what_the_guest_does_not_read_waits),
		TEST(the_guest_hears_of_the_size),    TEST(dragging_selects_and_copies),
		TEST(a_double_click_takes_a_word),    TEST(the_wheel_and_the_search_go_back),
		TEST(a_lost_renderer_is_drawn_again), TEST(a_flood_is_taken_in_parts),
		TEST(questions_are_answered_once),
	};

	return cmocka_run_group_tests_name("console view", tests, NULL, NULL);
}
