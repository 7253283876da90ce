/*
 * Virtio over MMIO, version 2 (virtio 1.2, section 4.2): the register window of every virtio device, its status and
 * interrupts. Register accesses come on a hart's thread with the device lock held; the rest runs on whichever thread
 * the device calls from. The struct virtio is the device's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modules/virtio/internal.h"

#define VENDOR 0x554d4551u /* that of the common virt board: xv6 takes no other */

/* Section 4.2.2. */
enum registers {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC_LOW = 0x080,
	REG_QUEUE_DESC_HIGH = 0x084,
	REG_QUEUE_DRIVER_LOW = 0x090,
	REG_QUEUE_DRIVER_HIGH = 0x094,
	REG_QUEUE_DEVICE_LOW = 0x0a0,
	REG_QUEUE_DEVICE_HIGH = 0x0a4,
	REG_SHM_LEN_LOW = 0x0b0,
	REG_SHM_LEN_HIGH = 0x0b4,
	REG_SHM_BASE_LOW = 0x0b8,
	REG_SHM_BASE_HIGH = 0x0bc,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

/* The bits that a driver sets. */
#define DRIVER_STATUS                                                                                                  \
	((uint32_t)VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK |                        \
	 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_FAILED)

/* --- Status, features, interrupts --- */

void virtio_lock(struct virtio *v)
{
	pthread_mutex_lock(&v->lock);
}

void virtio_unlock(struct virtio *v)
{
	pthread_mutex_unlock(&v->lock);
}

bool virtio_has_locked(const struct virtio *v, uint64_t features)
{
	return (v->status & VIRTIO_STATUS_FEATURES_OK) && (v->accepted & features) == features;
}

bool virtio_has(struct virtio *v, uint64_t features)
{
	bool has;

	virtio_lock(v);
	has = virtio_has_locked(v, features);
	virtio_unlock(v);
	return has;
}

bool virtio_live_locked(const struct virtio *v)
{
	return (v->status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) == VIRTIO_STATUS_DRIVER_OK;
}

bool virtio_live(struct virtio *v)
{
	bool live;

	virtio_lock(v);
	live = virtio_live_locked(v);
	virtio_unlock(v);
	return live;
}

/* Under the lock, so that the line's level is always that of the last change. */
static void set_interrupts(struct virtio *v, uint32_t bits)
{
	v->interrupt_status = bits;
	bis_irq_set(v->irq, bits != 0);
}

void virtio_interrupt_locked(struct virtio *v, uint32_t bits)
{
	set_interrupts(v, v->interrupt_status | bits);
}

/* Section 2.1.2: a driver that is not ready yet is told by the status alone. */
static void break_device(struct virtio *v, const char *fmt, va_list args)
{
	char why[160];

	if (v->status & VIRTIO_STATUS_NEEDS_RESET)
		return;
	v->status |= VIRTIO_STATUS_NEEDS_RESET;
	if (v->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_interrupt_locked(v, VIRTIO_INTERRUPT_CONFIG);
	vsnprintf(why, sizeof(why), fmt, args);
	bis_log_limited(bis_module_machine(v->module), &v->log_limit, BIS_LOG_WARN, bis_module_name(v->module),
			"the driver broke a rule, the device needs a reset: %s", why);
}

void virtio_break_locked(struct virtio *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	break_device(v, fmt, args);
	va_end(args);
}

void virtio_broken(struct virtio *v, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	virtio_lock(v);
	/* A worker may find out about a chain of before a reset. */
	if (virtio_live_locked(v))
		break_device(v, fmt, args);
	virtio_unlock(v);
	va_end(args);
}

void virtio_config_changed(struct virtio *v)
{
	virtio_lock(v);
	v->config_generation++;
	if (v->status & VIRTIO_STATUS_DRIVER_OK)
		virtio_interrupt_locked(v, VIRTIO_INTERRUPT_CONFIG);
	virtio_unlock(v);
}

/* --- Making the device quiet, and waking it: device lock held, the virtio's own not --- */

static void quiesce(struct virtio *v)
{
	if (!v->ops->quiesce)
		return;
	virtio_lock(v);
	v->held = true;
	virtio_unlock(v);
	v->ops->quiesce(v->self);
	virtio_lock(v);
	v->held = false;
	virtio_unlock(v);
}

/* The device may have stopped in front of an empty queue that it has not found empty: no chain there goes unnoticed. */
static void notify_waiting(struct virtio *v)
{
	for (unsigned q = 0; q < v->ops->queues; q++)
		if (virtio_available(v, q))
			v->ops->notify(v->self, q);
}

/* From the first moment no chain comes out and none is given back; what workers still do ends before the return. */
void virtio_reset(struct virtio *v)
{
	virtio_lock(v);
	v->status = 0;
	v->accepted = 0;
	v->accepted_unknown = false;
	v->features_sel = v->driver_features_sel = v->queue_sel = 0;
	for (unsigned q = 0; q < VIRTIO_QUEUES_MAX; q++) {
		virtio_queue_clear(v, q);
		v->size[q] = 0;
		v->desc[q] = v->avail[q] = v->used[q] = 0;
	}
	set_interrupts(v, 0);
	virtio_unlock(v);
	quiesce(v);
	if (v->ops->reset)
		v->ops->reset(v->self);
}

/* --- Register writes; the lock is held unless a comment says otherwise --- */

/* Section 2.2.2: FEATURES_OK stays unset if the driver accepted what was not offered. */
static bool features_acceptable(const struct virtio *v)
{
	return !(v->accepted & ~v->offered) && !v->accepted_unknown;
}

/* True if DRIVER_OK came to be set. */
static bool set_status(struct virtio *v, uint32_t value)
{
	uint32_t set = value & DRIVER_STATUS & ~v->status;

	if ((set & VIRTIO_STATUS_FEATURES_OK) && !features_acceptable(v))
		set &= ~(uint32_t)VIRTIO_STATUS_FEATURES_OK;
	if ((set & VIRTIO_STATUS_DRIVER_OK) && !((v->status | set) & VIRTIO_STATUS_FEATURES_OK)) {
		virtio_break_locked(v, "DRIVER_OK without FEATURES_OK");
		set &= ~(uint32_t)VIRTIO_STATUS_DRIVER_OK;
	}
	v->status |= set;
	return (set & VIRTIO_STATUS_DRIVER_OK) && virtio_live_locked(v);
}

/* Takes and leaves the lock itself. */
static void write_status(struct virtio *v, uint32_t value)
{
	bool started;

	if (value == 0) {
		virtio_reset(v);
		return;
	}
	virtio_lock(v);
	started = set_status(v, value);
	virtio_unlock(v);
	if (!started)
		return;
	if (v->ops->driver_ok)
		v->ops->driver_ok(v->self);
	notify_waiting(v);
}

static void write_half(uint64_t *place, bool high, uint32_t value)
{
	if (high)
		*place = (*place & UINT32_MAX) | (uint64_t)value << 32;
	else
		*place = (*place & ~(uint64_t)UINT32_MAX) | value;
}

static void write_driver_features(struct virtio *v, uint32_t value)
{
	uint64_t accepted = v->accepted;
	bool unknown = v->accepted_unknown;

	if (v->driver_features_sel > 1)
		unknown = unknown || value;
	else
		write_half(&accepted, v->driver_features_sel == 1, value);
	if (!(v->status & VIRTIO_STATUS_FEATURES_OK)) {
		v->accepted = accepted;
		v->accepted_unknown = unknown;
	} else if (accepted != v->accepted || unknown != v->accepted_unknown) {
		virtio_break_locked(v, "features changed after FEATURES_OK");
	}
}

/* Size and places of the selected queue. */
static void write_queue(struct virtio *v, uint64_t off, uint32_t value)
{
	unsigned q = v->queue_sel;

	if (q >= v->ops->queues || v->ready[q]) {
		virtio_break_locked(v, "queue %u %s", q, q < v->ops->queues ? "changed while ready" : "does not exist");
		return;
	}
	switch (off) {
	case REG_QUEUE_NUM:
		v->size[q] = value <= VIRTIO_QUEUE_SIZE ? (uint16_t)value : 0;
		break;
	case REG_QUEUE_DESC_LOW:
	case REG_QUEUE_DESC_HIGH:
		write_half(&v->desc[q], off == REG_QUEUE_DESC_HIGH, value);
		break;
	case REG_QUEUE_DRIVER_LOW:
	case REG_QUEUE_DRIVER_HIGH:
		write_half(&v->avail[q], off == REG_QUEUE_DRIVER_HIGH, value);
		break;
	default:
		write_half(&v->used[q], off == REG_QUEUE_DEVICE_HIGH, value);
		break;
	}
}

static void start_queue(struct virtio *v, unsigned q)
{
	const char *flaw = virtio_queue_flaw(v, q);

	if (flaw) {
		virtio_break_locked(v, "queue %u made ready: %s", q, flaw);
		return;
	}
	virtio_queue_clear(v, q);
	v->ready[q] = true;
}

/*
 * Takes and leaves the lock itself: a queue that goes out of use waits for the device's workers. One that does not
 * exist is out of use already: drivers write so when they have looked for it in vain, Linux among them.
 */
static void write_ready(struct virtio *v, uint32_t value)
{
	unsigned q = v->queue_sel;
	bool ended = false;

	virtio_lock(v);
	if (q >= v->ops->queues) {
		if (value & 1)
			virtio_break_locked(v, "queue %u made ready, which does not exist", q);
	} else if (v->ready[q] != (value & 1)) {
		ended = v->ready[q];
		if (ended)
			virtio_queue_clear(v, q);
		else
			start_queue(v, q);
	}
	virtio_unlock(v);
	if (ended) {
		quiesce(v);
		notify_waiting(v);
	}
}

/* Takes and leaves the lock itself. What comes before DRIVER_OK is looked at then. */
static void write_notify(struct virtio *v, uint32_t queue)
{
	bool live;

	virtio_lock(v);
	if (queue >= v->ops->queues)
		virtio_break_locked(v, "notification of queue %u, which does not exist", queue);
	live = queue < v->ops->queues && virtio_live_locked(v) && v->ready[queue];
	virtio_unlock(v);
	if (live)
		v->ops->notify(v->self, queue);
}

static void write_register(struct virtio *v, uint64_t off, uint32_t value)
{
	switch (off) {
	case REG_DEVICE_FEATURES_SEL:
		v->features_sel = value;
		break;
	case REG_DRIVER_FEATURES:
		write_driver_features(v, value);
		break;
	case REG_DRIVER_FEATURES_SEL:
		v->driver_features_sel = value;
		break;
	case REG_QUEUE_SEL:
		v->queue_sel = value;
		break;
	case REG_QUEUE_NUM:
	case REG_QUEUE_DESC_LOW:
	case REG_QUEUE_DESC_HIGH:
	case REG_QUEUE_DRIVER_LOW:
	case REG_QUEUE_DRIVER_HIGH:
	case REG_QUEUE_DEVICE_LOW:
	case REG_QUEUE_DEVICE_HIGH:
		write_queue(v, off, value);
		break;
	case REG_INTERRUPT_ACK:
		set_interrupts(v, v->interrupt_status & ~value);
		break;
	default:
		break;
	}
}

static void write_config(struct virtio *v, uint64_t off, unsigned size, uint64_t value)
{
	if (!v->ops->write_config || off + size > v->ops->config_size)
		return;
	if (size == 8) {
		v->ops->write_config(v->self, (uint32_t)off, 4, (uint32_t)value);
		v->ops->write_config(v->self, (uint32_t)off + 4, 4, (uint32_t)(value >> 32));
		return;
	}
	v->ops->write_config(v->self, (uint32_t)off, size, (uint32_t)value);
}

/* --- Register reads --- */

static uint32_t read_queue(const struct virtio *v, uint64_t off)
{
	if (v->queue_sel >= v->ops->queues)
		return 0;
	return off == REG_QUEUE_READY ? v->ready[v->queue_sel] : VIRTIO_QUEUE_SIZE;
}

static uint32_t read_register(const struct virtio *v, uint64_t off)
{
	switch (off) {
	case REG_MAGIC:
		return VIRTIO_MMIO_MAGIC;
	case REG_VERSION:
		return VIRTIO_MMIO_VERSION;
	case REG_DEVICE_ID:
		return v->ops->device_id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_DEVICE_FEATURES:
		return v->features_sel > 1 ? 0 : (uint32_t)(v->offered >> 32 * v->features_sel);
	case REG_QUEUE_NUM_MAX:
	case REG_QUEUE_READY:
		return read_queue(v, off);
	case REG_INTERRUPT_STATUS:
		return v->interrupt_status;
	case REG_STATUS:
		return v->status;
	case REG_SHM_LEN_LOW:
	case REG_SHM_LEN_HIGH:
	case REG_SHM_BASE_LOW:
	case REG_SHM_BASE_HIGH:
		return UINT32_MAX; /* there is no such region, whichever was selected */
	case REG_CONFIG_GENERATION:
		return v->config_generation;
	default:
		return 0;
	}
}

static uint64_t read_config(const struct virtio *v, uint64_t off, unsigned size)
{
	uint64_t value = 0;

	if (off < v->ops->config_size)
		memcpy(&value, v->config + off, size < v->ops->config_size - off ? size : v->ops->config_size - off);
	return value;
}

/* --- The window: device lock held --- */

/* Section 4.2.2.2: registers are read and written whole; the configuration in the widths of its fields. */
static bool width_ok(uint64_t off, unsigned size)
{
	return off >= REG_CONFIG || size == 4;
}

static enum bis_bus_result window_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct virtio *v = self;

	if (!width_ok(off, size))
		return BIS_BUS_FAULT;
	virtio_lock(v);
	*val = off >= REG_CONFIG ? read_config(v, off - REG_CONFIG, size) : read_register(v, off);
	virtio_unlock(v);
	return BIS_BUS_OK;
}

static enum bis_bus_result window_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct virtio *v = self;

