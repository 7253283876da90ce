/*
 * The driver of a virtio GPU for tests: requests in words of 32 bits, and a viewer on the display. Everything that
 * fails fails the test, but for the answers, which are the test's business.
 */
#ifndef BISCUIT_UNIT_GPU_RIG_H
#define BISCUIT_UNIT_GPU_RIG_H

#include <biscuit/display.h>

#include "modules/virtio/gpu.h"
#include "tests/unit/virtio_rig.h"

#define GRIG_HEADER  24u
#define GRIG_ANSWER  2048u
#define GRIG_F_EDID  (UINT64_C(1) << 1)
#define GRIG_REQUEST 4096u

/* Formats of pixels (section 5.7.6.8). */
enum { BGRA = 1, BGRX = 2, ARGB = 3, XRGB = 4, RGBA = 67, XBGR = 68, ABGR = 121, RGBX = 134 };

struct grig {
	struct vrig *v;
	struct bis_viewer *viewer;
	struct bis_view view;
	unsigned told; /* how often the viewer was woken */
	uint64_t request, answer;
	uint8_t reply[GRIG_ANSWER]; /* to the last request */
	uint32_t len;		    /* of it */
};

static inline void grig_told(void *arg)
{
	struct grig *g = arg;

	g->told++;
}

static inline struct grig *grig_open(const char *spec)
{
	struct grig *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	g->v = vrig_open(spec);
	assert_ok(bis_viewer_create(bis_display_find(g->v->m, "gpu"), grig_told, g, &g->viewer));
	vrig_start(g->v, GRIG_F_EDID, GPU_QUEUES, 16);
	g->request = vrig_alloc(g->v, GRIG_REQUEST);
	g->answer = vrig_alloc(g->v, GRIG_ANSWER);
	return g;
}

static inline void grig_close(struct grig *g)
{
	bis_viewer_destroy(g->viewer);
	vrig_close(g->v);
	free(g);
}

/* Sends a request of that many bytes; the answer's type. */
static inline uint32_t grig_send(struct grig *g, unsigned queue, const void *request, size_t len)
{
	uint32_t type;

	vrig_put(g->v, g->request, request, len);
	g->len = vrig_request(g->v, queue, VRIG_OUT(g->request, len), VRIG_IN(g->answer, GRIG_ANSWER));
	assert_in_range(g->len, GRIG_HEADER, GRIG_ANSWER);
	vrig_get(g->v, g->answer, g->reply, g->len);
	memcpy(&type, g->reply, sizeof(type));
	return type;
}

/* A request of a type with words behind its header, which are at most 16. */
static inline uint32_t grig_call_n(struct grig *g, unsigned queue, uint32_t type, const uint32_t *words, size_t count)
{
	uint32_t request[6 + 16] = {type};

	assert_true(count <= 16);
	if (count)
		memcpy(request + 6, words, count * sizeof(*words));
	return grig_send(g, queue, request, GRIG_HEADER + count * sizeof(*words));
}
#define grig_call(g, type, ...)                                                                                        \
	grig_call_n((g), (type) >= GPU_UPDATE_CURSOR ? GPU_CURSOR : GPU_CONTROL, (type), (uint32_t[]){__VA_ARGS__},    \
		    sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define grig_do(g, ...) assert_int_equal(grig_call((g), __VA_ARGS__), GPU_OK_NODATA)

/* A resource with its backing in one range of guest memory; where that is. */
static inline uint64_t grig_resource(struct grig *g, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	uint64_t pa = vrig_alloc(g->v, (size_t)width * height * 4);

	grig_do(g, GPU_RESOURCE_CREATE_2D, id, format, width, height);
	grig_do(g, GPU_RESOURCE_ATTACH_BACKING, id, 1, (uint32_t)pa, (uint32_t)(pa >> 32), width * height * 4, 0);
	return pa;
}

static inline void grig_put_pixel(struct grig *g, uint64_t pa, uint32_t index, uint32_t pixel)
{
	vrig_put(g->v, pa + index * 4u, &pixel, sizeof(pixel));
}

static inline void grig_look(struct grig *g)
{
	bis_viewer_update(g->viewer, &g->view);
}

/* A pixel as the viewer sees it. */
static inline uint32_t grig_pixel(struct grig *g, uint32_t x, uint32_t y)
{
	struct bis_rect rect = {x, y, 1, 1};
	uint32_t pixel = 0;

	assert_ok(bis_viewer_read(g->viewer, &rect, &pixel, sizeof(pixel)));
	return pixel;
}

static inline uint64_t grig_field(struct grig *g, const char *name)
{
	const struct bis_field *f = bis_field_find(bis_module_class_of(g->v->mod)->fields, name);
	char text[64];

	assert_non_null(f);
	bis_field_format(f, bis_module_self(g->v->mod), text, sizeof(text));
	return strtoull(text, NULL, 0);
}

/* A word of the last answer. */
static inline uint32_t grig_word(const struct grig *g, size_t offset)
{
	uint32_t value;

	memcpy(&value, g->reply + offset, sizeof(value));
	return value;
}

#endif
