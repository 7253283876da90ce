/*
 * Virtio GPU (virtio 1.2, section 5.7), 2D with one scanout: the module, its configuration and its worker. Requests are
 * carried out by a thread of the module, so that no hart and no other device waits while a large picture is fetched; it
 * owns the chain that it has taken and all resources, and is quiet while the machine is paused. The rest runs with the
 * device lock held.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "modules/modules.h"
#include "modules/virtio/gpu.h"
#include "modules/worker.h"

/* Section 5.7.3. */
#define F_EDID (UINT64_C(1) << 1)

/* Section 5.7.4. */
#define EVENT_DISPLAY 1u

#define MEMORY_MIN (UINT64_C(1) << 20)
#define MEMORY_MAX (UINT64_C(1) << 31)

static const struct bis_field gpu_fields[] = {
	VIRTIO_FIELDS(struct gpu, virtio),
	BIS_FIELD(struct gpu, config.events_read, U32, BIS_FIELD_READONLY, "events that the driver has not cleared"),
	BIS_FIELD(struct gpu, width, U32, BIS_FIELD_READONLY, "pixels in a line that the driver is to show"),
	BIS_FIELD(struct gpu, height, U32, BIS_FIELD_READONLY, "lines that the driver is to show"),
	BIS_FIELD(struct gpu, scanout, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "resource that is shown; 0: none"),
	BIS_FIELD(struct gpu, n_resources, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "resources that there are"),
	BIS_FIELD(struct gpu, memory, U64, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "bytes that resources take"),
	BIS_FIELD(struct gpu, refused, U64, BIS_FIELD_COUNTER, "requests answered with an error so far"),
	BIS_FIELD_END,
};

static const struct bis_option gpu_options[] = {
	{"width", BIS_OPTION_U64, "1024", NULL, "pixels in a line, 64 to 4088, until a viewer wishes for others"},
	{"height", BIS_OPTION_U64, "768", NULL, "lines, 64 to 4088"},
	{"memory", BIS_OPTION_SIZE, "256M", NULL, "host memory that the guest's images may take, 1M to 2G"},
	{"resources", BIS_OPTION_U64, "1024", NULL, "how many images there may be"},
	{"display", BIS_OPTION_TEXT, "gpu", NULL, "name of the display"},
	{0},
};

/* --- Worker --- */

/* Should the worker leave guest memory alone? */
static bool stopped(struct gpu *g)
{
	bool stop;

	pthread_mutex_lock(&g->lock);
	stop = g->stop || g->quit;
	pthread_mutex_unlock(&g->lock);
	return stop;
}

/* Section 5.7.6: requests for the pointer need no room for an answer. */
static void serve_queue(struct gpu *g, enum gpu_queue queue)
{
	while (!stopped(g) && virtio_pop(&g->virtio, queue, &g->chain)) {
		if (queue == GPU_CONTROL && !g->chain.writable) {
			virtio_broken(&g->virtio, "a request without room for an answer");
			break;
		}
		gpu_carry_out(g, queue);
		virtio_push(&g->chain);
		virtio_signal(&g->virtio, queue);
	}
}

