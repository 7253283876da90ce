/*
 * Requests of the virtio GPU's driver (virtio 1.2, sections 5.7.6.7 to 5.7.6.10): one function each, which checks what
 * it was given and says with the answer's type how it went. Runs on the worker thread. A request is read once, and
 * carried out before it is answered, which is all that a fence asks for.
 */
#include <string.h>

#include "modules/virtio/gpu.h"

#define SCANOUTS     1u
#define SCANOUTS_MAX 16u /* that an answer has room for */

#define FLAG_FENCE 1u

struct header {
	uint32_t type, flags;
	uint64_t fence_id;
	uint32_t ctx_id, ring_idx;
};

struct display_info {
	struct {
		struct bis_rect rect;
		uint32_t enabled, flags;
	} modes[SCANOUTS_MAX];
};

struct edid_info {
	uint32_t size, padding;
	uint8_t edid[1024];
};

/* A request in hand, and the answer behind its header. */
struct call {
	struct gpu *g;
	struct virtio_chain *chain;
	struct header header;
	size_t answer_len;
	union {
		struct display_info display;
		struct edid_info edid;
	} answer;
};

/* Reads the request's own part. */
static bool read_request(struct call *c, void *request, size_t size)
{
	return virtio_read(c->chain, request, size) == size;
}

/* The size that the driver is to show now. */
static void wished_size(struct gpu *g, uint32_t *width, uint32_t *height)
{
	virtio_lock(&g->virtio);
	*width = g->width;
	*height = g->height;
	virtio_unlock(&g->virtio);
}

/* --- The screen --- */

static enum gpu_type get_display_info(struct call *c)
{
	struct display_info *d = &c->answer.display;

	memset(d, 0, sizeof(*d));
	wished_size(c->g, &d->modes[0].rect.width, &d->modes[0].rect.height);
	d->modes[0].enabled = 1;
	c->answer_len = sizeof(*d);
	return GPU_OK_DISPLAY_INFO;
}

static enum gpu_type get_edid(struct call *c)
{
	struct {
		uint32_t scanout, padding;
	} request;
	uint32_t width, height;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	if (request.scanout >= SCANOUTS)
		return GPU_ERR_INVALID_SCANOUT_ID;
	memset(&c->answer.edid, 0, sizeof(c->answer.edid));
	wished_size(c->g, &width, &height);
	gpu_edid(c->answer.edid.edid, width, height);
	c->answer.edid.size = GPU_EDID_SIZE;
	c->answer_len = sizeof(c->answer.edid);
	return GPU_OK_EDID;
}

enum gpu_type gpu_show(struct gpu *g, const struct gpu_resource *r, const struct bis_rect *rect)
{
	struct bis_surface surface = {0};

	if (r) {
		if (!gpu_resource_has(r, rect))
			return GPU_ERR_INVALID_PARAMETER;
		surface = gpu_resource_surface(r, rect);
	}
	if (bis_display_show(g->display, r ? &surface : NULL))
		return GPU_ERR_INVALID_PARAMETER;
	g->scanout = r ? r->id : 0;
	g->scanout_rect = r ? *rect : (struct bis_rect){0};
	return GPU_OK_NODATA;
}

static enum gpu_type set_scanout(struct call *c)
{
	struct {
		struct bis_rect rect;
		uint32_t scanout, resource;
	} request;
	const struct gpu_resource *r;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	if (request.scanout >= SCANOUTS)
		return GPU_ERR_INVALID_SCANOUT_ID;
	r = request.resource ? gpu_resource_find(c->g, request.resource) : NULL;
	if (request.resource && !r)
		return GPU_ERR_INVALID_RESOURCE_ID;
	return gpu_show(c->g, r, &request.rect);
}

/* The part of [at, at+len) that lies in [from, from+room), counted from there. */
static void cut(uint32_t *at, uint32_t *len, uint32_t from, uint32_t room)
{
	uint64_t end = (uint64_t)*at + *len, limit = (uint64_t)from + room;
	uint64_t start = *at > from ? *at : from;

	end = end < limit ? end : limit;
	*at = (uint32_t)(start - from);
	*len = start < end ? (uint32_t)(end - start) : 0;
}

static enum gpu_type resource_flush(struct call *c)
{
	struct {
		struct bis_rect rect;
		uint32_t resource, padding;
	} request;
	const struct bis_rect *shown = &c->g->scanout_rect;
	const struct gpu_resource *r;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	r = gpu_resource_find(c->g, request.resource);
	if (!r)
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (!gpu_resource_has(r, &request.rect))
		return GPU_ERR_INVALID_PARAMETER;
	if (r->id != c->g->scanout)
		return GPU_OK_NODATA;
	cut(&request.rect.x, &request.rect.width, shown->x, shown->width);
	cut(&request.rect.y, &request.rect.height, shown->y, shown->height);
	if (request.rect.width && request.rect.height)
		bis_display_damage(c->g->display, &request.rect);
	return GPU_OK_NODATA;
}

