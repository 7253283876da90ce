/*
 * Guest memory: ranges good and bad, copies across regions, words, files and spans.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/memory/memory_internal.h"
#include "tests/unit/unit.h"

/* Two regions that touch, a hole, and a third. */
#define RAM    0x80000000u
#define SECOND (RAM + 0x2000)
#define HOLE   (SECOND + 0x1000)
#define LONE   0x90000000u

static int make_memory(void **state)
{
	struct bis_memory *m;

	if (bis_memory_create(&m))
		return -1;
	*state = m;
	if (bis_memory_add_ram(m, "lone", (bis_gpa){LONE}, 0x1000) ||
	    bis_memory_add_ram(m, "second", (bis_gpa){SECOND}, 0x1000) ||
	    bis_memory_add_ram(m, "ram", (bis_gpa){RAM}, 0x2000))
		return -1;
	return 0;
}

static int free_memory(void **state)
{
	bis_memory_destroy(*state);
	return 0;
}

static const struct {
	uint64_t pa, len;
} bad_ranges[] = {
	{RAM - 1, 1},			 /* just below */
	{RAM - 1, 2},			 /* begins below */
	{HOLE, 1},			 /* just above two touching regions */
	{HOLE - 1, 2},			 /* straddles the end */
	{RAM, 0x3001},			 /* one byte too long over both */
	{LONE, 0x1001},			 /* one byte too long */
	{LONE - 0x1000, 0x2000},	 /* begins in the hole */
	{RAM, LONE + 0x1000 - RAM},	 /* both ends are RAM, the middle is not */
	{0, 1},				 /* the bottom */
	{UINT64_MAX, 1},		 /* the top */
	{UINT64_MAX - 4095, RAM + 8192}, /* address + length wraps to RAM */
	{RAM, UINT64_MAX},		 /* length wraps */
	{RAM + 1, UINT64_MAX - RAM},	 /* goes up to 2^64 */
};

static int never_called(void *arg, void *host, size_t len)
{
	(void)host;
	(void)len;
	*(bool *)arg = true;
	return 0;
}

static void rejects_every_range_not_wholly_in_ram(void **state)
{
	struct bis_memory *m = *state;
	uint8_t buf[16];
	bool called = false;

	memset(buf, 0x5a, sizeof(buf));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad_ranges); i++) {
		bis_gpa pa = {bad_ranges[i].pa};
		uint64_t len = bad_ranges[i].len;

		assert_false(bis_mem_is_ram(m, pa, len));
		assert_fails(bis_mem_fill(m, pa, 1, len), -EFAULT, "not all RAM");
		assert_fails(bis_mem_spans(m, pa, len, true, never_called, &called), -EFAULT, "not all RAM");
		assert_fails(bis_mem_read(m, pa, buf, (size_t)len), -EFAULT, "not all RAM");
		assert_fails(bis_mem_write(m, pa, buf, (size_t)len), -EFAULT, "not all RAM");
		assert_true(bis_mem_from_fd(m, pa, -1, 0, (size_t)len) < 0);
		assert_true(bis_mem_to_fd(m, pa, -1, 0, (size_t)len) < 0);
	}
	assert_false(called);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0x5a);
	assert_ok(bis_mem_read(m, (bis_gpa){HOLE - 1}, buf, 1));
	assert_int_equal(buf[0], 0);
}

static void zero_length_is_good_anywhere(void **state)
{
	struct bis_memory *m = *state;
	bis_gpa nowhere = {UINT64_MAX};
	bool called = false;

	assert_true(bis_mem_is_ram(m, nowhere, 0));
	assert_ok(bis_mem_read(m, nowhere, NULL, 0));
	assert_ok(bis_mem_write(m, nowhere, NULL, 0));
	assert_ok(bis_mem_fill(m, nowhere, 0, 0));
	assert_ok(bis_mem_spans(m, nowhere, 0, true, never_called, &called));
	assert_int_equal(bis_mem_from_fd(m, nowhere, -1, 0, 0), 0);
	assert_int_equal(bis_mem_to_fd(m, nowhere, -1, 0, 0), 0);
	assert_false(called);
}

