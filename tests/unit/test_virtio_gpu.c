/*
 * The virtio GPU: what a driver draws is what a viewer sees; sizes, pointers and resets.
 */
#include "tests/unit/gpu_rig.h"

static void assert_rect(struct bis_rect r, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	assert_int_equal(r.x, x);
	assert_int_equal(r.y, y);
	assert_int_equal(r.width, width);
	assert_int_equal(r.height, height);
}

/* --- What it says of itself --- */

static void it_has_one_screen_of_the_size_asked_for(void **state)
{
	struct grig *g = grig_open("virtio-gpu,width=800,height=600");

	(void)state;
	assert_int_equal(vrig_rd(g->v, VRIG_DEVICE_ID), 16);
	assert_true(vrig_offered(g->v) & GRIG_F_EDID);
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	assert_int_equal(vrig_config(g->v, 8, 4), 1);
	assert_int_equal(vrig_config(g->v, 12, 4), 0);
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(g->len, 24 + 16 * 24);
	assert_int_equal(grig_word(g, 24), 0);
	assert_int_equal(grig_word(g, 28), 0);
	assert_int_equal(grig_word(g, 32), 800);
	assert_int_equal(grig_word(g, 36), 600);
	assert_int_equal(grig_word(g, 40), 1);
	for (size_t at = 48; at < g->len; at += 4)
		assert_int_equal(grig_word(g, at), 0);
	grig_look(g);
	assert_int_equal(g->view.width, 0);
	assert_true(g->view.can_resize);
	grig_close(g);
}

static void options_out_of_bounds_are_refused(void **state)
{
	static const char *const bad[] = {"width=63",	"width=4089", "height=0",    "height=1000000000000",
					  "memory=64K", "memory=4G",  "resources=0", "resources=65537"};
	struct bis_machine *m = rig_create_with("rv64", 1, bis_builtin_modules);
	char spec[128];

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		snprintf(spec, sizeof(spec), "virtio-gpu,at=0x10001000,irq=1,%s", bad[i]);
		assert_int_equal(bis_machine_add(m, spec, NULL), -EINVAL);
	}
	assert_ok(bis_machine_add(m, "virtio-gpu,at=0x10001000,irq=1", NULL));
	assert_int_equal(bis_machine_add(m, "virtio-gpu,at=0x10002000,irq=2", NULL), -EBUSY); /* the display is taken */
	assert_ok(bis_machine_add(m, "virtio-gpu,at=0x10002000,irq=2,display=second", NULL));
	bis_machine_destroy(m);
}

/* VESA E-EDID 1.4: header, checksum, and the timing of section 3.10.2. */
static void check_edid(const uint8_t *e, uint32_t width, uint32_t height)
{
	static const uint8_t header[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	uint32_t h = e[56] | (e[58] & 0xf0u) << 4, v = e[59] | (e[61] & 0xf0u) << 4;
	uint32_t h_blank = e[57] | (e[58] & 0xfu) << 8, v_blank = e[60] | (e[61] & 0xfu) << 8;
	uint32_t clock = e[54] | (uint32_t)e[55] << 8;
	uint8_t sum = 0;
	double refresh;

	for (unsigned i = 0; i < 128; i++)
		sum = (uint8_t)(sum + e[i]);
	assert_int_equal(sum, 0);
	assert_memory_equal(e, header, sizeof(header));
	assert_int_equal(e[18], 1);
	assert_int_equal(e[19], 4);
	assert_int_equal(e[126], 0);
	assert_int_equal(h, width);
	assert_int_equal(v, height);
	refresh = clock * 10000.0 / ((h + h_blank) * (v + v_blank));
	assert_true(refresh > (width * height > 9000000 ? 25 : 59.5) && refresh <= 60);
	assert_true(v_blank * 1e6 / (refresh * (v + v_blank)) >= 450); /* CVT: 460 us */
	/* Front porch and pulse lie within the blanking. */
	assert_true(e[62] + e[63] + 0u < h_blank && (e[64] >> 4) + (e[64] & 15u) < v_blank);
}

static void edid_describes_a_monitor_of_the_wished_size(void **state)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = {{64, 64}, {640, 480}, {1024, 768}, {1283, 717}, {1920, 1080}, {3840, 2160}, {4088, 4088}};
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(sizes); i++) {
		bis_viewer_wish(g->viewer, sizes[i].width, sizes[i].height);
		assert_int_equal(grig_call(g, GPU_GET_EDID, 0, 0), GPU_OK_EDID);
		assert_int_equal(g->len, 24 + 8 + 1024);
		assert_int_equal(grig_word(g, 24), 128);
		check_edid(g->reply + 32, sizes[i].width, sizes[i].height);
	}
	assert_int_equal(grig_call(g, GPU_GET_EDID, 1, 0), GPU_ERR_INVALID_SCANOUT_ID);
	grig_close(g);
}

