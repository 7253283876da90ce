/*
 * Virtio GPU (virtio 1.2, section 5.7): what the files of the device share. Everything but the module's calls, the
 * configuration and the wished size belongs to the worker thread, or to the control thread while the worker is quiet.
 */
#ifndef BISCUIT_MODULES_VIRTIO_GPU_H
#define BISCUIT_MODULES_VIRTIO_GPU_H

#include <pthread.h>
#include <stdatomic.h>

#include <biscuit/display.h>

#include "modules/virtio/virtio.h"

/* Section 5.7.2. */
enum gpu_queue { GPU_CONTROL, GPU_CURSOR, GPU_QUEUES };

/* Sizes that may be wished for. The timing of an EDID block has 12 bits for each, and those of monitors are even. */
#define GPU_SIDE_MIN 64u
#define GPU_SIDE_MAX 4088u

/*
 * Bounds of what one request can cost, beside those of memory: a resource's width and height, and the ranges of its
 * backing, which may be one for each page that it takes and so many more.
 */
#define GPU_RESOURCE_SIDE_MAX 16384u
#define GPU_RANGES_MORE	      1024u

/* Section 5.7.6.7: types of requests and of answers. */
enum gpu_type {
	GPU_GET_DISPLAY_INFO = 0x100,
	GPU_RESOURCE_CREATE_2D = 0x101,
	GPU_RESOURCE_UNREF = 0x102,
	GPU_SET_SCANOUT = 0x103,
	GPU_RESOURCE_FLUSH = 0x104,
	GPU_TRANSFER_TO_HOST_2D = 0x105,
	GPU_RESOURCE_ATTACH_BACKING = 0x106,
	GPU_RESOURCE_DETACH_BACKING = 0x107,
	GPU_GET_EDID = 0x10a,
	GPU_UPDATE_CURSOR = 0x300,
	GPU_MOVE_CURSOR = 0x301,
	GPU_OK_NODATA = 0x1100,
	GPU_OK_DISPLAY_INFO = 0x1101,
	GPU_OK_EDID = 0x1104,
	GPU_ERR_UNSPEC = 0x1200,
	GPU_ERR_OUT_OF_MEMORY = 0x1201,
	GPU_ERR_INVALID_SCANOUT_ID = 0x1202,
	GPU_ERR_INVALID_RESOURCE_ID = 0x1203,
	GPU_ERR_INVALID_PARAMETER = 0x1205,
};

/* An image of the driver's in memory of ours: 4 bytes a pixel, lines without gaps. */
struct gpu_resource {
	struct gpu_resource *next;
	uint32_t id, format, width, height; /* as the driver gave them */
	uint32_t *pixels;
	struct bis_mem_range *backing; /* where the driver has it; all RAM */
	size_t n_backing, backing_room;
	uint64_t backing_len; /* bytes of all ranges */
};

struct gpu {
	struct virtio virtio;
	struct bis_module *mod;
	struct bis_display *display;
	uint64_t memory_max;	/* bytes that all resources may take */
	uint32_t resources_max; /* how many there may be */

	/* Section 5.7.4, and the size that the host wishes for: lock of virtio */
	struct {
		uint32_t events_read, events_clear, num_scanouts, num_capsets;
	} config;
	uint32_t width, height;

	pthread_t worker;
	bool worker_started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	uint32_t notified; /* queues that may have chains, a bit each */
	bool busy;	   /* the worker may be at chains */
	bool stop, quit;

	/* Worker */
	struct gpu_resource *resources;
	_Atomic uint32_t n_resources;
	_Atomic uint64_t memory;  /* bytes that they take */
	_Atomic uint64_t refused; /* requests answered with an error */
	uint32_t scanout;	  /* the resource that is shown; 0: none */
	struct bis_rect scanout_rect;
	struct bis_cursor cursor;
	uint32_t cursor_x, cursor_y;
	struct bis_log_limit log_limit;
	struct virtio_chain chain;
};

/* Carries out the request in g->chain and writes the answer; the chain is given back by the caller. */
void gpu_carry_out(struct gpu *g, enum gpu_queue queue);
/* Shows that part of the resource; NULL: nothing. GPU_OK_NODATA or the error. */
enum gpu_type gpu_show(struct gpu *g, const struct gpu_resource *r, const struct bis_rect *rect);
/* Nothing is shown, no pointer, no resources. */
void gpu_forget_all(struct gpu *g);

/* --- Resources: an answer's type says how it went --- */

struct gpu_resource *gpu_resource_find(struct gpu *g, uint32_t id);
/* Zeroed pixels, no backing. */
enum gpu_type gpu_resource_create(struct gpu *g, uint32_t id, uint32_t format, uint32_t width, uint32_t height,
				  struct gpu_resource **out);
/* It is not shown. */
void gpu_resource_destroy(struct gpu *g, struct gpu_resource *r);
/* Room for the addresses of `count` ranges, none of which is in use yet. */
enum gpu_type gpu_backing_begin(struct gpu *g, struct gpu_resource *r, size_t count);
/* Another of them; GPU_ERR_INVALID_PARAMETER where it is not RAM. */
enum gpu_type gpu_backing_add(struct gpu *g, struct gpu_resource *r, struct bis_mem_range range);
void gpu_backing_end(struct gpu *g, struct gpu_resource *r);
/* Is all of the rectangle, which is not empty, inside the resource? */
bool gpu_resource_has(const struct gpu_resource *r, const struct bis_rect *rect);
/* Fetches the rectangle, whose first byte is at `offset` of the backing. */
enum gpu_type gpu_resource_transfer(struct gpu *g, struct gpu_resource *r, const struct bis_rect *rect,
				    uint64_t offset);
/* The resource as a surface of the display. */
struct bis_surface gpu_resource_surface(const struct gpu_resource *r, const struct bis_rect *rect);
/* The resource as a pointer's image, its size as far as one may be; false where it is too large. */
bool gpu_resource_cursor(const struct gpu_resource *r, struct bis_cursor *out);

/* --- The rest --- */

#define GPU_EDID_SIZE 128
/* An EDID 1.4 block of a monitor of that size (GPU_SIDE_MIN to GPU_SIDE_MAX). */
void gpu_edid(uint8_t edid[GPU_EDID_SIZE], uint32_t width, uint32_t height);

/* What fields do not hold: see bis_module_class. The worker is quiet. */
int gpu_save(void *self, void (*put)(void *arg, const void *data, size_t len), void *arg);
int gpu_restore(void *self, const void *data, size_t len);

#endif
