/*
 * ELF files and images: what a good file puts where, and that a bad one changes nothing and says what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <biscuit/elf.h>
#include <biscuit/machine.h>

#include "src/loader/image_internal.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/unit.h"

#define RAM_SIZE UINT64_C(0x100000)
#define BASE	 BIS_RAM_BASE

/* RAM full of 0xa5, so that any write shows. */
static struct bis_memory *make_ram(void)
{
	struct bis_memory *mem;

	assert_ok(bis_memory_create(&mem));
	assert_ok(bis_memory_add_ram(mem, "ram", (bis_gpa){BASE}, RAM_SIZE));
	assert_ok(bis_mem_fill(mem, (bis_gpa){BASE}, 0xa5, RAM_SIZE));
	return mem;
}

static void assert_untouched(const struct bis_memory *mem)
{
	static uint8_t all[RAM_SIZE];

	assert_ok(bis_mem_read(mem, (bis_gpa){BASE}, all, sizeof(all)));
	for (size_t i = 0; i < sizeof(all); i++)
		if (all[i] != 0xa5)
			fail_msg("byte 0x%zx of RAM was written", i);
}

static int load_bytes(struct bis_memory *mem, unsigned xlen, const void *data, size_t size, struct bis_image *img)
{
	struct bis_source s;

	assert_ok(bis_source_from_bytes(&s, "test.elf", data, size));
	return bis_image_load(mem, xlen, &s, BASE, img);
}

static int load(struct bis_memory *mem, const struct elf_builder *e, struct bis_image *img)
{
	return load_bytes(mem, e->wide ? 64 : 32, e->b, e->size, img);
}

static uint8_t byte_at(const struct bis_memory *mem, uint64_t pa)
{
	uint8_t b;

	assert_ok(bis_mem_read(mem, (bis_gpa){pa}, &b, 1));
	return b;
}

/* One segment of 0x80 bytes in the file and 0x100 in memory at BASE + 0x1000. */
static void good_file(struct elf_builder *e, bool wide)
{
	elf_begin(e, wide);
	elf_set_segment(e, 0, BASE + 0x1000, BUILDER_CODE, 0x80, 0x100);
	elf_set_entry(e, BASE + 0x1004);
}

static void segments_go_to_their_physical_addresses(void **state)
{
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		struct bis_memory *mem = make_ram();
		struct bis_image img;
		struct elf_builder e;

		good_file(&e, wide);
		elf_set_segment(&e, 1, BASE, BUILDER_CODE + 0x80, 0x10, 0x10); /* listed later, lies lower */
		assert_ok(load(mem, &e, &img));
		assert_int_equal(img.entry, BASE + 0x1004);
		assert_int_equal(img.start, BASE);
		assert_int_equal(img.end, BASE + 0x1100);
		assert_int_equal(img.xlen, wide ? 64 : 32);
		assert_int_equal(img.tohost, 0);
		assert_int_equal(byte_at(mem, BASE + 0x1000 + 0x7f), e.b[BUILDER_CODE + 0x7f]);
		assert_int_equal(byte_at(mem, BASE + 3), e.b[BUILDER_CODE + 0x83]);
		assert_int_equal(byte_at(mem, BASE + 0x1080), 0);
		assert_int_equal(byte_at(mem, BASE + 0x10ff), 0);
		assert_int_equal(byte_at(mem, BASE + 0x1100), 0xa5);
		assert_int_equal(byte_at(mem, BASE + 0x10), 0xa5);
		bis_memory_destroy(mem);
	}
}

static void a_virtual_entry_is_translated_by_its_segment(void **state)
{
	struct bis_memory *mem = make_ram();
	struct bis_image img;
	struct elf_builder e;

	(void)state;
	good_file(&e, true);
	elf_put_word(&e, elf_segment_at(&e, 0), 8, 16, UINT64_C(0xffffffff80000000));
	elf_set_entry(&e, UINT64_C(0xffffffff80000010));
	assert_ok(load(mem, &e, &img));
	assert_int_equal(img.entry, BASE + 0x1010);
	bis_memory_destroy(mem);
}

