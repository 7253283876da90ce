/*
 * Native framebuffer: the registers of docs/devices.md as a driver uses them, wild modes and addresses; and the
 * framebuffer without registers.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <biscuit/display.h>

#include "modules/device/native.h"
#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

#define MODE(w, h, format)                                                                                             \
	((uint32_t)(w) << FRAMEBUFFER_MODE_WIDTH_SHIFT | (uint32_t)(h) << FRAMEBUFFER_MODE_HEIGHT_SHIFT |              \
	 (uint32_t)(format) << FRAMEBUFFER_MODE_FORMAT_SHIFT)
#define FRAME_NS (1000000000 / 60 + 1)

struct fixture {
	struct bis_machine *m;
	struct bis_module *mod;
	struct bis_display *d;
	struct bis_viewer *v;
	struct bis_view view;
};

#define VISIBLE (NATIVE_STATUS_READY | FRAMEBUFFER_STATUS_VISIBLE)

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = fake_create(1);
	f->mod = fake_add(f->m, &bis_framebuffer_class, FRAMEBUFFER_SLOT, "");
	f->d = bis_display_find(f->m, "fb");
	assert_non_null(f->d);
	assert_ok(bis_viewer_create(f->d, NULL, NULL, &f->v));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bis_viewer_destroy(f->v);
	fake_destroy(f->m);
	free(f);
	return 0;
}

static uint64_t rd(struct fixture *f, unsigned reg)
{
	return fake_csr_read(f->mod, reg);
}

static void wr(struct fixture *f, unsigned reg, uint64_t val)
{
	fake_csr_write(f->mod, reg, val);
}

static void set(struct fixture *f, uint64_t mode, uint64_t pitch, uint64_t address)
{
	wr(f, FRAMEBUFFER_MODE, mode);
	wr(f, FRAMEBUFFER_PITCH, pitch);
	wr(f, FRAMEBUFFER_ADDRESS, address);
}

static const struct bis_view *look(struct fixture *f)
{
	bis_viewer_update(f->v, &f->view);
	return &f->view;
}

static uint32_t pixel(struct fixture *f, uint32_t x, uint32_t y)
{
	uint32_t got;

	assert_ok(bis_viewer_read(f->v, &(struct bis_rect){x, y, 1, 1}, &got, 4));
	return got;
}

static void a_mode_appears_when_the_address_is_written(void **state)
{
	struct fixture *f = *state;
	uint32_t red = 0xff0000;
	uint16_t green = 0x07e0;

	assert_int_equal(look(f)->width, 0);
	assert_true(f->view.can_resize);
	wr(f, FRAMEBUFFER_MODE, MODE(320, 200, FRAMEBUFFER_FORMAT_XRGB8888));
	assert_int_equal(look(f)->width, 0);
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){BIS_RAM_BASE + (320 + 7) * 4}, &red, 4));
	wr(f, FRAMEBUFFER_ADDRESS, BIS_RAM_BASE);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_int_equal(rd(f, FRAMEBUFFER_ADDRESS), BIS_RAM_BASE);
	assert_int_equal(look(f)->width, 320);
	assert_int_equal(f->view.height, 200);
	assert_int_equal(pixel(f, 7, 1), 0xffff0000);

	set(f, MODE(100, 50, FRAMEBUFFER_FORMAT_RGB565), 256, BIS_RAM_BASE + 0x80000);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){BIS_RAM_BASE + 0x80000 + 256 * 3 + 2}, &green, 2));
	assert_int_equal(look(f)->width, 100);
	assert_int_equal(pixel(f, 1, 3), 0xff00ff00);

	wr(f, FRAMEBUFFER_ADDRESS, 0);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_int_equal(look(f)->width, 0);
	assert_int_equal(rd(f, FRAMEBUFFER_ADDRESS), 0);
}

static void writing_the_address_flips_the_page(void **state)
{
	struct fixture *f = *state;

	set(f, MODE(64, 16, 0), 0, BIS_RAM_BASE);
	look(f);
	assert_int_equal(look(f)->n_rects, 0);
	wr(f, FRAMEBUFFER_ADDRESS, BIS_RAM_BASE + 0x4000);
	assert_int_equal(look(f)->n_rects, 1);
	assert_int_equal(f->view.rects[0].height, 16);
	assert_ok(bis_mem_fill(f->m->memory, (bis_gpa){BIS_RAM_BASE}, 1, 4096)); /* not shown */
	assert_int_equal(look(f)->n_rects, 0);
	assert_ok(bis_mem_fill(f->m->memory, (bis_gpa){BIS_RAM_BASE + 0x4000}, 1, 1));
	assert_int_equal(look(f)->n_rects, 1);
}

