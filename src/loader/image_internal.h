/* Loading into guest memory, apart from the machine around it. */
#ifndef BISCUIT_IMAGE_INTERNAL_H
#define BISCUIT_IMAGE_INTERNAL_H

#include <biscuit/loader.h>
#include <biscuit/memory.h>

#include "src/loader/source_internal.h"

/* As bis_load_kernel, for harts of width `xlen`. Takes over the source whether it succeeds or not. */
BIS_MUST_CHECK int bis_image_load(struct bis_memory *mem, unsigned xlen, struct bis_source *s, uint64_t raw_base,
				  struct bis_image *out);
/* As bis_identify_kernel. Takes over the source whether it succeeds or not. */
BIS_MUST_CHECK int bis_image_identify(struct bis_source *s, struct bis_image_info *out);
/* Names the regions of RAM, for messages: two of them, more are only hinted at. Returns buf. */
const char *bis_image_describe_ram(const struct bis_memory *mem, char *buf, size_t size);

/* As bis_load_initrd. */
BIS_MUST_CHECK int bis_image_load_initrd(struct bis_memory *mem, const char *path, uint64_t limit,
					 const struct bis_load_progress *progress, uint64_t *start, uint64_t *end);
/* As bis_place_dtb, below `limit` (0: anywhere). */
BIS_MUST_CHECK int bis_image_place_dtb(struct bis_memory *mem, const void *blob, size_t size, uint64_t limit,
				       uint64_t avoid_start, uint64_t avoid_end, uint64_t *where);
/* As bis_place_fw_dynamic, for harts of width `xlen` and below `limit` (0: anywhere). */
BIS_MUST_CHECK int bis_image_place_fw_dynamic(struct bis_memory *mem, unsigned xlen, uint64_t next, uint64_t limit,
					      uint64_t avoid_start, uint64_t avoid_end, uint64_t *where);

#endif
