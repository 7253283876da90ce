/* Fuzz target: the virtio entropy device. */
#include "tests/fuzz/virtio_fuzz.h"

static const struct virtio_fuzz_target target = {.spec = "virtio-rng"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return virtio_fuzz_run(&target, data, size);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