#define PAGE_SIDE  256u
#define PAGE_BYTES (PAGE_SIDE * PAGE_SIDE * 4)
#define MANY_FLIPS 1000000u

struct reader {
	struct bis_viewer *v;
	_Atomic bool stop;
	_Atomic unsigned read, torn;
};

/* Reads whole pictures, which have pixels of one colour each. */
static void *read_pictures(void *arg)
{
	struct reader *r = arg;
	uint32_t *pixels = malloc(PAGE_BYTES);

	while (!atomic_load(&r->stop)) {
		int err = bis_viewer_read(r->v, &(struct bis_rect){0, 0, PAGE_SIDE, PAGE_SIDE}, pixels, PAGE_SIDE * 4);
		bool torn = err != 0;

		for (unsigned i = 1; !err && i < PAGE_SIDE * PAGE_SIDE; i++)
			torn |= pixels[i] != pixels[0];
		atomic_fetch_add(&r->torn, torn);
		atomic_fetch_add(&r->read, 1);
	}
	free(pixels);
	return NULL;
}

static void a_guest_that_waits_while_busy_shows_no_half_frame(void **state)
{
	struct fixture *f = *state;
	struct reader r = {.v = f->v};
	pthread_t thread;
	unsigned busy = 0;

	set(f, MODE(PAGE_SIDE, PAGE_SIDE, FRAMEBUFFER_FORMAT_XRGB8888), 0, BIS_RAM_BASE);
	assert_int_equal(pthread_create(&thread, NULL, read_pictures, &r), 0);
	for (unsigned i = 1; i < MANY_FLIPS && (i < 200 || !busy || atomic_load(&r.read) < 50); i++) {
		bis_gpa page = {BIS_RAM_BASE + i % 2 * PAGE_BYTES};

		assert_ok(bis_mem_fill(f->m->memory, page, (uint8_t)i, PAGE_BYTES));
		wr(f, FRAMEBUFFER_ADDRESS, page.v);
		while (rd(f, NATIVE_STATUS) & NATIVE_STATUS_BUSY) {
			busy++;
			sched_yield();
		}
	}
	atomic_store(&r.stop, true);
	pthread_join(thread, NULL);
	assert_true(busy > 0);
	assert_int_equal(r.torn, 0);
}

