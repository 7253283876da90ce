/*
 * A driver for tests of virtio devices: a real machine with one device, its registers reached over the bus, its rings
 * in guest RAM. The machine does not run; the test is the driver. Everything that fails fails the test.
 *
 *     struct vrig *r = vrig_open("virtio-rng");
 *     vrig_start(r, VIRTIO_F_EVENT_IDX, 1, 8);
 *     uint64_t pa = vrig_alloc(r, 64);
 *     len = vrig_request(r, 0, VRIG_OUT(pa, 16), VRIG_IN(pa + 16, 48));
 *     vrig_close(r);
 */
#ifndef BISCUIT_UNIT_VIRTIO_RIG_H
#define BISCUIT_UNIT_VIRTIO_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "modules/virtio/virtio.h"
#include "src/machine/machine_internal.h"
#include "src/memory/bus_internal.h"
#include "tests/unit/rig.h"

#define VRIG_WINDOW  UINT64_C(0x10001000) /* slot 0 of the board */
#define VRIG_RAM_END (BIS_RAM_BASE + RIG_RAM_SIZE)

enum vrig_registers {
	VRIG_MAGIC = 0x00,
	VRIG_VERSION = 0x04,
	VRIG_DEVICE_ID = 0x08,
	VRIG_VENDOR_ID = 0x0c,
	VRIG_DEVICE_FEATURES = 0x10,
	VRIG_DEVICE_FEATURES_SEL = 0x14,
	VRIG_DRIVER_FEATURES = 0x20,
	VRIG_DRIVER_FEATURES_SEL = 0x24,
	VRIG_QUEUE_SEL = 0x30,
	VRIG_QUEUE_NUM_MAX = 0x34,
	VRIG_QUEUE_NUM = 0x38,
	VRIG_QUEUE_READY = 0x44,
	VRIG_QUEUE_NOTIFY = 0x50,
	VRIG_INTERRUPT_STATUS = 0x60,
	VRIG_INTERRUPT_ACK = 0x64,
	VRIG_STATUS = 0x70,
	VRIG_QUEUE_DESC = 0x80, /* low half; the high one follows */
	VRIG_QUEUE_DRIVER = 0x90,
	VRIG_QUEUE_DEVICE = 0xa0,
	VRIG_SHM_LEN = 0xb0,
	VRIG_CONFIG_GENERATION = 0xfc,
	VRIG_CONFIG = 0x100,
};

enum { VRIG_NEXT = 1, VRIG_WRITE = 2, VRIG_INDIRECT = 4 }; /* flags of descriptors */

/* One range of a request. */
struct vrig_range {
	uint64_t pa;
	uint32_t len;
	bool writable; /* by the device */
};
#define VRIG_OUT(pa_, len_) ((struct vrig_range){(pa_), (uint32_t)(len_), false})
#define VRIG_IN(pa_, len_)  ((struct vrig_range){(pa_), (uint32_t)(len_), true})

struct vrig_queue {
	unsigned size;
	uint64_t desc, avail, used;
	uint16_t next_avail, next_used;
	bool taken[VIRTIO_QUEUE_SIZE];	   /* descriptors in use */
	uint16_t chain[VIRTIO_QUEUE_SIZE]; /* the next descriptor of the chain; itself at the end */
};

struct vrig {
	struct bis_machine *m;
	struct bis_module *mod;
	uint64_t next; /* free guest RAM from here on */
	struct vrig_queue q[VIRTIO_QUEUES_MAX];
};

/* --- The machine --- */

/* Knows `classes` (NULL: the built-in ones) and has the device; a specification without at= and irq=. */
static inline struct vrig *vrig_open_with(const struct bis_module_class *const *classes, const char *spec)
{
	struct vrig *r = calloc(1, sizeof(*r));
	const char *options = strchr(spec, ',');
	int name = options ? (int)(options - spec) : (int)strlen(spec);
	char full[1024];

	assert_non_null(r);
	r->m = rig_create_with("rv64", 1, classes ? classes : bis_builtin_modules);
	r->next = RIG_DATA;
	assert_true(snprintf(full, sizeof(full), "%.*s,at=0x%x,irq=1%s", name, spec, (unsigned)VRIG_WINDOW,
			     options ? options : "") < (int)sizeof(full));
	r->mod = rig_add(r->m, full);
	return r;
}

static inline struct vrig *vrig_open(const char *spec)
{
	return vrig_open_with(NULL, spec);
}

static inline void vrig_close(struct vrig *r)
{
	bis_machine_destroy(r->m);
	free(r);
}

/* --- Guest memory --- */

