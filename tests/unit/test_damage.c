/* Damage of a display: rectangles that cover what has changed. */
#include "src/machine/damage.h"
#include "tests/unit/unit.h"

static void damage_covers_everything_and_never_overlaps(void **state)
{
	enum { SIDE = 96 };
	static uint8_t want[SIDE][SIDE];
	unsigned seed = 12345;

	(void)state;
	print_message("seed %u\n", seed);
	for (int round = 0; round < 300; round++) {
		struct damage d = {0};

		memset(want, 0, sizeof(want));
		for (int i = 0; i < 60; i++) {
			uint32_t n[4];

			for (int k = 0; k < 4; k++)
				n[k] = (seed = seed * 1103515245u + 12345u) >> 16;
			struct bis_rect r = {n[0] % SIDE, n[1] % SIDE, n[2] % 12, n[3] % 12};

			if (r.width > SIDE - r.x)
				r.width = SIDE - r.x;
			if (r.height > SIDE - r.y)
				r.height = SIDE - r.y;
			bis_damage_add(&d, r);
			assert_in_range(d.count, 0, BIS_VIEW_RECTS);
			for (uint32_t y = r.y; y < r.y + r.height; y++)
				memset(&want[y][r.x], 1, r.width);
		}
		for (size_t i = 0; i < d.count; i++) {
			const struct bis_rect *r = &d.rects[i];

			assert_true(r->width && r->height && r->x + r->width <= SIDE && r->y + r->height <= SIDE);
			for (uint32_t y = r->y; y < r->y + r->height; y++)
				for (uint32_t x = r->x; x < r->x + r->width; x++) {
					assert_int_not_equal(want[y][x], 2); /* in two of them */
					want[y][x] = 2;
				}
		}
		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++)
				assert_int_not_equal(want[y][x], 1);
	}
}

static void assert_rect(const struct bis_rect *r, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	assert_int_equal(r->x, x);
	assert_int_equal(r->y, y);
	assert_int_equal(r->width, width);
	assert_int_equal(r->height, height);
}

static void damage_joins_what_continues_and_keeps_apart_what_does_not(void **state)
{
	struct damage d = {0};

	(void)state;
	for (uint32_t y = 0; y < 40; y++)
		bis_damage_add(&d, (struct bis_rect){0, y, 100, 1});
	assert_int_equal(d.count, 1);
	assert_rect(&d.rects[0], 0, 0, 100, 40);
	bis_damage_add(&d, (struct bis_rect){500, 500, 10, 10});
	assert_int_equal(d.count, 2);
	bis_damage_add(&d, (struct bis_rect){10, 10, 5, 5});
	assert_int_equal(d.count, 2);
	bis_damage_add(&d, (struct bis_rect){0, 0, 600, 600});
	assert_int_equal(d.count, 1);
	bis_damage_add(&d, (struct bis_rect){0, 0, 0, 5});
	assert_int_equal(d.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_covers_everything_and_never_overlaps),
		cmocka_unit_test(damage_joins_what_continues_and_keeps_apart_what_does_not),
	};

	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
