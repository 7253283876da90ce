/*
 * Native block device (slot 3, docs/devices.md): sectors of a disk back end. Registers are served with the
 * device lock held. A command is carried out by a worker thread of the module, which sees only the job handed to it and
 * never takes the device lock; it reports through an event descriptor, and the device finishes the command on the
 * controller thread, or earlier when the guest reads STATUS.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <biscuit/memory.h>
#include <biscuit/module.h>

#include "modules/backend/disk.h"
#include "modules/device/native.h"
#include "modules/modules.h"
#include "modules/worker.h"

#define COUNT_MAX 65536u

enum job_state { JOB_NONE, JOB_READY, JOB_DONE, JOB_QUIT };

struct job {
	uint32_t operation;
	uint64_t offset; /* in the file, bytes */
	bis_gpa address;
	size_t len;
	int result; /* 0 or -errno */
};

struct block {
	struct bis_memory *memory;
	struct bis_irq *irq;
	struct bis_watch *watch;
	struct bis_disk *disk;
	int event;

	/* Registers: device lock */
	uint64_t capacity;
	uint64_t sector;
	uint64_t address;
	uint32_t count;
	uint32_t command;
	uint8_t error;
	bool busy;
	bool interrupt;
	bool readonly;
	struct native_high high;

	/* Between device and worker */
	pthread_t worker;
	bool worker_started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum job_state state; /* lock */
	struct job job;	      /* lock; while JOB_READY the worker's alone */
};

static const struct bis_field block_fields[] = {
	BIS_FIELD(struct block, capacity, U64, BIS_FIELD_READONLY | BIS_FIELD_CONSTANT, "size in sectors"),
	BIS_FIELD(struct block, sector, U64, 0, "first sector of the next command"),
	BIS_FIELD(struct block, address, U64, BIS_FIELD_HEX, "physical address of the next command's data"),
	BIS_FIELD(struct block, count, U32, 0, "sectors of the next command"),
	BIS_FIELD(struct block, command, U32, BIS_FIELD_HEX, "last command started"),
	BIS_FIELD(struct block, error, U8, 0, "error code in STATUS"),
	BIS_FIELD(struct block, busy, BOOL, BIS_FIELD_READONLY | BIS_FIELD_DERIVED, "a command is being carried out"),
	BIS_FIELD(struct block, interrupt, BOOL, 0, "an interrupt is asked for and not acknowledged"),
	BIS_FIELD(struct block, readonly, BOOL, BIS_FIELD_READONLY | BIS_FIELD_CONSTANT,
		  "the device cannot be written"),
	NATIVE_HIGH_FIELDS(struct block, high),
	BIS_FIELD_END,
};

static const struct bis_option block_options[] = {
	{"file", BIS_OPTION_TEXT, NULL, NULL, "file or block device that holds the sectors"},
	{"overlay", BIS_OPTION_TEXT, "", NULL, "file that takes the writes, so that `file` stays as it is"},
	{"readonly", BIS_OPTION_BOOL, "off", NULL, "refuse writes, and open the file for reading alone"},
	{0},
};

/* --- Worker thread --- */

static int carry_out(const struct block *b, const struct job *job)
{
	struct bis_mem_range memory = {job->address, job->len};

	if (job->operation == BLOCK_COMMAND_FLUSH)
		return bis_disk_flush(b->disk);
	if (job->operation == BLOCK_COMMAND_WRITE)
		return bis_disk_write(b->disk, b->memory, &memory, 1, job->offset);
	return bis_disk_read(b->disk, b->memory, &memory, 1, job->offset);
}

static void signal_done(const struct block *b)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then the descriptor is readable already. */
	if (write(b->event, &one, sizeof(one)) < 0)
		return;
}

