/*
 * Virtio memory balloon (virtio 1.2, section 5.5): pages that the driver puts into the balloon, and free pages that it
 * reports, go back to the host. A worker thread of the module gives them back, so that no hart and no other device
 * waits for the host; it owns the chain it has taken, and leaves guest memory alone while the device is quiet. The rest
 * runs with the device lock held. A chain that is interrupted is done again from its start, which changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modules/modules.h"
#include "modules/virtio/virtio.h"
#include "modules/worker.h"

/* Section 5.5.3. */
#define F_STATS_VQ	 (UINT64_C(1) << 1)
#define F_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define F_PAGE_REPORTING (UINT64_C(1) << 5)

enum { INFLATE, DEFLATE, FIRST_OPTIONAL, QUEUES = 5 };
enum role { ROLE_INFLATE, ROLE_DEFLATE, ROLE_STATS, ROLE_REPORT, ROLE_NONE };

#define PFN_SHIFT 12   /* the balloon's pages have 4096 bytes, whatever the guest's have */
#define PFN_BATCH 1024 /* page numbers sorted at a time */

/* Section 5.5.6.3: statistics by tag. */
#define STATS 10
struct stat_entry {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

struct balloon {
	struct virtio virtio;
	struct bis_module *mod;
	struct bis_memory *memory;
	/* Section 5.5.4; lock of virtio */
	struct {
		uint32_t num_pages, actual;
	} config;
	uint64_t stats[STATS]; /* device lock */
	_Atomic uint64_t given_back;
	_Atomic uint64_t refused;

	pthread_t worker;
	bool worker_started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	uint32_t notified; /* queues that may have chains, a bit each */
	bool busy;	   /* the worker may be at chains */
	bool stop, quit;

