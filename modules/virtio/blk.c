/*
 * Virtio block device (virtio 1.2, section 5.2) on a disk back end. Reads of what the host has in memory are carried
 * out where the driver notifies, on the hart's thread with the device lock held: that takes less time than waking
 * another thread. Everything else is done by worker threads of the module, which take chains themselves, never take the
 * device lock, and sleep when there is nothing to do. The module owns all of them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "modules/modules.h"
#include "modules/virtio/blk_request.h"
#include "modules/worker.h"

#define QUEUE	0
#define WORKERS 4
#define SEG_MAX (VIRTIO_QUEUE_SIZE - 2) /* ranges of data: a request has a header and a status, too */

/* Bytes read on a hart's thread in a row. */
#define INLINE_MAX (1u << 20)
/* Bytes of a request that is worth an interrupt of its own. */
#define LARGE 65536u
/* How many requests are given back before the driver hears of them. */
#define BATCH 16u

#define ALIGN_SECTORS 8u /* best bounds of discards */

/* Section 5.2.4: offsets in the configuration. */
enum config {
	CONFIG_CAPACITY = 0,
	CONFIG_SEG_MAX = 12,
	CONFIG_BLK_SIZE = 20,
	CONFIG_PHYSICAL_BLOCK_EXP = 24,
	CONFIG_WRITEBACK = 32,
	CONFIG_DISCARD_SECTORS = 36,
	CONFIG_DISCARD_SEG = 40,
	CONFIG_DISCARD_ALIGNMENT = 44,
	CONFIG_ZERO_SECTORS = 48,
	CONFIG_ZERO_SEG = 52,
	CONFIG_ZERO_MAY_UNMAP = 56,
	CONFIG_SIZE = 60,
};

struct worker {
	struct blk *blk;
	pthread_t thread;
	struct blk_request request;
	unsigned unheard; /* requests given back since the driver was signalled */
};

struct blk {
	struct virtio virtio;
	struct blk_store store;
	uint8_t config[CONFIG_SIZE]; /* virtio_lock */
	struct blk_request inlined;  /* device lock; while `handed` the workers' */

	pthread_mutex_t lock; /* taken before the virtio's */
	pthread_cond_t work;  /* something is wanted */
	pthread_cond_t idle;  /* nothing is wanted and all workers sleep */
	bool wanted;	      /* lock: the queue is to be looked at */
	bool handed;	      /* lock: `inlined` is to be carried out */
	bool quit;	      /* lock */
	unsigned awake;	      /* lock: workers that do not sleep */
	unsigned looking;     /* lock: of them, those not held up in a slow request */
	unsigned started;     /* workers that have a thread */
	struct worker workers[WORKERS];
};

static const struct bis_field blk_fields[] = {
	VIRTIO_FIELDS(struct blk, virtio),
	{.name = "writeback",
	 .type = BIS_FIELD_U8,
	 .offset = offsetof(struct blk, config) + CONFIG_WRITEBACK,
	 .count = 1,
	 .help = "writes need a flush to be durable"},
	BIS_FIELD_END,
};

static const struct bis_option blk_options[] = {
	{"file", BIS_OPTION_TEXT, NULL, NULL, "file or block device that holds the sectors"},
	{"overlay", BIS_OPTION_TEXT, "", NULL, "file that takes the writes, so that `file` stays as it is"},
	{"readonly", BIS_OPTION_BOOL, "off", NULL, "refuse writes, and open the file for reading alone"},
	{"serial", BIS_OPTION_TEXT, "", NULL, "device ID, at most 20 bytes"},
	{0},
};

/* --- Workers --- */

static void signal_driver(struct worker *w)
{
	if (w->unheard)
		virtio_signal(&w->blk->virtio, QUEUE);
	w->unheard = 0;
}

/* Before a request that takes long: somebody else looks after the queue meanwhile. */
static void enter_slow(struct worker *w)
{
	struct blk *b = w->blk;
	bool more;

	signal_driver(w);
	pthread_mutex_lock(&b->lock);
	b->looking--;
	pthread_mutex_unlock(&b->lock);
	more = virtio_want_notify(&b->virtio, QUEUE, true);
	pthread_mutex_lock(&b->lock);
	b->wanted = b->wanted || more;
	if (b->wanted && b->looking == 0)
		pthread_cond_signal(&b->work);
	pthread_mutex_unlock(&b->lock);
}

static void leave_slow(struct worker *w)
{
	pthread_mutex_lock(&w->blk->lock);
	w->blk->looking++;
	pthread_mutex_unlock(&w->blk->lock);
	virtio_want_notify(&w->blk->virtio, QUEUE, false);
}