static void *worker_main(void *arg)
{
	struct block *b = arg;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		while (b->state != JOB_READY && b->state != JOB_QUIT)
			pthread_cond_wait(&b->changed, &b->lock);
		if (b->state == JOB_QUIT)
			break;
		pthread_mutex_unlock(&b->lock);
		b->job.result = carry_out(b, &b->job);
		pthread_mutex_lock(&b->lock);
		b->state = JOB_DONE;
		pthread_cond_broadcast(&b->changed);
		signal_done(b);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

static int start_worker(struct block *b, const char *name)
{
	int err = worker_start(name, &b->worker, worker_main, b);

	b->worker_started = err == 0;
	return err;
}

static void stop_worker(struct block *b)
{
	if (!b->worker_started)
		return;
	pthread_mutex_lock(&b->lock);
	while (b->state == JOB_READY)
		pthread_cond_wait(&b->changed, &b->lock);
	b->state = JOB_QUIT;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->worker, NULL);
}

/* --- Commands: device lock --- */

static void set_interrupt(struct block *b, bool level)
{
	b->interrupt = level;
	bis_irq_set(b->irq, level);
}

static void end_command(struct block *b, int result)
{
	b->busy = false;
	b->error = native_error(result);
	if (b->command & BLOCK_COMMAND_INTERRUPT)
		set_interrupt(b, true);
}

/* Takes over the worker's result if there is one; with `wait`, waits for the worker first. */
static void collect(struct block *b, bool wait)
{
	bool done;

	if (!b->busy)
		return;
	pthread_mutex_lock(&b->lock);
	while (wait && b->state == JOB_READY)
		pthread_cond_wait(&b->changed, &b->lock);
	done = b->state == JOB_DONE;
	if (done)
		b->state = JOB_NONE;
	pthread_mutex_unlock(&b->lock);
	if (done)
		end_command(b, b->job.result);
}

static void block_ready(void *self, unsigned events)
{
	struct block *b = self;
	uint64_t count;

	(void)events;
	/* Empties the counter; nothing to read means that somebody was faster. */
	if (read(b->event, &count, sizeof(count)) < 0)
		return;
	collect(b, false);
}

/* Why the command in the registers cannot start, or 0. */
static int check_command(const struct block *b, uint32_t operation)
{
	if (operation == BLOCK_COMMAND_FLUSH)
		return 0;
	if (operation != BLOCK_COMMAND_READ && operation != BLOCK_COMMAND_WRITE)
		return -EINVAL;
	if (b->count == 0)
		return -EINVAL;
	if (b->count > COUNT_MAX)
		return -E2BIG;
	if (b->count > b->capacity || b->sector > b->capacity - b->count)
		return -ERANGE;
	if (!bis_mem_is_ram(b->memory, (bis_gpa){b->address}, (uint64_t)b->count * BIS_SECTOR_SIZE))
		return -EFAULT;
	if (operation == BLOCK_COMMAND_WRITE && b->readonly)
		return -EROFS;
	return 0;
}

