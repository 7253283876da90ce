/*
 * Resources of the virtio GPU (virtio 1.2, section 5.7.6.8): images in memory of the host's, and where in guest memory
 * the driver keeps its copies. The worker's, which also owns their memory. Every size comes from the guest: the sums
 * below are of 64 bits and the limit of the memory comes before any allocation.
 */
#include <stdlib.h>

#include "modules/virtio/gpu.h"

/* Section 5.7.6.8, formats. Names there are in the order of bytes. */
static const struct format {
	uint32_t number;
	enum bis_pixel_format as;
	bool turned; /* the bytes of a pixel are kept in the opposite order */
	bool alpha;
} formats[] = {
	{1, BIS_PIXEL_XRGB8888, false, true},  {2, BIS_PIXEL_XRGB8888, false, false},	/* B8G8R8A8, B8G8R8X8 */
	{3, BIS_PIXEL_XRGB8888, true, true},   {4, BIS_PIXEL_XRGB8888, true, false},	/* A8R8G8B8, X8R8G8B8 */
	{67, BIS_PIXEL_XBGR8888, false, true}, {68, BIS_PIXEL_XBGR8888, true, false},	/* R8G8B8A8, X8B8G8R8 */
	{121, BIS_PIXEL_XBGR8888, true, true}, {134, BIS_PIXEL_XBGR8888, false, false}, /* A8B8G8R8, R8G8B8X8 */
};

static const struct format *find_format(uint32_t number)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(formats); i++)
		if (formats[i].number == number)
			return &formats[i];
	return NULL;
}

struct gpu_resource *gpu_resource_find(struct gpu *g, uint32_t id)
{
	struct gpu_resource *r = g->resources;

	while (r && r->id != id)
		r = r->next;
	return r;
}

/* --- Memory within the limit --- */

static void *take_memory(struct gpu *g, uint64_t size)
{
	void *memory;

	if (size > g->memory_max - g->memory)
		return NULL;
	memory = calloc(1, size);
	if (memory)
		g->memory += size;
	return memory;
}

static void give_memory(struct gpu *g, void *memory, uint64_t size)
{
	if (memory)
		g->memory -= size;
	free(memory);
}

static uint64_t pixels_size(const struct gpu_resource *r)
{
	return (uint64_t)r->width * r->height * sizeof(*r->pixels);
}

enum gpu_type gpu_resource_create(struct gpu *g, uint32_t id, uint32_t format, uint32_t width, uint32_t height,
				  struct gpu_resource **out)
{
	struct gpu_resource *r;

	if (id == 0 || gpu_resource_find(g, id))
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (!find_format(format) || width == 0 || height == 0)
		return GPU_ERR_INVALID_PARAMETER;
	if (g->n_resources >= g->resources_max || width > GPU_RESOURCE_SIDE_MAX || height > GPU_RESOURCE_SIDE_MAX ||
	    (uint64_t)width * height > g->memory_max / sizeof(*r->pixels))
		return GPU_ERR_OUT_OF_MEMORY;
	r = calloc(1, sizeof(*r));
	if (!r)
		return GPU_ERR_OUT_OF_MEMORY;
	*r = (struct gpu_resource){.next = g->resources, .id = id, .format = format, .width = width, .height = height};
	r->pixels = take_memory(g, pixels_size(r));
	if (!r->pixels) {
		free(r);
		return GPU_ERR_OUT_OF_MEMORY;
	}
	g->resources = r;
	g->n_resources++;
	*out = r;
	return GPU_OK_NODATA;
}

void gpu_resource_destroy(struct gpu *g, struct gpu_resource *r)
{
	struct gpu_resource **at = &g->resources;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	g->n_resources--;
	gpu_backing_end(g, r);
	give_memory(g, r->pixels, pixels_size(r));
	free(r);
}

/* --- Backing --- */

enum gpu_type gpu_backing_begin(struct gpu *g, struct gpu_resource *r, size_t count)
{
	if (count == 0)
		return GPU_ERR_INVALID_PARAMETER;
	if (count > pixels_size(r) / BIS_PAGE_SIZE + GPU_RANGES_MORE)
		return GPU_ERR_OUT_OF_MEMORY;
	r->backing = take_memory(g, count * sizeof(*r->backing));
	if (!r->backing)
		return GPU_ERR_OUT_OF_MEMORY;
	r->backing_room = count;
	return GPU_OK_NODATA;
}

/* A range that continues the one before becomes part of it. */
enum gpu_type gpu_backing_add(struct gpu *g, struct gpu_resource *r, struct bis_mem_range range)
{
	struct bis_mem_range *last = r->n_backing ? &r->backing[r->n_backing - 1] : NULL;

	if (!bis_mem_is_ram(g->virtio.memory, range.pa, range.len))
		return GPU_ERR_INVALID_PARAMETER;
	if (range.len == 0)
		return GPU_OK_NODATA;
	if (last && last->pa.v + last->len == range.pa.v)
		last->len += range.len;
	else
		r->backing[r->n_backing++] = range;
	r->backing_len += range.len;
	return GPU_OK_NODATA;
}

