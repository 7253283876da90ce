/*
 * What lies beside a kernel, and what a file to boot is: places in RAM, the information for fw_dynamic, identification
 * without loading, and progress.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/loader/image_internal.h"
#include "tests/unit/elf_builder.h"
#include "tests/unit/unit.h"

#define MIB	 ((uint64_t)1 << 20)
#define RAM_SIZE (16 * MIB)
#define BASE	 BIS_RAM_BASE

static struct bis_memory *make_ram(uint64_t size)
{
	struct bis_memory *mem;

	assert_ok(bis_memory_create(&mem));
	assert_ok(bis_memory_add_ram(mem, "ram", (bis_gpa){BASE}, size));
	return mem;
}

/* A file with these contents; its path goes into `path`. */
static void make_file(char *path, size_t room, const void *data, size_t size)
{
	int fd;

	snprintf(path, room, "/tmp/test_loader.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/* --- Device tree --- */

static void a_device_tree_lies_at_a_large_page_near_the_end_of_ram(void **state)
{
	struct bis_memory *mem = make_ram(RAM_SIZE);
	static uint8_t blob[0x1800];
	uint8_t back[sizeof(blob)];
	uint64_t where;

	(void)state;
	memset(blob, 0x5a, sizeof(blob));
	assert_ok(bis_image_place_dtb(mem, blob, sizeof(blob), 0, BASE, BASE + MIB, &where));
	assert_int_equal(where, BASE + 14 * MIB);
	assert_ok(bis_mem_read(mem, (bis_gpa){where}, back, sizeof(back)));
	assert_memory_equal(blob, back, sizeof(back));
	assert_ok(bis_image_place_dtb(mem, blob, sizeof(blob), BASE + 5 * MIB, BASE, BASE + MIB, &where));
	assert_int_equal(where, BASE + 4 * MIB);
	/* Below a kernel that takes the end of RAM. */
	assert_ok(bis_image_place_dtb(mem, blob, sizeof(blob), 0, BASE + 9 * MIB, BASE + RAM_SIZE, &where));
	assert_int_equal(where, BASE + 8 * MIB);
	bis_memory_destroy(mem);
}

static void a_device_tree_makes_do_with_a_small_page(void **state)
{
	struct bis_memory *mem = make_ram(MIB);
	static uint8_t blob[0x1800];
	uint64_t where, end = BASE + MIB;

	(void)state;
	assert_ok(bis_image_place_dtb(mem, blob, sizeof(blob), 0, BASE, BASE + 0x1000, &where));
	assert_int_equal(where % BIS_PAGE_SIZE, 0);
	assert_true(where + sizeof(blob) + BIS_DTB_SLACK <= end);
	assert_true(where + sizeof(blob) + BIS_DTB_SLACK + BIS_PAGE_SIZE > end);
	assert_ok(bis_image_place_dtb(mem, blob, sizeof(blob), 0, BASE + 0x10000, end - 0x1000, &where));
	assert_true(where + sizeof(blob) + BIS_DTB_SLACK <= BASE + 0x10000);
	assert_fails(bis_image_place_dtb(mem, blob, sizeof(blob), 0, BASE + 0x1000, end - 0x1000, &where), -ENOSPC,
		     "no room");
	bis_memory_destroy(mem);
}

/* --- fw_dynamic --- */

/* The structure's fields are as wide as a register: magic, version, next address, next mode, options, boot hart. */
static void fw_dynamic_gets_its_structure_in_the_width_of_the_harts(void **state)
{
	struct bis_memory *mem = make_ram(RAM_SIZE);
	const uint64_t expected[] = {0x4942534f, 2, BASE + 2 * MIB, 1, 0, 0};

	(void)state;
	for (unsigned width = 4; width <= 8; width += 4) {
		uint64_t where, word;

		assert_ok(bis_mem_fill(mem, (bis_gpa){BASE}, 0xa5, RAM_SIZE));
		assert_ok(bis_image_place_fw_dynamic(mem, 8 * width, BASE + 2 * MIB, BASE + 14 * MIB, BASE,
						     BASE + 3 * MIB, &where));
		assert_true(where >= BASE + 3 * MIB && where < BASE + 14 * MIB);
		for (size_t i = 0; i < BIS_ARRAY_SIZE(expected); i++) {
			assert_ok(bis_mem_load(mem, (bis_gpa){where + i * width}, width, &word));
			assert_int_equal(word, expected[i]);
		}
		assert_ok(bis_mem_load(mem, (bis_gpa){where + 6 * width}, width, &word));
		assert_int_equal(word & 0xff, 0xa5);
	}
	bis_memory_destroy(mem);
}

static void without_room_fw_dynamic_is_refused(void **state)
{
	struct bis_memory *mem = make_ram(RAM_SIZE);
	uint64_t where;

	(void)state;
	assert_fails(bis_image_place_fw_dynamic(mem, 64, BASE, 0, BASE, BASE + RAM_SIZE, &where), -ENOSPC, "--memory");
	bis_memory_destroy(mem);
}

/* --- Initial RAM disk --- */

static void an_initial_ram_disk_lies_right_below_its_limit(void **state)
{
	struct bis_memory *mem = make_ram(MIB);
	static uint8_t data[0x1800];
	uint64_t start, end;
	uint8_t last;
	char path[40];

	(void)state;
	memset(data, 0x77, sizeof(data));
	make_file(path, sizeof(path), data, sizeof(data));
	assert_ok(bis_image_load_initrd(mem, path, 0, NULL, &start, &end));
	assert_int_equal(start, BASE + MIB - 0x2000);
	assert_int_equal(end, start + sizeof(data));
	assert_ok(bis_mem_read(mem, (bis_gpa){end - 1}, &last, 1));
	assert_int_equal(last, 0x77);
	assert_ok(bis_image_load_initrd(mem, path, BASE + 0x80001, NULL, &start, &end));
	assert_int_equal(start, BASE + 0x7e000);
	assert_fails(bis_image_load_initrd(mem, path, BASE + 0x800, NULL, &start, &end), -EFAULT, "do not fit");
	unlink(path);
	make_file(path, sizeof(path), data, 0);
	assert_fails(bis_image_load_initrd(mem, path, 0, NULL, &start, &end), -ENOEXEC, "is empty");
	unlink(path);
	bis_memory_destroy(mem);
}

/* --- Progress --- */

struct seen {
	unsigned calls;
	uint64_t done, total;
	bool began, backwards;
};

static void see(void *arg, const char *name, uint64_t done, uint64_t total)
{
	struct seen *s = arg;

	assert_non_null(name);
	s->began |= done == 0;
	s->backwards |= s->calls && done < s->done;
	s->calls++;
	s->done = done;
	s->total = total;
}

static void progress_goes_from_nothing_to_all_of_a_file(void **state)
{
	const size_t size = 10 * MIB;
	struct bis_memory *mem = make_ram(RAM_SIZE);
	struct seen seen = {0};
	const struct bis_load_progress progress = {.report = see, .arg = &seen};
	uint8_t *data = calloc(1, size);
	uint64_t start, end;
	char path[40];

	(void)state;
	assert_non_null(data);
	make_file(path, sizeof(path), data, size);
	free(data);
	assert_ok(bis_image_load_initrd(mem, path, 0, &progress, &start, &end));
	assert_true(seen.began && !seen.backwards);
	assert_true(seen.calls >= 3);
	assert_int_equal(seen.done, size);
	assert_int_equal(seen.total, size);
	unlink(path);
	bis_memory_destroy(mem);
}

/* Of an ELF file only what goes to RAM counts. */
static void progress_of_an_elf_file_counts_its_segments(void **state)
{
	struct bis_memory *mem = make_ram(MIB);
	struct seen seen = {0};
	const struct bis_load_progress progress = {.report = see, .arg = &seen};
	struct elf_builder e;
	struct bis_source s;
	struct bis_image img;

	(void)state;
	elf_begin(&e, true);
	elf_set_segment(&e, 0, BASE, BUILDER_CODE, 0x80, 0x100);
	elf_set_segment(&e, 1, BASE + 0x1000, BUILDER_CODE, 0x40, 0x40);
	elf_set_entry(&e, BASE);
	assert_ok(bis_source_from_bytes(&s, "test.elf", e.b, e.size));
	s.progress = &progress;
	assert_ok(bis_image_load(mem, 64, &s, BASE, &img));
	assert_int_equal(seen.done, 0xc0);
	assert_int_equal(seen.total, 0xc0);
	bis_memory_destroy(mem);
}

/* --- Identification --- */

static int identify(const void *data, size_t size, struct bis_image_info *info)
{
	struct bis_source s;

	assert_ok(bis_source_from_bytes(&s, "file", data, size));
	return bis_image_identify(&s, info);
}

static void an_elf_file_tells_width_and_physical_entry(void **state)
{
	struct bis_image_info info;
	struct elf_builder e;

	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		elf_begin(&e, wide);
		elf_set_segment(&e, 0, BASE + 2 * MIB, BUILDER_CODE, 0x80, 0x100);
		elf_put_word(&e, elf_segment_at(&e, 0), 8, 16, 0xc0000000);
		elf_set_entry(&e, 0xc0000010);
		assert_ok(identify(e.b, e.size, &info));
		assert_int_equal(info.kind, BIS_IMAGE_ELF);
		assert_int_equal(info.xlen, wide ? 64 : 32);
		assert_int_equal(info.entry, BASE + 2 * MIB + 0x10);
	}
	elf_put(&e, 18, 2, 62);
	assert_fails(identify(e.b, e.size, &info), -ENOEXEC, "machine 62");
}

static void a_linux_image_tells_its_width_by_its_place(void **state)
{
	static const struct {
		uint64_t offset;
		unsigned xlen;
	} cases[] = {{2 * MIB, 64}, {4 * MIB, 32}, {0, 0}};
	struct bis_image_info info;
	uint8_t image[64] = {0x13};

	(void)state;
	assert_ok(identify(image, sizeof(image), &info));
	assert_int_equal(info.kind, BIS_IMAGE_RAW);
	assert_int_equal(info.xlen, 0);
	memcpy(image + 56, "RSC\x05", 4);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		for (unsigned b = 0; b < 8; b++)
			image[8 + b] = (uint8_t)(cases[i].offset >> (8 * b));
		assert_ok(identify(image, sizeof(image), &info));
		assert_int_equal(info.kind, BIS_IMAGE_LINUX);
		assert_int_equal(info.xlen, cases[i].xlen);
		assert_int_equal(info.entry, BASE + cases[i].offset);
	}
}

