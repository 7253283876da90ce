/*
 * Displays from the device's side: its own pixels, formats, the pointer, and surfaces that a hostile guest asks for.
 * See test_display_viewers.c, test_damage.c.
 */
#include "tests/unit/display_rig.h"

/* --- The device's own memory --- */

static void a_device_says_what_has_changed_in_its_own_pixels(void **state)
{
	struct fixture *f = *state;
	static uint32_t pixels[H][W];
	struct bis_surface s = {.width = W, .height = H, .pitch = PITCH, .pixels = pixels};
	static const struct bis_rect outside[] = {{W, 0, 1, 1},
						  {0, H, 1, 1},
						  {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
						  {3, 3, 0, 9},
						  {3, 3, 9, 0}};

	show(f, &s);
	look(f);
	assert_false(f->view.poll);
	bis_display_lock(f->d);
	pixels[2][3] = 0x112233;
	bis_display_damage(f->d, &(struct bis_rect){3, 2, 4, 5});
	bis_display_unlock(f->d);
	assert_int_equal(f->notified, 1);
	bis_display_damage(f->d, &(struct bis_rect){W - 1, H - 1, UINT32_MAX, UINT32_MAX});
	assert_int_equal(f->notified, 1);
	assert_int_equal(update(f)->n_rects, 2);
	assert_rect(&f->view, 0, 3, 2, 4, 5);
	assert_rect(&f->view, 1, W - 1, H - 1, 1, 1);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(outside); i++)
		bis_display_damage(f->d, &outside[i]);
	assert_int_equal(update(f)->n_rects, 0);
	assert_int_equal(f->notified, 1);
	show(f, &s); /* the same memory again */
	assert_whole(update(f), W, H);
}

static void detaching_takes_the_pixels_away(void **state)
{
	struct fixture *f = *state;
	uint32_t *pixels = calloc((size_t)W * H, 4), got;
	struct bis_surface s = {.width = W, .height = H, .pitch = PITCH, .pixels = pixels};
	int other;

	show(f, &s);
	look(f);
	bis_display_set_cursor(f->d, &(struct bis_cursor){.width = 1, .height = 1});
	assert_true(update(f)->cursor_shown);
	bis_display_detach(f->d, &other);
	assert_int_equal(update(f)->width, W);
	assert_fails(bis_display_attach(f->d, &ops, &other), -EBUSY, "fb");
	bis_display_detach(f->d, f);
	free(pixels);
	assert_int_equal(update(f)->width, 0);
	assert_false(f->view.can_resize);
	assert_false(f->view.cursor_shown);
	assert_int_equal(bis_viewer_read(f->v, &(struct bis_rect){0, 0, 1, 1}, &got, 4), -ERANGE);
	assert_ok(bis_display_attach(f->d, &ops, f));
}

/* --- Pixels --- */

static void every_format_is_read_as_the_same_colours(void **state)
{
	struct fixture *f = *state;
	static const struct {
		enum bis_pixel_format format;
		uint32_t pixel, want;
	} rows[] = {
		{BIS_PIXEL_XRGB8888, 0x00123456, 0xff123456}, {BIS_PIXEL_XRGB8888, 0xabfedcba, 0xfffedcba},
		{BIS_PIXEL_XBGR8888, 0x00123456, 0xff563412}, {BIS_PIXEL_XBGR8888, 0xff0000ff, 0xffff0000},
		{BIS_PIXEL_RGB565, 0xffff, 0xffffffff},	      {BIS_PIXEL_RGB565, 0, 0xff000000},
		{BIS_PIXEL_RGB565, 0xf800, 0xffff0000},	      {BIS_PIXEL_RGB565, 0x07e0, 0xff00ff00},
		{BIS_PIXEL_RGB565, 0x001f, 0xff0000ff},	      {BIS_PIXEL_RGB565, 0x8410, 0xff848284},
	};
	uint32_t got[W];

	look(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		unsigned size = bis_pixel_size(rows[i].format);
		struct bis_surface s = in_guest(BASE);

		s.format = rows[i].format;
		s.pitch = W * size;
		for (unsigned x = 0; x < W; x++)
			assert_ok(bis_mem_write(f->m->memory, (bis_gpa){BASE + x * size}, &rows[i].pixel, size));
		show(f, &s);
		assert_ok(bis_viewer_read(f->v, &(struct bis_rect){1, 0, W - 1, 1}, got, sizeof(got)));
		for (unsigned x = 0; x < W - 1; x++)
			assert_int_equal(got[x], rows[i].want);
	}
}

