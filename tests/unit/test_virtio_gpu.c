/*
 * The virtio GPU: what a driver draws is what a viewer sees, and a driver that asks for the impossible is told so.
 */
#include <unistd.h>

#include <biscuit/snapshot.h>

#include "tests/unit/gpu_rig.h"

enum { BGRA = 1, BGRX = 2, ARGB = 3, XRGB = 4, RGBA = 67, XBGR = 68, ABGR = 121, RGBX = 134 };

static uint32_t word(const struct grig *g, size_t offset)
{
	uint32_t value;

	memcpy(&value, g->reply + offset, sizeof(value));
	return value;
}

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
	assert_int_equal(word(g, 24), 0);
	assert_int_equal(word(g, 28), 0);
	assert_int_equal(word(g, 32), 800);
	assert_int_equal(word(g, 36), 600);
	assert_int_equal(word(g, 40), 1);
	for (size_t at = 48; at < g->len; at += 4)
		assert_int_equal(word(g, at), 0);
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
		assert_int_equal(word(g, 24), 128);
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

/* --- Hostile requests --- */

static void requests_that_make_no_sense_are_refused(void **state)
{
	enum { R = 1, BARE = 2, NARROW = 3, NONE = 9, RAM = 0x80000000, M = -1 };
	static const struct {
		uint32_t type, words[10], count, answer;
	} bad[] = {
		{GPU_RESOURCE_CREATE_2D, {0, BGRX, 8, 8}, 4, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_CREATE_2D, {R, BGRX, 8, 8}, 4, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_CREATE_2D, {NONE, 0, 8, 8}, 4, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0, 8}, 4, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 8, 0}, 4, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 8}, 3, GPU_ERR_INVALID_PARAMETER},
		/* Width times height times 4 wraps: to 0, to 4, to something small. */
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0x40000000, 1}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0x10000, 0x4000}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 0x80000000, 0x80000000}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, (uint32_t)M, (uint32_t)M}, 4, GPU_ERR_OUT_OF_MEMORY},
		/* Thin ones, of which millions of lines would have to be fetched. */
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 1, 16385}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_CREATE_2D, {NONE, BGRX, 16385, 1}, 4, GPU_ERR_OUT_OF_MEMORY},
		{GPU_RESOURCE_UNREF, {NONE, 0}, 2, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_UNREF, {0, 0}, 2, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_UNREF, {R}, 1, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 0, 8, 8, 1, R}, 6, GPU_ERR_INVALID_SCANOUT_ID},
		{GPU_SET_SCANOUT, {0, 0, 8, 8, (uint32_t)M, 0}, 6, GPU_ERR_INVALID_SCANOUT_ID},
		{GPU_SET_SCANOUT, {0, 0, 8, 8, 0, NONE}, 6, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_SET_SCANOUT, {0, 0, 65, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {60, 0, 8, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {(uint32_t)M, 0, 8, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 1, 8, (uint32_t)M, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 0, 0, 8, 0, R}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_SET_SCANOUT, {0, 0, 5000, 1, 0, NARROW}, 6, GPU_ERR_INVALID_PARAMETER}, /* larger than a display */
		{GPU_RESOURCE_FLUSH, {0, 0, 65, 1, R, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_FLUSH, {0, 64, 1, 1, R, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_FLUSH, {2, 0, (uint32_t)M, 1, R, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_FLUSH, {0, 0, 1, 1, NONE, 0}, 6, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 65, 1, 0, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {1, 0, (uint32_t)M, 1, 0, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 64, 64, 4, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 64 * 64 * 4 - 3, 0, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, (uint32_t)M, (uint32_t)M, R, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 0, 0, BARE, 0}, 8, GPU_ERR_INVALID_PARAMETER},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 0, 0, NONE, 0}, 8, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_TRANSFER_TO_HOST_2D, {0, 0, 1, 1, 0, 0, R}, 7, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {NONE, 1, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_RESOURCE_ATTACH_BACKING, {R, 1, RAM, 0, 16, 0}, 6, GPU_ERR_UNSPEC},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 0}, 2, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 2, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, (uint32_t)M, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 0x10000001, RAM, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 1, 0x1000, 0, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 1, RAM, 0, (uint32_t)M, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_ATTACH_BACKING, {BARE, 1, (uint32_t)M, (uint32_t)M, 16, 0}, 6, GPU_ERR_INVALID_PARAMETER},
		{GPU_RESOURCE_DETACH_BACKING, {NONE, 0}, 2, GPU_ERR_INVALID_RESOURCE_ID},
		{GPU_GET_EDID, {0}, 1, GPU_ERR_INVALID_PARAMETER},
		{0x108, {0, 0}, 2, GPU_ERR_UNSPEC}, /* GET_CAPSET_INFO, for 3D */
		{0x207, {0, 0}, 2, GPU_ERR_UNSPEC},
		{0, {0, 0}, 2, GPU_ERR_UNSPEC},
	};
	struct grig *g = grig_open("virtio-gpu,memory=64M");

	(void)state;
	grig_resource(g, R, BGRX, 64, 64);
	grig_resource(g, NARROW, BGRX, 5000, 1);
	grig_do(g, GPU_RESOURCE_CREATE_2D, BARE, BGRX, 64, 64);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 64, 64, 0, R);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		uint32_t answer = grig_call_n(g, GPU_CONTROL, bad[i].type, bad[i].words, bad[i].count);

		if (answer != bad[i].answer)
			fail_msg("row %zu: 0x%x, expected 0x%x", i, answer, bad[i].answer);
	}
	/* Nothing has changed. */
	grig_look(g);
	assert_int_equal(g->view.width, 64);
	assert_int_equal(grig_field(g, "n_resources"), 3);
	assert_int_equal(grig_field(g, "refused"), BIS_ARRAY_SIZE(bad));
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 64, 64, 0, 0, R, 0);
	assert_false(vrig_needs_reset(g->v));
	grig_close(g);
}

