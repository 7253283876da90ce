/*
 * Virtio (specification 1.2): what every virtio device shares, the split virtqueue (section 2.7) and the register
 * window of virtio over MMIO, version 2 (section 4.2). A device is one file that embeds a struct virtio as the first
 * member of its state, hands its module's calls on, and takes requests as chains: checked cursors over guest memory,
 * never pointers.
 *
 * Threads: register accesses come with the device lock held. Each struct virtio has a lock of its own; all functions
 * here take it themselves unless they say otherwise, so that worker threads of a device may take and give back chains
 * without the device lock. A driver that breaks a rule of the rings puts the device into DEVICE_NEEDS_RESET: from then
 * on no chain comes out and none is given back until the driver resets the device.
 */
#ifndef BISCUIT_MODULES_VIRTIO_H
#define BISCUIT_MODULES_VIRTIO_H

#include <pthread.h>

#include <biscuit/log.h>
#include <biscuit/memory.h>
#include <biscuit/module.h>

#define VIRTIO_QUEUES_MAX 8
#define VIRTIO_QUEUE_SIZE 512 /* entries of a queue at most, and so ranges of a chain */

/* Virtio 1.2, section 5: device types. */
enum virtio_device_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_ENTROPY = 4,
	VIRTIO_ID_BALLOON = 5,
	VIRTIO_ID_GPU = 16,
	VIRTIO_ID_INPUT = 18,
};

/* Section 2.1: device status. */
enum virtio_status {
	VIRTIO_STATUS_ACKNOWLEDGE = 1,
	VIRTIO_STATUS_DRIVER = 2,
	VIRTIO_STATUS_DRIVER_OK = 4,
	VIRTIO_STATUS_FEATURES_OK = 8,
	VIRTIO_STATUS_NEEDS_RESET = 64,
	VIRTIO_STATUS_FAILED = 128,
};

/*
 * Section 6: reserved feature bits. The transport offers these three for every device. Drivers exist that never look at
 * the upper half of the bits, and so do not accept VERSION_1; they are served all the same, by the rules of version 1.
 */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)

struct virtio;

/* What a device implements; a constant. `self` is the module's. */
struct virtio_ops {
	uint32_t device_id;
	unsigned queues;      /* at most VIRTIO_QUEUES_MAX */
	uint64_t features;    /* device-specific ones that it always offers; see virtio_offer */
	uint32_t config_size; /* bytes of device configuration (see virtio_init); 0: none */
	/*
	 * The driver has made chains available in `queue`, which is live. Device lock held, the virtio's own lock not.
	 * Also called for every queue that has chains after driver_ok, at a resume and after quiesce; of the others the
	 * driver is asked to notify, for a device may have been kept from looking until it found nothing.
	 */
	void (*notify)(void *self, unsigned queue);
	/* DRIVER_OK was set: features are negotiated and the queues are live. Device lock held. NULL: nothing to do. */
	void (*driver_ok)(void *self);
	/*
	 * The driver has written `size` bytes (1, 2, 4) at `off` of the device configuration. Device lock held. NULL:
	 * writes are ignored.
	 */
	void (*write_config)(void *self, uint32_t off, unsigned size, uint32_t value);
	/*
	 * Leave guest memory alone: return when no worker has a chain any more. Called at a pause, at a reset by the
	 * driver or of the machine, when the driver takes a queue out of use, and before the module goes, with the
	 * device lock held and the virtio's own lock not; workers that are waited for must not need the device lock.
	 * No chain comes out while it runs; chains may be given back as ever. Where a queue was reset or taken out of
	 * use, its chains are void: they may still be read, written and given back, to no effect on the queue.
	 * NULL: no workers.
	 */
	void (*quiesce)(void *self);
	/* The driver has reset the device, or the machine was reset: the device's own state back to that after create.
	 * NULL. */
	void (*reset)(void *self);
};

struct virtio {
	const struct virtio_ops *ops;
	void *self;
	struct bis_memory *memory;
	struct bis_irq *irq;
	struct bis_module *module;
	const uint8_t *config; /* the device's; little-endian bytes */