static void copies_cross_from_region_to_region(void **state)
{
	struct bis_memory *m = *state;
	uint8_t in[0x3000], out[0x3000];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + (i >> 8));
	assert_ok(bis_mem_write(m, (bis_gpa){RAM}, in, sizeof(in)));
	assert_ok(bis_mem_read(m, (bis_gpa){RAM}, out, sizeof(out)));
	assert_memory_equal(in, out, sizeof(in));

	/* Every short length at every alignment around the border. */
	for (uint64_t pa = SECOND - 80; pa < SECOND + 9; pa++) {
		for (size_t len = 0; len < 72; len++) {
			memset(out, 0xee, 80);
			assert_ok(bis_mem_read(m, (bis_gpa){pa}, out, len));
			assert_memory_equal(out, in + (pa - RAM), len);
			assert_int_equal(out[len], 0xee);
		}
	}
	assert_ok(bis_mem_fill(m, (bis_gpa){SECOND - 5}, 0xff, 10));
	assert_ok(bis_mem_read(m, (bis_gpa){RAM}, out, sizeof(out)));
	memset(in + 0x2000 - 5, 0xff, 10);
	assert_memory_equal(in, out, sizeof(in));
}

static void short_writes_touch_nothing_else(void **state)
{
	struct bis_memory *m = *state;
	uint8_t in[80], out[160], expected[160];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i + 1);
	for (size_t at = 40; at < 48; at++) {
		for (size_t len = 0; len <= sizeof(in); len++) {
			memset(expected, 0, sizeof(expected));
			memcpy(expected + at, in, len);
			assert_ok(bis_mem_fill(m, (bis_gpa){LONE}, 0, sizeof(out)));
			assert_ok(bis_mem_write(m, (bis_gpa){LONE + at}, in, len));
			assert_ok(bis_mem_read(m, (bis_gpa){LONE}, out, sizeof(out)));
			assert_memory_equal(out, expected, sizeof(out));
		}
	}
}

static void objects_are_copied_by_their_size(void **state)
{
	struct bis_memory *m = *state;
	struct {
		bis_le32 magic;
		bis_le16 count;
		bis_le64 address;
	} in = {bis_le32_make(0x12345678), bis_le16_make(0xabcd), bis_le64_make(UINT64_C(0x1122334455667788))}, out;
	uint64_t byte;

	assert_ok(bis_mem_write_obj(m, (bis_gpa){LONE + 3}, &in));
	assert_ok(bis_mem_read_obj(m, (bis_gpa){LONE + 3}, &out));
	assert_int_equal(bis_le32_get(out.magic), 0x12345678);
	assert_int_equal(bis_le16_get(out.count), 0xabcd);
	assert_int_equal(bis_le64_get(out.address), UINT64_C(0x1122334455667788));
	assert_ok(bis_mem_load(m, (bis_gpa){LONE + 3}, 1, &byte));
	assert_int_equal(byte, 0x78);
}

static void words_are_little_endian_and_aligned(void **state)
{
	struct bis_memory *m = *state;
	uint64_t value = 1;

	assert_ok(bis_mem_store(m, (bis_gpa){RAM}, 8, UINT64_C(0x8877665544332211)));
	for (unsigned size = 1; size <= 8; size *= 2) {
		assert_ok(bis_mem_load(m, (bis_gpa){RAM}, size, &value));
		assert_int_equal(value, UINT64_C(0x8877665544332211) & (UINT64_MAX >> (64 - 8 * size)));
	}
	assert_ok(bis_mem_store(m, (bis_gpa){RAM + 2}, 2, 0xffffbbaa));
	assert_ok(bis_mem_store(m, (bis_gpa){RAM + 7}, 1, 0x100));
	assert_ok(bis_mem_store(m, (bis_gpa){RAM + 8}, 4, UINT64_MAX));
	assert_ok(bis_mem_load(m, (bis_gpa){RAM}, 8, &value));
	assert_int_equal(value, UINT64_C(0x00776655bbaa2211));
	assert_ok(bis_mem_load(m, (bis_gpa){RAM + 8}, 8, &value));
	assert_int_equal(value, 0xffffffff);

	value = 99;
	assert_fails(bis_mem_load(m, (bis_gpa){RAM + 1}, 2, &value), -EINVAL, "aligned");
	assert_fails(bis_mem_store(m, (bis_gpa){RAM + 4}, 8, 0), -EINVAL, "aligned");
	assert_fails(bis_mem_load(m, (bis_gpa){RAM}, 3, &value), -EINVAL, "word of 3 bytes");
	assert_fails(bis_mem_load(m, (bis_gpa){RAM}, 0, &value), -EINVAL, "word of 0 bytes");
	assert_fails(bis_mem_load(m, (bis_gpa){RAM}, 16, &value), -EINVAL, "word of 16 bytes");
	assert_fails(bis_mem_load(m, (bis_gpa){HOLE}, 4, &value), -EFAULT, "not all RAM");
	assert_fails(bis_mem_store(m, (bis_gpa){HOLE}, 4, 0), -EFAULT, "not all RAM");
	assert_int_equal(value, 99);
}