static void the_queues_have_requests_of_their_own(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint32_t words[8] = {0};

	(void)state;
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_MOVE_CURSOR, words, 8), GPU_ERR_UNSPEC);
	assert_int_equal(grig_call_n(g, GPU_CURSOR, GPU_GET_DISPLAY_INFO, words, 0), GPU_ERR_UNSPEC);
	grig_close(g);
}

static void memory_and_resources_have_limits(void **state)
{
	struct grig *g = grig_open("virtio-gpu,memory=1M,resources=3");

	(void)state;
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 1, BGRX, 512, 513), GPU_ERR_OUT_OF_MEMORY);
	grig_do(g, GPU_RESOURCE_CREATE_2D, 1, BGRX, 512, 512); /* all of it */
	assert_int_equal(grig_field(g, "memory"), 1 << 20);
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 2, BGRX, 1, 1), GPU_ERR_OUT_OF_MEMORY);
	/* The addresses of a backing count as well. */
	assert_int_equal(grig_call(g, GPU_RESOURCE_ATTACH_BACKING, 1, 1, (uint32_t)BIS_RAM_BASE, 0, 4096, 0),
			 GPU_ERR_OUT_OF_MEMORY);
	grig_do(g, GPU_RESOURCE_UNREF, 1, 0);
	assert_int_equal(grig_field(g, "memory"), 0);
	for (uint32_t id = 1; id <= 3; id++)
		grig_resource(g, id, BGRX, 16, 16);
	assert_int_equal(grig_call(g, GPU_RESOURCE_CREATE_2D, 4, BGRX, 1, 1), GPU_ERR_OUT_OF_MEMORY);
	grig_do(g, GPU_RESOURCE_DETACH_BACKING, 2, 0);
	assert_int_equal(grig_call(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 1, 1, 0, 0, 2, 0), GPU_ERR_INVALID_PARAMETER);
	grig_do(g, GPU_RESOURCE_UNREF, 2, 0);
	grig_resource(g, 4, BGRX, 16, 16);
	assert_int_equal(grig_field(g, "n_resources"), 3);
	grig_close(g);
}

static void short_requests_and_answers(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint32_t request[6] = {GPU_GET_DISPLAY_INFO};

	(void)state;
	for (uint32_t len = 1; len < 24; len++)
		assert_int_equal(grig_send(g, GPU_CONTROL, request, len), GPU_ERR_UNSPEC);
	/* An answer that is cut is cut. */
	assert_int_equal(vrig_request(g->v, GPU_CONTROL, VRIG_OUT(g->request, 24), VRIG_IN(g->answer, 40)), 40);
	assert_int_equal(vrig_request(g->v, GPU_CONTROL, VRIG_OUT(g->request, 24), VRIG_IN(g->answer, 3)), 3);
	assert_false(vrig_needs_reset(g->v));
	vrig_submit(g->v, GPU_CONTROL, VRIG_OUT(g->request, 24));
	vrig_notify(g->v, GPU_CONTROL);
	rig_wait_for(vrig_needs_reset(g->v));
	grig_close(g);
}

