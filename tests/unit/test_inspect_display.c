/* Displays as files: a picture of the moment of open, and a plain answer where there is none. */
#include <biscuit/display.h>
#include <biscuit/memory.h>
#include <png.h>

#include "tests/unit/inspect_rig.h"

enum { WIDTH = 20, HEIGHT = 10 };

static struct files *make(void)
{
	struct bis_machine *m = rig_create("rv64imac_zicsr_zifencei", 1);

	rig_add(m, "modctl,slot=0");
	rig_add(m, "framebuffer,slot=5");
	rig_add(m, "framebuffer,slot=6,name=gadget,display=gadget");
	rig_start_paused(m);
	return files_of(m, NULL);
}

static const struct bis_surface picture = {.width = WIDTH,
					   .height = HEIGHT,
					   .pitch = WIDTH * 4,
					   .format = BIS_PIXEL_XRGB8888,
					   .in_guest = true,
					   .base = {RIG_DATA}};

static void fill(struct files *f)
{
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		rig_set32(f->m, RIG_DATA + 4 * i, 0x00102030 + i);
}

static void show(struct files *f, const char *name)
{
	fill(f);
	assert_ok(bis_display_show(bis_display_find(f->m, name), &picture));
}

/* What was read last is the picture, with this pixel in its corner. */
static void assert_picture(struct files *f, uint32_t corner)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	uint8_t rgb[WIDTH * HEIGHT * 3];

	assert_true(png_image_begin_read_from_memory(&image, f->text, f->len));
	image.format = PNG_FORMAT_RGB;
	assert_int_equal(image.width, WIDTH);
	assert_int_equal(image.height, HEIGHT);
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
	assert_int_equal(rgb[0] << 16 | rgb[1] << 8 | rgb[2], corner);
	assert_int_equal(rgb[3] << 16 | rgb[4] << 8 | rgb[5], 0x102031);
}

static void a_display_has_a_picture_of_what_it_shows(void **state)
{
	struct files *f = make();

	(void)state;
	show(f, "fb");
	assert_ok(files_get(f, "dev/fb/frame.png"));
	assert_picture(f, 0x102030);
	files_say(f, "dev/fb/info", "size 20x10\n");
	assert_false(bis_display_has_viewers(bis_display_find(f->m, "fb")));
	files_free(f);
}

static void a_picture_is_of_the_moment_of_open(void **state)
{
	struct files *f = make();
	struct inspect_handle *h;

	(void)state;
	show(f, "fb");
	assert_ok(files_open(f, "dev/fb/frame.png", INSPECT_READ, &h));
	rig_set32(f->m, RIG_DATA, 0xffffff);
	f->len = (size_t)inspect_read(h, f->text, 16, 0);
	assert_int_equal(f->len, 16);
	f->len += (size_t)inspect_read(h, f->text + 16, sizeof(f->text) - 16, 16);
	inspect_close(h);
	assert_picture(f, 0x102030);
	assert_ok(files_get(f, "dev/fb/frame.png"));
	assert_picture(f, 0xffffff);
	files_free(f);
}

static void a_display_that_shows_nothing_says_so(void **state)
{
	struct files *f = make();

	(void)state;
	assert_int_equal(files_get(f, "dev/fb/frame.png"), -ENODATA);
	files_say(f, "errstr", "dev/fb/frame.png: the guest shows nothing on the display 'fb'");
	files_say(f, "dev/fb/info", "size 0x0\n");
	files_free(f);
}

struct shy {
	struct bis_display *display;
	unsigned changes;
};

/* Shows its picture while somebody looks, and nothing otherwise. */
static void shy_watched(void *self)
{
	struct shy *s = self;

	s->changes++;
	assert_ok(bis_display_show(s->display, bis_display_has_viewers(s->display) ? &picture : NULL));
}

/* It need not begin more than once for one picture. */
static void a_guest_that_shows_only_while_somebody_looks(void **state)
{
	static const struct bis_display_ops ops = {.watched = shy_watched};
	struct files *f = make();
	struct shy s = {0};

	(void)state;
	fill(f);
	assert_ok(bis_display_open(f->m, "shy", &s.display));
	bis_machine_lock_devices(f->m);
	assert_ok(bis_display_attach(s.display, &ops, &s));
	bis_machine_unlock_devices(f->m);
	assert_ok(files_get(f, "dev/shy/frame.png"));
	assert_picture(f, 0x102030);
	assert_int_equal(s.changes, 2);
	bis_machine_lock_devices(f->m);
	bis_display_detach(s.display, &s);
	bis_machine_unlock_devices(f->m);
	files_free(f);
}

/* A device of the display's own name has the picture among its own files. */
static void a_device_of_that_name_keeps_its_files(void **state)
{
	struct files *f = make();

	(void)state;
	show(f, "gadget");
	assert_ok(files_get(f, "dev/gadget/frame.png"));
	assert_picture(f, 0x102030);
	files_say(f, "dev/gadget/info", "class framebuffer\n");
	files_say(f, "dev/gadget/state", "shown_mode ");
	files_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_display_has_a_picture_of_what_it_shows),
		cmocka_unit_test(a_picture_is_of_the_moment_of_open),
		cmocka_unit_test(a_display_that_shows_nothing_says_so),
		cmocka_unit_test(a_guest_that_shows_only_while_somebody_looks),
		cmocka_unit_test(a_device_of_that_name_keeps_its_files),
	};

	return cmocka_run_group_tests_name("inspect_display", tests, NULL, NULL);
}