static void *worker_main(void *arg)
{
	struct gpu *g = arg;

	pthread_mutex_lock(&g->lock);
	while (!g->quit) {
		uint32_t queues = g->notified;

		if (g->stop || !queues) {
			g->busy = false;
			pthread_cond_broadcast(&g->changed);
			pthread_cond_wait(&g->changed, &g->lock);
			continue;
		}
		g->busy = true;
		g->notified = 0;
		pthread_mutex_unlock(&g->lock);
		for (unsigned q = 0; q < GPU_QUEUES; q++)
			if (queues >> q & 1)
				serve_queue(g, (enum gpu_queue)q);
		pthread_mutex_lock(&g->lock);
	}
	g->busy = false;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static int start_worker(struct gpu *g)
{
	int err = worker_start(bis_module_name(g->mod), &g->worker, worker_main, g);

	g->worker_started = err == 0;
	return err;
}

static void stop_worker(struct gpu *g)
{
	if (!g->worker_started)
		return;
	pthread_mutex_lock(&g->lock);
	g->quit = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	pthread_join(g->worker, NULL);
}

/* --- Virtio: device lock --- */

static void gpu_notify(void *self, unsigned queue)
{
	struct gpu *g = self;

	pthread_mutex_lock(&g->lock);
	g->notified |= UINT32_C(1) << queue;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

static void gpu_quiesce(void *self)
{
	struct gpu *g = self;

	pthread_mutex_lock(&g->lock);
	g->stop = true;
	while (g->busy)
		pthread_cond_wait(&g->changed, &g->lock);
	g->stop = false;
	g->notified = 0;
	pthread_mutex_unlock(&g->lock);
}

static void gpu_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct gpu *g = self;

	if (off != 4 || size != 4)
		return;
	virtio_lock(&g->virtio);
	g->config.events_read &= ~value;
	virtio_unlock(&g->virtio);
}

/* The wished size is the host's, and stays. */
static void gpu_driver_reset(void *self)
{
	struct gpu *g = self;

	gpu_forget_all(g);
	virtio_lock(&g->virtio);
	g->config.events_read = 0;
	virtio_unlock(&g->virtio);
}

static const struct virtio_ops gpu_virtio_ops = {
	.device_id = VIRTIO_ID_GPU,
	.queues = GPU_QUEUES,
	.features = F_EDID,
	.config_size = sizeof(((struct gpu *)0)->config),
	.notify = gpu_notify,
	.write_config = gpu_write_config,
	.quiesce = gpu_quiesce,
	.reset = gpu_driver_reset,
};

/* --- The display's wishes: device lock --- */

static uint32_t clamp(uint32_t pixels)
{
	if (pixels < GPU_SIDE_MIN)
		return GPU_SIDE_MIN;
	return pixels < GPU_SIDE_MAX ? pixels : GPU_SIDE_MAX;
}

static void gpu_wish(void *self, uint32_t width, uint32_t height)
{
	struct gpu *g = self;

	width = clamp(width);
	height = clamp(height);
	virtio_lock(&g->virtio);
	if (width == g->width && height == g->height) {
		virtio_unlock(&g->virtio);
		return;
	}
	g->width = width;
	g->height = height;
	if (g->virtio.status & VIRTIO_STATUS_DRIVER_OK)
		g->config.events_read |= EVENT_DISPLAY;
	virtio_unlock(&g->virtio);
	virtio_config_changed(&g->virtio);
}

static const struct bis_display_ops gpu_display_ops = {.wish = gpu_wish};

/* --- Lifecycle --- */

static void gpu_pause(void *self)
{
	struct gpu *g = self;

	virtio_pause(&g->virtio);
}

static void gpu_resume(void *self)
{
	struct gpu *g = self;

	virtio_resume(&g->virtio);
}

static void gpu_reset(void *self)
{
	struct gpu *g = self;

	virtio_reset(&g->virtio);
}

static int gpu_check(void *self)
{
	struct gpu *g = self;

	if (g->width != clamp(g->width) || g->height != clamp(g->height))
		return bis_fail(EINVAL, "%s: a size of %" PRIu32 "x%" PRIu32 ", expected %u to %u each way",
				bis_module_name(g->mod), g->width, g->height, GPU_SIDE_MIN, GPU_SIDE_MAX);
	if (g->config.events_read & ~EVENT_DISPLAY)
		return bis_fail(EINVAL, "%s: events 0x%" PRIx32 ", expected %u at most", bis_module_name(g->mod),
				g->config.events_read, EVENT_DISPLAY);
	return virtio_check(&g->virtio);
}

/* Works on whatever gpu_create has made so far. */
static void gpu_destroy(void *self)
{
	struct gpu *g = self;

	virtio_fini(&g->virtio);
	stop_worker(g);
	if (g->display) {
		gpu_forget_all(g);
		bis_display_detach(g->display, g);
	}
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* The number that an option gives; -EINVAL where it is outside its bounds. */
static int bounded(struct bis_module *mod, const struct bis_options *options, const char *name, uint64_t min,
		   uint64_t max, uint64_t *out)
{
	uint64_t value = bis_option_u64(options, name);

	if (value < min || value > max)
		return bis_fail(EINVAL, "%s: %s=%" PRIu64 ", expected %" PRIu64 " to %" PRIu64, bis_module_name(mod),
				name, value, min, max);
	*out = value;
	return 0;
}

static int read_options(struct gpu *g, const struct bis_options *options)
{
	uint64_t width = 0, height = 0, resources = 0;
	int err = bounded(g->mod, options, "width", GPU_SIDE_MIN, GPU_SIDE_MAX, &width);

	if (!err)
		err = bounded(g->mod, options, "height", GPU_SIDE_MIN, GPU_SIDE_MAX, &height);
	if (!err)
		err = bounded(g->mod, options, "memory", MEMORY_MIN, MEMORY_MAX, &g->memory_max);
	if (!err)
		err = bounded(g->mod, options, "resources", 1, 65536, &resources);
	g->width = (uint32_t)width;
	g->height = (uint32_t)height;
	g->resources_max = (uint32_t)resources;
	return err;
}

/* A display that another device has is not ours to detach. */
static int attach_display(struct gpu *g, const char *name)
{
	struct bis_display *display;
	int err = bis_display_open(bis_module_machine(g->mod), name, &display);

	if (!err)
		err = bis_display_attach(display, &gpu_display_ops, g);
	if (err)
		return bis_fail_prefix(err, "%s: display '%s'", bis_module_name(g->mod), name);
	g->display = display;
	return 0;
}

static int gpu_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct gpu *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	g->mod = mod;
	g->config.num_scanouts = 1;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	virtio_init(&g->virtio, mod, &gpu_virtio_ops, g, &g->config);
	err = read_options(g, options);
	if (!err)
		err = attach_display(g, bis_option_text(options, "display"));
	if (!err)
		err = start_worker(g);
	if (err) {
		gpu_destroy(g);
		return err;
	}
	*self = g;
	return 0;
}

static int gpu_attach(struct bis_module *mod, void *self)
{
	struct gpu *g = self;

	(void)mod;
	return virtio_attach(&g->virtio);
}

static void gpu_dt(void *self, struct bis_dt *dt)
{
	struct gpu *g = self;

	virtio_dt(&g->virtio, dt);
}

const struct bis_module_class bis_virtio_gpu_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-gpu",
	.summary = "virtio graphics: a screen that drivers draw pictures on",
	.options = gpu_options,
	.fields = gpu_fields,
	.create = gpu_create,
	.attach = gpu_attach,
	.pause = gpu_pause,
	.resume = gpu_resume,
	.reset = gpu_reset,
	.destroy = gpu_destroy,
	.check = gpu_check,
	.save = gpu_save,
	.restore = gpu_restore,
	.dt_name = "virtio_mmio",
	.dt = gpu_dt,
};