	pthread_mutex_t lock;
	/* Registers (section 4.2.2): lock. */
	uint64_t offered, accepted; /* feature bits */
	bool accepted_unknown;	    /* the driver accepted a bit above 63, where none is offered */
	uint32_t features_sel, driver_features_sel, queue_sel;
	uint32_t status, interrupt_status, config_generation;
	/* Queues, one element each: lock. */
	uint64_t desc[VIRTIO_QUEUES_MAX], avail[VIRTIO_QUEUES_MAX], used[VIRTIO_QUEUES_MAX]; /* guest-physical */
	uint16_t size[VIRTIO_QUEUES_MAX];
	bool ready[VIRTIO_QUEUES_MAX];
	uint16_t next_avail[VIRTIO_QUEUES_MAX], next_used[VIRTIO_QUEUES_MAX];
	uint16_t signalled_used[VIRTIO_QUEUES_MAX]; /* used index at the last look whether to interrupt */
	uint32_t generation[VIRTIO_QUEUES_MAX];	    /* counts takings out of use: a chain of an earlier one is void */
	bool quiet[VIRTIO_QUEUES_MAX];		    /* the device wants no notifications, see virtio_want_notify */
	bool held;				    /* no chain comes out: the device is becoming quiet */
	struct bis_log_limit log_limit;		    /* of messages about broken rules */
};

/* Field rows of an embedded struct virtio, for the device's field table. */
#define VIRTIO_FIELDS(struct_type, member)                                                                             \
	BIS_FIELD(struct_type, member.status, U32, BIS_FIELD_HEX, "device status"),                                    \
		BIS_FIELD(struct_type, member.offered, U64, BIS_FIELD_HEX | BIS_FIELD_READONLY | BIS_FIELD_DERIVED,    \
			  "offered features"),                                                                         \
		BIS_FIELD(struct_type, member.accepted, U64, BIS_FIELD_HEX, "features the driver accepted"),           \
		BIS_FIELD(struct_type, member.interrupt_status, U32, BIS_FIELD_HEX, "interrupt status"),               \
		BIS_FIELD(struct_type, member.config_generation, U32, 0, "changes of the configuration so far"),       \
		BIS_FIELD(struct_type, member.accepted_unknown, BOOL, 0, "the driver accepted a bit above 63"),        \
		BIS_FIELD(struct_type, member.features_sel, U32, 0, "DeviceFeaturesSel"),                              \
		BIS_FIELD(struct_type, member.driver_features_sel, U32, 0, "DriverFeaturesSel"),                       \
		BIS_FIELD(struct_type, member.queue_sel, U32, 0, "QueueSel"),                                          \
		BIS_FIELD_ARRAY(struct_type, member.size, U16, VIRTIO_QUEUES_MAX, 0, "entries of each queue"),         \
		BIS_FIELD_ARRAY(struct_type, member.ready, BOOL, VIRTIO_QUEUES_MAX, 0, "queue is in use"),             \
		BIS_FIELD_ARRAY(struct_type, member.desc, U64, VIRTIO_QUEUES_MAX, BIS_FIELD_HEX, "descriptor tables"), \
		BIS_FIELD_ARRAY(struct_type, member.avail, U64, VIRTIO_QUEUES_MAX, BIS_FIELD_HEX, "available rings"),  \
		BIS_FIELD_ARRAY(struct_type, member.used, U64, VIRTIO_QUEUES_MAX, BIS_FIELD_HEX, "used rings"),        \
		BIS_FIELD_ARRAY(struct_type, member.next_avail, U16, VIRTIO_QUEUES_MAX, 0, "next available index"),    \
		BIS_FIELD_ARRAY(struct_type, member.next_used, U16, VIRTIO_QUEUES_MAX, 0, "next used index"),          \
		BIS_FIELD_ARRAY(struct_type, member.signalled_used, U16, VIRTIO_QUEUES_MAX, 0,                         \
				"used index when an interrupt was last considered"),                                   \
		BIS_FIELD_ARRAY(struct_type, member.quiet, BOOL, VIRTIO_QUEUES_MAX, 0, "no notifications wanted")

/* --- Lifecycle, from the module's calls of the same name --- */

/*
 * Prepares an embedded struct virtio (zeroed), the first member of `self`. `config`: ops->config_size bytes (at most
 * 256) inside the device's state, little-endian, changed by the device under virtio_lock alone. Never fails; undone by
 * virtio_fini.
 */
void virtio_init(struct virtio *v, struct bis_module *mod, const struct virtio_ops *ops, void *self,
		 const void *config);
