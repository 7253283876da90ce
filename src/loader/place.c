/*
 * Finding places beside the kernel: initial RAM disk, device tree blob, and what OpenSBI's fw_dynamic reads of its next
 * stage (struct fw_dynamic_info). Runs on the control thread.
 */
#include "image_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <biscuit/error.h>

#define LARGE_PAGE ((uint64_t)2 << 20)

int bis_image_load_initrd(struct bis_memory *mem, const char *path, uint64_t limit,
			  const struct bis_load_progress *progress, uint64_t *start, uint64_t *end)
{
	struct bis_mem_region r;
	struct bis_source s;
	uint64_t best = UINT64_MAX;
	char ram[128];
	int err = bis_source_open(&s, path);

	if (err)
		return err;
	for (size_t i = 0; !bis_mem_region(mem, i, &r); i++) {
		uint64_t top = r.base.v + r.size;

		if (r.of_device)
			continue;
		if (limit && limit < top)
			top = limit;
		if (s.size && top > r.base.v && s.size <= top - r.base.v)
			best = (top - s.size) & ~(uint64_t)(BIS_PAGE_SIZE - 1);
	}
	if (!s.size)
		err = bis_fail(ENOEXEC, "%s: is empty, expected an initial RAM disk", path);
	else if (best == UINT64_MAX)
		err = bis_fail(EFAULT, "%s: %" PRIu64 " bytes do not fit into RAM, which is %s", path, s.size,
			       bis_image_describe_ram(mem, ram, sizeof(ram)));
	if (!err) {
		s.progress = progress;
		bis_source_announce(&s, s.size);
		err = bis_source_to_ram(&s, 0, mem, best, s.size);
	}
	if (!err) {
		*start = best;
		*end = best + s.size;
	}
	bis_source_close(&s);
	return err;
}

/* Bytes to be put as high in RAM as they fit. */
struct wish {
	uint64_t size, align;
	uint64_t limit; /* 0: none */
	uint64_t avoid_start, avoid_end;
};

/* The highest place in [low, high); false if there is none. */
static bool highest_between(const struct wish *w, uint64_t low, uint64_t high, uint64_t *where)
{
	if (high <= low || w->size > high - low)
		return false;
	*where = (high - w->size) & ~(w->align - 1);
	return *where >= low;
}

static bool find_place(const struct bis_memory *mem, const struct wish *w, uint64_t *where)
{
	struct bis_mem_region r;
	bool found = false;

	for (size_t i = 0; !bis_mem_region(mem, i, &r); i++) {
		uint64_t low = r.base.v, high = low + r.size;

		if (r.of_device)
			continue;
		if (w->limit && w->limit < high)
			high = w->limit;
		if (w->avoid_end <= low || w->avoid_start >= high)
			found |= highest_between(w, low, high, where);
		else
			found |= highest_between(w, w->avoid_end, high, where) ||
				 highest_between(w, low, w->avoid_start, where);
	}
	return found;
}

int bis_image_place_dtb(struct bis_memory *mem, const void *blob, size_t size, uint64_t limit, uint64_t avoid_start,
			uint64_t avoid_end, uint64_t *where)
{
	struct wish w = {.size = size + BIS_DTB_SLACK,
			 .align = LARGE_PAGE,
			 .limit = limit,
			 .avoid_start = avoid_start,
			 .avoid_end = avoid_end};
	uint64_t place;
	int err;

	if (!find_place(mem, &w, &place)) {
		w.align = BIS_PAGE_SIZE;
		if (!find_place(mem, &w, &place))
			return bis_fail(ENOSPC,
					"device tree: no room for %zu bytes beside the kernel at 0x%" PRIx64
					"-0x%" PRIx64,
					size, avoid_start, avoid_end - 1);
	}
	err = bis_mem_write(mem, (bis_gpa){place}, blob, size);
	if (!err)
		*where = place;
	return err;
}

/* --- fw_dynamic --- */

#define INFO_MAGIC   0x4942534f /* "OSBI" */
#define INFO_VERSION 2
#define INFO_S_MODE  1
#define INFO_WORDS   6 /* magic, version, next address, next mode, options, boot hart */

int bis_image_place_fw_dynamic(struct bis_memory *mem, unsigned xlen, uint64_t next, uint64_t limit,
			       uint64_t avoid_start, uint64_t avoid_end, uint64_t *where)
{
	/* The boot hart is hart 0: all ones would let the harts draw lots. */
	const uint64_t words[INFO_WORDS] = {INFO_MAGIC, INFO_VERSION, next, INFO_S_MODE, 0, 0};
	const unsigned width = xlen / 8;
	struct wish w = {.size = INFO_WORDS * sizeof(uint64_t),
			 .align = BIS_PAGE_SIZE,
			 .limit = limit,
			 .avoid_start = avoid_start,
			 .avoid_end = avoid_end};
	uint8_t bytes[sizeof(words)];
	uint64_t place;
	int err;

	for (unsigned i = 0; i < INFO_WORDS * width; i++)
		bytes[i] = (uint8_t)(words[i / width] >> (8 * (i % width)));
	if (!find_place(mem, &w, &place))
		return bis_fail(ENOSPC, "firmware: no room to tell it the next stage; the machine needs more --memory");
	err = bis_mem_write(mem, (bis_gpa){place}, bytes, INFO_WORDS * width);
	if (!err)
		*where = place;
	return err;
}
