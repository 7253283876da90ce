/*
 * Native MagicFS device (slot 4, docs/magicfs.md): the shares of the machine for guests that speak neither virtio nor
 * 9P. A write to REQUEST carries a request out on the hart's thread, without the device lock and on several harts at
 * once; a write to POST queues one. The other registers are served with the device lock held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <biscuit/hart.h>
#include <biscuit/isa.h>
#include <biscuit/machine.h>

#include "magicfs/native_internal.h"
#include "modules/modules.h"

#define WINDOW_RV64 (UINT64_C(64) << 30)
#define WINDOW_RV32 (UINT64_C(1) << 30)

static const struct bis_field native_fields[] = {
	BIS_FIELD(struct native, shares, U32, BIS_FIELD_READONLY | BIS_FIELD_CONSTANT,
		  "shares; handle k below it is the root of share k"),
	BIS_FIELD(struct native, enable, U32, BIS_FIELD_HEX | BIS_FIELD_READONLY,
		  "conditions under which the device asks for an interrupt"),
	BIS_FIELD(struct native, error, U8, 0, "error code in STATUS"),
	BIS_FIELD(struct native, result, U64, BIS_FIELD_HEX, "result of the last request carried out at once"),
	BIS_FIELD(struct native, posted, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
		  "requests posted and not yet taken from DONE"),
	BIS_FIELD(struct native, open_handles, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "handles that are open"),
	{.name = "maps",
	 .type = BIS_FIELD_U32,
	 .offset = offsetof(struct native, maps_count),
	 .count = 1,
	 .flags = BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
	 .help = "ranges of files in the direct window"},
	{.name = "watches",
	 .type = BIS_FIELD_U32,
	 .offset = offsetof(struct native, watches_count),
	 .count = 1,
	 .flags = BIS_FIELD_READONLY | BIS_FIELD_DERIVED,
	 .help = "watches for changes"},
	BIS_FIELD(struct native, window, U64, BIS_FIELD_HEX | BIS_FIELD_READONLY | BIS_FIELD_CONSTANT,
		  "size of the window where files are mapped"),
	BIS_FIELD(struct native, workers, U32, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "threads started"),
	BIS_FIELD(struct native, requests, U64, BIS_FIELD_READONLY | BIS_FIELD_COUNTER, "requests done"),
	NATIVE_HIGH_FIELDS(struct native, high),
	BIS_FIELD_END,
};

static const struct bis_option native_options[] = {
	{"window", BIS_OPTION_SIZE, "0", NULL,
	 "size of the window at `at` where files are mapped; 0 = 64G, on rv32 1G"},
	{0},
};

/* --- Requests --- */

static void set_error(struct native *n, int err)
{
	__atomic_store_n(&n->error, native_error(err), __ATOMIC_RELAXED);
}

/* The address in a wide write; HIGH is used once. */
static uint64_t take_address(struct native *n, uint64_t val)
{
	return val | (uint64_t)__atomic_exchange_n(&n->high.write, 0, __ATOMIC_RELAXED) << 32;
}

/* The only time that a request is read. */
static int fetch(const struct native *n, uint64_t address, struct magicfs_request *r)
{
	if (address % 8)
		return -EINVAL;
	return bis_mem_read_obj(n->memory, (bis_gpa){address}, r);
}

static void request(struct native *n, uint64_t address)
{
	struct magicfs_request r;
	uint64_t extra = 0;
	int64_t result = fetch(n, address, &r);

	set_error(n, (int)result);
	if (!result) {
		result = native_carry_out(n, &r, NULL, &extra);
		native_answer(n, address, result, extra);
	}
	__atomic_store_n(&n->result, (uint64_t)result, __ATOMIC_RELAXED);
}

static void post(struct native *n, uint64_t address)
{
	struct magicfs_request r;
	int err = fetch(n, address, &r);

	if (!err)
		err = native_post(n, address, &r);
	set_error(n, err);
}

/* --- Registers --- */

static uint64_t status(struct native *n)
{
	bool done, interrupt, busy;

	pthread_mutex_lock(&n->lock);
	done = n->done.first;
	interrupt = done && n->enable & MAGICFS_ENABLE_DONE;
	busy = n->queue.first || n->running;
	pthread_mutex_unlock(&n->lock);
	return native_status(busy, interrupt, __atomic_load_n(&n->error, __ATOMIC_RELAXED),
			     done ? MAGICFS_STATUS_DONE : 0u);
}

static uint64_t native_read(void *self, unsigned reg)
{
	struct native *n = self;

	switch (reg) {
	case MAGICFS_REQUEST:
		return native_wide_read(&n->high, __atomic_load_n(&n->result, __ATOMIC_RELAXED));
	case MAGICFS_DONE:
		return native_wide_read(&n->high, native_take(n));
	case MAGICFS_SHARES:
		return n->shares;
	case MAGICFS_ENABLE:
		return n->enable;
	case MAGICFS_HIGH:
		return n->high.read;
	case NATIVE_STATUS:
		return status(n);
	default:
		return 0;
	}
}

static void native_write(void *self, unsigned reg, uint64_t val)
{
	struct native *n = self;

	switch (reg) {
	case MAGICFS_REQUEST:
		request(n, take_address(n, val));
		break;
	case MAGICFS_POST:
		post(n, take_address(n, val));
		break;
	case MAGICFS_ENABLE:
		pthread_mutex_lock(&n->lock);
		n->enable = (uint32_t)val & MAGICFS_ENABLE_DONE;
		native_update_irq(n);
		pthread_mutex_unlock(&n->lock);
		break;
	case MAGICFS_HIGH:
		__atomic_store_n(&n->high.write, (uint32_t)val, __ATOMIC_RELAXED);
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT)
			set_error(n, 0);
		break;
	default:
		break;
	}
}

