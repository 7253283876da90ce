/* Fuzz target: the virtio keyboard, with keys from outside while the driver does with its queues what it likes. */
#include <biscuit/input.h>

#include "tests/fuzz/virtio_fuzz.h"

enum { EVENTS, STATUS, QUEUES };

static void poke(struct bis_machine *m, struct bis_module *mod, uint64_t value)
{
	struct bis_input_event events[64];
	size_t count = value >> 24 & 63;

	(void)mod;
	for (size_t i = 0; i < count; i++)
		events[i] = (struct bis_input_event){.kind = (enum bis_input_kind)(value & 7),
						     .code = (uint16_t)((value >> 8) + i),
						     .value = (uint32_t)(value >> 3 & 3),
						     .x = (int32_t)(value >> 32),
						     .y = -(int32_t)(i * 77)};
	bis_input_send(m, events, count);
}

static bool seed(struct vf_program *p, unsigned index)
{
	static const uint16_t lights[] = {0x11, 1, 1, 0, 0x11, 2, 0, 0};

	if (index > 1)
		return false;
	vf_write_config(p, 0, 1, 0x11);
	vf_write_config(p, 1, 1, 1);
	vf_step(p, (struct vf_step){.op = VF_READ, .index = 0x102, .flags = 1});
	vf_start(p, UINT64_MAX, 64);
	for (unsigned i = 0; i < 20; i++)
		vf_chain(p, EVENTS, VF_IN(VF_DATA + i * 8, 8));
	vf_notify(p, EVENTS);
	vf_data(p, VF_DATA + 0x1000, lights, sizeof(lights));
	vf_chain(p, STATUS, VF_OUT(VF_DATA + 0x1000, 16));
	vf_notify(p, STATUS);
	for (unsigned i = 0; i < (index ? 12u : 3u); i++)
		vf_poke(p, UINT64_C(40) << 24 | 30 << 8 | 8 * (i % 2));
	vf_settle(p);
	for (unsigned i = 0; i < 40; i++)
		vf_chain(p, EVENTS, VF_IN(VF_DATA + i * 8, 8));
	vf_notify(p, EVENTS);
	vf_chain(p, EVENTS, VF_IN(VF_DATA, 5));
	vf_poke(p, UINT64_C(1) << 24 | 30 << 8);
	return true;
}

static const struct virtio_fuzz_target target = {
	.spec = "virtio-keyboard", .queues = QUEUES, .poke = poke, .seed = seed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return virtio_fuzz_run(&target, data, size);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