	if (!width_ok(off, size))
		return BIS_BUS_FAULT;
	if (off >= REG_CONFIG) {
		write_config(v, off - REG_CONFIG, size, val);
	} else if (off == REG_STATUS) {
		write_status(v, (uint32_t)val);
	} else if (off == REG_QUEUE_READY) {
		write_ready(v, (uint32_t)val);
	} else if (off == REG_QUEUE_NOTIFY) {
		write_notify(v, (uint32_t)val);
	} else {
		virtio_lock(v);
		write_register(v, off, (uint32_t)val);
		virtio_unlock(v);
	}
	return BIS_BUS_OK;
}

/* --- Lifecycle --- */

void virtio_init(struct virtio *v, struct bis_module *mod, const struct virtio_ops *ops, void *self, const void *config)
{
	v->ops = ops;
	v->self = self;
	v->memory = bis_module_memory(mod);
	v->irq = bis_module_irq(mod, 0);
	v->module = mod;
	v->config = config;
	v->offered = ops->features | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
	pthread_mutex_init(&v->lock, NULL);
}

void virtio_offer(struct virtio *v, uint64_t features)
{
	v->offered |= features;
}

int virtio_attach(struct virtio *v)
{
	static const struct bis_mmio_ops window = {.size = VIRTIO_MMIO_WINDOW,
						   .min_access = 1,
						   .max_access = 8,
						   .read = window_read,
						   .write = window_write};

	if (v->self != v)
		return bis_fail(EINVAL, "%s: struct virtio must be the first member of the state",
				bis_module_name(v->module));
	return bis_attach_mmio(v->module, &window);
}