/* --- Lifecycle --- */

/* A paused machine has nothing in flight but LOCK and EVENTS that wait, which go on when it is resumed. */
static void native_pause(void *self)
{
	native_set_paused(self, true);
	native_settle(self);
}

static void native_resume(void *self)
{
	struct native *n = self;

	native_set_paused(n, false);
	pthread_mutex_lock(&n->lock);
	native_update_irq(n);
	pthread_mutex_unlock(&n->lock);
}

static void drop_all(struct native *n)
{
	native_jobs_clear(n);
	native_watches_clear(n);
	native_maps_clear(n, n->direct);
	native_handles_clear(n);
}

static void native_stop(void *self)
{
	native_settle(self);
	drop_all(self);
}

static void native_reset(void *self)
{
	struct native *n = self;

	native_settle(n);
	n->enable = 0;
	drop_all(n);
	n->result = 0;
	n->error = NATIVE_ERROR_NONE;
	n->high = (struct native_high){0};
}

static void retry(void *self)
{
	native_retry_locks(self);
}

/* Works on whatever native_create has made so far. The window is gone already. */
static void native_destroy(void *self)
{
	struct native *n = self;

	native_workers_end(n);
	n->direct = NULL;
	drop_all(n);
	if (n->retry)
		bis_timer_destroy(n->retry);
	if (n->watch)
		bis_watch_destroy(n->watch);
	if (n->events_fd >= 0)
		close(n->events_fd);
	for (uint32_t i = 0; i < n->shares; i++) {
		mfs_node_put(n->root[i]);
		mfs_put(n->share[i]);
	}
	native_handles_destroy(&n->handles);
	pthread_mutex_destroy(&n->watches.lock);
	pthread_mutex_destroy(&n->maps.lock);
	pthread_mutex_destroy(&n->waiting_lock);
	pthread_mutex_destroy(&n->lock);
	pthread_cond_destroy(&n->work);
	pthread_cond_destroy(&n->idle);
	free(n);
}

/* Opens the roots of all shares there are. */
static int open_shares(struct native *n)
{
	struct bis_machine *m = bis_module_machine(n->module);
	const char *name = bis_module_name(n->module);
	struct mfs *fs;

	for (size_t i = 0; mfs_nth(m, i, &fs) == 0; i++) {
		struct mfs_node *root;
		struct mfs_at at;

		if (i == MAGICFS_SHARES_MAX) {
			mfs_put(fs);
			return bis_fail(E2BIG, "%s: there are more than %d shares", name, MAGICFS_SHARES_MAX);
		}
		root = mfs_root(fs);
		at = (struct mfs_at){.base = root, .path = ""};
		/* One that cannot be listed can still lead to what is below. */
		if (mfs_open(&at, MFS_READ | MFS_DIRECTORY, 0, (struct mfs_who){0}, &n->root[i]))
			n->root[i] = root;
		else
			mfs_node_put(root);
		n->share[i] = fs;
		n->shares++;
	}
	return n->shares ? 0 : bis_fail(ENOENT, "%s: there is no share; add module share first", name);
}

static uint64_t window_size(const struct bis_options *options, struct bis_machine *m)
{
	uint64_t size = bis_option_u64(options, "window");

	if (size)
		return size;
	return bis_hart_isa(bis_machine_hart(m, 0))->xlen == 32 ? WINDOW_RV32 : WINDOW_RV64;
}

static int native_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct native *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	n->module = mod;
	n->memory = bis_module_memory(mod);
	n->irq = bis_module_irq(mod, 0);
	n->window = window_size(options, bis_module_machine(mod));
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->work, NULL);
	pthread_cond_init(&n->idle, NULL);
	pthread_mutex_init(&n->waiting_lock, NULL);
	pthread_mutex_init(&n->watches.lock, NULL);
	pthread_mutex_init(&n->maps.lock, NULL);
	native_handles_create(&n->handles);
	n->events_fd = epoll_create1(EPOLL_CLOEXEC);
	if (n->events_fd < 0)
		err = bis_fail(errno, "%s: no event descriptor: %s", bis_module_name(mod), strerror(errno));
	else
		err = open_shares(n);
	if (err) {
		native_destroy(n);
		return err;
	}
	*self = n;
	return 0;
}

static int native_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {
		.unlocked = 1 << MAGICFS_REQUEST | 1 << MAGICFS_POST, .read = native_read, .write = native_write};
	struct native *n = self;
	int err = bis_timer_create(mod, retry, &n->retry);

	if (!err)
		err = bis_watch_create(mod, n->events_fd, native_events_ready, &n->watch);
	if (!err && bis_module_has_place(mod))
		err = bis_attach_direct(mod, n->window, &n->direct);
	return err ? err : bis_attach_devcsr(mod, &registers);
}

const struct bis_module_class bis_magicfs_class = {
	.abi = BIS_MODULE_ABI,
	.version = MAGICFS_VERSION,
	.migratable = true,
	.irqs = 1,
	.name = "magicfs",
	.summary = "native MagicFS device: the shares of the machine",
	.options = native_options,
	.fields = native_fields,
	.create = native_create,
	.attach = native_attach,
	.stop = native_stop,
	.pause = native_pause,
	.resume = native_resume,
	.reset = native_reset,
	.destroy = native_destroy,
	.save = native_save,
	.restore = native_restore,
};