static void a_part_is_read_line_by_line(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE + 64);
	uint32_t to[4][8];

	s.pitch = PITCH + 16;
	for (uint32_t y = 0; y < H; y++)
		for (uint32_t x = 0; x < W; x++)
			put(f, 64 + y * s.pitch + x * 4, y << 8 | x);
	show(f, &s);
	look(f);
	memset(to, 0x55, sizeof(to));
	assert_ok(bis_viewer_read(f->v, &(struct bis_rect){W - 5, H - 3, 5, 3}, &to[0][1], sizeof(to[0])));
	for (uint32_t y = 0; y < 4; y++)
		for (uint32_t x = 0; x < 8; x++)
			assert_int_equal(to[y][x], y < 3 && x > 0 && x < 6
							   ? (0xff000000 | (H - 3 + y) << 8 | (W - 6 + x))
							   : 0x55555555);
}

static void parts_outside_are_refused_and_nothing_is_written(void **state)
{
	struct fixture *f = *state;
	struct bis_surface s = in_guest(BASE);
	static const struct bis_rect bad[] = {
		{0, 0, W + 1, 1},      {0, 0, 1, H + 1},      {W, 0, 1, 1},	     {0, H, 1, 1},
		{UINT32_MAX, 0, 2, 1}, {0, UINT32_MAX, 1, 2}, {1, 1, UINT32_MAX, 1}, {1, 1, 1, UINT32_MAX},
	};
	uint32_t to = 0x77;

	look(f);
	assert_int_equal(bis_viewer_read(f->v, &(struct bis_rect){0, 0, 1, 1}, &to, 4), -ERANGE);
	show(f, &s);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_int_equal(bis_viewer_read(f->v, &bad[i], &to, 4), -ERANGE);
	assert_ok(bis_viewer_read(f->v, &(struct bis_rect){W, H, 0, 0}, &to, 4));
	assert_ok(bis_viewer_read(f->v, &(struct bis_rect){0, 0, 0, H}, &to, 4));
	assert_int_equal(to, 0x77);
}

/* --- Hostile surfaces --- */

static void surfaces_that_cannot_be_are_refused_and_the_old_one_stays(void **state)
{
	struct fixture *f = *state;
	static uint32_t pixels[W * H];
	struct bis_surface good = in_guest(BASE), s;
	static const struct {
		uint32_t width, height, pitch;
		unsigned format;
		uint64_t base;
		int err;
	} bad[] = {
		{0, H, PITCH, 0, BASE, -EINVAL},
		{W, 0, PITCH, 0, BASE, -EINVAL},
		{BIS_DISPLAY_SIDE_MAX + 1, 1, 65536, 0, BASE, -EINVAL},
		{1, BIS_DISPLAY_SIDE_MAX + 1, 4, 0, BASE, -EINVAL},
		{UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, BASE, -EINVAL},
		{0x40000001, 1, 4, 0, BASE, -EINVAL},
		{W, H, PITCH - 4, 0, BASE, -EINVAL},
		{W, H, PITCH + 2, 0, BASE, -EINVAL},
		{W, H, 0, 0, BASE, -EINVAL},
		{W, H, BIS_DISPLAY_PITCH_MAX + 4, 0, BASE, -EINVAL},
		{W, H, 0xfffffffc, 0, BASE, -EINVAL},
		{W, H, PITCH, BIS_PIXEL_FORMATS, BASE, -EINVAL},
		{W, H, PITCH, 0xffffffff, BASE, -EINVAL},
		{W, H, PITCH, 0, BASE + 2, -EINVAL},
		{W, H, PITCH, BIS_PIXEL_RGB565, BASE + 1, -EINVAL},
		{W, H, PITCH, 0, 0, -EFAULT},
		{W, H, PITCH, 0, BIS_RAM_BASE - 4, -EFAULT},
		{W, H, PITCH, 0, FAKE_RAM_END, -EFAULT},
		{W, H, PITCH, 0, FAKE_RAM_END - PITCH * H + 4, -EFAULT},
		{W, H, PITCH, 0, UINT64_MAX - 3, -EFAULT},
		{W, H, BIS_DISPLAY_PITCH_MAX, 0, BASE, -EFAULT},
		{4096, 4096, BIS_DISPLAY_PITCH_MAX, 0, UINT64_MAX - 0xffff, -EFAULT},
	};

	show(f, &good);
	look(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		s = (struct bis_surface){.width = bad[i].width,
					 .height = bad[i].height,
					 .pitch = bad[i].pitch,
					 .format = (enum bis_pixel_format)bad[i].format,
					 .in_guest = true,
					 .base = {bad[i].base}};
		assert_int_equal(bis_display_show(f->d, &s), bad[i].err);
	}
	s = (struct bis_surface){.width = W, .height = H, .pitch = PITCH};
	assert_int_equal(bis_display_show(f->d, &s), -EINVAL);
	s.pixels = (const char *)pixels + 1;
	assert_int_equal(bis_display_show(f->d, &s), -EINVAL);
	assert_int_equal(update(f)->n_rects, 0);
	assert_int_equal(f->view.width, W);
	assert_int_equal(f->notified, 0);
	/* The very end of RAM is RAM: the last line needs no gap behind it. */
	s = in_guest(FAKE_RAM_END - (PITCH * H + 16 * (H - 1)));
	s.pitch = PITCH + 16;
	show(f, &s);
	assert_whole(update(f), W, H);
}