/* --- Pictures --- */

static void what_is_flushed_is_seen(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint64_t pa = grig_resource(g, 7, BGRX, 100, 50);
	unsigned told;

	(void)state;
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 100, 50, 0, 7);
	assert_int_not_equal(g->told, 0);
	grig_look(g);
	assert_int_equal(g->view.width, 100);
	assert_int_equal(g->view.height, 50);
	assert_int_equal(g->view.n_rects, 1);
	assert_rect(g->view.rects[0], 0, 0, 100, 50);
	assert_int_equal(grig_pixel(g, 99, 49), 0xff000000);
	told = g->told;
	grig_put_pixel(g, pa, 49 * 100 + 99, 0x00123456);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 90, 45, 10, 5, (45 * 100 + 90) * 4, 0, 7, 0);
	grig_look(g);
	assert_int_equal(g->view.n_rects, 0);
	grig_do(g, GPU_RESOURCE_FLUSH, 90, 45, 10, 5, 7, 0);
	assert_true(g->told > told);
	grig_look(g);
	assert_int_equal(g->view.n_rects, 1);
	assert_rect(g->view.rects[0], 90, 45, 10, 5);
	assert_int_equal(grig_pixel(g, 99, 49), 0xff123456);
	assert_int_equal(grig_pixel(g, 98, 49), 0xff000000);
	grig_close(g);
}

static void every_format_gives_its_colours(void **state)
{
	static const struct {
		uint32_t format;
		uint8_t bytes[4];
	} formats[] = {
		{BGRA, {0x33, 0x22, 0x11, 0x80}}, {BGRX, {0x33, 0x22, 0x11, 0x80}}, {ARGB, {0x80, 0x11, 0x22, 0x33}},
		{XRGB, {0x80, 0x11, 0x22, 0x33}}, {RGBA, {0x11, 0x22, 0x33, 0x80}}, {XBGR, {0x80, 0x33, 0x22, 0x11}},
		{ABGR, {0x80, 0x33, 0x22, 0x11}}, {RGBX, {0x11, 0x22, 0x33, 0x80}},
	};
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	for (uint32_t i = 0; i < BIS_ARRAY_SIZE(formats); i++) {
		uint64_t pa = grig_resource(g, i + 1, formats[i].format, 3, 2);

		vrig_put(g->v, pa + 5 * 4, formats[i].bytes, 4);
		vrig_put(g->v, pa + 1 * 4, formats[i].bytes, 4);
		grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 3, 2, 0, 0, i + 1, 0);
		/* A part of the lines again, which goes another way. */
		grig_do(g, GPU_TRANSFER_TO_HOST_2D, 1, 0, 2, 2, 4, 0, i + 1, 0);
		grig_do(g, GPU_SET_SCANOUT, 0, 0, 3, 2, 0, i + 1);
		assert_int_equal(grig_pixel(g, 2, 1), 0xff112233);
		assert_int_equal(grig_pixel(g, 1, 0), 0xff112233);
		assert_int_equal(grig_pixel(g, 0, 0), 0xff000000);
	}
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 99, 5, 3, 2), GPU_ERR_INVALID_PARAMETER);
	grig_close(g);
}

/* Lines that lie in pieces all over guest memory, in the wrong order and at odd places. */
static void backing_may_be_scattered(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint64_t pa = vrig_alloc(g->v, 8192);
	uint32_t pixels[40], seen[40];
	struct bis_rect all = {0, 0, 10, 4};
	uint8_t bytes[160];

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		pixels[i] = 0xff000000 | i * 0x10203;
	memcpy(bytes, pixels, sizeof(bytes));
	grig_do(g, GPU_RESOURCE_CREATE_2D, 1, BGRX, 10, 4);
	grig_do(g, GPU_RESOURCE_ATTACH_BACKING, 1, 3, (uint32_t)pa + 5001, 0, 27, 0, (uint32_t)pa, 0, 100, 0,
		(uint32_t)pa + 100, 0, 33, 0);
	vrig_put(g->v, pa + 5001, bytes, 27);
	vrig_put(g->v, pa, bytes + 27, 133);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 10, 4, 0, 1);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 10, 4, 0, 0, 1, 0);
	assert_ok(bis_viewer_read(g->viewer, &all, seen, 40));
	assert_memory_equal(seen, pixels, sizeof(seen));
	/* In columns: the offset is that of the first pixel. */
	for (uint32_t x = 0; x < 10; x++)
		grig_do(g, GPU_TRANSFER_TO_HOST_2D, x, 0, 1, 4, x * 4, 0, 1, 0);
	assert_ok(bis_viewer_read(g->viewer, &all, seen, 40));
	assert_memory_equal(seen, pixels, sizeof(seen));
	/* Another place in the backing: shifted by one pixel. */
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 10, 3, 4, 0, 1, 0);
	assert_int_equal(grig_pixel(g, 0, 0), pixels[1]);
	assert_int_equal(grig_pixel(g, 9, 2), pixels[30]);
	grig_close(g);
}