/* Adds feature bits to those offered; in create only. */
void virtio_offer(struct virtio *v, uint64_t features);
/* Attaches the register window (0x200 bytes). -EINVAL if the struct virtio is not the first member of `self`. */
BIS_MUST_CHECK int virtio_attach(struct virtio *v);
/* Fields were set from outside: 0, or -EINVAL with message where the rings or the features cannot be. */
BIS_MUST_CHECK int virtio_check(struct virtio *v);
void virtio_pause(struct virtio *v);  /* calls ops->quiesce */
void virtio_resume(struct virtio *v); /* sets the interrupt line anew, and calls ops->notify where chains wait */
void virtio_reset(struct virtio *v);  /* as if the driver had written 0 to Status */
void virtio_fini(struct virtio *v);   /* calls ops->quiesce */
/* The node's properties: compatible "virtio,mmio" and dma-coherent. */
void virtio_dt(struct virtio *v, struct bis_dt *dt);

void virtio_lock(struct virtio *v);
void virtio_unlock(struct virtio *v);
/* Has the driver accepted all of `features`? True only after FEATURES_OK. */
bool virtio_has(struct virtio *v, uint64_t features);
/* Is the device live (DRIVER_OK, not NEEDS_RESET)? */
bool virtio_live(struct virtio *v);
/* The device has changed its configuration: interrupts the driver. Called without the lock. */
void virtio_config_changed(struct virtio *v);
/*
 * The driver broke a rule: DEVICE_NEEDS_RESET, configuration interrupt, one line in the log (rate-limited). Called
 * without the lock. Nothing happens unless the device is live: a worker may tell of a chain from before a reset.
 */
void virtio_broken(struct virtio *v, const char *fmt, ...) BIS_PRINTF(2, 3);

/* --- Chains --- */

/*
 * A request: device-readable ranges, then device-writable ones. Reads and writes go through a cursor in each part.
 * Lives wherever the device keeps it; nothing to free. One thread at a time.
 */
struct virtio_chain {
	struct virtio *virtio;
	unsigned queue;
	uint16_t head;
	uint32_t generation;
	uint64_t readable, writable; /* bytes ahead of the cursors */
	uint64_t written;	     /* bytes written so far, reported to the driver */
	unsigned n_readable, n_ranges;
	unsigned read_at, write_at;	    /* range the cursor is in */
	uint64_t read_offset, write_offset; /* and where */
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
};

/*
 * Takes the next available chain: 1 with *c filled; 0 if there is none, or the queue is not live. Every range of it is
 * RAM and not empty (those of length 0 are left out); at most the queue's size of them; anything else breaks a rule
 * (see virtio_broken) and gives 0.
 */
int virtio_pop(struct virtio *v, unsigned queue, struct virtio_chain *c);
/* Is a chain available? If not, the driver is asked to notify of the next one, as virtio_pop does that gives 0. */
bool virtio_available(struct virtio *v, unsigned queue);
/*
 * Tells the driver whether it need notify `queue`. With `wanted`, looks again afterwards: true if a chain came in the
 * meantime, which nobody will notify of. A device that never calls this is notified of the first chain that comes after
 * virtio_pop has given 0.
 */
bool virtio_want_notify(struct virtio *v, unsigned queue, bool wanted);
/* Gives a chain back, with c->written as its length. The driver hears of it at virtio_signal. Void chains are dropped.
 */
void virtio_push(struct virtio_chain *c);
/* Puts the chain just taken back as if it had not been: the next pop gives it again. Only the last one taken. */
void virtio_unpop(struct virtio_chain *c);
/* Interrupts the driver for the chains given back, if it wants to hear of them. */
void virtio_signal(struct virtio *v, unsigned queue);

/* Copies at the cursor and moves it; returns how many bytes there were, less than `len` at the part's end. */
size_t virtio_read(struct virtio_chain *c, void *dst, size_t len);
size_t virtio_write(struct virtio_chain *c, const void *src, size_t len);
/* Moves the read cursor without copying. */
size_t virtio_skip(struct virtio_chain *c, size_t len);
/*
 * Moves `len` bytes between the cursor and a file, in few system calls, and advances the cursor by what was moved: the
 * number of bytes (short at the file's or the part's end), or -errno.
 */
BIS_MUST_CHECK ssize_t virtio_write_from_fd(struct virtio_chain *c, int fd, uint64_t offset, size_t len);
BIS_MUST_CHECK ssize_t virtio_read_to_fd(struct virtio_chain *c, int fd, uint64_t offset, size_t len);
/* The ranges of [cursor, cursor+len) of the readable or writable part: their number, at most `max`; -E2BIG beyond. */
BIS_MUST_CHECK int virtio_read_ranges(const struct virtio_chain *c, size_t len, struct bis_mem_range *out, size_t max);
BIS_MUST_CHECK int virtio_write_ranges(const struct virtio_chain *c, size_t len, struct bis_mem_range *out, size_t max);

#endif