static void fences_come_back(void **state)
{
	struct grig *g = grig_open("virtio-gpu");
	uint32_t request[6] = {GPU_GET_DISPLAY_INFO, 1, 0x55667788, 0x11223344, 42, 0};

	(void)state;
	assert_int_equal(grig_send(g, GPU_CONTROL, request, 24), GPU_OK_DISPLAY_INFO);
	assert_int_equal(word(g, 4), 1);
	assert_int_equal(word(g, 8), 0x55667788);
	assert_int_equal(word(g, 12), 0x11223344);
	assert_int_equal(word(g, 16), 42);
	request[0] = GPU_RESOURCE_UNREF; /* also where it is refused */
	assert_int_equal(grig_send(g, GPU_CONTROL, request, 24), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(word(g, 8), 0x55667788);
	request[1] = 0;
	grig_send(g, GPU_CONTROL, request, 24);
	assert_int_equal(word(g, 4), 0);
	assert_int_equal(word(g, 8), 0);
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

static void pointers_that_do_not_fit_are_refused(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	grig_resource(g, 1, RGBX, 32, 16);
	grig_resource(g, 2, BGRA, 65, 64);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 2, 0, 0, 0), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 3, 0, 0, 0), GPU_ERR_INVALID_RESOURCE_ID);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 1, 32, 0, 0), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_call(g, GPU_UPDATE_CURSOR, 0, 0, 0, 0, 1, 0, 16, 0), GPU_ERR_INVALID_PARAMETER);
	assert_int_equal(grig_call(g, GPU_MOVE_CURSOR, 1, 0, 0, 0, 0, 0, 0, 0), GPU_ERR_INVALID_SCANOUT_ID);
	assert_int_equal(grig_call(g, GPU_MOVE_CURSOR, 0, 0, 0), GPU_ERR_INVALID_PARAMETER);
	grig_look(g);
	assert_false(g->view.cursor_shown);
	/* Drivers give no room for an answer here. */
	vrig_put(g->v, g->request, (uint32_t[14]){GPU_UPDATE_CURSOR, [10] = 1, [11] = 31, [12] = 15}, 56);
	assert_int_equal(vrig_request(g->v, GPU_CURSOR, VRIG_OUT(g->request, 56)), 0);
	assert_false(vrig_needs_reset(g->v));
	grig_look(g);
	assert_true(g->view.cursor_shown);
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
	assert_int_equal(word(g, 32), 1280);
	assert_int_equal(word(g, 36), 800);
	vrig_set_config(g->v, 4, 4, 1);
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	vrig_ack(g->v);
	bis_viewer_wish(g->viewer, 1280, 800); /* no news */
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	assert_false(vrig_irq(g->v));
	bis_viewer_wish(g->viewer, 4096, 1);
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(word(g, 32), 4088);
	assert_int_equal(word(g, 36), 64);
	/* The wish outlives the driver, the event does not. */
	vrig_start(g->v, 0, GPU_QUEUES, 16);
	assert_int_equal(vrig_config(g->v, 0, 4), 0);
	assert_int_equal(grig_call_n(g, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(word(g, 32), 4088);
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

/* --- Snapshots --- */

struct saved {
	uint8_t *data;
	size_t len;
};

static void put(void *arg, const void *data, size_t len)
{
	struct saved *s = arg;

	s->data = realloc(s->data, s->len + len + 1);
	assert_non_null(s->data);
	if (len)
		memcpy(s->data + s->len, data, len);
	s->len += len;
}

static struct saved save(struct grig *g)
{
	struct saved s = {0};

	bis_machine_lock_devices(g->v->m);
	assert_ok(bis_module_class_of(g->v->mod)->save(bis_module_self(g->v->mod), put, &s));
	bis_machine_unlock_devices(g->v->m);
	return s;
}

static int restore(struct grig *g, const void *data, size_t len)
{
	int err;

	bis_machine_lock_devices(g->v->m);
	err = bis_module_class_of(g->v->mod)->restore(bis_module_self(g->v->mod), data, len);
	bis_machine_unlock_devices(g->v->m);
	return err;
}

static void resources_are_saved_and_restored(void **state)
{
	struct grig *g = grig_open("virtio-gpu"), *h;
	uint64_t pa = grig_resource(g, 5, BGRX, 40, 30);
	struct bis_cursor cursor;
	struct saved s;

	(void)state;
	grig_resource(g, 6, ARGB, 8, 8);
	grig_put_pixel(g, pa, 10 * 40 + 10, 0x654321);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 40, 30, 0, 0, 5, 0);
	grig_do(g, GPU_SET_SCANOUT, 8, 8, 32, 20, 0, 5);
	grig_do(g, GPU_UPDATE_CURSOR, 0, 3, 4, 0, 6, 7, 7, 0);
	s = save(g);
	grig_close(g);
	h = grig_open("virtio-gpu");
	grig_resource(h, 77, BGRX, 4, 4); /* goes */
	assert_ok(restore(h, s.data, s.len));
	grig_look(h);
	assert_int_equal(h->view.width, 32);
	assert_int_equal(grig_pixel(h, 2, 2), 0xff654321);
	assert_true(h->view.cursor_shown);
	assert_int_equal(h->view.cursor_x, 3);
	bis_viewer_cursor(h->viewer, &cursor);
	assert_int_equal(cursor.width, 8);
	assert_int_equal(cursor.hot_x, 7);
	assert_int_equal(grig_field(h, "n_resources"), 2);
	/* The backing is where it was. */
	grig_put_pixel(h, pa, 10 * 40 + 11, 0x777777);
	grig_do(h, GPU_TRANSFER_TO_HOST_2D, 0, 0, 40, 30, 0, 0, 5, 0);
	assert_int_equal(grig_pixel(h, 3, 2), 0xff777777);
	assert_int_equal(grig_call(h, GPU_RESOURCE_UNREF, 77, 0), GPU_ERR_INVALID_RESOURCE_ID);
	grig_close(h);
	free(s.data);
}

/* The same with a whole machine: the driver goes on where it was. */
static void a_machine_is_restored_with_its_screen(void **state)
{
	struct grig *g = grig_open("virtio-gpu"), *h;
	uint64_t pa = grig_resource(g, 1, BGRX, 32, 16);
	struct bis_snapshot *s;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "test_virtio_gpu.%d.snap", (int)getpid());
	grig_put_pixel(g, pa, 5, 0x112233);
	grig_do(g, GPU_TRANSFER_TO_HOST_2D, 0, 0, 32, 16, 0, 0, 1, 0);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 32, 16, 0, 1);
	bis_viewer_wish(g->viewer, 720, 400);
	rig_add(g->v->m, "riscv");
	rig_start_paused(g->v->m);
	if (bis_snapshot_save(g->v->m, path, NULL) == -ENOSYS) {
		grig_close(g);
		skip();
	}
	h = grig_open("virtio-gpu");
	rig_add(h->v->m, "riscv");
	assert_ok(bis_snapshot_open(path, &s));
	assert_ok(bis_snapshot_restore(s, h->v->m));
	bis_snapshot_close(s);
	unlink(path);
	memcpy(h->v->q, g->v->q, sizeof(h->v->q));
	h->request = g->request;
	h->answer = g->answer;
	grig_close(g);
	grig_look(h);
	assert_int_equal(h->view.width, 32);
	assert_int_equal(grig_pixel(h, 5, 0), 0xff112233);
	assert_ok(bis_machine_resume(h->v->m));
	assert_int_equal(vrig_config(h->v, 0, 4), 1);
	assert_int_equal(grig_call_n(h, GPU_CONTROL, GPU_GET_DISPLAY_INFO, NULL, 0), GPU_OK_DISPLAY_INFO);
	assert_int_equal(word(h, 32), 720);
	grig_do(h, GPU_TRANSFER_TO_HOST_2D, 0, 0, 31, 16, 4, 0, 1, 0);
	assert_int_equal(grig_pixel(h, 4, 0), 0xff112233);
	grig_close(h);
}