/* What one request can cost is bounded: one range for each page that the resource takes, and 1024 more. */
static void a_backing_of_dust_is_refused(void **state)
{
	enum { PAGES = 4, MOST = PAGES + 1024 };
	struct grig *g = grig_open("virtio-gpu");
	uint64_t pa = vrig_alloc(g->v, 1 << 14), list = vrig_alloc(g->v, 32 + 16 * (MOST + 1));

	(void)state;
	grig_do(g, GPU_RESOURCE_CREATE_2D, 1, BGRX, 64, 64);
	for (uint32_t count = MOST; count <= MOST + 1; count++) {
		uint32_t head[8] = {GPU_RESOURCE_ATTACH_BACKING, 0, 0, 0, 0, 0, 1, count}, answer;

		vrig_put(g->v, list, head, sizeof(head));
		for (uint32_t i = 0; i < count; i++) {
			uint32_t range[4] = {(uint32_t)pa + i * 8 % 8192, (uint32_t)(pa >> 32), 4, 0};

			vrig_put(g->v, list + 32 + 16 * i, range, sizeof(range));
		}
		assert_int_equal(vrig_request(g->v, GPU_CONTROL, VRIG_OUT(list, 32 + 16 * count),
					      VRIG_IN(g->answer, GRIG_HEADER)),
				 GRIG_HEADER);
		vrig_get(g->v, g->answer, &answer, sizeof(answer));
		assert_int_equal(answer, count == MOST ? GPU_OK_NODATA : GPU_ERR_OUT_OF_MEMORY);
		if (count == MOST)
			grig_do(g, GPU_RESOURCE_DETACH_BACKING, 1, 0);
	}
	assert_int_equal(grig_field(g, "memory"), 64 * 64 * 4);
	grig_close(g);
}

static void a_part_of_a_resource_may_be_shown(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint64_t pa = grig_resource(g, 1, BGRX, 64, 64);

	(void)state;
	grig_put_pixel(g, pa, 21 * 64 + 11, 0xabcdef);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 64, 64, 0, 0, 1, 0);
	grig_do(g, GPU_SET_SCANOUT, 10, 20, 30, 40, 0, 1);
	grig_look(g);
	assert_int_equal(g->view.width, 30);
	assert_int_equal(g->view.height, 40);
	assert_int_equal(grig_pixel(g, 1, 1), 0xffabcdef);
	grig_do(g, GPU_RESOURCE_FLUSH, 0, 0, 12, 22, 1, 0);
	grig_look(g);
	assert_int_equal(g->view.n_rects, 1);
	assert_rect(g->view.rects[0], 0, 0, 2, 2);
	grig_do(g, GPU_RESOURCE_FLUSH, 38, 50, 26, 14, 1, 0);
	grig_look(g);
	assert_int_equal(g->view.n_rects, 1);
	assert_rect(g->view.rects[0], 28, 30, 2, 10);
	/* Beside it. */
	grig_do(g, GPU_RESOURCE_FLUSH, 0, 0, 10, 64, 1, 0);
	grig_do(g, GPU_RESOURCE_FLUSH, 40, 0, 24, 64, 1, 0);
	grig_look(g);
	assert_int_equal(g->view.n_rects, 0);
	grig_close(g);
}

static void a_resource_that_goes_is_not_shown_any_more(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	grig_resource(g, 1, BGRX, 64, 64);
	grig_resource(g, 2, BGRX, 32, 32);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 64, 64, 0, 1);
	grig_do(g, GPU_RESOURCE_UNREF, 2, 0);
	grig_look(g);
	assert_int_equal(g->view.width, 64);
	grig_do(g, GPU_RESOURCE_UNREF, 1, 0);
	grig_look(g);
	assert_int_equal(g->view.width, 0);
	assert_int_equal(grig_call(g, GPU_RESOURCE_FLUSH, 0, 0, 64, 64, 1, 0), GPU_ERR_INVALID_RESOURCE_ID);
	/* The same by the driver's wish. */
	grig_resource(g, 1, BGRX, 64, 64);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 64, 64, 0, 1);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 0, 0, 0, 0);
	grig_look(g);
	assert_int_equal(g->view.width, 0);
	grig_close(g);
}

/* --- The pointer --- */