/* A change to a good file that makes it bad: `value` in `size` bytes at `at`, and what must come of it. */
struct damage {
	unsigned at, size;
	uint64_t value;
	int err;
	const char *words;
};

static void assert_all_refused(bool wide, const struct damage *d, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct bis_memory *mem = make_ram();
		struct bis_image img;
		struct elf_builder e;

		good_file(&e, wide);
		elf_put(&e, d[i].at, d[i].size, d[i].value);
		assert_fails(load(mem, &e, &img), d[i].err, d[i].words);
		assert_non_null(strstr(bis_error_message(), "test.elf"));
		assert_untouched(mem);
		bis_memory_destroy(mem);
	}
}

static void damaged_elf64_is_refused_and_nothing_is_written(void **state)
{
	static const struct damage bad[] = {
		{4, 1, 3, -ENOEXEC, "class 3"},
		{5, 1, 2, -ENOEXEC, "big-endian"},
		{6, 1, 0, -ENOEXEC, "version 0"},
		{16, 2, 1, -ENOEXEC, "object file"},
		{16, 2, 4, -ENOEXEC, "type 4"},
		{18, 2, 62, -ENOEXEC, "machine 62"},
		{24, 8, BASE + 0x1100, -ENOEXEC, "entry"},
		{24, 8, BASE + 0x1005, -ENOEXEC, "odd"},
		{32, 8, BUILDER_SIZE - 55, -ENOEXEC, "truncated"},
		{32, 8, UINT64_MAX - 10, -ENOEXEC, "truncated"},
		{54, 2, 55, -ENOEXEC, "program headers"},
		{56, 2, 0, -ENOEXEC, "no segment"},
		{56, 2, 200, -ENOEXEC, "truncated"},
		{56, 2, 0xffff, -ENOEXEC, "program headers"},
		{64 + 8, 8, BUILDER_SIZE - 0x7f, -ENOEXEC, "truncated"},
		{64 + 8, 8, UINT64_MAX - 4, -ENOEXEC, "truncated"},
		{64 + 24, 8, 0x1000, -EFAULT, "0x80000000-0x800fffff"},
		{64 + 24, 8, BASE + RAM_SIZE - 0xff, -EFAULT, "0x800fff01-0x80100000"},
		{64 + 24, 8, UINT64_MAX - 0xfe, -ENOEXEC, "wraps"},
		{64 + 32, 8, 0x101, -ENOEXEC, "only 0x100 in memory"},
		{64 + 32, 8, UINT64_MAX, -ENOEXEC, "in memory"},
		{64 + 40, 8, UINT64_MAX, -ENOEXEC, "wraps"},
		{64 + 40, 8, RAM_SIZE, -EFAULT, "outside RAM"},
	};

	(void)state;
	assert_all_refused(true, bad, BIS_ARRAY_SIZE(bad));
}

static void damaged_elf32_is_refused_and_nothing_is_written(void **state)
{
	static const struct damage bad[] = {
		{18, 2, 8, -ENOEXEC, "machine 8"},
		{28, 4, BUILDER_SIZE - 31, -ENOEXEC, "truncated"},
		{28, 4, UINT32_MAX, -ENOEXEC, "truncated"},
		{42, 2, 31, -ENOEXEC, "program headers"},
		{44, 2, 300, -ENOEXEC, "truncated"},
		{52 + 4, 4, UINT32_MAX, -ENOEXEC, "truncated"},
		{52 + 12, 4, 0xfffffff0, -ENOEXEC, "wraps"},
		{52 + 16, 4, 0x200, -ENOEXEC, "in memory"},
		{52 + 20, 4, 0x7ffff000, -EFAULT, "outside RAM"},
	};

	(void)state;
	assert_all_refused(false, bad, BIS_ARRAY_SIZE(bad));
}