/* --- Cursor, the list --- */

static void the_pointer_has_an_image_and_a_place(void **state)
{
	struct fixture *f = *state;
	static struct bis_cursor c, got;
	unsigned number;

	look(f);
	number = f->view.cursor;
	bis_display_move_cursor(f->d, 5, 6);
	assert_int_equal(f->notified, 0); /* none is shown */
	c = (struct bis_cursor){.width = 2, .height = 3, .hot_x = 1, .hot_y = UINT32_MAX};
	for (unsigned i = 0; i < 6; i++)
		c.pixels[i] = i + 1;
	bis_display_set_cursor(f->d, &c);
	assert_int_equal(f->notified, 1);
	assert_true(update(f)->cursor_shown);
	assert_int_not_equal(f->view.cursor, number);
	assert_int_equal(f->view.cursor_x, 5);
	bis_viewer_cursor(f->v, &got);
	assert_int_equal(got.width, 2);
	assert_int_equal(got.hot_x, 1);
	assert_int_equal(got.hot_y, 2);
	assert_memory_equal(got.pixels, c.pixels, 24);
	number = f->view.cursor;
	bis_display_move_cursor(f->d, 7, UINT32_MAX);
	assert_int_equal(f->notified, 2);
	assert_int_equal(update(f)->cursor_y, UINT32_MAX);
	assert_int_equal(f->view.cursor, number);
	c.width = BIS_DISPLAY_CURSOR_MAX + 1;
	bis_display_set_cursor(f->d, &c);
	assert_false(update(f)->cursor_shown);
	c.width = c.height = UINT32_MAX;
	bis_display_set_cursor(f->d, &c);
	bis_display_set_cursor(f->d, NULL);
	assert_false(update(f)->cursor_shown);
	assert_int_equal(update(f)->n_rects, 0);
}

static void displays_are_listed_in_order_of_making(void **state)
{
	struct fixture *f = *state;
	struct bis_display *gpu, *again;

	assert_null(bis_display_find(f->m, "gpu"));
	assert_ok(bis_display_open(f->m, "gpu", &gpu));
	assert_ok(bis_display_open(f->m, "gpu", &again));
	assert_ptr_equal(gpu, again);
	assert_ptr_equal(bis_display_find(f->m, "fb"), f->d);
	assert_ptr_equal(bis_display_find(f->m, "gpu"), gpu);
	assert_ptr_equal(bis_display_at(f->m, 0), f->d);
	assert_ptr_equal(bis_display_at(f->m, 1), gpu);
	assert_null(bis_display_at(f->m, 2));
	assert_string_equal(bis_display_name(gpu), "gpu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_says_what_has_changed_in_its_own_pixels),
		TEST(detaching_takes_the_pixels_away),
		TEST(every_format_is_read_as_the_same_colours),
		TEST(a_part_is_read_line_by_line),
		TEST(parts_outside_are_refused_and_nothing_is_written),
		TEST(surfaces_that_cannot_be_are_refused_and_the_old_one_stays),
		TEST(the_pointer_has_an_image_and_a_place),
		TEST(displays_are_listed_in_order_of_making),
	};

	return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
