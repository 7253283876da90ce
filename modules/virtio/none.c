/*
 * The register window of no device (virtio 1.2, section 4.2.2: DeviceID 0 is a place without one), for guests that
 * probe all places of the board. Without state; any thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "modules/modules.h"
#include "modules/virtio/internal.h"

static enum bis_bus_result none_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	(void)self;
	(void)size;
	*val = off == 0 ? VIRTIO_MMIO_MAGIC : off == 4 ? VIRTIO_MMIO_VERSION : 0;
	return BIS_BUS_OK;
}

static enum bis_bus_result none_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	(void)self;
	(void)off;
	(void)size;
	(void)val;
	return BIS_BUS_OK;
}

static int none_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	void *state = malloc(1);

	(void)options;
	if (!state)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	*self = state;
	return 0;
}

static int none_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops window = {
		.size = VIRTIO_MMIO_WINDOW, .min_access = 4, .max_access = 4, .read = none_read, .write = none_write};

	(void)self;
	return bis_attach_mmio(mod, &window);
}

const struct bis_module_class bis_virtio_none_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "virtio-none",
	.summary = "place for a virtio device, without one",
	.create = none_create,
	.attach = none_attach,
	.destroy = free,
};
