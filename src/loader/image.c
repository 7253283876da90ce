/*
 * Loading kernels and firmware into guest memory. The whole file is checked before the first byte is written. A raw
 * image with the header of the RISC-V Linux boot protocol ("boot image header") lies where that header asks. Runs on
 * the control thread.
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

const char *bis_image_describe_ram(const struct bis_memory *mem, char *buf, size_t size)
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
			start + (size - 1), bis_image_describe_ram(mem, ram, sizeof(ram)));
}

/* --- ELF --- */

/* Files linked at virtual addresses may also name a physical entry. False: the entry is in none of the segments. */
static bool physical_entry(const struct bis_elf *elf, uint64_t *entry)
{
	struct bis_elf_segment g;

	*entry = bis_elf_entry(elf);
	if (!bis_elf_to_physical(elf, *entry, entry))
		return true;
	for (size_t i = 0; !bis_elf_segment_get(elf, i, &g); i++)
		if (*entry >= g.paddr && *entry - g.paddr < g.mem_size)
			return true;
	return false;
}

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
	if (!physical_entry(elf, &img->entry))
		return bis_fail(ENOEXEC,
				"%s: the entry 0x%" PRIx64 " is in none of its segments, which are at "
				"0x%" PRIx64 "-0x%" PRIx64,
				name, img->entry, img->start, img->end - 1);
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

static int copy_segments(struct bis_memory *mem, struct bis_elf *elf)
{
	struct bis_elf_segment g;
	uint64_t total = 0;
	int err = 0;

	for (size_t i = 0; !bis_elf_segment_get(elf, i, &g); i++)
		total += g.file_size;
	bis_source_announce(&elf->source, total);
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

struct boot_header {
	bool present;
	uint64_t text_offset, image_size;
};

/* The RISC-V Linux boot protocol: text offset at 8, image size at 16, magic number at 56. */
static int read_boot_header(const struct bis_source *s, struct boot_header *out)
{
	uint8_t h[64];
	int err;

	*out = (struct boot_header){0};
	if (!bis_source_has(s, 0, sizeof(h)))
		return 0;
	err = bis_source_read(s, 0, h, sizeof(h));
	if (err || memcmp(h + 56, "RSC\x05", 4))
		return err;
	*out = (struct boot_header){
		.present = true,
		.text_offset = bis_elf_number(h + 8, 8),
		.image_size = bis_elf_number(h + 16, 8),
	};
	return 0;
}

/* Where the image is to lie, and how much memory it takes. */
static int place_raw(const struct bis_source *s, uint64_t raw_base, uint64_t *base, uint64_t *size)
{
	struct boot_header h;
	int err = read_boot_header(s, &h);

	*base = raw_base;
	*size = s->size;
	if (err || !h.present)
		return err;
	if (h.text_offset > UINT64_MAX - BIS_RAM_BASE || h.image_size > UINT64_MAX - (BIS_RAM_BASE + h.text_offset))
		return bis_fail(ENOEXEC, "%s: its header gives text offset 0x%" PRIx64 " and image size 0x%" PRIx64,
				s->name, h.text_offset, h.image_size);
	if (h.text_offset & 1)
		return bis_fail(ENOEXEC, "%s: its header gives the odd text offset 0x%" PRIx64, s->name, h.text_offset);
	*base = BIS_RAM_BASE + h.text_offset;
	if (h.image_size > *size)
		*size = h.image_size;
	return 0;
}

/* What a raw image must not be: it would be executed as it is. */
static const struct {
	unsigned offset;
	const char *bytes, *name;
} packed[] = {
	{0, "\x1f\x8b", "compressed with gzip, unpack it with gunzip"},
	{0,
	 "\xfd"
	 "7zXZ",
	 "compressed with xz, unpack it with unxz"},
	{0, "\x28\xb5\x2f\xfd", "compressed with zstd, unpack it with unzstd"},
	{0, "BZh", "compressed with bzip2, unpack it with bunzip2"},
	{4, "zimg", "a compressed EFI image, take the kernel's own 'Image'"},
	{0, "\x27\x05\x19\x56", "packed for U-Boot, take the kernel's own 'Image'"},
};

static int check_raw(const struct bis_source *s)
{
	uint8_t head[8] = {0};
	int err;

	if (s->size < 4)
		return bis_fail(ENOEXEC, "%s: has %" PRIu64 " bytes, expected an ELF file or a raw image", s->name,
				s->size);
	err = bis_source_read(s, 0, head, (size_t)MIN(s->size, sizeof(head)));
	for (size_t i = 0; !err && i < BIS_ARRAY_SIZE(packed); i++)
		if (!memcmp(head + packed[i].offset, packed[i].bytes, strlen(packed[i].bytes)))
			err = bis_fail(ENOEXEC, "%s: is %s; expected an ELF file or a raw image", s->name,
				       packed[i].name);
	return err;
}

static int load_raw(struct bis_memory *mem, struct bis_source *s, uint64_t raw_base, struct bis_image *out)
{
	uint64_t base, size;
	int err = check_raw(s);

	if (!err)
		err = place_raw(s, raw_base, &base, &size);
	if (err)
		return err;
	if (!bis_mem_is_ram(mem, (bis_gpa){base}, size))
		return outside_ram(mem, s->name, "the raw image", base, size);
	bis_source_announce(s, s->size);
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

/* --- What is it? --- */

static int identify_raw(const struct bis_source *s, struct bis_image_info *out)
{
	struct boot_header h;
	int err = check_raw(s);

	if (!err)
		err = read_boot_header(s, &h);
	if (err)
		return err;
	*out = (struct bis_image_info){.kind = BIS_IMAGE_RAW};
	if (!h.present)
		return 0;
	out->kind = BIS_IMAGE_LINUX;
	out->entry = BIS_RAM_BASE + h.text_offset;
	/* The protocol wants the size of a large page: the header does not give the width otherwise. */
	out->xlen = h.text_offset == BIS_NEXT_STAGE_RV32 ? 32 : h.text_offset == BIS_NEXT_STAGE_RV64 ? 64 : 0;
	return 0;
}

int bis_image_identify(struct bis_source *s, struct bis_image_info *out)
{
	struct bis_elf *elf;
	uint64_t entry;
	int err;

	if (!bis_elf_is(s)) {
		err = identify_raw(s, out);
		bis_source_close(s);
		return err;
	}
	err = bis_elf_from_source(s, &elf);
	if (err) {
		bis_source_close(s);
		return err;
	}
	(void)physical_entry(elf, &entry); /* an entry in no segment is for the loading to refuse */
	*out = (struct bis_image_info){.kind = BIS_IMAGE_ELF, .xlen = bis_elf_xlen(elf), .entry = entry};
	bis_elf_close(elf);
	return 0;
}
