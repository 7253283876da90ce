/*
 * Fuzzing of virtio devices: an input is a program of register accesses, writes to guest memory and notifications
 * against one device in a machine that does not run. A target is a struct virtio_fuzz_target and two one-line
 * functions:
 *
 *     static const struct virtio_fuzz_target target = {.spec = "virtio-rng"};
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *     {
 *             return virtio_fuzz_run(&target, data, size);
 *     }
 *
 *     size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
 *     {
 *             return virtio_fuzz_seed(&target, index, buf, max);
 *     }
 *
 * Seeds common to all devices (bringing it up, chains in every queue, indirect tables, random programs) come by
 * themselves; `seed` adds the device's own with the vf_* functions. Whatever an input does, the device must come back
 * with a reset; everything else shows as a crash, a sanitizer report or a hang.
 */
#ifndef BISCUIT_VIRTIO_FUZZ_H
#define BISCUIT_VIRTIO_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>

#include "modules/virtio/virtio.h"
#include "src/machine/machine_internal.h"
#include "src/memory/bus_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/random.h"

/* Guest memory, as offsets from the start of RAM: the rings of each queue, then room for requests. */
#define VF_RAM_SIZE    0x40000u
#define VF_RINGS(q)    ((q)*0x4000u) /* descriptors; available ring at + 0x1000, used ring at + 0x2000 */
#define VF_DATA	       0x20000u
#define VF_DATA_SIZE   (VF_RAM_SIZE - VF_DATA)
#define VF_WINDOW      UINT64_C(0x10001000)
#define VF_SEED_CHAINS 3u
#define VF_SEED_COMMON (VF_SEED_CHAINS + 1)
#define VF_SEED_RANDOM 64u

struct vf_program;

struct virtio_fuzz_target {
	const char *spec;			       /* of the device, without at= and irq= */
	void (*make_spec)(char *spec, size_t size);    /* instead of `spec`, where something is to be prepared first */
	void (*prepare)(struct bis_machine *m);	       /* adds what the device needs. NULL: nothing */
	const struct bis_module_class *const *classes; /* NULL: the built-in ones */
	unsigned queues;			       /* that the device has; 0: one */
	/* Something from outside, such as input or a packet, that `value` chooses. Device lock not held. NULL: nothing.
	 */
	void (*poke)(struct bis_machine *m, struct bis_module *mod, uint64_t value);
	/* Writes seed `index` of the device's own; false beyond the last. NULL: none. */
	bool (*seed)(struct vf_program *p, unsigned index);
};

/* --- Programs --- */

enum vf_op {
	VF_REGISTER, /* write `value` to register `index` in width `flags` */
	VF_READ,     /* read register `index` in width `flags` */
	VF_START,    /* reset, negotiate the features in `value`, make the queues ready with `len` entries, DRIVER_OK */
	VF_DESC,     /* write descriptor `index` of `queue`; `value` is an offset from the start of RAM */
	VF_AVAILABLE, /* make chain `index` available */
	VF_INDEX,     /* set the available index of `queue` to `value` */
	VF_WORD,      /* write the word `len` to offset `value` */
	VF_BYTES,     /* write the `len` bytes that follow this record, padded to 8, to offset `value` */
	VF_NOTIFY,    /* notify `queue` */
	VF_SETTLE,    /* pause and resume the device, which waits for its workers */
	VF_RESET,     /* reset the device as a reset of the machine does */
	VF_ACK,	      /* acknowledge the interrupts */
	VF_POKE,      /* the target's own, with `value` */
	VF_OPS,
};

/* One step; an input is a row of them. */
struct vf_step {
	uint8_t op, queue;
	uint16_t index;
	uint16_t flags, next;
	uint32_t len, unused;
	uint64_t value;
};

/* A program being written; what does not fit is left out. */
struct vf_program {
	uint8_t *buf;
	size_t len, max;
	uint16_t next_desc[VIRTIO_QUEUES_MAX];
};