static void start_command(struct block *b, uint64_t val)
{
	uint32_t operation = (uint32_t)val & ~(uint32_t)BLOCK_COMMAND_INTERRUPT;
	int err;

	collect(b, false);
	if (b->busy) {
		b->error = NATIVE_ERROR_BUSY;
		return;
	}
	set_interrupt(b, false);
	b->command = (uint32_t)val;
	err = val > UINT32_MAX ? -EINVAL : check_command(b, operation);
	if (err) {
		end_command(b, err);
		return;
	}
	b->busy = true;
	b->error = NATIVE_ERROR_NONE;
	pthread_mutex_lock(&b->lock);
	b->job = (struct job){.operation = operation,
			      .offset = b->sector * BIS_SECTOR_SIZE,
			      .address = {b->address},
			      .len = (size_t)b->count * BIS_SECTOR_SIZE};
	b->state = JOB_READY;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

/* --- Registers --- */

static uint64_t status(struct block *b)
{
	collect(b, false);
	return native_status(b->busy, b->interrupt, b->error, b->readonly ? BLOCK_STATUS_READONLY : 0u);
}

static uint64_t block_read(void *self, unsigned reg)
{
	struct block *b = self;

	switch (reg) {
	case BLOCK_CAPACITY:
		return native_wide_read(&b->high, b->capacity);
	case BLOCK_SECTOR:
		return native_wide_read(&b->high, b->sector);
	case BLOCK_ADDRESS:
		return native_wide_read(&b->high, b->address);
	case BLOCK_COUNT:
		return b->count;
	case BLOCK_COMMAND:
		return b->command;
	case BLOCK_HIGH:
		return b->high.read;
	case NATIVE_STATUS:
		return status(b);
	default:
		return 0;
	}
}

static void block_write(void *self, unsigned reg, uint64_t val)
{
	struct block *b = self;

	switch (reg) {
	case BLOCK_SECTOR:
		b->sector = native_wide_write(&b->high, val);
		break;
	case BLOCK_ADDRESS:
		b->address = native_wide_write(&b->high, val);
		break;
	case BLOCK_COUNT:
		b->count = val > UINT32_MAX ? UINT32_MAX : (uint32_t)val;
		break;
	case BLOCK_COMMAND:
		start_command(b, val);
		break;
	case BLOCK_HIGH:
		b->high.write = (uint32_t)val;
		break;
	case NATIVE_STATUS:
		if (val & NATIVE_STATUS_INTERRUPT) {
			collect(b, false);
			set_interrupt(b, false);
			b->error = NATIVE_ERROR_NONE;
		}
		break;
	default:
		break;
	}
}

/* --- Lifecycle --- */

/* A paused machine has no command in flight: its memory stands still and its registers tell the whole state. */
static void block_pause(void *self)
{
	collect(self, true);
}

static int block_outside(void *self, void (*tell)(void *arg, const struct bis_outside *thing), void *arg)
{
	const struct block *b = self;

	return bis_disk_outside(b->disk, tell, arg);
}

static void block_resume(void *self)
{
	struct block *b = self;

	set_interrupt(b, b->interrupt);
}

static void block_reset(void *self)
{
	struct block *b = self;

	collect(b, true);
	b->sector = 0;
	b->address = 0;
	b->count = 0;
	b->command = 0;
	b->error = NATIVE_ERROR_NONE;
	b->high = (struct native_high){0};
	set_interrupt(b, false);
}

/* Works on whatever block_create has made so far. */
static void block_destroy(void *self)
{
	struct block *b = self;

	stop_worker(b);
	if (b->watch)
		bis_watch_destroy(b->watch);
	if (b->event >= 0)
		close(b->event);
	bis_disk_close(b->disk);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static int block_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	const char *name = bis_module_name(mod);
	struct block *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return bis_fail(ENOMEM, "no memory for %s", name);
	b->memory = bis_module_memory(mod);
	b->irq = bis_module_irq(mod, 0);
	b->readonly = bis_option_bool(options, "readonly");
	b->event = -1;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	err = bis_disk_open(name, bis_option_text(options, "file"), b->readonly, bis_option_text(options, "overlay"),
			    &b->disk);
	if (err)
		goto destroy;
	b->capacity = bis_disk_sectors(b->disk);
	b->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->event < 0) {
		err = bis_fail(errno, "%s: no event descriptor: %s", name, strerror(errno));
		goto destroy;
	}
	err = start_worker(b, name);
	if (err)
		goto destroy;
	*self = b;
	return 0;
destroy:
	block_destroy(b);
	return err;
}

static int block_attach(struct bis_module *mod, void *self)
{
	static const struct bis_devcsr_ops registers = {.read = block_read, .write = block_write};
	struct block *b = self;
	int err = bis_watch_create(mod, b->event, block_ready, &b->watch);

	if (err)
		return err;
	bis_watch_set(b->watch, BIS_WATCH_IN);
	return bis_attach_devcsr(mod, &registers);
}

const struct bis_module_class bis_block_class = {
	.abi = BIS_MODULE_ABI,
	.version = BLOCK_VERSION,
	.migratable = true,
	.irqs = 1,
	.name = "block",
	.summary = "native block device on a file",
	.options = block_options,
	.fields = block_fields,
	.create = block_create,
	.attach = block_attach,
	.pause = block_pause,
	.resume = block_resume,
	.reset = block_reset,
	.destroy = block_destroy,
	.outside = block_outside,
};
