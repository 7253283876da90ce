/*
 * The virtio block device of the virt board (virtio specification 1.2: section 5.2, over MMIO as in 4.2, with a split
 * virtqueue as in 2.7).
 *
 * Driver and device share a queue in memory. The driver describes a request in a chain of descriptors, puts the number
 * of the first one into the ring `available`, and rings the bell; the device works, puts the number into the ring
 * `used`, and interrupts. A queue is made for many requests at once; this driver has one at a time, so that the chain
 * is always the descriptors 0, 1 and 2.
 */
#include "block.h"
#include "interrupts.h"
#include "kernel.h"
#include "space.h"
#include <string.h>
#include <virtio.h>

#define QUEUE	   0
#define QUEUE_SIZE 4 /* descriptors: three are needed, and it must be a power of two */

/* What driver and device share. Kernel pointers are physical addresses (layout.h), so nothing is translated. */
static struct {
	_Alignas(16) struct virtio_descriptor descriptors[QUEUE_SIZE];
	_Alignas(2) VIRTIO_AVAILABLE(QUEUE_SIZE) available;
	_Alignas(4) volatile VIRTIO_USED(QUEUE_SIZE) used;
	struct virtio_block_header header;
	volatile uint8_t result;
} shared;

/* The device's registers. */
static volatile uint32_t *device;
static uint32_t features; /* those in use, of the lower word */
static void (*report)(void);

static uint32_t get(unsigned offset)
{
	return device[offset / 4];
}

static void set(unsigned offset, uint32_t value)
{
	device[offset / 4] = value;
}

static void set_address(unsigned offset, const volatile void *address)
{
	set(offset, (uint32_t)(uintptr_t)address);
	set(offset + 4, (uint32_t)((uint64_t)(uintptr_t)address >> 32));
}

/* Acknowledging first: an event after that interrupts again. */
static void interrupt(void)
{
	set(VIRTIO_INTERRUPT_ACK, get(VIRTIO_INTERRUPT_STATUS));
	report();
}

/* Lets `device` be the first block device of the board, whose number is returned; -1: there is none. */
static int find_device(void)
{
	volatile void *places = device_map(VIRTIO_BASE, VIRTIO_PLACES * VIRTIO_STEP);

	if (!places)
		panic("no room to map the virtio devices");
	for (unsigned n = 0; n < VIRTIO_PLACES; n++) {
		device = (volatile uint32_t *)((uintptr_t)places + n * VIRTIO_STEP);
		if (get(VIRTIO_MAGIC) == VIRTIO_MAGIC_VALUE && get(VIRTIO_VERSION) == 2 &&
		    get(VIRTIO_DEVICE_ID) == VIRTIO_ID_BLOCK)
			return (int)n;
	}
	return -1;
}

