/*
 * Loading kernels, initial RAM disks and device tree blobs into guest memory. The whole file is checked before the
 * first byte is written. A raw image with the header of the RISC-V Linux boot protocol ("boot image header") lies where
 * that header asks. Runs on the control thread.
 */
#include "image_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/elf.h>
#include <biscuit/error.h>

#include "src/loader/elf_internal.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* Two regions are named, more are only hinted at. */
static const char *describe_ram(const struct bis_memory *mem, char *buf, size_t size)
{
	struct bis_mem_region r;
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < 3 && !bis_mem_region(mem, i, &r); i++) {
		if (i == 2)
			len += (size_t)snprintf(buf + len, size - len, ", ...");
		else
			len += (size_t)snprintf(buf + len, size - len, "%s0x%" PRIx64 "-0x%" PRIx64, i ? ", " : "",
						r.base.v, r.base.v + (r.size - 1));
		if (len >= size)
			break;
	}
	return buf;
}

static int outside_ram(const struct bis_memory *mem, const char *name, const char *what, uint64_t start, uint64_t size)
{
	char ram[128];

	return bis_fail(EFAULT, "%s: %s at 0x%" PRIx64 "-0x%" PRIx64 " is outside RAM, which is %s", name, what, start,
			start + (size - 1), describe_ram(mem, ram, sizeof(ram)));
}

/* --- ELF --- */

static int check_elf(const struct bis_memory *mem, unsigned xlen, const struct bis_elf *elf, struct bis_image *img)
{
	const char *name = elf->source.name;
	struct bis_elf_segment g;

	if (bis_elf_xlen(elf) != xlen)
		return bis_fail(ENOEXEC, "%s: is an ELF%u file and the harts are rv%u; it needs --isa rv%u", name,
				bis_elf_xlen(elf), xlen, bis_elf_xlen(elf));
	img->start = UINT64_MAX;
	for (size_t i = 0; !bis_elf_segment_get(elf, i, &g); i++) {
		if (!bis_mem_is_ram(mem, (bis_gpa){g.paddr}, g.mem_size))
			return outside_ram(mem, name, "a segment", g.paddr, g.mem_size);
		img->start = MIN(img->start, g.paddr);
		img->end = g.paddr + g.mem_size; /* RAM does not reach the end of the address space */
	}
	if (bis_elf_to_physical(elf, bis_elf_entry(elf), &img->entry)) {
		/* Files linked at virtual addresses may name a physical entry. */
		img->entry = bis_elf_entry(elf);
		for (size_t i = 0;; i++) {
			if (bis_elf_segment_get(elf, i, &g))
				return bis_fail(ENOEXEC,
						"%s: the entry 0x%" PRIx64 " is in none of its segments, which are at "
						"0x%" PRIx64 "-0x%" PRIx64,
						name, img->entry, img->start, img->end - 1);
			if (img->entry >= g.paddr && img->entry - g.paddr < g.mem_size)
				break;
		}
	}
	if (img->entry & 1)
		return bis_fail(ENOEXEC, "%s: the entry 0x%" PRIx64 " is odd", name, img->entry);
	img->xlen = xlen;
	return 0;
}

/* The physical address of a symbol that names 8 aligned bytes of RAM; 0 otherwise. */
static int find_word(const struct bis_memory *mem, struct bis_elf *elf, const char *symbol, uint64_t *out)
{
	uint64_t value, pa;
	int err = bis_elf_symbol_value(elf, symbol, &value);

	*out = 0;
	if (err)
		return err == -ENOENT ? 0 : err;
	if (bis_elf_to_physical(elf, value, &pa))
		pa = value;
	if (pa % 8 == 0 && bis_mem_is_ram(mem, (bis_gpa){pa}, 8))
		*out = pa;
	return 0;
}

static int copy_segments(struct bis_memory *mem, const struct bis_elf *elf)
{
	struct bis_elf_segment g;
	int err = 0;

	for (size_t i = 0; !err && !bis_elf_segment_get(elf, i, &g); i++) {
		err = bis_source_to_ram(&elf->source, g.offset, mem, g.paddr, g.file_size);
		if (!err && g.mem_size > g.file_size)
			err = bis_mem_fill(mem, (bis_gpa){g.paddr + g.file_size}, 0, g.mem_size - g.file_size);
	}
	return err;
}

static int load_elf(struct bis_memory *mem, unsigned xlen, struct bis_elf *elf, struct bis_image *out)
{
	struct bis_image img = {0};
	int err = check_elf(mem, xlen, elf, &img);

	if (!err)
		err = find_word(mem, elf, "tohost", &img.tohost);
	if (!err)
		err = find_word(mem, elf, "fromhost", &img.fromhost);
	if (!err)
		err = copy_segments(mem, elf);
	if (!err)
		*out = img;
	return err;
}

/* --- Raw images --- */

/*
 * Moves `base` by the text offset and widens `size` to the image size, where the file begins with the header of the
 * RISC-V Linux boot protocol: text offset at 8, image size at 16, magic number at 56.
 */