/* `size` bytes of zeroed guest RAM, aligned to 4096. */
static inline uint64_t vrig_alloc(struct vrig *r, size_t size)
{
	uint64_t pa = r->next;

	r->next += (size + 4095) / 4096 * 4096;
	assert_true(r->next <= RIG_SPIN);
	assert_ok(bis_mem_fill(bis_machine_memory(r->m), (bis_gpa){pa}, 0, r->next - pa));
	return pa;
}

static inline void vrig_put(struct vrig *r, uint64_t pa, const void *bytes, size_t len)
{
	assert_ok(bis_mem_write(bis_machine_memory(r->m), (bis_gpa){pa}, bytes, len));
}

static inline void vrig_get(struct vrig *r, uint64_t pa, void *bytes, size_t len)
{
	assert_ok(bis_mem_read(bis_machine_memory(r->m), (bis_gpa){pa}, bytes, len));
}

static inline void vrig_put16(struct vrig *r, uint64_t pa, uint16_t value)
{
	assert_ok(bis_mem_store(bis_machine_memory(r->m), (bis_gpa){pa}, 2, value));
}

static inline uint16_t vrig_get16(struct vrig *r, uint64_t pa)
{
	uint64_t value = 0;

	assert_ok(bis_mem_load(bis_machine_memory(r->m), (bis_gpa){pa}, 2, &value));
	return (uint16_t)value;
}

/* --- Registers --- */

static inline uint64_t vrig_read_sized(struct vrig *r, unsigned off, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(bis_bus_read(r->m->bus, VRIG_WINDOW + off, size, &value), BIS_BUS_OK);
	return value;
}

static inline void vrig_write_sized(struct vrig *r, unsigned off, unsigned size, uint64_t value)
{
	assert_int_equal(bis_bus_write(r->m->bus, VRIG_WINDOW + off, size, value), BIS_BUS_OK);
}

static inline uint32_t vrig_rd(struct vrig *r, unsigned off)
{
	return (uint32_t)vrig_read_sized(r, off, 4);
}

static inline void vrig_wr(struct vrig *r, unsigned off, uint32_t value)
{
	vrig_write_sized(r, off, 4, value);
}

/* A field of the device configuration, `off` from its start. */
static inline uint64_t vrig_config(struct vrig *r, unsigned off, unsigned size)
{
	return vrig_read_sized(r, VRIG_CONFIG + off, size);
}

static inline void vrig_set_config(struct vrig *r, unsigned off, unsigned size, uint64_t value)
{
	vrig_write_sized(r, VRIG_CONFIG + off, size, value);
}

static inline uint64_t vrig_offered(struct vrig *r)
{
	uint64_t low;

	vrig_wr(r, VRIG_DEVICE_FEATURES_SEL, 0);
	low = vrig_rd(r, VRIG_DEVICE_FEATURES);
	vrig_wr(r, VRIG_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)vrig_rd(r, VRIG_DEVICE_FEATURES) << 32;
}

static inline bool vrig_needs_reset(struct vrig *r)
{
	return vrig_rd(r, VRIG_STATUS) & VIRTIO_STATUS_NEEDS_RESET;
}

/* --- Interrupts --- */

static inline bool vrig_irq(struct vrig *r)
{
	return bis_irq_level(bis_module_irq(r->mod, 0));
}

/* Acknowledges whatever there is, and says what it was: 1 used buffers, 2 configuration. */
static inline uint32_t vrig_ack(struct vrig *r)
{
	uint32_t bits = vrig_rd(r, VRIG_INTERRUPT_STATUS);

	vrig_wr(r, VRIG_INTERRUPT_ACK, bits);
	return bits;
}

/* Waits for an interrupt, and acknowledges it. */
static inline uint32_t vrig_wait_irq(struct vrig *r)
{
	rig_wait_for(vrig_irq(r));
	return vrig_ack(r);
}

/* --- Bringing the device up --- */

static inline void vrig_reset(struct vrig *r)
{
	vrig_wr(r, VRIG_STATUS, 0);
	memset(r->q, 0, sizeof(r->q));
}