static void pictures_that_cannot_be_are_refused_and_the_old_one_stays(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t mode, pitch, address;
		unsigned error;
	} bad[] = {
		{0, 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(0, 10, 0), 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 0, 0), 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(4097, 1, 0), 0, BIS_RAM_BASE, NATIVE_ERROR_TOO_BIG},
		{MODE(1, 4097, 0), 0, BIS_RAM_BASE, NATIVE_ERROR_TOO_BIG},
		{MODE(8191, 8191, 0), 0, BIS_RAM_BASE, NATIVE_ERROR_TOO_BIG},
		{MODE(10, 10, 2), 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 3), 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0) | 1u << 13, 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0) | 1u << 31, 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0) | UINT64_C(1) << 32, 0, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{UINT64_MAX, UINT64_MAX, UINT64_MAX, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), 39, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), 42, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), 65540, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), 0xfffffffc, BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), UINT64_C(0x100000028), BIS_RAM_BASE, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), 0, BIS_RAM_BASE + 1, NATIVE_ERROR_INVALID},
		{MODE(10, 10, 0), 0, BIS_RAM_BASE - 4, NATIVE_ERROR_ADDRESS},
		{MODE(10, 10, 0), 0, FAKE_RAM_END - 396, NATIVE_ERROR_ADDRESS},
		{MODE(10, 10, 0), 0, FAKE_RAM_END, NATIVE_ERROR_ADDRESS},
		{MODE(10, 10, 0), 0, UINT64_MAX - 3, NATIVE_ERROR_ADDRESS},
		{MODE(10, 10, 0), 65536, UINT64_MAX - 0xffff, NATIVE_ERROR_ADDRESS},
		{MODE(4096, 4096, 0), 65536, BIS_RAM_BASE, NATIVE_ERROR_ADDRESS},
		{MODE(10, 10, 0), 0, FAKE_WINDOW, NATIVE_ERROR_ADDRESS},
	};

	set(f, MODE(20, 10, 0), 80, BIS_RAM_BASE + 0x1000);
	look(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		set(f, bad[i].mode, bad[i].pitch, bad[i].address);
		assert_int_equal(fake_csr_error(f->mod), bad[i].error);
		assert_int_equal(rd(f, FRAMEBUFFER_ADDRESS), BIS_RAM_BASE + 0x1000);
		assert_int_equal(look(f)->width, 20);
		assert_int_equal(f->view.n_rects, 0);
		wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
		assert_int_equal(fake_csr_error(f->mod), 0);
	}
	/* The last byte of RAM. */
	set(f, MODE(10, 10, 0), 44, FAKE_RAM_END - (44 * 9 + 40));
	assert_int_equal(fake_csr_error(f->mod), 0);
}

static void a_32_bit_guest_reaches_high_addresses(void **state)
{
	struct fixture *f = *state;

	wr(f, FRAMEBUFFER_MODE, MODE(10, 10, 0));
	wr(f, FRAMEBUFFER_HIGH, 1);
	wr(f, FRAMEBUFFER_ADDRESS, 0x80000000);
	assert_int_equal(fake_csr_error(f->mod), NATIVE_ERROR_ADDRESS);
	wr(f, FRAMEBUFFER_ADDRESS, 0x80000000);
	assert_int_equal(fake_csr_error(f->mod), 0);
	assert_int_equal(rd(f, FRAMEBUFFER_HIGH), 0);
}

static void vsync_comes_sixty_times_a_second_while_enabled(void **state)
{
	struct fixture *f = *state;
	unsigned seen = 0;

	fake_advance(f->m, 5 * FRAME_NS);
	assert_false(rd(f, NATIVE_STATUS) & FRAMEBUFFER_STATUS_VSYNC);
	wr(f, FRAMEBUFFER_ENABLE, FRAMEBUFFER_ENABLE_VSYNC);
	assert_false(fake_irq(f->mod));
	for (unsigned ms = 0; ms < 1000; ms++) {
		fake_advance(f->m, 1000000);
		if (!fake_irq(f->mod))
			continue;
		assert_true(rd(f, NATIVE_STATUS) & FRAMEBUFFER_STATUS_VSYNC);
		assert_true(rd(f, NATIVE_STATUS) & NATIVE_STATUS_INTERRUPT);
		wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
		assert_false(fake_irq(f->mod));
		seen++;
	}
	assert_in_range(seen, 59, 61);
	fake_advance(f->m, 10 * (uint64_t)FRAME_NS);
	assert_true(fake_irq(f->mod));
	wr(f, FRAMEBUFFER_ENABLE, 0);
	assert_false(fake_irq(f->mod));
	fake_advance(f->m, 10 * (uint64_t)FRAME_NS);
	assert_int_equal(rd(f, NATIVE_STATUS), NATIVE_STATUS_READY | FRAMEBUFFER_STATUS_VISIBLE);
}

