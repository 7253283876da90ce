/*
 * Virtio over MMIO, version 2, with split virtqueues (virtio specification 1.2, sections 2.7 and 4.2), and the block
 * device (section 5.2): the names that a small driver needs.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <stdint.h>

/* Where the virt board has room for devices. Each place has registers, even if there is no device, and an interrupt. */
#define VIRTIO_BASE   0x10001000UL
#define VIRTIO_STEP   0x1000UL
#define VIRTIO_PLACES 8U
#define VIRTIO_INPUT  1U /* of the PLIC, for the first place */

/* Registers, 32 bits each, as byte offsets. Those that hold an address are two: low half, high half. */
enum virtio_register {
	VIRTIO_MAGIC = 0x000,
	VIRTIO_VERSION = 0x004,
	VIRTIO_DEVICE_ID = 0x008,
	VIRTIO_DEVICE_FEATURES = 0x010,
	VIRTIO_DEVICE_FEATURES_SEL = 0x014,
	VIRTIO_DRIVER_FEATURES = 0x020,
	VIRTIO_DRIVER_FEATURES_SEL = 0x024,
	VIRTIO_QUEUE_SEL = 0x030,
	VIRTIO_QUEUE_NUM_MAX = 0x034,
	VIRTIO_QUEUE_NUM = 0x038,
	VIRTIO_QUEUE_READY = 0x044,
	VIRTIO_QUEUE_NOTIFY = 0x050,
	VIRTIO_INTERRUPT_STATUS = 0x060,
	VIRTIO_INTERRUPT_ACK = 0x064,
	VIRTIO_STATUS = 0x070,
	VIRTIO_QUEUE_DESC = 0x080,
	VIRTIO_QUEUE_DRIVER = 0x090,
	VIRTIO_QUEUE_DEVICE = 0x0a0,
	VIRTIO_CONFIG_GENERATION = 0x0fc,
	VIRTIO_CONFIG = 0x100,
};

#define VIRTIO_MAGIC_VALUE 0x74726976U /* "virt" */

/* Device IDs */
#define VIRTIO_ID_NONE	0U /* an empty place */
#define VIRTIO_ID_BLOCK 2U

/* Status: how far the driver has come, and whether the device has given up */
#define VIRTIO_STATUS_ACKNOWLEDGE 1U
#define VIRTIO_STATUS_DRIVER	  2U
#define VIRTIO_STATUS_DRIVER_OK	  4U
#define VIRTIO_STATUS_FEATURES_OK 8U
#define VIRTIO_STATUS_NEEDS_RESET 64U
#define VIRTIO_STATUS_FAILED	  128U

/* Features are numbered from bit 0 of the lower word; this one is in the upper. */
#define VIRTIO_HIGH_VERSION_1 (1U << (32 - 32))

/* --- A virtqueue: descriptors, a ring from the driver to the device, and one back. All little-endian. --- */

#define VIRTIO_NEXT  1U /* descriptor: the buffer goes on in descriptor `next` */
#define VIRTIO_WRITE 2U /* descriptor: the device writes to this part and does not read it */

struct virtio_descriptor {
	uint64_t address; /* physical */
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* The index of a ring counts up without end; the place of an element is its index modulo the queue's size. */
#define VIRTIO_AVAILABLE(size)                                                                                         \
	struct {                                                                                                       \
		uint16_t flags, index;                                                                                 \
		uint16_t head[size]; /* first descriptor of a buffer */                                                \
	}

#define VIRTIO_USED(size)                                                                                              \
	struct {                                                                                                       \
		uint16_t flags, index;                                                                                 \
		struct {                                                                                               \
			uint32_t head, written;                                                                        \
		} element[size];                                                                                       \
	}

/* --- Block device --- */

#define VIRTIO_BLOCK_READONLY (1U << 5) /* features */
#define VIRTIO_BLOCK_FLUSH    (1U << 9)

#define VIRTIO_BLOCK_CAPACITY 0U /* in the configuration: sectors of 512 bytes, 64 bits */

/* A request is a header, the data, and a byte for the result. */
struct virtio_block_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

#define VIRTIO_BLOCK_TYPE_READ	0U
#define VIRTIO_BLOCK_TYPE_WRITE 1U
#define VIRTIO_BLOCK_TYPE_FLUSH 4U

#define VIRTIO_BLOCK_OK	       0U
#define VIRTIO_BLOCK_NO_RESULT 0xffU /* none that a device gives: what a driver puts there first */

#endif
