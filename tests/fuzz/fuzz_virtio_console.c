/* Fuzz target: the virtio console, over a character device that is full at times and has input at times. */
#include <biscuit/chardev.h>

#include "tests/fuzz/virtio_fuzz.h"

enum { RECEIVE, TRANSMIT, QUEUES };
enum poke { POKE_TYPE, POKE_CHOKE, POKE_ACCEPT, POKES };

/* The back end, kept from input to input and brought back to its first state behind each. */
struct sink {
	struct bis_machine *m;
	struct bis_chardev *chardev;
	bool full;
};
static struct sink sink;

static size_t sink_write(void *self, const uint8_t *buf, size_t len)
{
	const struct sink *s = self;

	(void)buf;
	return s->full ? 0 : len;
}

static void sink_destroy(void *self)
{
	(void)self;
}

static void accept_all(struct sink *s)
{
	s->full = false;
	vf_require(bis_chardev_flush(s->chardev) == 0, "output is left");
}

static void poke(struct bis_machine *m, struct bis_module *mod, uint64_t value)
{
	static const struct bis_chardev_ops ops = {.write = sink_write, .destroy = sink_destroy};
	static uint8_t text[8192];

	(void)mod;
	bis_machine_lock_devices(m);
	if (!sink.m)
		vf_require(!bis_chardev_create(m, "console", &ops, &sink, &sink.chardev), "no character device");
	sink.m = m;
	switch (value % POKES) {
	case POKE_TYPE:
		bis_chardev_input(sink.chardev, text, value / POKES % sizeof(text));
		break;
	case POKE_CHOKE:
		sink.full = true;
		break;
	default:
		accept_all(&sink);
		break;
	}
	bis_machine_unlock_devices(m);
}

static bool seed(struct vf_program *p, unsigned index)
{
	static const char text[] = "hello, world\n";

	if (index > 1)
		return false;
	vf_start(p, UINT64_MAX, 64);
	vf_data(p, VF_DATA, text, sizeof(text));
	vf_poke(p, POKE_CHOKE);
	for (unsigned i = 0; i < 6; i++)
		vf_chain(p, TRANSMIT, VF_OUT(VF_DATA, 13), VF_OUT(VF_DATA, VF_DATA_SIZE / 4));
	vf_notify(p, TRANSMIT);
	vf_poke(p, POKE_TYPE + 1000 * POKES);
	vf_chain(p, RECEIVE, VF_IN(VF_DATA + 0x1000, 10), VF_IN(VF_DATA + 0x2000, 800));
	vf_chain(p, RECEIVE, VF_OUT(VF_DATA, 4));
	vf_notify(p, RECEIVE);
	vf_write_config(p, 8, 4, 'E');
	if (index) {
		vf_settle(p);
		vf_poke(p, POKE_ACCEPT);
		vf_chain(p, RECEIVE, VF_IN(VF_DATA, 0x4000));
		vf_poke(p, POKE_TYPE + 8000 * POKES);
	}
	return true;
}

static const struct virtio_fuzz_target target = {
	.spec = "virtio-console", .queues = QUEUES, .poke = poke, .seed = seed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t left[4096];
	int result = virtio_fuzz_run(&target, data, size);

	if (!sink.m)
		return result;
	bis_machine_lock_devices(sink.m);
	accept_all(&sink);
	while (bis_chardev_read(sink.chardev, left, sizeof(left)))
		;
	bis_machine_unlock_devices(sink.m);
	return result;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