static void the_guest_hears_of_the_size_that_is_wished(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rd(f, FRAMEBUFFER_PREFERRED), MODE(1024, 768, 0));
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	wr(f, FRAMEBUFFER_ENABLE, UINT64_MAX & ~(uint64_t)FRAMEBUFFER_ENABLE_VSYNC);
	assert_int_equal(rd(f, FRAMEBUFFER_ENABLE), FRAMEBUFFER_ENABLE_PREFERRED | FRAMEBUFFER_ENABLE_VISIBLE);
	assert_false(fake_irq(f->mod));
	bis_viewer_wish(f->v, 1024, 768);
	assert_false(fake_irq(f->mod));
	bis_viewer_wish(f->v, 1280, UINT32_MAX);
	assert_true(fake_irq(f->mod));
	assert_true(rd(f, NATIVE_STATUS) & FRAMEBUFFER_STATUS_PREFERRED);
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_true(fake_irq(f->mod)); /* a condition: reading it ends it */
	assert_int_equal(rd(f, FRAMEBUFFER_PREFERRED), MODE(1280, 4096, 0));
	assert_false(fake_irq(f->mod));
	wr(f, FRAMEBUFFER_PREFERRED, 5);
	assert_int_equal(rd(f, FRAMEBUFFER_PREFERRED), MODE(1280, 4096, 0));
}

static void status_tells_whether_somebody_looks(void **state)
{
	struct fixture *f = *state;
	struct bis_viewer *second;

	assert_int_equal(rd(f, NATIVE_STATUS), VISIBLE | FRAMEBUFFER_STATUS_CHANGED);
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_int_equal(rd(f, NATIVE_STATUS), VISIBLE);
	wr(f, FRAMEBUFFER_ENABLE, FRAMEBUFFER_ENABLE_VISIBLE);
	assert_ok(bis_viewer_create(f->d, NULL, NULL, &second));
	assert_false(fake_irq(f->mod)); /* somebody looked before */
	bis_viewer_destroy(f->v);
	assert_false(fake_irq(f->mod));
	bis_viewer_destroy(second);
	assert_true(fake_irq(f->mod));
	assert_int_equal(rd(f, NATIVE_STATUS),
			 NATIVE_STATUS_READY | NATIVE_STATUS_INTERRUPT | FRAMEBUFFER_STATUS_CHANGED);
	wr(f, NATIVE_STATUS, NATIVE_STATUS_INTERRUPT);
	assert_false(fake_irq(f->mod));
	assert_ok(bis_viewer_create(f->d, NULL, NULL, &f->v));
	assert_true(fake_irq(f->mod));
}

static void reset_shows_nothing_but_keeps_the_wish(void **state)
{
	struct fixture *f = *state;

	set(f, MODE(64, 16, 0), 256, BIS_RAM_BASE);
	wr(f, FRAMEBUFFER_ENABLE, FRAMEBUFFER_ENABLE_VSYNC | FRAMEBUFFER_ENABLE_PREFERRED);
	bis_viewer_wish(f->v, 300, 200);
	fake_advance(f->m, FRAME_NS);
	wr(f, FRAMEBUFFER_HIGH, 7);
	fake_reset(f->mod);
	assert_false(fake_irq(f->mod));
	assert_int_equal(look(f)->width, 0);
	assert_int_equal(rd(f, FRAMEBUFFER_MODE), 0);
	assert_int_equal(rd(f, FRAMEBUFFER_PITCH), 0);
	assert_int_equal(rd(f, FRAMEBUFFER_ENABLE), 0);
	assert_int_equal(rd(f, FRAMEBUFFER_PREFERRED), MODE(300, 200, 0));
	wr(f, FRAMEBUFFER_MODE, MODE(10, 10, 0));
	wr(f, FRAMEBUFFER_ADDRESS, BIS_RAM_BASE);
	assert_int_equal(fake_csr_error(f->mod), 0);
	fake_advance(f->m, 2 * FRAME_NS);
	assert_false(rd(f, NATIVE_STATUS) & FRAMEBUFFER_STATUS_VSYNC);
}

