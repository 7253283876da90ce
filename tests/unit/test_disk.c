/* The disk back end on plain files: moving sectors, discards and zeroes, and the locks against other machines. */
#include <errno.h>
#include <sys/syscall.h>

#include "tests/unit/disk_rig.h"

/* The host's storage, in place of the C library's call: fails with this error, if it is not 0. */
static int storage_error;

int fdatasync(int fd)
{
	errno = storage_error;
	return storage_error ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void sectors_go_both_ways_through_lists_of_ranges(void **state)
{
	struct fixture *f = *state;
	struct bis_mem_range ranges[600];
	uint8_t got[512];

	assert_ok(open_disk(f, false, false));
	assert_int_equal(bis_disk_sectors(f->disk), DISK / 512);
	assert_contents(f);
	/* Backwards in memory, with empty ranges among them and more of them than one system call takes. */
	for (size_t i = 0; i < 600; i++)
		ranges[i] = (struct bis_mem_range){{BASE + 0x100000 - i * 64}, i % 3 == 2 ? 0 : 64};
	assert_ok(bis_disk_read(f->disk, f->memory, ranges, 600, 1024));
	for (size_t i = 0, at = 1024; i < 600; i++) {
		assert_ok(bis_mem_read(f->memory, ranges[i].pa, got, ranges[i].len));
		for (size_t k = 0; k < ranges[i].len; k++)
			assert_int_equal(got[k], pattern(at++));
	}
	assert_ok(bis_disk_write(f->disk, f->memory, ranges, 600, 512));
	memmove(f->expected + 512, f->expected + 1024, 400 * 64);
	assert_contents(f);
	assert_ok(bis_disk_flush(f->disk));
}

static void requests_beyond_disk_or_memory_move_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint64_t offset, len;
	} bad[] = {{DISK, 512},	    {DISK - 512, 1024},
		   {0, DISK + 512}, {UINT64_MAX - 511, 512},
		   {512, DISK},	    {UINT64_C(1) << 63, UINT64_C(1) << 20}};
	struct bis_mem_range outside = {{BASE + RAM_SIZE - 256}, 512};
	struct bis_mem_range huge[2] = {{{BASE}, UINT64_MAX}, {{BASE}, 513}};

	assert_ok(open_disk(f, false, false));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bis_mem_range range = {{BASE}, bad[i].len};

		assert_int_equal(bis_disk_read(f->disk, f->memory, &range, 1, bad[i].offset), -ERANGE);
		assert_int_equal(bis_disk_write(f->disk, f->memory, &range, 1, bad[i].offset), -ERANGE);
		assert_int_equal(bis_disk_discard(f->disk, bad[i].offset, bad[i].len), -ERANGE);
		assert_int_equal(bis_disk_zero(f->disk, bad[i].offset, bad[i].len, true), -ERANGE);
	}
	assert_int_equal(bis_disk_read(f->disk, f->memory, &outside, 1, 0), -EFAULT);
	assert_int_equal(bis_disk_write(f->disk, f->memory, &outside, 1, 0), -EFAULT);
	assert_int_equal(bis_disk_write(f->disk, f->memory, huge, 2, 0), -ERANGE);
	assert_ok(bis_disk_read(f->disk, f->memory, NULL, 0, DISK));
	assert_contents(f);
}

static void discards_and_zeroes_keep_their_neighbours(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	for (int unmap = 0; unmap < 2; unmap++) {
		uint64_t at = unmap ? 3 * 512 : 100 * 512;

		assert_ok(open_disk(f, false, false));
		assert_ok(bis_disk_zero(f->disk, at, 21 * 512, unmap));
		memset(f->expected + at, 0, 21 * 512);
		assert_contents(f);
	}
	assert_ok(bis_disk_discard(f->disk, 2 * CLUSTER, CLUSTER));
	assert_ok(read_at(f, 2 * CLUSTER, CLUSTER));
	assert_ok(write_at(f, 2 * CLUSTER, CLUSTER, 1));
	assert_contents(f);
	/* At the end they do not make the file longer. */
	assert_ok(bis_disk_zero(f->disk, DISK - 512, 512, false));
	assert_ok(bis_disk_discard(f->disk, DISK - 512, 512));
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_size, DISK);
}

static void a_tail_of_less_than_a_sector_is_left_alone(void **state)
{
	struct fixture *f = *state;
	uint8_t tail[100] = {0};
	int fd = open(f->file, O_RDWR | O_APPEND);

	assert_int_equal(write(fd, "tail", 4), 4);
	assert_ok(open_disk(f, false, false));
	assert_int_equal(bis_disk_sectors(f->disk), DISK / 512);
	assert_ok(write_at(f, DISK - 512, 512, 9));
	assert_int_equal(pread(fd, tail, sizeof(tail), DISK), 4);
	assert_memory_equal(tail, "tail", 4);
	close(fd);
}

