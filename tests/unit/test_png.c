/* Pictures: what libpng reads back is what was given, and a display's picture is what it shows. */
#include <png.h>
#include <stdlib.h>

#include <biscuit/display.h>

#include "frontend/image/png.h"
#include "tests/unit/rig.h"

enum { WIDTH = 37, HEIGHT = 23 };

struct decoded {
	uint32_t width, height;
	uint8_t *rgb;
};

static struct decoded decode(void *data, size_t size)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	struct decoded d;

	assert_true(png_image_begin_read_from_memory(&image, data, size));
	image.format = PNG_FORMAT_RGB;
	d = (struct decoded){image.width, image.height, malloc(PNG_IMAGE_SIZE(image))};
	assert_non_null(d.rgb);
	assert_true(png_image_finish_read(&image, NULL, d.rgb, 0, NULL));
	free(data);
	return d;
}

static uint32_t pixel(const struct decoded *d, uint32_t x, uint32_t y)
{
	const uint8_t *p = d->rgb + 3 * ((size_t)y * d->width + x);

	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static uint32_t pattern(uint32_t x, uint32_t y)
{
	return (x * 7 & 0xff) << 16 | (y * 11 & 0xff) << 8 | ((x ^ y) & 0xff);
}

static void a_picture_is_read_back_as_it_was(void **state)
{
	uint32_t pixels[WIDTH * HEIGHT];
	struct decoded d;
	void *data;
	size_t size;

	(void)state;
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = pattern(i % WIDTH, i / WIDTH) | (i % 3 ? 0xff000000u : 0); /* the upper byte says nothing */
	assert_ok(png_encode(pixels, WIDTH, HEIGHT, &data, &size));
	d = decode(data, size);
	assert_int_equal(d.width, WIDTH);
	assert_int_equal(d.height, HEIGHT);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal(pixel(&d, i % WIDTH, i / WIDTH), pattern(i % WIDTH, i / WIDTH));
	free(d.rgb);
}

static void a_picture_without_pixels_is_refused(void **state)
{
	uint32_t one = 0;
	void *data;
	size_t size;

	(void)state;
	assert_fails(png_encode(&one, 0, 1, &data, &size), -EINVAL, "0 times 1");
	assert_fails(png_encode(&one, 1, 0, &data, &size), -EINVAL, "1 times 0");
	assert_fails(png_encode(&one, 1, UINT32_MAX, &data, &size), -EINVAL, "picture");
}

/* --- Displays --- */

struct shown {
	struct bis_machine *m;
	struct bis_display *d;
	uint32_t pixels[WIDTH * HEIGHT];
};

static struct shown *show(void)
{
	static const struct bis_display_ops ops;
	struct shown *s = calloc(1, sizeof(*s));

	s->m = rig_create("rv64imac_zicsr_zifencei", 1);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		s->pixels[i] = pattern(i % WIDTH, i / WIDTH);
	assert_ok(bis_display_open(s->m, "fb", &s->d));
	assert_ok(bis_display_attach(s->d, &ops, s));
	assert_ok(bis_display_show(s->d, &(struct bis_surface){.width = WIDTH,
							       .height = HEIGHT,
							       .pitch = WIDTH * 4,
							       .format = BIS_PIXEL_XRGB8888,
							       .pixels = s->pixels}));
	return s;
}

static void hide(struct shown *s)
{
	bis_display_detach(s->d, s);
	bis_machine_destroy(s->m);
	free(s);
}

static void a_display_gives_what_it_shows(void **state)
{
	struct shown *s = show();
	struct decoded d;
	void *data;
	size_t size;

	(void)state;
	assert_ok(png_of_display(s->d, true, &data, &size));
	d = decode(data, size);
	assert_int_equal(d.width, WIDTH);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal(pixel(&d, i % WIDTH, i / WIDTH), pattern(i % WIDTH, i / WIDTH));
	free(d.rgb);
	assert_false(bis_display_has_viewers(s->d)); /* it looked once */
	hide(s);
}

static void a_display_that_shows_nothing_gives_no_picture(void **state)
{
	struct shown *s = show();
	void *data;
	size_t size;

	(void)state;
	assert_ok(bis_display_show(s->d, NULL));
	assert_fails(png_of_display(s->d, false, &data, &size), -ENODATA, "nothing is shown");
	hide(s);
}

/* A pointer of two pixels: one covers, one lets half through; its hot spot is the second. */
static void the_pointer_is_blended_over_the_picture(void **state)
{
	struct bis_cursor cursor = {.width = 2, .height = 1, .hot_x = 1, .pixels = {0xffff8000u, 0x80ffffffu}};
	struct shown *s = show();
	struct decoded d;
	void *data;
	size_t size;

	(void)state;
	s->pixels[5 * WIDTH + 10] = 0;
	bis_display_set_cursor(s->d, &cursor);
	bis_display_move_cursor(s->d, 10, 5);
	assert_ok(png_of_display(s->d, true, &data, &size));
	d = decode(data, size);
	assert_int_equal(pixel(&d, 9, 5), 0xff8000);
	assert_int_equal(pixel(&d, 10, 5), 0x808080);
	assert_int_equal(pixel(&d, 11, 5), pattern(11, 5));
	free(d.rgb);
	assert_ok(png_of_display(s->d, false, &data, &size));
	d = decode(data, size);
	assert_int_equal(pixel(&d, 9, 5), pattern(9, 5));
	free(d.rgb);
	/* At the edge, what lies outside is cut off. */
	bis_display_move_cursor(s->d, 0, 0);
	assert_ok(png_of_display(s->d, true, &data, &size));
	d = decode(data, size);
	assert_int_equal(pixel(&d, 0, 0), 0x808080);
	free(d.rgb);
	bis_display_move_cursor(s->d, UINT32_MAX, UINT32_MAX);
	assert_ok(png_of_display(s->d, true, &data, &size));
	free(data);
	hide(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_is_read_back_as_it_was),
		cmocka_unit_test(a_picture_without_pixels_is_refused),
		cmocka_unit_test(a_display_gives_what_it_shows),
		cmocka_unit_test(a_display_that_shows_nothing_gives_no_picture),
		cmocka_unit_test(the_pointer_is_blended_over_the_picture),
	};

	return cmocka_run_group_tests_name("png", tests, NULL, NULL);
}