void gpu_backing_end(struct gpu *g, struct gpu_resource *r)
{
	give_memory(g, r->backing, r->backing_room * sizeof(*r->backing));
	r->backing = NULL;
	r->n_backing = r->backing_room = 0;
	r->backing_len = 0;
}

/* --- Transfers --- */

bool gpu_resource_has(const struct gpu_resource *r, const struct bis_rect *rect)
{
	return rect->width && rect->height && rect->width <= r->width && rect->x <= r->width - rect->width &&
	       rect->height <= r->height && rect->y <= r->height - rect->height;
}

/* A place in the backing. */
struct place {
	size_t at;	 /* range */
	uint64_t offset; /* in it */
};

/* Moves on within the backing; at most to its end. */
static void advance(const struct gpu_resource *r, struct place *p, uint64_t len)
{
	while (p->at < r->n_backing && len >= r->backing[p->at].len - p->offset) {
		len -= r->backing[p->at].len - p->offset;
		p->at++;
		p->offset = 0;
	}
	p->offset += len;
}

/* Fetches what lies at that place and behind, all of which is there. */
static bool fetch(const struct gpu *g, const struct gpu_resource *r, struct place p, void *to, size_t len)
{
	uint8_t *out = to;

	while (len) {
		const struct bis_mem_range *range = &r->backing[p.at++];
		uint64_t rest = range->len - p.offset;
		size_t n = len < rest ? len : (size_t)rest;

		if (bis_mem_read(g->virtio.memory, (bis_gpa){range->pa.v + p.offset}, out, n))
			return false;
		p.offset = 0;
		out += n;
		len -= n;
	}
	return true;
}

static void turn(uint32_t *pixels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pixels[i] = __builtin_bswap32(pixels[i]);
}

/* Whole lines lie one behind the other on both sides: they count as one. */
static bool fetch_lines(const struct gpu *g, struct gpu_resource *r, const struct bis_rect *rect, uint64_t offset)
{
	bool whole = rect->width == r->width;
	size_t count = whole ? (size_t)rect->width * rect->height : rect->width;
	uint32_t *to = r->pixels + (size_t)rect->y * r->width + rect->x;
	bool turned = find_format(r->format)->turned;
	struct place p = {0};

	advance(r, &p, offset);
	for (uint32_t line = 0; line < (whole ? 1 : rect->height); line++) {
		if (!fetch(g, r, p, to, count * sizeof(*to)))
			return false;
		if (turned)
			turn(to, count);
		to += r->width;
		advance(r, &p, (uint64_t)r->width * sizeof(*to));
	}
	return true;
}

enum gpu_type gpu_resource_transfer(struct gpu *g, struct gpu_resource *r, const struct bis_rect *rect, uint64_t offset)
{
	uint64_t needed;
	bool shown = g->scanout == r->id, done;

	if (!gpu_resource_has(r, rect))
		return GPU_ERR_INVALID_PARAMETER;
	needed = ((uint64_t)(rect->height - 1) * r->width + rect->width) * sizeof(*r->pixels);
	if (needed > r->backing_len || offset > r->backing_len - needed)
		return GPU_ERR_INVALID_PARAMETER;
	if (shown)
		bis_display_lock(g->display);
	done = fetch_lines(g, r, rect, offset);
	if (shown)
		bis_display_unlock(g->display);
	return done ? GPU_OK_NODATA : GPU_ERR_UNSPEC;
}

/* --- Looks --- */

struct bis_surface gpu_resource_surface(const struct gpu_resource *r, const struct bis_rect *rect)
{
	return (struct bis_surface){
		.width = rect->width,
		.height = rect->height,
		.pitch = (uint32_t)(r->width * sizeof(*r->pixels)),
		.format = find_format(r->format)->as,
		.pixels = r->pixels + (size_t)rect->y * r->width + rect->x,
	};
}

/* A colour that was multiplied with its alpha, as it was before. */
static uint32_t divide(uint32_t colour, uint32_t alpha)
{
	uint32_t plain = (colour * 255 + alpha / 2) / alpha;

	return plain < 255 ? plain : 255;
}

/* Drivers give colours that are multiplied with alpha, as their display servers keep them. */
static uint32_t plain_argb(uint32_t pixel, const struct format *f)
{
	uint32_t alpha = f->alpha ? pixel >> 24 : 255, low = pixel & 255, mid = pixel >> 8 & 255,
		 high = pixel >> 16 & 255;

	if (alpha == 0)
		return 0;
	low = divide(low, alpha);
	mid = divide(mid, alpha);
	high = divide(high, alpha);
	if (f->as == BIS_PIXEL_XBGR8888)
		return alpha << 24 | low << 16 | mid << 8 | high;
	return alpha << 24 | high << 16 | mid << 8 | low;
}

bool gpu_resource_cursor(const struct gpu_resource *r, struct bis_cursor *out)
{
	if (r->width > BIS_DISPLAY_CURSOR_MAX || r->height > BIS_DISPLAY_CURSOR_MAX)
		return false;
	out->width = r->width;
	out->height = r->height;
	for (size_t i = 0; i < (size_t)r->width * r->height; i++)
		out->pixels[i] = plain_argb(r->pixels[i], find_format(r->format));
	return true;
}