/* From reset up to the write of FEATURES_OK, with VERSION_1 added; did it stick? */
static inline bool vrig_try_negotiate(struct vrig *r, uint64_t features)
{
	uint32_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	vrig_reset(r);
	vrig_wr(r, VRIG_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
	vrig_wr(r, VRIG_STATUS, status);
	features |= VIRTIO_F_VERSION_1;
	vrig_wr(r, VRIG_DRIVER_FEATURES_SEL, 0);
	vrig_wr(r, VRIG_DRIVER_FEATURES, (uint32_t)features);
	vrig_wr(r, VRIG_DRIVER_FEATURES_SEL, 1);
	vrig_wr(r, VRIG_DRIVER_FEATURES, (uint32_t)(features >> 32));
	vrig_wr(r, VRIG_STATUS, status | VIRTIO_STATUS_FEATURES_OK);
	return vrig_rd(r, VRIG_STATUS) & VIRTIO_STATUS_FEATURES_OK;
}

static inline void vrig_negotiate(struct vrig *r, uint64_t features)
{
	assert_true(vrig_try_negotiate(r, features));
}

static inline void vrig_write_address(struct vrig *r, unsigned off, uint64_t pa)
{
	vrig_wr(r, off, (uint32_t)pa);
	vrig_wr(r, off + 4, (uint32_t)(pa >> 32));
}

/* Tells the device where the queue lies and makes it ready. */
static inline void vrig_place_queue(struct vrig *r, unsigned n, unsigned size, uint64_t desc, uint64_t avail,
				    uint64_t used)
{
	vrig_wr(r, VRIG_QUEUE_SEL, n);
	vrig_wr(r, VRIG_QUEUE_NUM, size);
	vrig_write_address(r, VRIG_QUEUE_DESC, desc);
	vrig_write_address(r, VRIG_QUEUE_DRIVER, avail);
	vrig_write_address(r, VRIG_QUEUE_DEVICE, used);
	vrig_wr(r, VRIG_QUEUE_READY, 1);
}

static inline void vrig_queue(struct vrig *r, unsigned n, unsigned size)
{
	struct vrig_queue *q = &r->q[n];

	*q = (struct vrig_queue){.size = size};
	q->desc = vrig_alloc(r, size * 16);
	q->avail = vrig_alloc(r, 6 + size * 2);
	q->used = vrig_alloc(r, 6 + size * 8);
	vrig_place_queue(r, n, size, q->desc, q->avail, q->used);
	assert_int_equal(vrig_rd(r, VRIG_QUEUE_READY), 1);
}

static inline void vrig_driver_ok(struct vrig *r)
{
	uint32_t status = vrig_rd(r, VRIG_STATUS) | VIRTIO_STATUS_DRIVER_OK;

	vrig_wr(r, VRIG_STATUS, status);
	assert_int_equal(vrig_rd(r, VRIG_STATUS), status);
}

/* All of it: features (VERSION_1 is added), queues 0 to queues-1 of `size` entries, DRIVER_OK. */
static inline void vrig_start(struct vrig *r, uint64_t features, unsigned queues, unsigned size)
{
	vrig_negotiate(r, features);
	for (unsigned n = 0; n < queues; n++)
		vrig_queue(r, n, size);
	vrig_driver_ok(r);
}

/* --- Rings --- */

static inline void vrig_set_desc_at(struct vrig *r, uint64_t table, unsigned index, uint64_t pa, uint32_t len,
				    unsigned flags, unsigned next)
{
	struct {
		uint64_t pa;
		uint32_t len;
		uint16_t flags, next;
	} d = {pa, len, (uint16_t)flags, (uint16_t)next};

	vrig_put(r, table + index * 16, &d, sizeof(d));
}

static inline void vrig_set_desc(struct vrig *r, unsigned n, unsigned index, uint64_t pa, uint32_t len, unsigned flags,
				 unsigned next)
{
	vrig_set_desc_at(r, r->q[n].desc, index, pa, len, flags, next);
}

/* Puts a head into the available ring, without a look at the descriptors. */
static inline void vrig_make_available(struct vrig *r, unsigned n, uint16_t head)
{
	struct vrig_queue *q = &r->q[n];

	vrig_put16(r, q->avail + 4 + q->next_avail % q->size * 2u, head);
	vrig_put16(r, q->avail + 2, ++q->next_avail);
}

static inline uint16_t vrig_take_desc(struct vrig_queue *q)
{
	for (unsigned i = 0; i < q->size; i++) {
		if (!q->taken[i]) {
			q->taken[i] = true;
			q->chain[i] = (uint16_t)i;
			return (uint16_t)i;
		}
	}
	fail_msg("no free descriptor in a queue of %u", q->size);
	return 0;
}

/* Makes a chain of the ranges available and returns its head; the device is not notified. */
static inline uint16_t vrig_submit_n(struct vrig *r, unsigned n, const struct vrig_range *ranges, size_t count)
{
	struct vrig_queue *q = &r->q[n];
	uint16_t head = vrig_take_desc(q), at = head;

	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		uint16_t next = last ? at : vrig_take_desc(q);

		vrig_set_desc(r, n, at, ranges[i].pa, ranges[i].len,
			      (ranges[i].writable ? VRIG_WRITE : 0u) | (last ? 0u : VRIG_NEXT), last ? 0 : next);
		q->chain[at] = next;
		at = next;
	}
	vrig_make_available(r, n, head);
	return head;
}