static inline void vf_put(struct vf_program *p, const void *bytes, size_t len)
{
	size_t padded = (len + 7) / 8 * 8;

	if (padded > p->max - p->len)
		return;
	memset(p->buf + p->len, 0, padded);
	memcpy(p->buf + p->len, bytes, len);
	p->len += padded;
}

static inline void vf_step(struct vf_program *p, struct vf_step s)
{
	vf_put(p, &s, sizeof(s));
}

/* Brings the device up with those of the features that it offers and queues of `size` entries. */
static inline void vf_start(struct vf_program *p, uint64_t features, unsigned size)
{
	vf_step(p, (struct vf_step){.op = VF_START, .len = size, .value = features});
}

/* Puts bytes into guest memory. */
static inline void vf_data(struct vf_program *p, uint32_t offset, const void *bytes, uint32_t len)
{
	vf_step(p, (struct vf_step){.op = VF_BYTES, .len = len, .value = offset});
	vf_put(p, bytes, len);
}

/* A range of a chain: offset in RAM, length, writable by the device. */
struct vf_range {
	uint32_t offset, len;
	bool writable;
};
#define VF_OUT(offset_, len_) ((struct vf_range){(offset_), (len_), false})
#define VF_IN(offset_, len_)  ((struct vf_range){(offset_), (len_), true})

/* Makes a chain available, in descriptors behind those of the last one. */
static inline void vf_chain_n(struct vf_program *p, unsigned queue, const struct vf_range *ranges, size_t count)
{
	uint16_t head = p->next_desc[queue];

	for (size_t i = 0; i < count; i++) {
		uint16_t at = p->next_desc[queue]++, more = i + 1 < count;

		vf_step(p, (struct vf_step){.op = VF_DESC,
					    .queue = (uint8_t)queue,
					    .index = at,
					    .flags = (uint16_t)(more | (ranges[i].writable ? 2 : 0)),
					    .next = (uint16_t)(at + 1),
					    .len = ranges[i].len,
					    .value = ranges[i].offset});
	}
	vf_step(p, (struct vf_step){.op = VF_AVAILABLE, .queue = (uint8_t)queue, .index = head});
}
#define vf_chain(p, queue, ...)                                                                                        \
	vf_chain_n((p), (queue), (const struct vf_range[]){__VA_ARGS__},                                               \
		   sizeof((struct vf_range[]){__VA_ARGS__}) / sizeof(struct vf_range))

static inline void vf_notify(struct vf_program *p, unsigned queue)
{
	vf_step(p, (struct vf_step){.op = VF_NOTIFY, .queue = (uint8_t)queue});
}

static inline void vf_settle(struct vf_program *p)
{
	vf_step(p, (struct vf_step){.op = VF_SETTLE});
}

static inline void vf_write_config(struct vf_program *p, unsigned off, unsigned size, uint64_t value)
{
	vf_step(p,
		(struct vf_step){
			.op = VF_REGISTER, .index = (uint16_t)(0x100 + off), .flags = (uint16_t)size, .value = value});
}

static inline void vf_poke(struct vf_program *p, uint64_t value)
{
	vf_step(p, (struct vf_step){.op = VF_POKE, .value = value});
}

/* --- The machine and one run --- */

struct vf_machine {
	const struct virtio_fuzz_target *target;
	struct bis_machine *m;
	struct bis_module *mod;
	uint64_t next_avail[VIRTIO_QUEUES_MAX];
	unsigned size; /* of the queues, a power of two */
};

static inline void vf_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "virtio_fuzz: %s (%s)\n", what, bis_error_message());
	abort();
}

/* One for the life of the process: a machine for each input would make most of the time pass in setting up. */
static inline struct vf_machine *vf_machine(const struct virtio_fuzz_target *target)
{
	static struct vf_machine machine;
	struct bis_machine_config cfg = {.ram_size = VF_RAM_SIZE,
					 .classes = target->classes ? target->classes : bis_builtin_modules};
	char spec[1024] = "", full[1100];
	size_t name;

	if (machine.m)
		return &machine;
	machine.target = target;
	vf_require(!bis_machine_create(&cfg, &machine.m), "no machine");
	if (target->make_spec)
		target->make_spec(spec, sizeof(spec));
	else
		snprintf(spec, sizeof(spec), "%s", target->spec);
	if (target->prepare)
		target->prepare(machine.m);
	name = strcspn(spec, ",");
	snprintf(full, sizeof(full), "%.*s,at=0x10001000,irq=1%s", (int)name, spec, spec + name);
	vf_require(!bis_machine_add(machine.m, full, &machine.mod), "no device");
	return &machine;
}