/* Another raw image may go behind a firmware; a Linux image says itself where it goes. */
static void a_linux_image_goes_where_its_header_asks(void **state)
{
	struct bis_memory *mem = make_ram(RAM_SIZE);
	uint8_t image[64] = {0x13};
	struct bis_image img;
	struct bis_source s;

	(void)state;
	assert_ok(bis_source_from_bytes(&s, "raw", image, sizeof(image)));
	assert_ok(bis_image_load(mem, 64, &s, BASE + 2 * MIB, &img));
	assert_int_equal(img.entry, BASE + 2 * MIB);
	memcpy(image + 56, "RSC\x05", 4);
	image[10] = 0x40; /* text offset 4 MiB */
	image[18] = 0x20; /* image size 2 MiB */
	assert_ok(bis_source_from_bytes(&s, "Image", image, sizeof(image)));
	assert_ok(bis_image_load(mem, 32, &s, BASE + 2 * MIB, &img));
	assert_int_equal(img.entry, BASE + 4 * MIB);
	assert_int_equal(img.end, BASE + 6 * MIB);
	image[8] = 1;
	assert_ok(bis_source_from_bytes(&s, "Image", image, sizeof(image)));
	assert_fails(bis_image_load(mem, 32, &s, BASE + 2 * MIB, &img), -ENOEXEC, "odd text offset 0x400001");
	bis_memory_destroy(mem);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_device_tree_lies_at_a_large_page_near_the_end_of_ram),
	cmocka_unit_test(a_device_tree_makes_do_with_a_small_page),
	cmocka_unit_test(fw_dynamic_gets_its_structure_in_the_width_of_the_harts),
	cmocka_unit_test(without_room_fw_dynamic_is_refused),
	cmocka_unit_test(an_initial_ram_disk_lies_right_below_its_limit),
	cmocka_unit_test(progress_goes_from_nothing_to_all_of_a_file),
	cmocka_unit_test(progress_of_an_elf_file_counts_its_segments),
	cmocka_unit_test(an_elf_file_tells_width_and_physical_entry),
	cmocka_unit_test(a_linux_image_tells_its_width_by_its_place),
	cmocka_unit_test(a_linux_image_goes_where_its_header_asks),
};

int main(void)
{
	return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