static void every_truncation_is_refused(void **state)
{
	struct bis_memory *mem = make_ram();
	struct elf_builder e;

	(void)state;
	good_file(&e, true);
	for (size_t size = 0; size < BUILDER_CODE + 0x80; size++) {
		struct bis_image img;

		assert_fails(load_bytes(mem, 64, e.b, size, &img), -ENOEXEC, "test.elf");
	}
	assert_untouched(mem);
	bis_memory_destroy(mem);
}

static void overlapping_segments_are_refused(void **state)
{
	struct bis_memory *mem = make_ram();
	struct bis_image img;
	struct elf_builder e;

	(void)state;
	good_file(&e, true);
	elf_set_segment(&e, 1, BASE + 0x10ff, BUILDER_CODE, 1, 1);
	assert_fails(load(mem, &e, &img), -ENOEXEC, "overlap");
	assert_untouched(mem);
	elf_set_segment(&e, 1, BASE + 0x1100, BUILDER_CODE, 1, 1);
	assert_ok(load(mem, &e, &img));
	bis_memory_destroy(mem);
}

static void the_wrong_width_names_the_right_one(void **state)
{
	struct bis_memory *mem = make_ram();
	struct bis_image img;
	struct elf_builder e;

	(void)state;
	good_file(&e, false);
	assert_fails(load_bytes(mem, 64, e.b, e.size, &img), -ENOEXEC, "--isa rv32");
	assert_untouched(mem);
	bis_memory_destroy(mem);
}

/* Sections: 1 .text, 2 symbols, 3 their names (also the section names). */
static void file_with_symbols(struct elf_builder *e, bool wide)
{
	static const char names[] = "\0tohost\0fromhost\0main\0.text";

	good_file(e, wide);
	memcpy(e->b + BUILDER_NAMES, names, sizeof(names));
	elf_set_section(e, 0, 0, 0, 0, 0, 0, 0, 0);
	elf_set_section(e, 1, 22, 1, 6, BASE + 0x1000, BUILDER_CODE, 0x20, 0);
	elf_set_section(e, 2, 0, 2, 0, 0, BUILDER_SYMBOLS, (wide ? 24 : 16) * 5, 3);
	elf_set_section(e, 3, 0, 3, 0, 0, BUILDER_NAMES, sizeof(names), 0);
	elf_put(e, elf_tail(e) + 8, 2, 3);
	elf_set_symbol(e, 1, 8, BASE + 0x1048, 1);
	elf_set_symbol(e, 2, 1, BASE + 0x1040, 1);
	elf_set_symbol(e, 3, 17, BASE + 0x1000, 2);
	elf_set_symbol(e, 4, 0xffffff, BASE + 0x1000, 2); /* no such name: left out */
}

static void symbols_and_code_are_found(void **state)
{
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		struct bis_memory *mem = make_ram();
		const struct bis_elf_symbol *syms;
		struct bis_elf_code code;
		struct bis_image img;
		struct elf_builder e;
		struct bis_elf *elf;
		size_t count;

		file_with_symbols(&e, wide);
		assert_ok(load(mem, &e, &img));
		assert_int_equal(img.tohost, BASE + 0x1040);
		assert_int_equal(img.fromhost, BASE + 0x1048);
		assert_ok(bis_elf_open_bytes("test.elf", e.b, e.size, &elf));
		assert_ok(bis_elf_symbols(elf, &syms, &count));
		assert_int_equal(count, 3);
		assert_string_equal(syms[0].name, "main");
		assert_string_equal(syms[1].name, "tohost");
		assert_string_equal(syms[2].name, "fromhost");
		assert_ok(bis_elf_code_get(elf, 0, &code));
		assert_string_equal(code.name, ".text");
		assert_int_equal(code.vaddr, BASE + 0x1000);
		assert_int_equal(code.size, 0x20);
		assert_fails(bis_elf_code_get(elf, 1, &code), -ENOENT, "1 executable");
		bis_elf_close(elf);
		bis_memory_destroy(mem);
	}
}

