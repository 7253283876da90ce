/* Where the guest's picture lies in a window, and which of its pixels a pointer is at. */
#include <biscuit/input.h>

#include "frontend/window/geometry.h"
#include "tests/random.h"
#include "tests/unit/unit.h"

#define SEED UINT64_C(0x77696e646f77)

static void assert_box(struct box b, int x, int y, int width, int height)
{
	assert_int_equal(b.x, x);
	assert_int_equal(b.y, y);
	assert_int_equal(b.width, width);
	assert_int_equal(b.height, height);
}

/* The pixel a guest with `pixels` of them finds for a value of the whole range. */
static uint32_t guest_pixel(int32_t value, uint32_t pixels)
{
	return (uint32_t)((uint64_t)value * pixels / (BIS_INPUT_RANGE + 1));
}

static int between(uint64_t *state, int low, int high)
{
	return low + (int)(xorshift(state) % (uint64_t)(high - low + 1));
}

static void a_picture_of_the_area_s_size_fills_it(void **state)
{
	struct box area = {0, 24, 1024, 768};

	(void)state;
	assert_box(geometry_place(area, 1024, 768, 0, FIT_ALL), 0, 24, 1024, 768);
	assert_box(geometry_place(area, 1024, 768, 1, FIT_ALL), 0, 24, 1024, 768);
	assert_box(geometry_place(area, 1024, 768, 0, FIT_WHOLE), 0, 24, 1024, 768);
}

static void a_picture_keeps_its_proportions_in_the_middle(void **state)
{
	struct box wide = {0, 0, 1600, 600}, tall = {10, 20, 400, 1000};

	(void)state;
	assert_box(geometry_place(wide, 640, 480, 0, FIT_ALL), 400, 0, 800, 600);
	assert_box(geometry_place(tall, 640, 480, 0, FIT_ALL), 10, 370, 400, 300);
}

static void whole_numbers_are_kept_to_where_they_fit(void **state)
{
	struct box area = {0, 0, 1000, 1000};

	(void)state;
	assert_box(geometry_place(area, 320, 200, 0, FIT_WHOLE), 20, 200, 960, 600);
	assert_true(geometry_is_whole((struct box){20, 200, 960, 600}, 320, 200));
	/* Too large for any: as much as fits. */
	assert_box(geometry_place(area, 2000, 1000, 0, FIT_WHOLE), 0, 250, 1000, 500);
	assert_false(geometry_is_whole((struct box){0, 250, 1000, 500}, 2000, 1000));
	assert_false(geometry_is_whole((struct box){0, 0, 640, 400}, 320, 100));
}

static void a_wished_factor_holds_unless_it_is_too_large(void **state)
{
	struct box area = {0, 0, 1000, 1000};

	(void)state;
	assert_box(geometry_place(area, 200, 100, 2, FIT_ALL), 300, 400, 400, 200);
	assert_box(geometry_place(area, 200, 100, 1.5, FIT_ALL), 350, 425, 300, 150);
	assert_box(geometry_place(area, 200, 100, 100, FIT_ALL), 0, 250, 1000, 500);
	assert_box(geometry_place(area, 200, 100, -3, FIT_ALL), 0, 250, 1000, 500);
}

static void nothing_has_no_place(void **state)
{
	struct box area = {5, 6, 100, 100};

	(void)state;
	assert_box(geometry_place(area, 0, 100, 0, FIT_ALL), 5, 6, 0, 0);
	assert_box(geometry_place(area, 100, 0, 2, FIT_WHOLE), 5, 6, 0, 0);
	assert_box(geometry_place((struct box){5, 6, 0, 100}, 10, 10, 0, FIT_ALL), 5, 6, 0, 0);
	assert_box(geometry_place((struct box){5, 6, 100, -1}, 10, 10, 0, FIT_ALL), 5, 6, 0, 0);
	assert_false(geometry_inside(geometry_place(area, 0, 0, 0, FIT_ALL), 5, 6));
}

static void no_picture_leaves_its_area(void **state)
{
	uint64_t random = SEED;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct box area = {between(&random, -50, 50), between(&random, -50, 50), between(&random, 1, 5000),
				   between(&random, 1, 5000)};
		uint32_t width = (uint32_t)between(&random, 1, 4096), height = (uint32_t)between(&random, 1, 4096);
		double factor = between(&random, 0, 5) / 2.0;
		struct box b = geometry_place(area, width, height, factor, i % 2 ? FIT_ALL : FIT_WHOLE);

		assert_true(b.width >= 1 && b.height >= 1);
		assert_true(b.x >= area.x && b.x + b.width <= area.x + area.width);
		assert_true(b.y >= area.y && b.y + b.height <= area.y + area.height);
	}
}