static void files_are_read_and_written_in_place(void **state)
{
	struct bis_memory *m = *state;
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint8_t in[300], out[300];

	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i ^ 0x35);
	assert_ok(bis_mem_write(m, (bis_gpa){SECOND - 100}, in, sizeof(in)));
	assert_int_equal(bis_mem_to_fd(m, (bis_gpa){SECOND - 100}, fd, 7, sizeof(in)), sizeof(in));
	assert_int_equal(pread(fd, out, sizeof(out), 7), sizeof(out));
	assert_memory_equal(in, out, sizeof(in));

	assert_int_equal(bis_mem_from_fd(m, (bis_gpa){SECOND - 50}, fd, 7, 0x200), sizeof(in)); /* short: end of file */
	assert_ok(bis_mem_read(m, (bis_gpa){SECOND - 50}, out, sizeof(out)));
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(bis_mem_from_fd(m, (bis_gpa){RAM}, fd, 4096, 16), 0);

	assert_fails(bis_mem_from_fd(m, (bis_gpa){HOLE - 4}, fd, 0, 8), -EFAULT, "not all RAM");
	assert_fails(bis_mem_from_fd(m, (bis_gpa){RAM}, fd, UINT64_MAX, 8), -EINVAL, "goes beyond 2^63");
	assert_fails(bis_mem_to_fd(m, (bis_gpa){RAM}, fd, INT64_MAX, 8), -EINVAL, "goes beyond 2^63");
	assert_fails(bis_mem_from_fd(m, (bis_gpa){RAM}, -1, 0, 8), -EBADF, "cannot read the file");
	assert_fails(bis_mem_to_fd(m, (bis_gpa){RAM}, -1, 0, 8), -EBADF, "cannot write the file");
	close(fd);
}

static void lists_of_ranges_move_in_order(void **state)
{
	struct bis_memory *m = *state;
	struct bis_mem_range list[200];
	int fd = memfd_create("file", MFD_CLOEXEC);
	uint8_t bytes[1000], out[1000];

	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	/* More ranges than one system call takes; some are empty, one crosses into the second region. */
	for (size_t i = 0; i < 200; i++)
		list[i] = (struct bis_mem_range){{RAM + 0x20 * i}, i % 3 ? 5 : 0};
	list[4] = (struct bis_mem_range){{SECOND - 3}, 5};
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 11), sizeof(bytes));
	assert_int_equal(bis_mem_preadv(m, list, 200, fd, 11), 5 * 133);
	assert_ok(bis_mem_read(m, (bis_gpa){SECOND - 3}, out, 5));
	assert_memory_equal(out, bytes + 10, 5);
	assert_ok(bis_mem_read(m, (bis_gpa){RAM + 0x20 * 199}, out, 5));
	assert_memory_equal(out, bytes + 5 * 132, 5);

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(bis_mem_pwritev(m, list, 200, fd, 3), 5 * 133);
	assert_int_equal(pread(fd, out, sizeof(out), 3), 5 * 133);
	assert_memory_equal(out, bytes, 5 * 133);
	assert_int_equal(bis_mem_preadv(m, list, 200, fd, 3 + 5 * 130), 15); /* short: end of file */
	assert_int_equal(bis_mem_preadv(m, list, 0, fd, 0), 0);

	list[150].pa.v = HOLE - 2;
	list[150].len = 5;
	assert_fails(bis_mem_preadv(m, list, 200, fd, 0), -EFAULT, "not all RAM");
	list[150] = (struct bis_mem_range){{RAM}, UINT64_MAX};
	assert_fails(bis_mem_pwritev(m, list, 200, fd, 0), -EFAULT, "not all RAM");
	close(fd);
}

static blkcnt_t blocks_of(const struct bis_memory *m, size_t region)
{
	struct bis_mem_region r;
	struct stat st;

	assert_ok(bis_mem_region(m, region, &r));
	assert_int_equal(fstat(r.fd, &st), 0);
	return st.st_blocks;
}