static void serve(struct worker *w)
{
	struct blk_request *r = &w->request;
	bool slow = blk_request_is_slow(&w->blk->store, r);

	if (slow)
		enter_slow(w);
	blk_request_carry_out(&w->blk->store, r);
	/* After a slow or large request the driver hears at once; small ones wait for others that are ready. */
	if (++w->unheard >= BATCH || slow || r->len > LARGE)
		signal_driver(w);
	if (slow)
		leave_slow(w);
}

/* Serves what there is until the queue is empty and the driver has been told to notify. */
static void work(struct worker *w, bool have)
{
	struct virtio *v = &w->blk->virtio;

	if (have)
		serve(w);
	do {
		virtio_want_notify(v, QUEUE, false);
		while (virtio_pop(v, QUEUE, &w->request.chain)) {
			if (blk_request_parse(&w->request))
				serve(w);
		}
		signal_driver(w);
	} while (virtio_want_notify(v, QUEUE, true));
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct blk *b = w->blk;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		bool have;

		while (!b->wanted && !b->quit)
			pthread_cond_wait(&b->work, &b->lock);
		if (b->quit)
			break;
		b->wanted = false;
		have = b->handed;
		b->handed = false;
		if (have)
			w->request = b->inlined;
		b->awake++;
		b->looking++;
		pthread_mutex_unlock(&b->lock);
		work(w, have);
		pthread_mutex_lock(&b->lock);
		b->looking--;
		b->awake--;
		if (b->awake == 0 && !b->wanted)
			pthread_cond_broadcast(&b->idle);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

static int start_workers(struct blk *b, const char *name)
{
	int err = 0;

	while (!err && b->started < WORKERS) {
		struct worker *w = &b->workers[b->started];

		w->blk = b;
		err = worker_start(name, &w->thread, worker_main, w);
		if (!err)
			b->started++;
	}
	return err;
}

static void stop_workers(struct blk *b)
{
	pthread_mutex_lock(&b->lock);
	b->quit = true;
	pthread_cond_broadcast(&b->work);
	pthread_mutex_unlock(&b->lock);
	while (b->started > 0)
		pthread_join(b->workers[--b->started].thread, NULL);
}

/* --- What the driver causes: device lock --- */

/* Serves what can be served in place, the lock held; true if the workers are to look, too. */
static bool serve_inline(struct blk *b)
{
	struct blk_request *r = &b->inlined;
	uint64_t done = 0;

	while (done < INLINE_MAX && virtio_pop(&b->virtio, QUEUE, &r->chain)) {
		if (!blk_request_parse(r))
			break;
		b->handed = done + r->len > INLINE_MAX || !blk_request_read_cached(&b->store, r);
		if (b->handed)
			break;
		done += r->len + BIS_SECTOR_SIZE; /* empty ones count, too */
	}
	if (done)
		virtio_signal(&b->virtio, QUEUE);
	return b->handed || virtio_want_notify(&b->virtio, QUEUE, true);
}

static void blk_notify(void *self, unsigned queue)
{
	struct blk *b = self;

	(void)queue;
	pthread_mutex_lock(&b->lock);
	if (b->looking || b->wanted) {
		/* A worker is on its way to the queue; it sees this before it sleeps. */
		b->wanted = true;
	} else if (serve_inline(b)) {
		b->wanted = true;
		pthread_cond_signal(&b->work);
	}
	pthread_mutex_unlock(&b->lock);
}

static void blk_quiesce(void *self)
{
	struct blk *b = self;

	pthread_mutex_lock(&b->lock);
	while (b->awake || b->wanted)
		pthread_cond_wait(&b->idle, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

static void blk_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct blk *b = self;

	if (off != CONFIG_WRITEBACK || size != 1 || !virtio_has(&b->virtio, BLK_FEATURE_CONFIG_WCE))
		return;
	virtio_lock(&b->virtio);
	b->config[CONFIG_WRITEBACK] = value & 1;
	virtio_unlock(&b->virtio);
}

static void blk_reset_device(void *self)
{
	struct blk *b = self;

	virtio_lock(&b->virtio);
	b->config[CONFIG_WRITEBACK] = 1;
	virtio_unlock(&b->virtio);
}

/* --- Lifecycle --- */

static void put_le(uint8_t *to, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static void fill_config(struct blk *b)
{
	uint8_t *c = b->config;

	put_le(c + CONFIG_CAPACITY, bis_disk_sectors(b->store.disk), 8);
	put_le(c + CONFIG_SEG_MAX, SEG_MAX, 4);
	put_le(c + CONFIG_BLK_SIZE, BIS_SECTOR_SIZE, 4);
	c[CONFIG_PHYSICAL_BLOCK_EXP] = 3; /* the host's pages */
	c[CONFIG_WRITEBACK] = 1;
	if (bis_disk_readonly(b->store.disk))
		return;
	put_le(c + CONFIG_DISCARD_SECTORS, BLK_DISCARD_SECTORS, 4);
	put_le(c + CONFIG_DISCARD_SEG, BLK_SEGMENTS, 4);
	put_le(c + CONFIG_DISCARD_ALIGNMENT, ALIGN_SECTORS, 4);
	put_le(c + CONFIG_ZERO_SECTORS, BLK_ZERO_SECTORS, 4);
	put_le(c + CONFIG_ZERO_SEG, BLK_SEGMENTS, 4);
	c[CONFIG_ZERO_MAY_UNMAP] = 1;
}

static int open_disk(struct blk *b, const char *name, const struct bis_options *options)
{
	const char *serial = bis_option_text(options, "serial");
	int err;

	if (strlen(serial) > BLK_SERIAL_SIZE)
		return bis_fail(EINVAL, "%s: serial=%s: expected at most %d bytes", name, serial, BLK_SERIAL_SIZE);
	memcpy(b->store.serial, serial, strlen(serial));
	err = bis_disk_open(name, bis_option_text(options, "file"), bis_option_bool(options, "readonly"),
			    bis_option_text(options, "overlay"), &b->store.disk);
	if (err)
		return err;
	fill_config(b);
	virtio_offer(&b->virtio, bis_disk_readonly(b->store.disk) ? BLK_FEATURE_RO
								  : BLK_FEATURE_DISCARD | BLK_FEATURE_WRITE_ZEROES);
	return 0;
}

/* Works on whatever blk_create has made so far. */
static void blk_destroy(void *self)
{
	struct blk *b = self;

	virtio_fini(&b->virtio);
	stop_workers(b);
	bis_disk_close(b->store.disk);
	pthread_cond_destroy(&b->idle);
	pthread_cond_destroy(&b->work);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static int blk_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct virtio_ops ops = {
		.device_id = VIRTIO_ID_BLOCK,
		.queues = 1,
		.features = BLK_FEATURE_SEG_MAX | BLK_FEATURE_BLK_SIZE | BLK_FEATURE_FLUSH | BLK_FEATURE_TOPOLOGY |
			    BLK_FEATURE_CONFIG_WCE,
		.config_size = CONFIG_SIZE,
		.notify = blk_notify,
		.write_config = blk_write_config,
		.quiesce = blk_quiesce,
		.reset = blk_reset_device,
	};
	const char *name = bis_module_name(mod);
	struct blk *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return bis_fail(ENOMEM, "no memory for %s", name);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->idle, NULL);
	virtio_init(&b->virtio, mod, &ops, b, b->config);
	b->store.virtio = &b->virtio;
	b->store.writeback = &b->config[CONFIG_WRITEBACK];
	err = open_disk(b, name, options);
	if (!err)
		err = start_workers(b, name);
	if (err) {
		blk_destroy(b);
		return err;
	}
	*self = b;
	return 0;
}

static int blk_attach(struct bis_module *mod, void *self)
{
	(void)mod;
	return virtio_attach(self);
}

static void blk_pause(void *self)
{
	virtio_pause(self);
}

static void blk_resume(void *self)
{
	virtio_resume(self);
}

static int blk_check(void *self)
{
	struct blk *b = self;

	if (b->config[CONFIG_WRITEBACK] > 1)
		return bis_fail(EINVAL, "%s: writeback is %u: expected 0 or 1", bis_module_name(b->virtio.module),
				b->config[CONFIG_WRITEBACK]);
	return virtio_check(&b->virtio);
}

static int blk_outside(void *self, void (*tell)(void *arg, const struct bis_outside *thing), void *arg)
{
	const struct blk *b = self;

	return bis_disk_outside(b->store.disk, tell, arg);
}

static void blk_reset(void *self)
{
	virtio_reset(self);
}

static void blk_dt(void *self, struct bis_dt *dt)
{
	virtio_dt(self, dt);
}

const struct bis_module_class bis_virtio_blk_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-blk",
	.summary = "virtio block device on a file",
	.options = blk_options,
	.fields = blk_fields,
	.create = blk_create,
	.attach = blk_attach,
	.pause = blk_pause,
	.resume = blk_resume,
	.reset = blk_reset,
	.destroy = blk_destroy,
	.check = blk_check,
	.outside = blk_outside,
	.dt_name = "virtio_mmio",
	.dt = blk_dt,
};
