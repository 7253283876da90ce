/* Fuzz target: the virtio balloon; the pages that it discards may be those of its own rings. */
#include <inttypes.h>

#include "tests/fuzz/virtio_fuzz.h"

enum { INFLATE, DEFLATE, STATS, REPORT, QUEUES = 5 };

#define PFN ((uint32_t)(BIS_RAM_BASE >> 12))

/* A verb of the host; which, `value` says. */
static void poke(struct bis_machine *m, struct bis_module *mod, uint64_t value)
{
	char verb[64] = "stats", reply[128] = "";
	int err;

	if (value & 1)
		snprintf(verb, sizeof(verb), "target %" PRIu64, value & ~UINT64_C(1));
	bis_machine_lock_devices(m);
	err = bis_module_class_of(mod)->ctl(bis_module_self(mod), verb, reply, sizeof(reply));
	bis_machine_unlock_devices(m);
	vf_require(err == 0 || err == -EINVAL, "a verb has another result");
	vf_require(err != 0 || strlen(reply) > 0, "a verb has no reply");
}

static bool seed(struct vf_program *p, unsigned index)
{
	static const uint32_t pfns[] = {PFN + 0x30, PFN + 0x32, PFN + 0x31, PFN + 0x3f, PFN + 0x40,
					PFN - 1,    UINT32_MAX, PFN + 0x31, 0,		PFN};
	static const uint16_t stats[] = {4, 0, 0x100, 0, 0, 5, 0, 0x200, 0, 0};

	if (index > 2)
		return false;
	vf_start(p, index == 1 ? ~UINT64_C(2) : UINT64_MAX, 16);
	vf_data(p, VF_DATA, pfns, sizeof(pfns));
	vf_data(p, VF_DATA + 0x1000, stats, sizeof(stats));
	vf_chain(p, INFLATE, VF_OUT(VF_DATA, index == 2 ? 40 : 32), VF_OUT(VF_DATA + 2, 8));
	vf_notify(p, INFLATE);
	vf_chain(p, STATS, VF_OUT(VF_DATA + 0x1000, 20));
	vf_notify(p, STATS);
	vf_poke(p, 0);
	vf_settle(p);
	vf_chain(p, REPORT, VF_IN(VF_DATA + 0x8000, 0x4000), VF_IN(VF_DATA + 0xc010, 0x1fff));
	vf_notify(p, REPORT);
	vf_chain(p, DEFLATE, VF_OUT(VF_DATA, 32));
	vf_notify(p, DEFLATE);
	vf_write_config(p, 4, 4, 8);
	vf_poke(p, 0x20001);
	vf_settle(p);
	return true;
}

static const struct virtio_fuzz_target target = {
	.spec = "virtio-balloon", .queues = QUEUES, .poke = poke, .seed = seed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return virtio_fuzz_run(&target, data, size);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