static void cached_reads_never_wait(void **state)
{
	struct fixture *f = *state;
	struct bis_mem_range range = {{BASE}, 4096};
	uint8_t got[4096];
	int err;

	assert_ok(open_disk(f, false, false));
	assert_ok(read_at(f, 8192, 4096));
	assert_ok(bis_mem_fill(f->memory, (bis_gpa){BASE}, 0, 4096));
	err = bis_disk_read_cached(f->disk, f->memory, &range, 1, 8192);
	assert_true(err == 0 || err == -EAGAIN);
	assert_true(err || bis_disk_is_cached(f->disk, 8192, 4096));
	assert_ok(bis_mem_read(f->memory, (bis_gpa){BASE}, got, sizeof(got)));
	for (size_t i = 0; i < sizeof(got) && !err; i++)
		assert_int_equal(got[i], pattern(8192 + i));
}

static void a_readonly_disk_refuses_every_change(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->file, 0400), 0);
	assert_ok(open_disk(f, true, false));
	assert_true(bis_disk_readonly(f->disk));
	assert_int_equal(write_at(f, 0, 512, 1), -EROFS);
	assert_int_equal(bis_disk_discard(f->disk, 0, 512), -EROFS);
	assert_int_equal(bis_disk_zero(f->disk, 0, 512, false), -EROFS);
	assert_ok(bis_disk_flush(f->disk));
	assert_contents(f);
}

static void a_file_that_shrinks_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_ok(open_disk(f, false, false));
	assert_int_equal(truncate(f->file, 1000), 0);
	assert_ok(read_at(f, 0, 512));
	assert_int_equal(read_at(f, 512, 512), -EIO);
	assert_int_equal(read_at(f, 4096, 512), -EIO);
}

/* The host forgets what it could not write, and tells of it once. */
static void a_flush_that_failed_is_never_made_good(void **state)
{
	struct fixture *f = *state;

	for (int overlay = 0; overlay < 2; overlay++) {
		assert_ok(open_disk(f, false, overlay));
		assert_ok(write_at(f, 0, 512, 1));
		assert_ok(bis_disk_flush(f->disk));
		storage_error = EIO;
		assert_int_equal(bis_disk_flush(f->disk), -EIO);
		storage_error = 0;
		assert_int_equal(bis_disk_flush(f->disk), -EIO);
		assert_ok(read_at(f, 0, 512));
		assert_ok(open_disk(f, false, overlay));
		assert_ok(bis_disk_flush(f->disk));
	}
}

/* --- Locks --- */

static void writers_exclude_everybody_and_readers_exclude_writers(void **state)
{
	struct fixture *f = *state;
	struct bis_disk *a, *b;

	assert_ok(open_disk(f, false, false));
	assert_fails(bis_disk_open("vda", f->file, false, NULL, &a), -EBUSY, "in use by another virtual machine");
	assert_fails(bis_disk_open("vda", f->file, true, NULL, &a), -EBUSY, f->file);
	assert_fails(bis_disk_open("vda", f->file, false, f->overlay, &a), -EBUSY, f->file);
	assert_int_equal(access(f->overlay, F_OK), -1);
	assert_ok(open_disk(f, true, false));
	assert_ok(bis_disk_open("vda", f->file, true, NULL, &a));
	assert_fails(bis_disk_open("vdb", f->file, false, NULL, &b), -EBUSY, "in use");
	/* An overlay makes a reader of the base, and is locked itself. */
	assert_ok(bis_disk_open("vdb", f->file, false, f->overlay, &b));
	bis_disk_close(a);
	assert_fails(bis_disk_open("vdc", f->file, false, f->overlay, &a), -EBUSY, f->overlay);
	assert_fails(bis_disk_open("vdc", f->file, true, f->overlay, &a), -EBUSY, f->overlay);
	bis_disk_close(b);
}

static void unusable_files_are_named(void **state)
{
	struct fixture *f = *state;
	struct bis_disk *d;

	assert_fails(bis_disk_open("vda", "/nowhere/disk", false, NULL, &d), -ENOENT, "/nowhere/disk");
	assert_fails(bis_disk_open("vda", f->dir, true, NULL, &d), -EINVAL, "block device");
	assert_fails(bis_disk_open("vda", f->file, false, f->file, &d), -EINVAL, "disk itself");
	assert_fails(bis_disk_open("vda", f->file, false, f->dir, &d), -EISDIR, f->dir);
	assert_fails(bis_disk_open("vda", f->file, false, "/nowhere/overlay", &d), -ENOENT, "/nowhere/overlay");
	assert_fails(bis_disk_open("vda", f->file, true, f->overlay, &d), -ENOENT, f->overlay);
	assert_int_equal(truncate(f->file, 511), 0);
	assert_fails(bis_disk_open("vda", f->file, false, NULL, &d), -EINVAL, "511 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sectors_go_both_ways_through_lists_of_ranges),
		TEST(requests_beyond_disk_or_memory_move_nothing),
		TEST(discards_and_zeroes_keep_their_neighbours),
		TEST(a_tail_of_less_than_a_sector_is_left_alone),
		TEST(cached_reads_never_wait),
		TEST(a_readonly_disk_refuses_every_change),
		TEST(a_file_that_shrinks_is_an_error),
		TEST(a_flush_that_failed_is_never_made_good),
		TEST(writers_exclude_everybody_and_readers_exclude_writers),
		TEST(unusable_files_are_named),
	};

	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