/* Agrees with the device on what both can do: of the features offered, this driver knows two and needs one. */
static bool agree(void)
{
	set(VIRTIO_DEVICE_FEATURES_SEL, 0);
	features = get(VIRTIO_DEVICE_FEATURES) & (VIRTIO_BLOCK_READONLY | VIRTIO_BLOCK_FLUSH);
	set(VIRTIO_DRIVER_FEATURES_SEL, 0);
	set(VIRTIO_DRIVER_FEATURES, features);
	set(VIRTIO_DRIVER_FEATURES_SEL, 1);
	set(VIRTIO_DRIVER_FEATURES, VIRTIO_HIGH_VERSION_1);
	set(VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
	return get(VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK;
}

static bool make_queue(void)
{
	set(VIRTIO_QUEUE_SEL, QUEUE);
	if (get(VIRTIO_QUEUE_NUM_MAX) < QUEUE_SIZE)
		return false;
	set(VIRTIO_QUEUE_NUM, QUEUE_SIZE);
	set_address(VIRTIO_QUEUE_DESC, shared.descriptors);
	set_address(VIRTIO_QUEUE_DRIVER, &shared.available);
	set_address(VIRTIO_QUEUE_DEVICE, &shared.used);
	set(VIRTIO_QUEUE_READY, 1);
	return true;
}

/* The order is prescribed (section 3.1.1): reset, notice, agree, make queues, go. */
static bool start(void (*done)(void))
{
	int n = find_device();

	if (n < 0)
		return false;
	set(VIRTIO_STATUS, 0);
	set(VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	set(VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	if (!agree() || !make_queue()) {
		set(VIRTIO_STATUS, VIRTIO_STATUS_FAILED);
		return false;
	}
	report = done;
	interrupts_attach_plic(VIRTIO_INPUT + (unsigned)n, interrupt);
	set(VIRTIO_STATUS, get(VIRTIO_STATUS) | VIRTIO_STATUS_DRIVER_OK);
	return true;
}

/* Two reads make the number; the generation tells whether it changed in between. */
static uint64_t sectors(void)
{
	uint32_t generation, low, high;

	do {
		generation = get(VIRTIO_CONFIG_GENERATION);
		low = get(VIRTIO_CONFIG + VIRTIO_BLOCK_CAPACITY);
		high = get(VIRTIO_CONFIG + VIRTIO_BLOCK_CAPACITY + 4);
	} while (generation != get(VIRTIO_CONFIG_GENERATION));
	return (uint64_t)high << 32 | low;
}

static bool is_readonly(void)
{
	return features & VIRTIO_BLOCK_READONLY;
}

/* One part of a request, in descriptor n; the next part is in n + 1. */
static void describe(unsigned n, const volatile void *address, uint32_t len, unsigned flags)
{
	shared.descriptors[n] = (struct virtio_descriptor){
		.address = (uintptr_t)address, .len = len, .flags = (uint16_t)flags, .next = (uint16_t)(n + 1)};
}

/* Header, data and result, of which the device writes the last, and the data when it reads the disk. */
static void begin(enum block_operation operation, uint64_t sector, unsigned count, void *data)
{
	static const uint32_t types[] = {
		[BLOCK_READ] = VIRTIO_BLOCK_TYPE_READ,
		[BLOCK_WRITE] = VIRTIO_BLOCK_TYPE_WRITE,
		[BLOCK_FLUSH] = VIRTIO_BLOCK_TYPE_FLUSH,
	};
	unsigned n = 0;

	/* A device that cannot flush keeps nothing back: it is asked for nothing, and that is done. */
	shared.result = VIRTIO_BLOCK_OK;
	if (operation == BLOCK_FLUSH && !(features & VIRTIO_BLOCK_FLUSH))
		return;

	shared.result = VIRTIO_BLOCK_NO_RESULT;
	shared.header = (struct virtio_block_header){.type = types[operation], .sector = sector};
	describe(n++, &shared.header, sizeof(shared.header), VIRTIO_NEXT);
	if (operation != BLOCK_FLUSH)
		describe(n++, data, count * SECTOR_SIZE, VIRTIO_NEXT | (operation == BLOCK_READ ? VIRTIO_WRITE : 0));
	describe(n, &shared.result, 1, VIRTIO_WRITE);

	/* The device must see the descriptors before the ring, and the ring before the index. */
	shared.available.head[shared.available.index % QUEUE_SIZE] = 0;
	memory_fence();
	shared.available.index++;
	memory_fence();
	set(VIRTIO_QUEUE_NOTIFY, QUEUE);
}

/* The device is done when it has used as many requests as there were. */
static enum block_result finish(void)
{
	if (get(VIRTIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET)
		return BLOCK_FAILED;
	if (shared.used.index != shared.available.index)
		return BLOCK_BUSY;
	memory_fence();
	return shared.result == VIRTIO_BLOCK_OK ? BLOCK_OK : BLOCK_FAILED;
}

const struct block_driver virtio_block = {
	.name = "virtio block device",
	.start = start,
	.sectors = sectors,
	.is_readonly = is_readonly,
	.begin = begin,
	.finish = finish,
};