static void sections_are_found_by_name(void **state)
{
	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		uint64_t offset, size, vaddr;
		struct elf_builder e;
		struct bis_elf *elf;

		file_with_symbols(&e, wide);
		assert_ok(bis_elf_open_bytes("test.elf", e.b, e.size, &elf));
		assert_ok(bis_elf_section_get(elf, ".text", &offset, &size, &vaddr));
		assert_int_equal(offset, BUILDER_CODE);
		assert_int_equal(size, 0x20);
		assert_int_equal(vaddr, BASE + 0x1000);
		assert_fails(bis_elf_section_get(elf, ".data", &offset, &size, &vaddr), -ENOENT, "no section '.data'");
		bis_elf_close(elf);
		/* Compressed contents are none; neither are sections without names. */
		elf_put(&e, elf_section_at(&e, 1) + 8, 4, 6 | 0x800);
		assert_ok(bis_elf_open_bytes("test.elf", e.b, e.size, &elf));
		assert_fails(bis_elf_section_get(elf, ".text", &offset, &size, &vaddr), -ENOENT, "no section");
		bis_elf_close(elf);
		elf_put(&e, elf_tail(&e) + 8, 2, 99);
		assert_ok(bis_elf_open_bytes("test.elf", e.b, e.size, &elf));
		assert_fails(bis_elf_section_get(elf, ".text", &offset, &size, &vaddr), -ENOENT, "no section");
		bis_elf_close(elf);
	}
}

static void hostile_symbol_tables_are_refused_or_ignored(void **state)
{
	static const struct {
		unsigned section, field;
		uint64_t value;
		int err;
		const char *words;
	} bad[] = {
		{2, 24, BUILDER_SIZE, -ENOEXEC, "truncated"},	/* symbols behind the end */
		{2, 32, UINT64_MAX, -ENOEXEC, "truncated"},	/* endless symbols */
		{2, 40, 4, -ENOEXEC, "expected below 4"},	/* strings in no section */
		{2, 40, 1, -ENOEXEC, "type 1"},			/* strings in the code */
		{3, 24, UINT64_MAX - 3, -ENOEXEC, "truncated"}, /* strings that wrap */
		{1, 32, BUILDER_SIZE, -ENOEXEC, "truncated"},	/* code behind the end */
	};
	struct bis_image img;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		struct bis_memory *mem = make_ram();
		struct elf_builder e;

		file_with_symbols(&e, true);
		elf_put(&e, elf_section_at(&e, bad[i].section) + bad[i].field, bad[i].field == 40 ? 4 : 8,
			bad[i].value);
		assert_fails(load(mem, &e, &img), bad[i].err, bad[i].words);
		assert_untouched(mem);
		bis_memory_destroy(mem);
	}
	for (int i = 0; i < 2; i++) {
		struct bis_memory *mem = make_ram();
		struct elf_builder e;

		file_with_symbols(&e, true);
		elf_set_symbol(&e, 2, 1, i ? BASE + 0x1041 : BASE + RAM_SIZE - 4, 1); /* misaligned, outside RAM */
		assert_ok(load(mem, &e, &img));
		assert_int_equal(img.tohost, 0);
		bis_memory_destroy(mem);
	}
}

static void raw_images_go_to_the_base(void **state)
{
	struct bis_memory *mem = make_ram();
	uint8_t raw[128] = {0x13, 0, 0, 0};
	struct bis_image img;

	(void)state;
	assert_ok(load_bytes(mem, 64, raw, sizeof(raw), &img));
	assert_int_equal(img.entry, BASE);
	assert_int_equal(img.end, BASE + sizeof(raw));
	assert_int_equal(img.xlen, 0);
	assert_int_equal(byte_at(mem, BASE), 0x13);
	assert_int_equal(byte_at(mem, BASE + sizeof(raw)), 0xa5);

	/* The boot image header moves and widens it. */
	memcpy(raw + 56, "RSC\x05", 4);
	raw[9] = 0x20;
	raw[17] = 0x10;
	assert_ok(load_bytes(mem, 64, raw, sizeof(raw), &img));
	assert_int_equal(img.entry, BASE + 0x2000);
	assert_int_equal(img.end, BASE + 0x3000);
	assert_int_equal(byte_at(mem, BASE + 0x2fff), 0);
	bis_memory_destroy(mem);
}