static void damaged_snapshots_are_refused(void **state)
{
	struct grig *g = grig_open("virtio-gpu,memory=1M"), *large = grig_open("virtio-gpu,memory=16M");
	struct saved s;

	(void)state;
	grig_resource(g, 1, BGRX, 10, 10);
	grig_do(g, GPU_SET_SCANOUT, 0, 0, 10, 10, 0, 1);
	grig_do(g, GPU_UPDATE_CURSOR, 0, 3, 4, 0, 1, 7, 7, 0);
	s = save(g);
	assert_ok(restore(g, s.data, s.len));
	for (size_t len = 0; len < s.len; len += len < 64 ? 1 : 37)
		assert_int_equal(restore(g, s.data, len), -EINVAL);
	put(&s, "", 1);
	assert_int_equal(restore(g, s.data, s.len), -EINVAL);
	/* Whatever single byte is another, it is refused or taken, and the device goes on. */
	for (size_t at = 0; at < s.len - 1; at++) {
		uint8_t was = s.data[at];

		s.data[at] ^= 0x81;
		if (restore(g, s.data, s.len - 1))
			assert_int_equal(grig_field(g, "n_resources"), 0);
		s.data[at] = was;
	}
	assert_ok(restore(g, s.data, s.len - 1));
	free(s.data);
	/* More than the options allow. */
	grig_do(large, GPU_RESOURCE_CREATE_2D, 1, BGRX, 1024, 1024);
	s = save(large);
	assert_int_equal(restore(g, s.data, s.len), -EINVAL);
	free(s.data);
	grig_close(large);
	grig_close(g);
}