static void discarded_pages_read_as_zero_and_cost_nothing(void **state)
{
	struct bis_memory *m = *state;
	blkcnt_t before = blocks_of(m, 0);
	uint8_t out[8];

	assert_ok(bis_mem_fill(m, (bis_gpa){RAM}, 0x77, 0x2000));
	assert_ok(bis_mem_write(m, (bis_gpa){SECOND}, "second", 6));
	assert_true(blocks_of(m, 0) > before);
	assert_ok(bis_mem_discard(m, (bis_gpa){RAM + 0x1000}, 0x2000)); /* into the second region */
	assert_ok(bis_mem_read(m, (bis_gpa){RAM + 0xffe}, out, 4));
	assert_memory_equal(out, "\x77\x77\0\0", 4);
	assert_ok(bis_mem_read(m, (bis_gpa){SECOND}, out, 6));
	assert_memory_equal(out, "\0\0\0\0\0\0", 6);
	assert_ok(bis_mem_discard(m, (bis_gpa){RAM}, 0x2000));
	assert_int_equal(blocks_of(m, 0), before);

	assert_fails(bis_mem_discard(m, (bis_gpa){RAM + 1}, 0x1000), -EINVAL, "whole pages");
	assert_fails(bis_mem_discard(m, (bis_gpa){RAM}, 0x1001), -EINVAL, "whole pages");
	assert_fails(bis_mem_discard(m, (bis_gpa){HOLE}, 0x1000), -EFAULT, "not all RAM");
	assert_fails(bis_mem_discard(m, (bis_gpa){RAM}, UINT64_MAX - 0xfff), -EFAULT, "not all RAM");
	assert_ok(bis_mem_discard(m, (bis_gpa){RAM}, 0));
}

struct spans {
	size_t count, len[4];
	int stop_at, answer;
};

static int note_span(void *arg, void *host, size_t len)
{
	struct spans *s = arg;

	memset(host, 0x40 + (int)s->count, len);
	s->len[s->count++] = len;
	return (int)s->count == s->stop_at ? s->answer : 0;
}

static void spans_are_visited_in_order_until_one_says_stop(void **state)
{
	struct bis_memory *m = *state;
	struct spans s = {0};
	uint8_t out[4];

	assert_ok(bis_mem_spans(m, (bis_gpa){RAM + 0x1fff}, 0x1001, true, note_span, &s));
	assert_int_equal(s.count, 2);
	assert_int_equal(s.len[0], 1);
	assert_int_equal(s.len[1], 0x1000);
	assert_ok(bis_mem_read(m, (bis_gpa){SECOND - 2}, out, 4));
	assert_memory_equal(out, "\0\x40\x41\x41", 4);

	s = (struct spans){.stop_at = 1, .answer = -EIO};
	assert_int_equal(bis_mem_spans(m, (bis_gpa){RAM}, 0x3000, true, note_span, &s), -EIO);
	assert_int_equal(s.count, 1);
}

static void regions_are_listed_in_address_order(void **state)
{
	static const char *const names[] = {"ram", "second", "lone"};
	static const uint64_t bases[] = {RAM, SECOND, LONE};
	struct bis_memory *m = *state;
	struct bis_mem_region r;

	assert_int_equal(bis_mem_region_count(m), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_ok(bis_mem_region(m, i, &r));
		assert_string_equal(r.name, names[i]);
		assert_int_equal(r.base.v, bases[i]);
		assert_int_equal(r.size, i == 0 ? 0x2000 : 0x1000);
	}
	assert_fails(bis_mem_region(m, 3, &r), -ENOENT, "no region 3");
}

static void a_region_is_a_file_others_can_map(void **state)
{
	struct bis_memory *m = *state;
	struct bis_mem_region r;
	uint64_t value;
	uint8_t *map;

	assert_ok(bis_mem_region(m, 0, &r));
	map = mmap(NULL, r.size, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, 0);
	assert_true(map != MAP_FAILED);
	assert_ok(bis_mem_store(m, (bis_gpa){RAM + 0x1008}, 4, 0xfeedface));
	assert_memory_equal(map + 0x1008, "\xce\xfa\xed\xfe", 4);
	map[0] = 0x11;
	assert_ok(bis_mem_load(m, (bis_gpa){RAM}, 1, &value));
	assert_int_equal(value, 0x11);
	munmap(map, r.size);

	/* Nobody can take the pages away from under a running hart. */
	assert_int_equal(ftruncate(r.fd, 0), -1);
	assert_int_equal(ftruncate(r.fd, 0x100000), -1);
	assert_true(fcntl(r.fd, F_GETFD) & FD_CLOEXEC);
}

