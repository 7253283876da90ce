/*
 * A driver for tests of the virtio network device: the device, a back end that keeps what the guest sends, and guest
 * memory for frames.
 */
#ifndef BISCUIT_UNIT_NET_RIG_H
#define BISCUIT_UNIT_NET_RIG_H

#include "tests/unit/net_fake.h"
#include "tests/unit/virtio_rig.h"

enum { RX = 0, TX = 1, HEADER = 12 };
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6 };

#define F_CSUM	     (UINT64_C(1) << 0)
#define F_GUEST_CSUM (UINT64_C(1) << 1)
#define F_MAC	     (UINT64_C(1) << 5)
#define F_HOST_TSO4  (UINT64_C(1) << 11)
#define F_HOST_TSO6  (UINT64_C(1) << 12)
#define F_MRG_RXBUF  (UINT64_C(1) << 15)
#define F_STATUS     (UINT64_C(1) << 16)

struct net {
	struct vrig *r;
	struct net_back *back;
	uint64_t buffer; /* 128 KiB of guest memory */
};

/* As a driver writes it. */
struct header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

static const struct bis_module_class *const classes[] = {&bis_virtio_net_class, NULL};

/* The device comes first here, so that it does not know what the back end can do; see open_with. */
static inline struct net open_net(uint64_t features, unsigned size)
{
	struct net n = {.r = vrig_open_with(classes, "virtio-net")};

	n.back = net_back_plug(n.r->m, "net0", 0);
	vrig_start(n.r, features, 2, size);
	n.buffer = vrig_alloc(n.r, 1 << 17);
	return n;
}

static inline void close_net(struct net *n)
{
	vrig_close(n->r);
	free(n->back);
}

/* With a back end whose flags the device sees when it is made. */
static inline struct net open_with(unsigned back_flags, uint64_t features)
{
	struct net n = {.r = calloc(1, sizeof(*n.r))};
	char spec[64];

	assert_non_null(n.r);
	n.r->m = rig_create_with("rv64", 1, classes);
	n.r->next = RIG_DATA;
	n.back = net_back_plug(n.r->m, "net0", back_flags);
	snprintf(spec, sizeof(spec), "virtio-net,at=0x%x,irq=1", (unsigned)VRIG_WINDOW);
	n.r->mod = rig_add(n.r->m, spec);
	vrig_start(n.r, features, 2, 8);
	n.buffer = vrig_alloc(n.r, 1 << 17);
	return n;
}

static inline uint64_t field(struct net *n, const char *name)
{
	const struct bis_field *f = bis_field_find(bis_module_class_of(n->r->mod)->fields, name);
	char text[64];

	assert_non_null(f);
	assert_true(bis_field_format(f, bis_module_self(n->r->mod), text, sizeof(text)) > 0);
	return strtoull(text, NULL, 0);
}

static inline int ctl(struct net *n, const char *verb)
{
	char reply[64];
	int result;

	bis_machine_lock_devices(n->r->m);
	result = bis_module_class_of(n->r->mod)->ctl(bis_module_self(n->r->mod), verb, reply, sizeof(reply));
	bis_machine_unlock_devices(n->r->m);
	return result;
}

static inline void lifecycle(struct net *n, void (*step)(void *self))
{
	bis_machine_lock_devices(n->r->m);
	step(bis_module_self(n->r->mod));
	bis_machine_unlock_devices(n->r->m);
}

/* Bytes that tell their place. */
static inline const uint8_t *pattern(size_t len)
{
	static _Thread_local uint8_t bytes[BIS_NETDEV_FRAME + 1];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 5 + i / 256);
	return bytes;
}

/* Sends header and payload in one range each; the frame that comes out at the other end, or length 0. */
static inline struct net_frame send(struct net *n, const struct header *h, const void *payload, size_t len)
{
	size_t before = n->back->count;
	struct net_frame none = {0};

	vrig_put(n->r, n->buffer, h, HEADER);
	vrig_put(n->r, n->buffer + HEADER, payload, len);
	assert_int_equal(vrig_request(n->r, TX, VRIG_OUT(n->buffer, HEADER), VRIG_OUT(n->buffer + HEADER, len)), 0);
	return n->back->count == before ? none : n->back->got[before % NET_FAKE_FRAMES];
}

#endif