static inline void vf_write(struct vf_machine *f, unsigned off, unsigned size, uint64_t value)
{
	(void)bis_bus_write(f->m->bus, VF_WINDOW + off, size, value);
}

static inline uint64_t vf_read(struct vf_machine *f, unsigned off, unsigned size)
{
	uint64_t value = 0;

	(void)bis_bus_read(f->m->bus, VF_WINDOW + off, size, &value);
	return value;
}

static inline void vf_write_address(struct vf_machine *f, unsigned off, uint64_t pa)
{
	vf_write(f, off, 4, (uint32_t)pa);
	vf_write(f, off + 4, 4, pa >> 32);
}

/* To guest memory, as far as there is any. */
static inline void vf_store(struct vf_machine *f, uint64_t offset, const void *bytes, size_t len)
{
	if (bis_mem_write(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE + offset}, bytes, len))
		return;
}

static inline void vf_do_start(struct vf_machine *f, uint64_t features, uint32_t size)
{
	unsigned queues = f->target->queues ? f->target->queues : 1;

	for (f->size = 1; f->size < size && f->size < 256;)
		f->size *= 2;
	memset(f->next_avail, 0, sizeof(f->next_avail));
	vf_write(f, 0x70, 4, 0);
	vf_write(f, 0x70, 4, 3);
	for (unsigned half = 0; half < 2; half++) {
		vf_write(f, 0x14, 4, half);
		vf_write(f, 0x24, 4, half);
		vf_write(f, 0x20, 4, (features | VIRTIO_F_VERSION_1) >> (half * 32) & vf_read(f, 0x10, 4));
	}
	vf_write(f, 0x70, 4, 11);
	for (unsigned q = 0; q < queues; q++) {
		vf_write(f, 0x30, 4, q);
		vf_write(f, 0x38, 4, f->size);
		vf_write_address(f, 0x80, BIS_RAM_BASE + VF_RINGS(q));
		vf_write_address(f, 0x90, BIS_RAM_BASE + VF_RINGS(q) + 0x1000);
		vf_write_address(f, 0xa0, BIS_RAM_BASE + VF_RINGS(q) + 0x2000);
		vf_write(f, 0x44, 4, 1);
	}
	vf_write(f, 0x70, 4, 15);
}

static inline void vf_do_desc(struct vf_machine *f, const struct vf_step *s)
{
	struct {
		uint64_t pa;
		uint32_t len;
		uint16_t flags, next;
	} d = {BIS_RAM_BASE + s->value, s->len, s->flags, s->next};

	vf_store(f, VF_RINGS(s->queue % VIRTIO_QUEUES_MAX) + s->index % 256 * sizeof(d), &d, sizeof(d));
}

static inline void vf_do_available(struct vf_machine *f, const struct vf_step *s)
{
	unsigned q = s->queue % VIRTIO_QUEUES_MAX;
	uint64_t ring = VF_RINGS(q) + 0x1000;

	vf_store(f, ring + 4 + f->next_avail[q] % f->size * 2, &s->index, 2);
	f->next_avail[q]++;
	vf_store(f, ring + 2, &f->next_avail[q], 2);
}

/* A call of the module's lifecycle. */
static inline void vf_call(struct vf_machine *f, void (*call)(void *self))
{
	bis_machine_lock_devices(f->m);
	if (call)
		call(bis_module_self(f->mod));
	bis_machine_unlock_devices(f->m);
}