static void bad_raw_images_are_refused(void **state)
{
	struct bis_memory *mem = make_ram();
	uint8_t raw[128] = {0x1f, 0x8b, 8};
	struct bis_image img;
	uint8_t *large = calloc(1, RAM_SIZE + 1);

	(void)state;
	assert_non_null(large);
	assert_fails(load_bytes(mem, 64, raw, 0, &img), -ENOEXEC, "0 bytes");
	assert_fails(load_bytes(mem, 64, raw, sizeof(raw), &img), -ENOEXEC, "gzip");
	memcpy(raw, "MZ\0\0zimg", 8);
	assert_fails(load_bytes(mem, 64, raw, sizeof(raw), &img), -ENOEXEC, "compressed EFI image");
	memcpy(raw, "\x28\xb5\x2f\xfd", 4);
	assert_fails(load_bytes(mem, 64, raw, sizeof(raw), &img), -ENOEXEC, "zstd");
	assert_fails(load_bytes(mem, 64, large, RAM_SIZE + 1, &img), -EFAULT, "0x80000000-0x80100000");
	memset(raw, 0, sizeof(raw));
	memcpy(raw + 56, "RSC\x05", 4);
	memset(raw + 16, 0xff, 8);
	assert_fails(load_bytes(mem, 64, raw, sizeof(raw), &img), -ENOEXEC, "image size");
	memset(raw + 8, 0xff, 8);
	assert_fails(load_bytes(mem, 64, raw, sizeof(raw), &img), -ENOEXEC, "text offset");
	assert_untouched(mem);
	free(large);
	bis_memory_destroy(mem);
}

static void files_and_buffers_load_alike(void **state)
{
	struct bis_memory *mem = make_ram();
	char path[] = "/tmp/test_elf.XXXXXX";
	struct elf_builder e;
	struct bis_image img;
	struct bis_source s;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	good_file(&e, true);
	assert_int_equal(write(fd, e.b, e.size), e.size);
	assert_ok(bis_source_open(&s, path));
	assert_ok(bis_image_load(mem, 64, &s, BASE, &img));
	assert_int_equal(byte_at(mem, BASE + 0x1011), e.b[BUILDER_CODE + 0x11]);
	close(fd);
	unlink(path);
	assert_fails(bis_source_open(&s, path), -ENOENT, path);
	assert_fails(bis_source_open(&s, "/"), -EISDIR, "directory");
	assert_fails(bis_source_open(&s, "/dev/null"), -EINVAL, "regular file");
	bis_memory_destroy(mem);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(segments_go_to_their_physical_addresses),
	cmocka_unit_test(a_virtual_entry_is_translated_by_its_segment),
	cmocka_unit_test(damaged_elf64_is_refused_and_nothing_is_written),
	cmocka_unit_test(damaged_elf32_is_refused_and_nothing_is_written),
	cmocka_unit_test(every_truncation_is_refused),
	cmocka_unit_test(overlapping_segments_are_refused),
	cmocka_unit_test(the_wrong_width_names_the_right_one),
	cmocka_unit_test(symbols_and_code_are_found),
	cmocka_unit_test(sections_are_found_by_name),
	cmocka_unit_test(hostile_symbol_tables_are_refused_or_ignored),
	cmocka_unit_test(raw_images_go_to_the_base),
	cmocka_unit_test(bad_raw_images_are_refused),
	cmocka_unit_test(files_and_buffers_load_alike),
};

int main(void)
{
	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