/* What a snapshot may say in the fields: -EINVAL, or 0 with the value that was there. */
static int check_with(struct grig *g, const char *name, uint64_t value)
{
	const struct bis_module_class *class = bis_module_class_of(g->v->mod);
	const struct bis_field *f = bis_field_find(class->fields, name);
	uint8_t *at = (uint8_t *)bis_module_self(g->v->mod) + f->offset;
	size_t size = f->type == BIS_FIELD_U64 ? 8 : 4;
	uint64_t was = 0;
	int err;

	assert_non_null(f);
	bis_machine_lock_devices(g->v->m);
	memcpy(&was, at, size);
	memcpy(at, &value, size);
	err = class->check(bis_module_self(g->v->mod));
	memcpy(at, &was, size);
	bis_machine_unlock_devices(g->v->m);
	return err;
}

static void fields_that_cannot_be_are_refused(void **state)
{
	struct grig *g = grig_open("virtio-gpu");

	(void)state;
	assert_ok(check_with(g, "config.events_read", 1));
	assert_int_equal(check_with(g, "config.events_read", 2), -EINVAL);
	assert_ok(check_with(g, "width", 64));
	assert_int_equal(check_with(g, "width", 63), -EINVAL);
	assert_int_equal(check_with(g, "height", 4089), -EINVAL);
	assert_int_equal(check_with(g, "virtio.desc", 1), -EINVAL);
	assert_int_equal(check_with(g, "virtio.used", UINT64_MAX - 15), -EINVAL);
	assert_int_equal(check_with(g, "virtio.accepted", UINT64_C(1) << 40), -EINVAL);
	assert_ok(bis_module_class_of(g->v->mod)->check(bis_module_self(g->v->mod)));
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
		cmocka_unit_test(requests_that_make_no_sense_are_refused),
		cmocka_unit_test(the_queues_have_requests_of_their_own),
		cmocka_unit_test(memory_and_resources_have_limits),
		cmocka_unit_test(short_requests_and_answers),
		cmocka_unit_test(fences_come_back),
		cmocka_unit_test(the_pointer_is_shown_and_moved),
		cmocka_unit_test(pointers_that_do_not_fit_are_refused),
		cmocka_unit_test(the_driver_hears_of_another_size),
		cmocka_unit_test(a_reset_forgets_everything),
		cmocka_unit_test(it_may_go_while_somebody_looks),
		cmocka_unit_test(resources_are_saved_and_restored),
		cmocka_unit_test(a_machine_is_restored_with_its_screen),
		cmocka_unit_test(damaged_snapshots_are_refused),
		cmocka_unit_test(fields_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests_name("virtio_gpu", tests, NULL, NULL);
}