/* --- Resources --- */

static enum gpu_type resource_create_2d(struct call *c)
{
	struct {
		uint32_t resource, format, width, height;
	} request;
	struct gpu_resource *r;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	return gpu_resource_create(c->g, request.resource, request.format, request.width, request.height, &r);
}

/* Reads the number of a resource, which a word of padding follows; NULL with *error set. */
static struct gpu_resource *read_resource(struct call *c, enum gpu_type *error)
{
	struct {
		uint32_t resource, padding;
	} request;
	struct gpu_resource *r = NULL;

	*error = GPU_ERR_INVALID_PARAMETER;
	if (read_request(c, &request, sizeof(request))) {
		*error = GPU_ERR_INVALID_RESOURCE_ID;
		r = gpu_resource_find(c->g, request.resource);
	}
	return r;
}

static enum gpu_type resource_unref(struct call *c)
{
	enum gpu_type error;
	struct gpu_resource *r = read_resource(c, &error);

	if (!r)
		return error;
	if (r->id == c->g->scanout)
		gpu_show(c->g, NULL, NULL);
	gpu_resource_destroy(c->g, r);
	return GPU_OK_NODATA;
}

static enum gpu_type transfer_to_host_2d(struct call *c)
{
	struct {
		struct bis_rect rect;
		uint64_t offset;
		uint32_t resource, padding;
	} request;
	struct gpu_resource *r;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	r = gpu_resource_find(c->g, request.resource);
	return r ? gpu_resource_transfer(c->g, r, &request.rect, request.offset) : GPU_ERR_INVALID_RESOURCE_ID;
}

static enum gpu_type read_backing(struct call *c, struct gpu_resource *r, uint32_t count)
{
	struct {
		uint64_t pa;
		uint32_t len, padding;
	} entry;
	enum gpu_type type = GPU_OK_NODATA;

	for (uint32_t i = 0; i < count && type == GPU_OK_NODATA; i++) {
		if (!read_request(c, &entry, sizeof(entry)))
			return GPU_ERR_INVALID_PARAMETER;
		type = gpu_backing_add(c->g, r, (struct bis_mem_range){{entry.pa}, entry.len});
	}
	return type;
}

static enum gpu_type resource_attach_backing(struct call *c)
{
	struct {
		uint32_t resource, count;
	} request;
	struct gpu_resource *r;
	enum gpu_type type;

	if (!read_request(c, &request, sizeof(request)) || request.count > c->chain->readable / 16)
		return GPU_ERR_INVALID_PARAMETER;
	r = gpu_resource_find(c->g, request.resource);
	if (!r)
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (r->backing)
		return GPU_ERR_UNSPEC;
	type = gpu_backing_begin(c->g, r, request.count);
	if (type == GPU_OK_NODATA)
		type = read_backing(c, r, request.count);
	if (type != GPU_OK_NODATA)
		gpu_backing_end(c->g, r);
	return type;
}

static enum gpu_type resource_detach_backing(struct call *c)
{
	enum gpu_type error;
	struct gpu_resource *r = read_resource(c, &error);

	if (!r)
		return error;
	gpu_backing_end(c->g, r);
	return GPU_OK_NODATA;
}

/* --- The pointer --- */

struct cursor_request {
	uint32_t scanout, x, y, padding;
	uint32_t resource, hot_x, hot_y, padding2;
};

static enum gpu_type move_pointer(struct gpu *g, const struct cursor_request *request)
{
	if (request->scanout >= SCANOUTS)
		return GPU_ERR_INVALID_SCANOUT_ID;
	g->cursor_x = request->x;
	g->cursor_y = request->y;
	bis_display_move_cursor(g->display, g->cursor_x, g->cursor_y);
	return GPU_OK_NODATA;
}

static enum gpu_type move_cursor(struct call *c)
{
	struct cursor_request request;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	return move_pointer(c->g, &request);
}

static enum gpu_type update_cursor(struct call *c)
{
	struct bis_cursor *cursor = &c->g->cursor;
	struct cursor_request request;
	const struct gpu_resource *r;