static int set_field(struct fixture *f, const char *name, const char *text)
{
	assert_ok(bis_field_parse(bis_field_find(f->mod->class->fields, name), f->mod->self, text));
	return f->mod->class->check(f->mod->self);
}

static void restored_fields_show_their_picture_again(void **state)
{
	struct fixture *f = *state;
	char mode[16];

	snprintf(mode, sizeof(mode), "0x%x", MODE(64, 16, 0));
	assert_ok(set_field(f, "shown_mode", mode));
	assert_int_equal(look(f)->width, 0);
	assert_ok(set_field(f, "shown", "0x80000000"));
	assert_int_equal(look(f)->width, 64);
	assert_ok(set_field(f, "enable", "0x1"));
	fake_resume(f->mod);
	fake_advance(f->m, FRAME_NS);
	assert_true(fake_irq(f->mod));
	assert_fails(set_field(f, "shown", "0x1000"), -EINVAL, "framebuffer");
	assert_ok(set_field(f, "shown", "0x80000000"));
	assert_fails(set_field(f, "shown_mode", "0xffffffff"), -EINVAL, "framebuffer");
	assert_ok(set_field(f, "shown_mode", mode));
	assert_fails(set_field(f, "preferred", "0"), -EINVAL, "preferred");
	assert_fails(set_field(f, "preferred", "0xffffffff"), -EINVAL, "preferred");
}

static void options_choose_the_wish_and_the_display(void **state)
{
	struct fixture *f = *state;
	struct bis_module *other;
	struct bis_display *d;
	static const char *const bad[] = {"display=x,width=0", "display=x,width=4097", "display=x,height=0",
					  "display=x,height=18446744073709551615"};

	assert_fails(fake_try_add(f->m, &bis_framebuffer_class, 9, "", &other), -EBUSY, "fb");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_fails(fake_try_add(f->m, &bis_framebuffer_class, 9, bad[i], &other), -EINVAL, "4096");
	other = fake_add(f->m, &bis_framebuffer_class, 9, "display=second,width=640,height=480");
	assert_int_equal(fake_csr_read(other, FRAMEBUFFER_PREFERRED), MODE(640, 480, 0));
	d = bis_display_find(f->m, "second");
	assert_non_null(d);
	fake_remove(other);
	assert_ptr_equal(bis_display_find(f->m, "second"), d);
	other = fake_add(f->m, &bis_framebuffer_class, 9, "display=second");
	fake_remove(other);
}

/* --- simple-framebuffer --- */

static void a_simple_framebuffer_is_ram_that_is_shown(void **state)
{
	struct fixture *f = *state;
	struct bis_module *mod = fake_add(f->m, &bis_simplefb_class, -1, "width=100,height=30");
	struct bis_mem_region r;
	struct bis_viewer *v;
	struct bis_view view;
	uint32_t blue = 0xff, got;
	char dt[512];

	assert_ok(bis_mem_region(f->m->memory, 1, &r));
	assert_true(r.of_device);
	assert_int_equal(r.base.v, 0xe0000000);
	assert_int_equal(r.size, 0x3000);
	assert_ok(bis_viewer_create(bis_display_find(f->m, "simplefb"), NULL, NULL, &v));
	bis_viewer_update(v, &view);
	assert_int_equal(view.width, 100);
	assert_int_equal(view.height, 30);
	assert_true(view.poll && !view.can_resize);
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){0xe0000000 + 400 * 29 + 396}, &blue, 4));
	assert_ok(bis_viewer_read(v, &(struct bis_rect){99, 29, 1, 1}, &got, 4));
	assert_int_equal(got, 0xff0000ff);
	assert_string_equal(fake_dt(mod, dt, sizeof(dt)), "compatible=simple-framebuffer\nreg=0 3758096384 0 12288\n"
							  "width=100\nheight=30\nstride=400\nformat=x8r8g8b8\n");
	assert_int_equal(bis_simplefb_class.dt_address(mod->self), 0xe0000000); /* framebuffer@e0000000 */
	fake_remove(mod);
	bis_viewer_update(v, &view);
	assert_int_equal(view.width, 0);
	bis_viewer_destroy(v);
}