/* The same through an indirect table, for which it takes guest memory. */
static inline uint16_t vrig_submit_indirect(struct vrig *r, unsigned n, const struct vrig_range *ranges, size_t count)
{
	uint64_t table = vrig_alloc(r, count * 16);
	uint16_t head = vrig_take_desc(&r->q[n]);

	for (size_t i = 0; i < count; i++)
		vrig_set_desc_at(r, table, (unsigned)i, ranges[i].pa, ranges[i].len,
				 (ranges[i].writable ? VRIG_WRITE : 0u) | (i + 1 == count ? 0u : VRIG_NEXT),
				 (unsigned)i + 1);
	vrig_set_desc(r, n, head, table, (uint32_t)count * 16, VRIG_INDIRECT, 0);
	vrig_make_available(r, n, head);
	return head;
}

#define VRIG_RANGES(...)                                                                                               \
	(const struct vrig_range[]){__VA_ARGS__}, sizeof((struct vrig_range[]){__VA_ARGS__}) / sizeof(struct vrig_range)
#define vrig_submit(r, n, ...) vrig_submit_n((r), (n), VRIG_RANGES(__VA_ARGS__))

static inline void vrig_notify(struct vrig *r, unsigned n)
{
	vrig_wr(r, VRIG_QUEUE_NOTIFY, n);
}

/*
 * Takes the next used entry, if there is one, and frees its descriptors. Asks for an interrupt of the next one, where
 * event indices are negotiated. `id` and `len` may be NULL.
 */
static inline bool vrig_used(struct vrig *r, unsigned n, uint32_t *id, uint32_t *len)
{
	struct vrig_queue *q = &r->q[n];
	uint32_t entry[2];

	if (vrig_get16(r, q->used + 2) == q->next_used)
		return false;
	vrig_get(r, q->used + 4 + q->next_used % q->size * 8u, entry, sizeof(entry));
	q->next_used++;
	assert_true(entry[0] < q->size);
	for (uint16_t at = (uint16_t)entry[0], next; q->taken[at]; at = next) {
		next = q->chain[at];
		q->taken[at] = false;
	}
	vrig_put16(r, q->avail + 4 + q->size * 2u, q->next_used);
	if (id)
		*id = entry[0];
	if (len)
		*len = entry[1];
	return true;
}

/* Waits for the next used entry. */
static inline void vrig_wait_used(struct vrig *r, unsigned n, uint32_t *id, uint32_t *len)
{
	rig_wait_for(vrig_used(r, n, id, len));
}

/* Submits, notifies, waits; the length that the device reports. Only one request may be open. */
static inline uint32_t vrig_request_n(struct vrig *r, unsigned n, const struct vrig_range *ranges, size_t count)
{
	uint16_t head = vrig_submit_n(r, n, ranges, count);
	uint32_t id, len;

	vrig_notify(r, n);
	vrig_wait_used(r, n, &id, &len);
	assert_int_equal(id, head);
	return len;
}
#define vrig_request(r, n, ...) vrig_request_n((r), (n), VRIG_RANGES(__VA_ARGS__))

/* --- What the device itself writes into snapshots --- */

struct vrig_saved {
	uint8_t *data; /* to be freed */
	size_t len;
};

static inline void vrig_save_more(void *saved, const void *data, size_t len)
{
	struct vrig_saved *s = saved;

	s->data = realloc(s->data, s->len + len + 1);
	assert_non_null(s->data);
	if (len)
		memcpy(s->data + s->len, data, len);
	s->len += len;
}

static inline struct vrig_saved vrig_save(struct vrig *r)
{
	struct vrig_saved s = {0};

	bis_machine_lock_devices(r->m);
	assert_ok(bis_module_class_of(r->mod)->save(bis_module_self(r->mod), vrig_save_more, &s));
	bis_machine_unlock_devices(r->m);
	return s;
}

/* 0 or -errno, as the device has it. */
static inline int vrig_restore(struct vrig *r, const void *data, size_t len)
{
	int err;

	bis_machine_lock_devices(r->m);
	err = bis_module_class_of(r->mod)->restore(bis_module_self(r->mod), data, len);
	bis_machine_unlock_devices(r->m);
	return err;
}

#endif