	if (!read_request(c, &request, sizeof(request)))
		return GPU_ERR_INVALID_PARAMETER;
	r = request.resource ? gpu_resource_find(c->g, request.resource) : NULL;
	if (request.resource && !r)
		return GPU_ERR_INVALID_RESOURCE_ID;
	if (r && (request.hot_x >= r->width || request.hot_y >= r->height || !gpu_resource_cursor(r, cursor)))
		return GPU_ERR_INVALID_PARAMETER;
	cursor->hot_x = request.hot_x;
	cursor->hot_y = request.hot_y;
	if (!r)
		memset(cursor, 0, sizeof(*cursor));
	bis_display_set_cursor(c->g->display, r ? cursor : NULL);
	return move_pointer(c->g, &request);
}

void gpu_forget_all(struct gpu *g)
{
	gpu_show(g, NULL, NULL);
	memset(&g->cursor, 0, sizeof(g->cursor));
	g->cursor_x = g->cursor_y = 0;
	bis_display_set_cursor(g->display, NULL);
	while (g->resources)
		gpu_resource_destroy(g, g->resources);
}

/* --- Requests and answers --- */

static const struct request {
	uint32_t type;
	enum gpu_queue queue;
	const char *name;
	enum gpu_type (*carry_out)(struct call *c);
} requests[] = {
	{GPU_GET_DISPLAY_INFO, GPU_CONTROL, "GET_DISPLAY_INFO", get_display_info},
	{GPU_RESOURCE_CREATE_2D, GPU_CONTROL, "RESOURCE_CREATE_2D", resource_create_2d},
	{GPU_RESOURCE_UNREF, GPU_CONTROL, "RESOURCE_UNREF", resource_unref},
	{GPU_SET_SCANOUT, GPU_CONTROL, "SET_SCANOUT", set_scanout},
	{GPU_RESOURCE_FLUSH, GPU_CONTROL, "RESOURCE_FLUSH", resource_flush},
	{GPU_TRANSFER_TO_HOST_2D, GPU_CONTROL, "TRANSFER_TO_HOST_2D", transfer_to_host_2d},
	{GPU_RESOURCE_ATTACH_BACKING, GPU_CONTROL, "RESOURCE_ATTACH_BACKING", resource_attach_backing},
	{GPU_RESOURCE_DETACH_BACKING, GPU_CONTROL, "RESOURCE_DETACH_BACKING", resource_detach_backing},
	{GPU_GET_EDID, GPU_CONTROL, "GET_EDID", get_edid},
	{GPU_UPDATE_CURSOR, GPU_CURSOR, "UPDATE_CURSOR", update_cursor},
	{GPU_MOVE_CURSOR, GPU_CURSOR, "MOVE_CURSOR", move_cursor},
};

static const struct request *find_request(uint32_t type, enum gpu_queue queue)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(requests); i++)
		if (requests[i].type == type && requests[i].queue == queue)
			return &requests[i];
	return NULL;
}

static const char *describe(enum gpu_type error)
{
	switch (error) {
	case GPU_ERR_OUT_OF_MEMORY:
		return "the limit of memory or resources is reached";
	case GPU_ERR_INVALID_SCANOUT_ID:
		return "there is no such scanout";
	case GPU_ERR_INVALID_RESOURCE_ID:
		return "the resource's number does not fit";
	case GPU_ERR_INVALID_PARAMETER:
		return "a size or an address does not fit";
	default:
		return "it cannot be done";
	}
}

static void note_refusal(struct call *c, const struct request *request, enum gpu_type type)
{
	struct gpu *g = c->g;

	g->refused++;
	bis_log_limited(bis_module_machine(g->mod), &g->log_limit, BIS_LOG_INFO, bis_module_name(g->mod),
			"%s (type 0x%x) is refused: %s", request ? request->name : "an unknown request", c->header.type,
			describe(type));
}

void gpu_carry_out(struct gpu *g, enum gpu_queue queue)
{
	struct call c = {.g = g, .chain = &g->chain};
	const struct request *request = NULL;
	struct header answer = {0};
	enum gpu_type type = GPU_ERR_UNSPEC;

	if (read_request(&c, &c.header, sizeof(c.header)))
		request = find_request(c.header.type, queue);
	if (request)
		type = request->carry_out(&c);
	if (type >= GPU_ERR_UNSPEC)
		note_refusal(&c, request, type);
	answer.type = type;
	if (c.header.flags & FLAG_FENCE) {
		answer.flags = FLAG_FENCE;
		answer.fence_id = c.header.fence_id;
		answer.ctx_id = c.header.ctx_id;
	}
	virtio_write(c.chain, &answer, sizeof(answer));
	virtio_write(c.chain, &c.answer, c.answer_len);
}