static uint64_t base_of(const struct bis_module *mod)
{
	char text[32];

	bis_field_format(bis_field_find(mod->class->fields, "base"), mod->self, text, sizeof(text));
	return strtoull(text, NULL, 0);
}

static void the_ram_of_a_simple_framebuffer_is_used_again(void **state)
{
	struct fixture *f = *state;
	struct bis_module *first = fake_add(f->m, &bis_simplefb_class, -1, ""), *second;
	uint64_t base = base_of(first);
	uint32_t pixel = 5;

	second = fake_add(f->m, &bis_simplefb_class, -1, "display=second");
	assert_int_equal(base_of(second), base + 0x400000);
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){base}, &pixel, 4));
	fake_remove(first);
	assert_ok(bis_mem_read(f->m->memory, (bis_gpa){base}, &pixel, 4));
	assert_int_equal(pixel, 0); /* the host has its memory back */
	pixel = 5;
	assert_ok(bis_mem_write(f->m->memory, (bis_gpa){base}, &pixel, 4));
	first = fake_add(f->m, &bis_simplefb_class, -1, "");
	assert_int_equal(base_of(first), base);
	assert_ok(bis_mem_read(f->m->memory, (bis_gpa){base}, &pixel, 4));
	assert_int_equal(pixel, 0); /* as new */
	assert_int_equal(bis_mem_region_count(f->m->memory), 3);
}

static void simple_framebuffers_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;
	struct bis_module *mod;
	static const struct {
		const char *options;
		int err;
		const char *words;
	} bad[] = {
		{"width=0", -EINVAL, "4096"},
		{"height=4097", -EINVAL, "4096"},
		{"width=18446744073709551615", -EINVAL, "4096"},
		{"address=0x80000000", -EEXIST, "overlaps"},
		{"address=0x12345", -EINVAL, "multiples"},
		{"address=0xfffffffffffff000", -EINVAL, "2^64"},
		{"display=fb", -EBUSY, "fb"},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_fails(fake_try_add(f->m, &bis_simplefb_class, -1, bad[i].options, &mod), bad[i].err,
			     bad[i].words);
	assert_int_equal(bis_mem_region_count(f->m->memory), 1); /* no RAM is left behind */
	assert_null(bis_display_find(f->m, "nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_mode_appears_when_the_address_is_written),
		TEST(writing_the_address_flips_the_page),
		TEST(a_guest_that_waits_while_busy_shows_no_half_frame),
		TEST(pictures_that_cannot_be_are_refused_and_the_old_one_stays),
		TEST(a_32_bit_guest_reaches_high_addresses),
		TEST(vsync_comes_sixty_times_a_second_while_enabled),
		TEST(the_guest_hears_of_the_size_that_is_wished),
		TEST(status_tells_whether_somebody_looks),
		TEST(reset_shows_nothing_but_keeps_the_wish),
		TEST(restored_fields_show_their_picture_again),
		TEST(options_choose_the_wish_and_the_display),
		TEST(a_simple_framebuffer_is_ram_that_is_shown),
		TEST(the_ram_of_a_simple_framebuffer_is_used_again),
		TEST(simple_framebuffers_that_cannot_be_are_refused),
#undef TEST
	};

	return cmocka_run_group_tests_name("framebuffer", tests, NULL, NULL);
}