static inline void vf_do(struct vf_machine *f, const struct vf_step *s)
{
	const struct bis_module_class *class = bis_module_class_of(f->mod);
	unsigned width = s->flags & 0xf ? s->flags & 0xf : 4;

	switch (s->op % VF_OPS) {
	case VF_REGISTER:
		vf_write(f, s->index & 0x1ff, width, s->value);
		break;
	case VF_READ:
		vf_read(f, s->index & 0x1ff, width);
		break;
	case VF_START:
		vf_do_start(f, s->value, s->len);
		break;
	case VF_DESC:
		vf_do_desc(f, s);
		break;
	case VF_AVAILABLE:
		vf_do_available(f, s);
		break;
	case VF_INDEX:
		f->next_avail[s->queue % VIRTIO_QUEUES_MAX] = (uint16_t)s->value;
		vf_store(f, VF_RINGS(s->queue % VIRTIO_QUEUES_MAX) + 0x1002, &s->value, 2);
		break;
	case VF_WORD:
		vf_store(f, s->value, &s->len, 4);
		break;
	case VF_NOTIFY:
		vf_write(f, 0x50, 4, s->queue);
		break;
	case VF_SETTLE:
		vf_call(f, class->pause);
		vf_call(f, class->resume);
		break;
	case VF_RESET:
		vf_call(f, class->reset);
		break;
	case VF_ACK:
		vf_write(f, 0x64, 4, vf_read(f, 0x60, 4));
		break;
	case VF_POKE:
		if (f->target->poke)
			f->target->poke(f->m, f->mod, s->value);
		break;
	default:
		break;
	}
}

static inline int virtio_fuzz_run(const struct virtio_fuzz_target *target, const uint8_t *data, size_t size)
{
	struct vf_machine *f = vf_machine(target);
	struct vf_step s;
	size_t at = 0;

	f->size = 256;
	memset(f->next_avail, 0, sizeof(f->next_avail));
	vf_require(!bis_mem_fill(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE}, 0, VF_RAM_SIZE), "no RAM");
	while (size - at >= sizeof(s)) {
		memcpy(&s, data + at, sizeof(s));
		at += sizeof(s);
		if (s.op % VF_OPS == VF_BYTES) {
			size_t len = s.len < size - at ? s.len : size - at, padded = (len + 7) / 8 * 8;

			vf_store(f, s.value, data + at, len);
			at += padded < size - at ? padded : size - at;
			continue;
		}
		vf_do(f, &s);
	}
	vf_write(f, 0x70, 4, 0);
	vf_require(vf_read(f, 0x70, 4) == 0 && vf_read(f, 0x60, 4) == 0, "the device does not come back with a reset");
	vf_require(!bis_irq_level(bis_module_irq(f->mod, 0)), "the interrupt line is high after a reset");
	return 0;
}

/* --- Seeds --- */

/* Every register, and a device brought up by hand. */
static inline void vf_seed_registers(struct vf_program *p)
{
	static const struct {
		uint16_t index;
		uint32_t value;
	} writes[] = {
		{0x70, 3},
		{0x24, 0},
		{0x20, 0},
		{0x24, 1},
		{0x20, 1},
		{0x70, 11},
		{0x30, 0},
		{0x38, 16},
		{0x80, (uint32_t)BIS_RAM_BASE},
		{0x84, 0},
		{0x90, (uint32_t)BIS_RAM_BASE + 0x1000},
		{0x94, 0},
		{0xa0, (uint32_t)BIS_RAM_BASE + 0x2000},
		{0xa4, 0},
		{0x44, 1},
		{0x70, 15},
		{0x50, 0},
		{0x44, 0},
		{0x38, 32},
		{0x44, 1},
		{0x50, 0},
		{0x64, 3},
		{0x30, 1},
		{0x44, 1},
		{0x70, 0},
		{0x70, 15},
	};

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		vf_step(p, (struct vf_step){.index = writes[i].index, .value = writes[i].value});
	for (uint16_t off = 0; off < 0x110; off = (uint16_t)(off + 4)) {
		vf_step(p, (struct vf_step){.op = VF_READ, .index = off});
		vf_step(p, (struct vf_step){.op = VF_REGISTER, .index = off, .value = 1});
	}
	vf_step(p, (struct vf_step){.op = VF_REGISTER, .index = 0x100, .flags = 8, .value = UINT64_MAX});
}

