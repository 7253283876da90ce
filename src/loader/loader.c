/*
 * The loaders as functions of a machine: <biscuit/loader.h>. Runs on the control thread.
 */
#include <biscuit/loader.h>

#include "src/loader/image_internal.h"

/* What a 32-bit kernel maps in one piece: 1 GiB from the start of RAM. */
#define LIMIT_RV32 (BIS_RAM_BASE + (UINT64_C(1) << 30))

static unsigned hart_xlen(struct bis_machine *m)
{
	return bis_hart_isa(bis_machine_hart(m, 0))->xlen;
}

/* What a guest is to find beside the kernel must lie below this; 0: anywhere. */
static uint64_t address_limit(struct bis_machine *m)
{
	return hart_xlen(m) == 32 ? LIMIT_RV32 : 0;
}

/* The lower one of two limits, of which 0 is none. */
static uint64_t lower_limit(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

int bis_identify_kernel(const char *path, struct bis_image_info *out)
{
	struct bis_source s;
	int err = bis_source_open(&s, path);

	return err ? err : bis_image_identify(&s, out);
}

int bis_load_kernel(struct bis_machine *m, const char *path, uint64_t raw_base,
		    const struct bis_load_progress *progress, struct bis_image *out)
{
	struct bis_source s;
	int err = bis_source_open(&s, path);

	if (err)
		return err;
	s.progress = progress;
	return bis_image_load(bis_machine_memory(m), hart_xlen(m), &s, raw_base, out);
}

int bis_load_kernel_bytes(struct bis_machine *m, const char *name, const void *data, size_t size, uint64_t raw_base,
			  struct bis_image *out)
{
	struct bis_source s;
	int err = bis_source_from_bytes(&s, name, data, size);

	return err ? err : bis_image_load(bis_machine_memory(m), hart_xlen(m), &s, raw_base, out);
}

int bis_load_initrd(struct bis_machine *m, const char *path, uint64_t limit, const struct bis_load_progress *progress,
		    uint64_t *start, uint64_t *end)
{
	return bis_image_load_initrd(bis_machine_memory(m), path, lower_limit(limit, address_limit(m)), progress, start,
				     end);
}

int bis_place_dtb(struct bis_machine *m, const void *blob, size_t size, uint64_t avoid_start, uint64_t avoid_end,
		  uint64_t *where)
{
	return bis_image_place_dtb(bis_machine_memory(m), blob, size, address_limit(m), avoid_start, avoid_end, where);
}

int bis_place_fw_dynamic(struct bis_machine *m, uint64_t next, uint64_t limit, uint64_t avoid_start, uint64_t avoid_end,
			 uint64_t *where)
{
	return bis_image_place_fw_dynamic(bis_machine_memory(m), hart_xlen(m), next,
					  lower_limit(limit, address_limit(m)), avoid_start, avoid_end, where);
}