static void the_pointer_is_shown_and_moved(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint64_t pa = grig_resource(g, 1, BGRA, 64, 64);
	struct bis_cursor cursor;
	unsigned number;

	(void)state;
	grig_put_pixel(g, pa, 0, 0xff102030);
	grig_put_pixel(g, pa, 1, 0x80402010); /* colours that were multiplied with alpha */
	grig_put_pixel(g, pa, 2, 0x10ffffff);
	grig_put_pixel(g, pa, 3, 0x00ffffff);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 64, 64, 0, 0, 1, 0);
	grig_do(g, GPU_UPDATE_CURSOR, 0, 100, 200, 0, 1, 5, 6, 0);
	grig_look(g);
	assert_true(g->view.cursor_shown);
	assert_int_equal(g->view.cursor_x, 100);
	assert_int_equal(g->view.cursor_y, 200);
	number = g->view.cursor;
	bis_viewer_cursor(g->viewer, &cursor);
	assert_int_equal(cursor.width, 64);
	assert_int_equal(cursor.height, 64);
	assert_int_equal(cursor.hot_x, 5);
	assert_int_equal(cursor.hot_y, 6);
	assert_int_equal(cursor.pixels[0], 0xff102030);
	assert_int_equal(cursor.pixels[1], 0x80804020);
	assert_int_equal(cursor.pixels[2], 0x10ffffff);
	assert_int_equal(cursor.pixels[3], 0);
	grig_do(g, GPU_MOVE_CURSOR, 0, 101, 199, 0, 0, 0, 0, 0);
	grig_look(g);
	assert_true(g->view.cursor_shown);
	assert_int_equal(g->view.cursor_x, 101);
	assert_int_equal(g->view.cursor, number);
	/* It stays when its resource goes. */
	grig_do(g, GPU_RESOURCE_UNREF, 1, 0);
	grig_look(g);
	assert_true(g->view.cursor_shown);
	grig_do(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 0, 0, 0, 0);
	grig_look(g);
	assert_false(g->view.cursor_shown);
	grig_close(g);
}

/* --- Wishes --- */

static void the_driver_hears_of_another_size(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	bis_viewer_wish(g->viewer, 1280, 800);
	assert_true(vrig_irq(g->v));
	assert_int_equal(vrig_ack(g->v), 2);
	assert_int_equal(vrig_config(g->v, 0, 4), 1);
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(grig_word(g, 32), 1280);
	assert_int_equal(grig_word(g, 36), 800);
	vrig_set_config(g->v, 4, 4, 1);
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	vrig_ack(g->v);
	bis_viewer_wish(g->viewer, 1280, 800); /* no news */
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	assert_false(vrig_irq(g->v));
	bis_viewer_wish(g->viewer, 4096, 1);
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(grig_word(g, 32), 4088);
	assert_int_equal(grig_word(g, 36), 64);
	/* The wish outlives the driver, the event does not. */
	vrig_start(g->v, 0, GPU_QUEUES, 16);
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(grig_word(g, 32), 4088);
	grig_close(g);
}

/* --- Lifecycle --- */

static void a_reset_forgets_everything(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		grig_resource(g, 1, BGRX, 64, 64);
		grig_do(g, GPU_SET_SCANOUT, 0, 0, 64, 64, 0, 1);
		grig_do(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 1, 0, 0, 0);
		grig_look(g);
		assert_int_equal(g->view.width, 64);
		vrig_start(g->v, 0, GPU_QUEUES, 16);
		grig_look(g);
		assert_int_equal(g->view.width, 0);
		assert_false(g->view.cursor_shown);
		assert_int_equal(grig_field(g, "n_resources"), 0);
		assert_int_equal(grig_field(g, "memory"), 0);
	}
	grig_close(g);
}

static void it_may_go_while_somebody_looks(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	grig_resource(g, 1, BGRX, 64, 64);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 64, 64, 0, 1);
	assert_ok(bis_machine_remove(g->v->m, g->v->mod));
	grig_look(g);
	assert_int_equal(g->view.width, 0);
	assert_false(g->view.can_resize);
	grig_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_one_screen_of_the_size_asked_for),
		cmocka_unit_test(options_out_of_bounds_are_refused),
		cmocka_unit_test(edid_describes_a_monitor_of_the_wished_size),
		cmocka_unit_test(what_is_flushed_is_seen),
		cmocka_unit_test(every_format_gives_its_colours),
		cmocka_unit_test(backing_may_be_scattered),
		cmocka_unit_test(a_backing_of_dust_is_refused),
		cmocka_unit_test(a_part_of_a_resource_may_be_shown),
		cmocka_unit_test(a_resource_that_goes_is_not_shown_any_more),
		cmocka_unit_test(the_pointer_is_shown_and_moved),
		cmocka_unit_test(the_driver_hears_of_another_size),
		cmocka_unit_test(a_reset_forgets_everything),
		cmocka_unit_test(it_may_go_while_somebody_looks),
	};

	return cmocka_run_group_tests_name("virtio_gpu", tests, NULL, NULL);
}