	/* Worker */
	struct bis_log_limit log_limit;
	struct virtio_chain chain;
};

static const struct bis_field balloon_fields[] = {
	VIRTIO_FIELDS(struct balloon, virtio),
	BIS_FIELD(struct balloon, config.num_pages, U32, BIS_FIELD_READONLY,
		  "target: pages of 4096 bytes that the driver is to give back"),
	BIS_FIELD(struct balloon, config.actual, U32, BIS_FIELD_READONLY, "pages the driver has given back"),
	BIS_FIELD(struct balloon, given_back, U64, BIS_FIELD_COUNTER,
		  "bytes given back to the host so far, by balloon and by report"),
	BIS_FIELD(struct balloon, refused, U64, BIS_FIELD_COUNTER, "page numbers so far that were not RAM"),
	BIS_FIELD_ARRAY(struct balloon, stats, U64, STATS, BIS_FIELD_COUNTER,
			"the driver's statistics: pages swapped in, out (bytes); major, minor faults; bytes free, of "
			"memory, available, of file caches; huge pages allocated, failed"),
	BIS_FIELD_END,
};

static const struct bis_option balloon_options[] = {
	{"target", BIS_OPTION_SIZE, "0", NULL, "memory that the guest is to give back"},
	{0},
};

/*
 * What a queue is for. The optional queues are counted only where their feature was negotiated, but drivers that leave
 * gaps exist, too: every further queue takes reports.
 */
static enum role role_of(struct balloon *b, unsigned queue)
{
	if (queue == INFLATE)
		return ROLE_INFLATE;
	if (queue == DEFLATE)
		return ROLE_DEFLATE;
	if (queue == FIRST_OPTIONAL && virtio_has(&b->virtio, F_STATS_VQ))
		return ROLE_STATS;
	return virtio_has(&b->virtio, F_PAGE_REPORTING) ? ROLE_REPORT : ROLE_NONE;
}

/* --- Giving memory back: worker --- */

/* Should the worker leave guest memory alone? */
static bool stopped(struct balloon *b)
{
	bool stop;

	pthread_mutex_lock(&b->lock);
	stop = b->stop || b->quit;
	pthread_mutex_unlock(&b->lock);
	return stop;
}

static void give_back(struct balloon *b, uint64_t pa, uint64_t len)
{
	int err = bis_mem_discard(b->memory, (bis_gpa){pa}, len);

	if (!err)
		atomic_fetch_add_explicit(&b->given_back, len, memory_order_relaxed);
	else
		bis_log_limited(bis_module_machine(b->mod), &b->log_limit, BIS_LOG_WARN, bis_module_name(b->mod),
				"%" PRIu64 " bytes at 0x%" PRIx64 " stay with the guest: %s", len, pa, strerror(-err));
}

static int compare_pfns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t drop_pfns_outside_ram(struct balloon *b, uint32_t *pfns, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (bis_mem_is_ram(b->memory, (bis_gpa){(uint64_t)pfns[i] << PFN_SHIFT}, UINT64_C(1) << PFN_SHIFT))
			pfns[kept++] = pfns[i];
	atomic_fetch_add_explicit(&b->refused, count - kept, memory_order_relaxed);
	return kept;
}

/* Pages one behind the other go back in one call. */
static void give_back_pfns(struct balloon *b, uint32_t *pfns, size_t count)
{
	size_t run;

	count = drop_pfns_outside_ram(b, pfns, count);
	qsort(pfns, count, sizeof(*pfns), compare_pfns);
	for (size_t i = 0; i < count; i += run) {
		uint64_t pages = 1;

		for (run = 1; i + run < count && pfns[i + run] - pfns[i] <= pages; run++)
			pages = pfns[i + run] - pfns[i] + UINT64_C(1);
		give_back(b, (uint64_t)pfns[i] << PFN_SHIFT, pages << PFN_SHIFT);
	}
}

/* False if the worker was stopped before the end. */
static bool inflate(struct balloon *b, struct virtio_chain *c)
{
	uint32_t pfns[PFN_BATCH];

	while (c->readable) {
		size_t count = virtio_read(c, pfns, sizeof(pfns)) / sizeof(pfns[0]);

		if (stopped(b))
			return false;
		if (count == 0)
			break;
		give_back_pfns(b, pfns, count);
	}
	return true;
}

/* The device-writable ranges of the chain are memory that nobody uses. */
static bool take_report(struct balloon *b, struct virtio_chain *c)
{
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
	int n = virtio_write_ranges(c, c->writable, ranges, VIRTIO_QUEUE_SIZE);

	for (int i = 0; i < n; i++) {
		uint64_t start = (ranges[i].pa.v + BIS_PAGE_SIZE - 1) & ~(uint64_t)(BIS_PAGE_SIZE - 1);
		uint64_t end = (ranges[i].pa.v + ranges[i].len) & ~(uint64_t)(BIS_PAGE_SIZE - 1);

		if (stopped(b))
			return false;
		if (start < end)
			give_back(b, start, end - start);
	}
	return true;
}

static void serve_queue(struct balloon *b, unsigned queue, enum role role)
{
	bool whole = true;

	while (whole && !stopped(b) && virtio_pop(&b->virtio, queue, &b->chain)) {
		if (role == ROLE_INFLATE)
			whole = inflate(b, &b->chain);
		else if (role == ROLE_REPORT)
			whole = take_report(b, &b->chain);
		if (whole)
			virtio_push(&b->chain);
		else
			virtio_unpop(&b->chain);
	}
	virtio_signal(&b->virtio, queue);
}

static void *worker_main(void *arg)
{
	struct balloon *b = arg;
	uint32_t queues;

	pthread_mutex_lock(&b->lock);
	while (!b->quit) {
		if (b->stop || !b->notified) {
			b->busy = false;
			pthread_cond_broadcast(&b->changed);
			pthread_cond_wait(&b->changed, &b->lock);
			continue;
		}
		b->busy = true;
		queues = b->notified;
		b->notified = 0;
		pthread_mutex_unlock(&b->lock);
		for (unsigned q = 0; q < QUEUES; q++)
			if (queues >> q & 1)
				serve_queue(b, q, role_of(b, q));
		pthread_mutex_lock(&b->lock);
	}
	b->busy = false;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

static int start_worker(struct balloon *b, const char *name)
{
	int err = worker_start(name, &b->worker, worker_main, b);

	b->worker_started = err == 0;
	return err;
}

static void stop_worker(struct balloon *b)
{
	if (!b->worker_started)
		return;
	pthread_mutex_lock(&b->lock);
	b->quit = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->worker, NULL);
}

/* --- Statistics: device lock --- */

/* The driver's chain is kept, by leaving it in the queue, until statistics are asked for again. */
static void read_stats(struct balloon *b)
{
	struct virtio_chain c;
	struct stat_entry entry;

	if (!virtio_pop(&b->virtio, FIRST_OPTIONAL, &c))
		return;
	for (unsigned i = 0; i < VIRTIO_QUEUE_SIZE && virtio_read(&c, &entry, sizeof(entry)) == sizeof(entry); i++)
		if (entry.tag < STATS)
			b->stats[entry.tag] = entry.value;
	virtio_unpop(&c);
}

/* Gives the driver its chain back: it comes again with new statistics. */
static int ask_for_stats(struct balloon *b)
{
	struct virtio_chain c;

	if (!virtio_has(&b->virtio, F_STATS_VQ) || !virtio_pop(&b->virtio, FIRST_OPTIONAL, &c))
		return bis_fail(EINVAL, "%s: the guest's driver gives no statistics at present",
				bis_module_name(b->mod));
	virtio_push(&c);
	virtio_signal(&b->virtio, FIRST_OPTIONAL);
	if (virtio_want_notify(&b->virtio, FIRST_OPTIONAL, true))
		read_stats(b);
	return 0;
}

/* --- Virtio: device lock --- */

static void balloon_notify(void *self, unsigned queue)
{
	struct balloon *b = self;

	if (role_of(b, queue) == ROLE_STATS) {
		read_stats(b);
		return;
	}
	pthread_mutex_lock(&b->lock);
	b->notified |= UINT32_C(1) << queue;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void balloon_quiesce(void *self)
{
	struct balloon *b = self;

	pthread_mutex_lock(&b->lock);
	b->stop = true;
	while (b->busy)
		pthread_cond_wait(&b->changed, &b->lock);
	b->stop = false;
	b->notified = 0;
	pthread_mutex_unlock(&b->lock);
}

static void balloon_write_config(void *self, uint32_t off, unsigned size, uint32_t value)
{
	struct balloon *b = self;
	uint32_t at = (uint32_t)offsetof(struct balloon, config.actual) - (uint32_t)offsetof(struct balloon, config);

	if (off != at || size != sizeof(b->config.actual))
		return;
	virtio_lock(&b->virtio);
	b->config.actual = value;
	virtio_unlock(&b->virtio);
}

/* What the driver had given back is its own again. */
static void balloon_driver_reset(void *self)
{
	struct balloon *b = self;

	virtio_lock(&b->virtio);
	b->config.actual = 0;
	virtio_unlock(&b->virtio);
	memset(b->stats, 0, sizeof(b->stats));
}

static const struct virtio_ops balloon_ops = {
	.device_id = VIRTIO_ID_BALLOON,
	.queues = QUEUES,
	.features = F_STATS_VQ | F_DEFLATE_ON_OOM | F_PAGE_REPORTING,
	.config_size = sizeof(((struct balloon *)0)->config),
	.notify = balloon_notify,
	.write_config = balloon_write_config,
	.quiesce = balloon_quiesce,
	.reset = balloon_driver_reset,
};

/* --- The host's side --- */

static uint64_t ram_size(const struct bis_memory *m)
{
	struct bis_mem_region region;
	uint64_t size = 0;

	for (size_t i = 0; i < bis_mem_region_count(m); i++)
		if (!bis_mem_region(m, i, &region) && !region.of_device)
			size += region.size;
	return size;
}

static int set_target(struct balloon *b, uint64_t bytes)
{
	uint64_t ram = ram_size(b->memory);

	if (bytes & (BIS_PAGE_SIZE - 1))
		return bis_fail(EINVAL, "%s: a target of %" PRIu64 " bytes: expected a multiple of %u, such as 64M",
				bis_module_name(b->mod), bytes, BIS_PAGE_SIZE);
	if (bytes > ram || bytes >> PFN_SHIFT > UINT32_MAX)
		return bis_fail(EINVAL, "%s: a target of %" PRIu64 " MiB: the machine has %" PRIu64 " MiB of memory",
				bis_module_name(b->mod), bytes >> 20, ram >> 20);
	virtio_lock(&b->virtio);
	b->config.num_pages = (uint32_t)(bytes >> PFN_SHIFT);
	virtio_unlock(&b->virtio);
	return 0;
}

static int change_target(struct balloon *b, const char *text)
{
	uint64_t bytes;
	int err = bis_parse_size(text, &bytes);

	if (!err)
		err = set_target(b, bytes);
	if (!err)
		virtio_config_changed(&b->virtio);
	return err;
}

static int balloon_ctl(void *self, const char *verb, char *reply, size_t size)
{
	struct balloon *b = self;
	int err;

	if (!strncmp(verb, "target ", 7))
		err = change_target(b, verb + 7);
	else if (!strcmp(verb, "stats"))
		err = ask_for_stats(b);
	else
		err = bis_fail(EINVAL, "%s: '%s': expected 'target SIZE' or 'stats'", bis_module_name(b->mod), verb);
	if (!err)
		snprintf(reply, size, "target %" PRIu64 " KiB, given back %" PRIu64 " KiB",
			 (uint64_t)b->config.num_pages << (PFN_SHIFT - 10),
			 (uint64_t)b->config.actual << (PFN_SHIFT - 10));
	return err;
}

/* --- Lifecycle --- */

static void balloon_pause(void *self)
{
	struct balloon *b = self;

	virtio_pause(&b->virtio);
}

static void balloon_resume(void *self)
{
	struct balloon *b = self;

	virtio_resume(&b->virtio);
}

static int balloon_check(void *self)
{
	struct balloon *b = self;
	uint64_t pages = ram_size(b->memory) >> PFN_SHIFT;

	if (b->config.num_pages > pages)
		return bis_fail(EINVAL, "%s: a target of %u pages: the machine has %" PRIu64, bis_module_name(b->mod),
				b->config.num_pages, pages);
	return virtio_check(&b->virtio);
}

static void balloon_reset(void *self)
{
	struct balloon *b = self;

	virtio_reset(&b->virtio);
}

/* Works on whatever balloon_create has made so far. */
static void balloon_destroy(void *self)
{
	struct balloon *b = self;

	virtio_fini(&b->virtio);
	stop_worker(b);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static int balloon_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct balloon *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	b->mod = mod;
	b->memory = bis_module_memory(mod);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	virtio_init(&b->virtio, mod, &balloon_ops, b, &b->config);
	err = set_target(b, bis_option_u64(options, "target"));
	if (!err)
		err = start_worker(b, bis_module_name(mod));
	if (err)
		goto destroy;
	*self = b;
	return 0;
destroy:
	balloon_destroy(b);
	return err;
}

static int balloon_attach(struct bis_module *mod, void *self)
{
	struct balloon *b = self;

	(void)mod;
	return virtio_attach(&b->virtio);
}

static void balloon_dt(void *self, struct bis_dt *dt)
{
	struct balloon *b = self;

	virtio_dt(&b->virtio, dt);
}

const struct bis_module_class bis_virtio_balloon_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.irqs = 1,
	.name = "virtio-balloon",
	.summary = "virtio memory balloon: the guest gives memory back to the host",
	.options = balloon_options,
	.fields = balloon_fields,
	.create = balloon_create,
	.attach = balloon_attach,
	.pause = balloon_pause,
	.resume = balloon_resume,
	.reset = balloon_reset,
	.destroy = balloon_destroy,
	.check = balloon_check,
	.ctl = balloon_ctl,
	.dt_name = "virtio_mmio",
	.dt = balloon_dt,
};