static void one_to_one_every_pixel_is_met(void **state)
{
	static const int lengths[] = {1, 2, 3, 640, 1023, 1366, 1920, 4096};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(lengths); i++)
		for (int x = 0; x < lengths[i]; x++)
			assert_int_equal(guest_pixel(geometry_absolute(100 + x, 100, lengths[i]), (uint32_t)lengths[i]),
					 x);
}

static void at_every_scale_the_pixel_under_the_pointer_is_met(void **state)
{
	uint64_t random = SEED;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		int pixels = between(&random, 1, 4096), times = between(&random, 1, 4),
		    start = between(&random, -9, 99);
		int at = between(&random, 0, pixels * times - 1);

		assert_int_equal(guest_pixel(geometry_absolute(start + at, start, pixels * times), (uint32_t)pixels),
				 at / times);
	}
}

static void outside_the_nearest_edge_counts(void **state)
{
	(void)state;
	assert_int_equal(geometry_absolute(99, 100, 640), 0);
	assert_int_equal(geometry_absolute(INT32_MIN, 100, 640), 0);
	assert_int_equal(geometry_absolute(740, 100, 640), BIS_INPUT_RANGE);
	assert_int_equal(geometry_absolute(INT32_MAX, -100, 640), BIS_INPUT_RANGE);
	assert_int_equal(geometry_absolute(5, 0, 0), 0);
}

static void window_units_and_pixels_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(geometry_to_pixels(7, 800, 800), 7);
	assert_int_equal(geometry_to_pixels(0, 800, 1600), 1);
	assert_int_equal(geometry_to_pixels(799, 800, 1600), 1599);
	assert_int_equal(geometry_to_pixels(-1, 800, 1600), -1);
	assert_int_equal(geometry_to_units(1600, 800, 1600), 800);
	assert_int_equal(geometry_to_units(1601, 800, 1600), 801);
	assert_int_equal(geometry_to_units(0, 800, 800), 1);
	assert_int_equal(geometry_to_units(500, 0, 0), 500);
}

static void a_wish_is_what_fills_the_window(void **state)
{
	(void)state;
	assert_int_equal(geometry_wish(1280, 2, 4096), 640);
	assert_int_equal(geometry_wish(1281, 2, 4096), 640);
	assert_int_equal(geometry_wish(1280, 0, 4096), 1280);
	assert_int_equal(geometry_wish(1920, 1.25, 4096), 1536);
	assert_int_equal(geometry_wish(9000, 1, 4096), 4096);
	assert_int_equal(geometry_wish(1, 3, 4096), 1);
	assert_int_equal(geometry_wish(-5, 1, 4096), 1);
}

static void a_limit_keeps_the_proportions(void **state)
{
	int width = 3840, height = 2160;

	(void)state;
	geometry_limit(&width, &height, 1920, 1200);
	assert_int_equal(width, 1920);
	assert_int_equal(height, 1080);
	geometry_limit(&width, &height, 4000, 4000);
	assert_int_equal(width, 1920);
	assert_int_equal(height, 1080);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_of_the_area_s_size_fills_it),
		cmocka_unit_test(a_picture_keeps_its_proportions_in_the_middle),
		cmocka_unit_test(whole_numbers_are_kept_to_where_they_fit),
		cmocka_unit_test(a_wished_factor_holds_unless_it_is_too_large),
		cmocka_unit_test(nothing_has_no_place),
		cmocka_unit_test(no_picture_leaves_its_area),
		cmocka_unit_test(one_to_one_every_pixel_is_met),
		cmocka_unit_test(at_every_scale_the_pixel_under_the_pointer_is_met),
		cmocka_unit_test(outside_the_nearest_edge_counts),
		cmocka_unit_test(window_units_and_pixels_are_told_apart),
		cmocka_unit_test(a_wish_is_what_fills_the_window),
		cmocka_unit_test(a_limit_keeps_the_proportions),
	};

	return cmocka_run_group_tests_name("window_geometry", tests, NULL, NULL);
}