static const char *flaw_of(const struct virtio *v)
{
	bool agreed = v->status & VIRTIO_STATUS_FEATURES_OK;

	if (agreed && !features_acceptable(v))
		return "its driver uses features that it does not offer";
	if ((v->status & VIRTIO_STATUS_DRIVER_OK) && !agreed)
		return "its driver is ready without having agreed on features";
	for (unsigned q = v->ops->queues; q < VIRTIO_QUEUES_MAX; q++)
		if (v->ready[q])
			return "a queue is ready that does not exist";
	return NULL;
}

int virtio_check(struct virtio *v)
{
	const char *name = bis_module_name(v->module), *flaw;
	int err = 0;

	virtio_lock(v);
	flaw = flaw_of(v);
	if (flaw)
		err = bis_fail(EINVAL, "%s: %s", name, flaw);
	for (unsigned q = 0; !err && q < v->ops->queues; q++) {
		flaw = v->ready[q] ? virtio_queue_flaw(v, q) : NULL;
		if (flaw)
			err = bis_fail(EINVAL, "%s: queue %u: %s", name, q, flaw);
	}
	virtio_unlock(v);
	return err;
}

void virtio_pause(struct virtio *v)
{
	quiesce(v);
}

void virtio_resume(struct virtio *v)
{
	virtio_lock(v);
	set_interrupts(v, v->interrupt_status);
	virtio_unlock(v);
	notify_waiting(v);
}

void virtio_fini(struct virtio *v)
{
	virtio_lock(v);
	v->status = 0;
	virtio_unlock(v);
	quiesce(v);
	pthread_mutex_destroy(&v->lock);
}

void virtio_dt(struct virtio *v, struct bis_dt *dt)
{
	(void)v;
	bis_dt_string(dt, "compatible", "virtio,mmio");
	bis_dt_flag(dt, "dma-coherent");
}
