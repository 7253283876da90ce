/*
 * What the field table of the virtio GPU does not hold: resources with their pixels, what is shown, the pointer. Saved
 * and restored while the worker is quiet. The data are believed no more than a driver is: they make resources by the
 * same calls, within the same limits.
 */
#include <errno.h>
#include <string.h>

#include "modules/virtio/gpu.h"

struct saved_head {
	uint32_t scanout;
	struct bis_rect scanout_rect;
	uint32_t cursor_width, cursor_height, hot_x, hot_y, cursor_x, cursor_y;
	uint32_t n_resources; /* which follow the pointer's pixels */
};

/* The ranges of the backing follow, then the pixels. */
struct saved_resource {
	uint32_t id, format, width, height;
	uint64_t n_backing;
};

static size_t cursor_size(const struct saved_head *head)
{
	return (size_t)head->cursor_width * head->cursor_height * sizeof(uint32_t);
}

int gpu_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg)
{
	const struct gpu *g = self;
	struct saved_head head = {
		.scanout = g->scanout,
		.scanout_rect = g->scanout_rect,
		.cursor_width = g->cursor.width,
		.cursor_height = g->cursor.height,
		.hot_x = g->cursor.hot_x,
		.hot_y = g->cursor.hot_y,
		.cursor_x = g->cursor_x,
		.cursor_y = g->cursor_y,
		.n_resources = g->n_resources,
	};

	put(arg, &head, sizeof(head));
	put(arg, g->cursor.pixels, cursor_size(&head));
	for (const struct gpu_resource *r = g->resources; r; r = r->next) {
		struct saved_resource saved = {r->id, r->format, r->width, r->height, r->n_backing};

		put(arg, &saved, sizeof(saved));
		if (r->n_backing)
			put(arg, r->backing, r->n_backing * sizeof(*r->backing));
		put(arg, r->pixels, (size_t)r->width * r->height * sizeof(*r->pixels));
	}
	return 0;
}

/* --- Restoring --- */

struct reader {
	const uint8_t *data;
	size_t len;
};

static bool take(struct reader *in, void *to, size_t len)
{
	if (len > in->len)
		return false;
	if (len)
		memcpy(to, in->data, len);
	in->data += len;
	in->len -= len;
	return true;
}

static bool take_backing(struct gpu *g, struct gpu_resource *r, struct reader *in, uint64_t count)
{
	struct bis_mem_range range;

	if (count == 0)
		return true;
	if (count > in->len / sizeof(range) || gpu_backing_begin(g, r, (size_t)count) != GPU_OK_NODATA)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!take(in, &range, sizeof(range)) || gpu_backing_add(g, r, range) != GPU_OK_NODATA)
			return false;
	return true;
}

static bool take_resource(struct gpu *g, struct reader *in)
{
	struct saved_resource saved;
	struct gpu_resource *r;

	return take(in, &saved, sizeof(saved)) &&
	       gpu_resource_create(g, saved.id, saved.format, saved.width, saved.height, &r) == GPU_OK_NODATA &&
	       take_backing(g, r, in, saved.n_backing) &&
	       take(in, r->pixels, (size_t)r->width * r->height * sizeof(*r->pixels));
}

static bool take_cursor(struct gpu *g, struct reader *in, const struct saved_head *head)
{
	struct bis_cursor *c = &g->cursor;

	if (head->cursor_width > BIS_DISPLAY_CURSOR_MAX || head->cursor_height > BIS_DISPLAY_CURSOR_MAX ||
	    (head->hot_x && head->hot_x >= head->cursor_width) || (head->hot_y && head->hot_y >= head->cursor_height) ||
	    !take(in, c->pixels, cursor_size(head)))
		return false;
	c->width = head->cursor_width;
	c->height = head->cursor_height;
	c->hot_x = head->hot_x;
	c->hot_y = head->hot_y;
	g->cursor_x = head->cursor_x;
	g->cursor_y = head->cursor_y;
	bis_display_set_cursor(g->display, c);
	bis_display_move_cursor(g->display, g->cursor_x, g->cursor_y);
	return true;
}

static bool take_all(struct gpu *g, struct reader *in)
{
	const struct gpu_resource *r;
	struct saved_head head;

	if (!take(in, &head, sizeof(head)) || !take_cursor(g, in, &head))
		return false;
	for (uint32_t i = 0; i < head.n_resources; i++)
		if (!take_resource(g, in))
			return false;
	if (in->len)
		return false;
	if (head.scanout == 0)
		return true;
	r = gpu_resource_find(g, head.scanout);
	return r && gpu_show(g, r, &head.scanout_rect) == GPU_OK_NODATA;
}

int gpu_restore(void *self, const void *data, size_t len)
{
	struct gpu *g = self;
	struct reader in = {data, len};

	gpu_forget_all(g);
	if (take_all(g, &in))
		return 0;
	gpu_forget_all(g);
	return bis_fail(EINVAL, "%s: the saved resources make no sense, or are more than its options allow",
			bis_module_name(g->mod));
}