static int apply_header(const struct bis_source *s, uint64_t *base, uint64_t *size)
{
	uint8_t h[64];
	uint64_t offset, image_size;
	int err;

	if (!bis_source_has(s, 0, sizeof(h)))
		return 0;
	err = bis_source_read(s, 0, h, sizeof(h));
	if (err || memcmp(h + 56, "RSC\x05", 4))
		return err;
	offset = bis_elf_number(h + 8, 8);
	image_size = bis_elf_number(h + 16, 8);
	if (offset > UINT64_MAX - *base || image_size > UINT64_MAX - (*base + offset))
		return bis_fail(ENOEXEC, "%s: its header gives text offset 0x%" PRIx64 " and image size 0x%" PRIx64,
				s->name, offset, image_size);
	*base += offset;
	if (image_size > *size)
		*size = image_size;
	return 0;
}

static int check_raw(const struct bis_source *s)
{
	uint8_t head[2];
	int err;

	if (s->size < 4)
		return bis_fail(ENOEXEC, "%s: has %" PRIu64 " bytes, expected an ELF file or a raw image", s->name,
				s->size);
	err = bis_source_read(s, 0, head, sizeof(head));
	if (!err && head[0] == 0x1f && head[1] == 0x8b)
		return bis_fail(ENOEXEC, "%s: is compressed with gzip, expected an ELF file or a raw image", s->name);
	return err;
}

static int load_raw(struct bis_memory *mem, const struct bis_source *s, uint64_t base, struct bis_image *out)
{
	uint64_t size = s->size;
	int err = check_raw(s);

	if (!err)
		err = apply_header(s, &base, &size);
	if (err)
		return err;
	if (!bis_mem_is_ram(mem, (bis_gpa){base}, size))
		return outside_ram(mem, s->name, "the raw image", base, size);
	err = bis_source_to_ram(s, 0, mem, base, s->size);
	if (!err && size > s->size)
		err = bis_mem_fill(mem, (bis_gpa){base + s->size}, 0, size - s->size);
	if (!err)
		*out = (struct bis_image){.entry = base, .start = base, .end = base + size};
	return err;
}

int bis_image_load(struct bis_memory *mem, unsigned xlen, struct bis_source *s, uint64_t raw_base,
		   struct bis_image *out)
{
	struct bis_elf *elf;
	int err;

	if (!bis_elf_is(s)) {
		err = load_raw(mem, s, raw_base, out);
		bis_source_close(s);
		return err;
	}
	err = bis_elf_from_source(s, &elf);
	if (err) {
		bis_source_close(s);
		return err;
	}
	err = load_elf(mem, xlen, elf, out);
	bis_elf_close(elf);
	return err;
}

/* --- Beside the kernel --- */

int bis_image_load_initrd(struct bis_memory *mem, const char *path, uint64_t limit, uint64_t *start, uint64_t *end)
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

		if (limit && limit < top)
			top = limit;
		if (s.size && top > r.base.v && s.size <= top - r.base.v)
			best = (top - s.size) & ~(uint64_t)(BIS_PAGE_SIZE - 1);
	}
	if (!s.size)
		err = bis_fail(ENOEXEC, "%s: is empty, expected an initial RAM disk", path);
	else if (best == UINT64_MAX)
		err = bis_fail(EFAULT, "%s: %" PRIu64 " bytes do not fit into RAM, which is %s", path, s.size,
			       describe_ram(mem, ram, sizeof(ram)));
	else
		err = bis_source_to_ram(&s, 0, mem, best, s.size);
	if (!err) {
		*start = best;
		*end = best + s.size;
	}
	bis_source_close(&s);
	return err;
}

/* The highest page-aligned place for `size` bytes in [low, high); false if there is none. */
static bool highest_place(uint64_t low, uint64_t high, uint64_t size, uint64_t *where)
{
	if (high <= low || size > high - low)
		return false;
	*where = (high - size) & ~(uint64_t)(BIS_PAGE_SIZE - 1);
	return *where >= low;
}

int bis_image_place(struct bis_memory *mem, const void *blob, size_t size, uint64_t limit, uint64_t avoid_start,
		    uint64_t avoid_end, uint64_t *where)
{
	struct bis_mem_region r;
	uint64_t best = UINT64_MAX, place;
	int err;

	for (size_t i = 0; !bis_mem_region(mem, i, &r); i++) {
		uint64_t low = r.base.v, high = low + r.size;

		if (limit && limit < high)
			high = limit;
		if (avoid_end <= low || avoid_start >= high) {
			if (highest_place(low, high, size, &place))
				best = place;
		} else if (highest_place(avoid_end, high, size, &place) ||
			   highest_place(low, avoid_start, size, &place)) {
			best = place;
		}
	}
	if (best == UINT64_MAX)
		return bis_fail(ENOSPC,
				"device tree: no room for %zu bytes beside the kernel at 0x%" PRIx64 "-0x%" PRIx64,
				size, avoid_start, avoid_end);
	err = bis_mem_write(mem, (bis_gpa){best}, blob, size);
	if (!err)
		*where = best;
	return err;
}