static void ram_that_cannot_be_is_refused(void **state)
{
	static const struct {
		uint64_t base, size;
		int err;
		const char *words;
	} cases[] = {
		{0x1000, 0, -EINVAL, "'new' at 0x1000 with 0x0 bytes"},
		{0x1000, 0x800, -EINVAL, "multiples of 4096"},
		{0x1800, 0x1000, -EINVAL, "multiples of 4096"},
		{UINT64_MAX - 0xfff, 0x1000, -EINVAL, "goes beyond 2^64"},
		{0x1000, UINT64_MAX - 0xfff, -EINVAL, "goes beyond 2^64"},
		{RAM, 0x1000, -EEXIST, "overlaps 'ram' at 0x80000000"},
		{RAM - 0x1000, 0x2000, -EEXIST, "overlaps 'ram'"},
		{SECOND, 0x1000, -EEXIST, "overlaps 'second'"},
		{0x1000, LONE, -EEXIST, "overlaps 'ram'"},
		{LONE - 0x1000, 0x10000, -EEXIST, "overlaps 'lone'"},
		{0x100000000, UINT64_C(1) << 62, -ENOMEM, "'new'"},
		{0x100000000, UINT64_C(1) << 63, -ENOMEM, "more than the host can map"},
	};
	struct bis_memory *m = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++)
		assert_fails(bis_memory_add_ram(m, "new", (bis_gpa){cases[i].base}, cases[i].size), cases[i].err,
			     cases[i].words);
	assert_int_equal(bis_mem_region_count(m), 3);
	assert_ok(bis_memory_add_ram(m, "new", (bis_gpa){HOLE}, 0x1000));
	assert_ok(bis_memory_add_ram(m, "low", (bis_gpa){0}, 0x1000));
	assert_true(bis_mem_is_ram(m, (bis_gpa){RAM}, 0x4000));
}

static void two_memories_are_two_worlds(void **state)
{
	struct bis_memory *m = *state, *other;
	uint64_t value;

	assert_ok(bis_memory_create(&other));
	assert_false(bis_mem_is_ram(other, (bis_gpa){RAM}, 1));
	assert_ok(bis_memory_add_ram(other, "ram", (bis_gpa){RAM}, 0x1000));
	assert_ok(bis_mem_store(m, (bis_gpa){RAM}, 8, 1));
	assert_ok(bis_mem_load(other, (bis_gpa){RAM}, 8, &value));
	assert_int_equal(value, 0);
	bis_memory_destroy(other);
	bis_memory_destroy(NULL);
}

static void pages_have_their_own_watch_bytes(void **state)
{
	struct bis_memory *m = *state;
	struct bis_mem_page first = {0}, second = {0}, again = {0};

	assert_true(bis_mem_page(m, RAM + 0xfff, &first));
	assert_true(bis_mem_page(m, RAM + 0x1000, &second));
	assert_true(bis_mem_page(m, RAM + 4, &again));
	assert_ptr_equal(first.host, again.host);
	assert_ptr_equal(first.watch, again.watch);
	assert_ptr_equal(second.host, first.host + BIS_PAGE_SIZE);
	assert_ptr_not_equal(second.watch, first.watch);
	assert_false(bis_mem_page(m, RAM - 1, &again));
	assert_false(bis_mem_page(m, HOLE, &again));
	assert_false(bis_mem_page(m, UINT64_MAX, &again));
	assert_ptr_equal(again.host, first.host);
}

#define MEMORY_TEST(f) cmocka_unit_test_setup_teardown(f, make_memory, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(rejects_every_range_not_wholly_in_ram),
		MEMORY_TEST(zero_length_is_good_anywhere),
		MEMORY_TEST(copies_cross_from_region_to_region),
		MEMORY_TEST(short_writes_touch_nothing_else),
		MEMORY_TEST(objects_are_copied_by_their_size),
		MEMORY_TEST(words_are_little_endian_and_aligned),
		MEMORY_TEST(files_are_read_and_written_in_place),
		MEMORY_TEST(lists_of_ranges_move_in_order),
		MEMORY_TEST(discarded_pages_read_as_zero_and_cost_nothing),
		MEMORY_TEST(spans_are_visited_in_order_until_one_says_stop),
		MEMORY_TEST(regions_are_listed_in_address_order),
		MEMORY_TEST(a_region_is_a_file_others_can_map),
		MEMORY_TEST(ram_that_cannot_be_is_refused),
		MEMORY_TEST(two_memories_are_two_worlds),
		MEMORY_TEST(pages_have_their_own_watch_bytes),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