/* Chains of a few forms in every queue, in order and then one of them again. */
static inline void vf_seed_chains(struct vf_program *p, unsigned index, unsigned queues)
{
	static const uint64_t features[VF_SEED_CHAINS] = {VIRTIO_F_VERSION_1, VIRTIO_F_EVENT_IDX, UINT64_MAX};
	static const uint8_t header[64] = {1, 0, 2, 0, 3};

	vf_start(p, features[index], index == 1 ? 8 : 256);
	for (unsigned q = 0; q < queues; q++) {
		vf_data(p, VF_DATA, header, sizeof(header));
		vf_chain(p, q, VF_OUT(VF_DATA, 16), VF_IN(VF_DATA + 0x1000, 512), VF_IN(VF_DATA + 0x2000, 1));
		vf_chain(p, q, VF_OUT(VF_DATA, 12), VF_OUT(VF_DATA + 0xffa, 100));
		vf_chain(p, q, VF_IN(VF_DATA + 0x3000, 0x3000));
		vf_notify(p, q);
		vf_step(p, (struct vf_step){.op = VF_AVAILABLE, .queue = (uint8_t)q});
		/* A table of two, in the place of the data. */
		vf_step(p, (struct vf_step){.op = VF_DESC,
					    .queue = (uint8_t)q,
					    .index = 7,
					    .flags = 4,
					    .len = 32,
					    .value = VF_RINGS(q)});
		vf_step(p, (struct vf_step){.op = VF_AVAILABLE, .queue = (uint8_t)q, .index = 7});
		vf_notify(p, q);
	}
	vf_settle(p);
	vf_step(p, (struct vf_step){.op = VF_ACK});
	vf_write_config(p, 0, 4, 1);
	vf_step(p, (struct vf_step){.op = VF_READ, .index = 0x100, .flags = 8});
}

/* Steps that are plausible one by one. */
static inline void vf_seed_random(struct vf_program *p, unsigned index, unsigned queues)
{
	uint64_t rng = 0x9e3779b97f4a7c15u * (index + 1);

	vf_start(p, xorshift(&rng), 1u << xorshift(&rng) % 9);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t r = xorshift(&rng);
		struct vf_step s = {.op = (uint8_t)(xorshift(&rng) % VF_OPS), .queue = (uint8_t)(r % queues)};

		if (s.op == VF_BYTES || s.op == VF_RESET || s.op == VF_START || (s.op == VF_REGISTER && r % 8))
			s.op = r % 4 ? VF_DESC : VF_AVAILABLE;
		s.index = (uint16_t)(s.op == VF_REGISTER ? xorshift(&rng) % 128 * 4 : xorshift(&rng) % 16);
		s.flags = (uint16_t)(s.op == VF_DESC ? xorshift(&rng) % 8 : 4);
		s.next = (uint16_t)(xorshift(&rng) % 16);
		s.len = (uint32_t)(xorshift(&rng) % 64 ? xorshift(&rng) % 64 * 16 : xorshift(&rng));
		s.value = s.op == VF_INDEX ? xorshift(&rng) % 32 : VF_DATA + xorshift(&rng) % VF_DATA_SIZE;
		vf_step(p, s);
		if (s.op == VF_AVAILABLE)
			vf_notify(p, s.queue);
	}
}

static inline size_t virtio_fuzz_seed(const struct virtio_fuzz_target *target, unsigned index, uint8_t *buf, size_t max)
{
	struct vf_program p = {.buf = buf, .max = max};
	unsigned queues = target->queues ? target->queues : 1;

	if (index < VF_SEED_CHAINS)
		vf_seed_chains(&p, index, queues);
	else if (index < VF_SEED_COMMON)
		vf_seed_registers(&p);
	else if (index < VF_SEED_COMMON + VF_SEED_RANDOM)
		vf_seed_random(&p, index, queues);
	else if (!target->seed || !target->seed(&p, index - VF_SEED_COMMON - VF_SEED_RANDOM))
		return 0;
	return p.len;
}

#endif
