/* Fuzz target: the virtio network device, on a network that sends every frame back and frames of its own. */
#include <biscuit/netdev.h>

#include "modules/modules.h"
#include "tests/fuzz/virtio_fuzz.h"

enum { RX = 0, TX = 1, HEADER = 12 };
enum { POKE_DELIVER = 0, POKE_UNPLUG = 1, POKE_PLUG = 2, POKES = 3 }; /* value % POKES; the rest is the length */

struct echo {
	struct bis_netdev *netdev;
	uint8_t frame[BIS_NETDEV_FRAME];
};

static void echo_wake(void *self)
{
	struct echo *e = self;
	size_t len;

	while ((len = bis_netdev_fetch(e->netdev, e->frame))) {
		vf_require(len >= 14 && len <= sizeof(e->frame), "a frame of no length that frames have");
		bis_netdev_deliver(e->netdev, e->frame, len);
	}
}

/* The device under test, and before it the network. */
static int create_with_network(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct bis_netdev_ops ops = {.wake = echo_wake,
						  .flags = BIS_NETDEV_VERIFIED | BIS_NETDEV_SEGMENTS};
	static struct echo echo;

	vf_require(!bis_netdev_create(bis_module_machine(mod), "net0", &ops, &echo, &echo.netdev), "no network");
	return bis_virtio_net_class.create(mod, options, self);
}

static struct bis_module_class class_under_test;
static const struct bis_module_class *const classes[] = {&class_under_test, NULL};

static void poke(struct bis_machine *m, struct bis_module *mod, uint64_t value)
{
	static const uint8_t frame[BIS_NETDEV_FRAME] = {0xff};
	struct bis_netdev *n = bis_netdev_find(m, "net0");

	(void)mod;
	if (value % POKES == POKE_DELIVER) {
		bis_netdev_deliver(n, frame, value / POKES % (sizeof(frame) + 1));
		return;
	}
	bis_machine_lock_devices(m);
	bis_netdev_set_link(n, value % POKES == POKE_PLUG);
	bis_machine_unlock_devices(m);
}

static bool seed(struct vf_program *p, unsigned index)
{
	/* Checksum; a segment; each with 300 bytes behind it. */
	static const uint8_t headers[][HEADER] = {
		{0}, {1, 0, 0, 0, 0, 0, 34, 0, 16, 0}, {1, 1, 54, 0, 100, 0, 34, 0, 16, 0}};

	if (index >= sizeof(headers) / sizeof(headers[0]) * 2)
		return false;
	vf_start(p, index % 2 ? UINT64_MAX : UINT64_MAX & ~VIRTIO_F_EVENT_IDX, 16);
	vf_poke(p, POKE_PLUG);
	for (unsigned i = 0; i < 3; i++)
		vf_chain(p, RX, VF_IN(VF_DATA + 0x1000 * (i + 1), 150));
	vf_chain(p, RX, VF_IN(VF_DATA + 0x4000, 0x3000));
	vf_notify(p, RX);
	vf_poke(p, POKES * 60);
	vf_data(p, VF_DATA, headers[index / 2], HEADER);
	vf_chain(p, TX, VF_OUT(VF_DATA, HEADER + 300));
	vf_chain(p, TX, VF_OUT(VF_DATA, HEADER), VF_OUT(VF_DATA + 0x100, 60));
	vf_notify(p, TX);
	vf_poke(p, POKES * 3000);
	vf_settle(p);
	vf_poke(p, POKE_UNPLUG);
	vf_chain(p, TX, VF_OUT(VF_DATA, HEADER + 300));
	vf_notify(p, TX);
	vf_poke(p, POKE_PLUG);
	return true;
}

static const struct virtio_fuzz_target target = {
	.spec = "virtio-net", .classes = classes, .queues = 2, .poke = poke, .seed = seed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	class_under_test = bis_virtio_net_class;
	class_under_test.create = create_with_network;
	return virtio_fuzz_run(&target, data, size);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
