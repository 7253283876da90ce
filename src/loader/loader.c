/*
 * The loaders as functions of a machine: <biscuit/loader.h>. Runs on the control thread.
 */
#include <biscuit/loader.h>

#include "src/loader/image_internal.h"

static unsigned hart_xlen(struct bis_machine *m)
{
	return bis_hart_isa(bis_machine_hart(m, 0))->xlen;
}

/* What a guest finds through a register or a 32-bit cell must lie below this; 0: anywhere. */
static uint64_t address_limit(struct bis_machine *m)
{
	return hart_xlen(m) == 32 ? UINT64_C(1) << 32 : 0;
}

int bis_load_kernel(struct bis_machine *m, const char *path, uint64_t raw_base, struct bis_image *out)
{
	struct bis_source s;
	int err = bis_source_open(&s, path);

	return err ? err : bis_image_load(bis_machine_memory(m), hart_xlen(m), &s, raw_base, out);
}

int bis_load_kernel_bytes(struct bis_machine *m, const char *name, const void *data, size_t size, uint64_t raw_base,
			  struct bis_image *out)
{
	struct bis_source s;
	int err = bis_source_from_bytes(&s, name, data, size);

	return err ? err : bis_image_load(bis_machine_memory(m), hart_xlen(m), &s, raw_base, out);
}

int bis_load_initrd(struct bis_machine *m, const char *path, uint64_t limit, uint64_t *start, uint64_t *end)
{
	uint64_t most = address_limit(m);

	if (most && (!limit || limit > most))
		limit = most;
	return bis_image_load_initrd(bis_machine_memory(m), path, limit, start, end);
}

int bis_place_dtb(struct bis_machine *m, const void *blob, size_t size, uint64_t avoid_start, uint64_t avoid_end,
		  uint64_t *where)
{
	return bis_image_place(bis_machine_memory(m), blob, size, address_limit(m), avoid_start, avoid_end, where);
}
