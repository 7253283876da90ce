/*
 * Overlays of disks: what they keep apart, their file after a crash, damage to it, a full host disk, and threads that
 * share clusters.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/disk_rig.h"

/* Changes of every shape: inside a cluster, across several, whole ones, the short last one. */
static void change_everywhere(struct fixture *f)
{
	assert_ok(write_at(f, 512, 512, 0x11));
	assert_ok(write_at(f, CLUSTER - 512, 1024, 0x22));
	assert_contents(f);
	assert_ok(write_at(f, 2 * CLUSTER, CLUSTER, 0x33));
	assert_ok(write_at(f, DISK - 512, 512, 0x44));
	assert_ok(write_at(f, 0, 512, 0x55));
	assert_contents(f);
}

static void an_overlay_keeps_the_changes_and_the_base_stays(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_ok(open_disk(f, false, true));
	assert_contents(f);
	assert_int_equal(stat(f->overlay, &st), 0);
	assert_true(st.st_blocks * 512 <= (off_t)CLUSTER);
	change_everywhere(f);
	assert_file_untouched(f);
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
	assert_ok(open_disk(f, true, true));
	assert_contents(f);
	assert_int_equal(write_at(f, 0, 512, 1), -EROFS);
	assert_file_untouched(f);
	/* Without the overlay the disk is as it was. */
	assert_ok(open_disk(f, false, false));
	assert_ok(read_at(f, 0, 512));
}

static void one_request_may_cross_base_and_overlay(void **state)
{
	struct fixture *f = *state;

	assert_ok(open_disk(f, false, true));
	assert_ok(write_at(f, CLUSTER, 512, 0xaa));
	assert_ok(write_at(f, 3 * CLUSTER + 512, 512, 0xbb));
	assert_contents(f);
	assert_ok(write_at(f, 1024, 4 * CLUSTER, 0xcc));
	assert_contents(f);
	assert_file_untouched(f);
}

static void zeroes_and_discards_in_an_overlay(void **state)
{
	struct fixture *f = *state;

	assert_ok(open_disk(f, false, true));
	/* Not in the overlay: a discard changes nothing there. */
	assert_ok(bis_disk_discard(f->disk, CLUSTER, CLUSTER));
	for (int unmap = 0; unmap < 2; unmap++) {
		uint64_t at = unmap ? 512 : 3 * CLUSTER - 1024;

		assert_ok(bis_disk_zero(f->disk, at, CLUSTER + 1024, unmap));
		memset(f->expected + at, 0, CLUSTER + 1024);
		assert_contents(f);
	}
	assert_ok(bis_disk_zero(f->disk, DISK - 512, 512, true));
	memset(f->expected + DISK - 512, 0, 512);
	assert_contents(f);
	assert_ok(bis_disk_discard(f->disk, 0, DISK));
	assert_file_untouched(f);
	assert_ok(write_at(f, 0, DISK, 0x77));
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
}

/* What a killed machine leaves: the overlay's file as it is in the middle of work. */
static void copy_file(const char *from, const char *to)
{
	static uint8_t bytes[1 << 20];
	int fd = open(from, O_RDONLY);
	ssize_t len = read(fd, bytes, sizeof(bytes));

	close(fd);
	assert_in_range(len, 1, sizeof(bytes) - 1);
	make_file(to, bytes, (size_t)len);
}

static void a_crash_loses_nothing_flushed_and_keeps_clusters_whole(void **state)
{
	struct fixture *f = *state;
	char copy[80];
	uint8_t got[512], *flushed = malloc(DISK);

	snprintf(copy, sizeof(copy), "%s.copy", f->overlay);
	assert_ok(open_disk(f, false, true));
	change_everywhere(f);
	assert_ok(bis_disk_flush(f->disk));
	memcpy(flushed, f->expected, DISK);
	/* A new cluster after the flush: until the next one, the file does not name it. */
	assert_ok(write_at(f, 3 * CLUSTER + 512, 512, 0x66));
	copy_file(f->overlay, copy);
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
	bis_disk_close(f->disk);
	assert_ok(bis_disk_open("disk", f->file, false, copy, &f->disk));
	memcpy(f->expected, flushed, DISK);
	assert_contents(f);
	/* What the lost cluster left behind does not come back. */
	assert_ok(write_at(f, 3 * CLUSTER, 512, 0x12));
	assert_ok(bis_disk_zero(f->disk, 4 * CLUSTER - 512, 512, true));
	memset(f->expected + 4 * CLUSTER - 512, 0, 512);
	assert_contents(f);
	assert_ok(bis_mem_read(f->memory, (bis_gpa){BASE + 3 * CLUSTER + 512}, got, 512));
	assert_int_equal(got[0], pattern(3 * CLUSTER + 512));
	unlink(copy);
	free(flushed);
}

static void overwrite(const char *path, off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void damaged_overlays_are_refused(void **state)
{
	struct fixture *f = *state;
	static const struct {
		off_t at;
		const char *bytes, *words;
	} damage[] = {
		{0, "X", "not an overlay file"},
		{14, "x", "not an overlay file"},
		{16, "\2", "has version 2"},
		{20, "x", "damaged"},
		{25, "x", "damaged"},
		{35, "x", "damaged"},
		{4096, "\x7f", "bitmap of overlay"},
		{4097, "\1", "bitmap of overlay"},
		{8191, "\x80", "bitmap of overlay"},
	};
	struct bis_disk *d;
	struct stat st;
	off_t lengths[] = {1, 39, 4095, 4096, 8192, 65536, 0};

	assert_ok(open_disk(f, false, true));
	bis_disk_close(f->disk);
	f->disk = NULL;
	assert_int_equal(stat(f->overlay, &st), 0);
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		char byte;
		int fd = open(f->overlay, O_RDONLY);

		assert_int_equal(pread(fd, &byte, 1, damage[i].at), 1);
		close(fd);
		overwrite(f->overlay, damage[i].at, damage[i].bytes, 1);
		assert_fails(bis_disk_open("vda", f->file, false, f->overlay, &d), -EINVAL, damage[i].words);
		assert_fails(bis_disk_open("vda", f->file, true, f->overlay, &d), -EINVAL, f->overlay);
		overwrite(f->overlay, damage[i].at, &byte, 1);
	}
	assert_ok(open_disk(f, false, true));
	bis_disk_close(f->disk);
	f->disk = NULL;
	lengths[6] = st.st_size + 512;
	for (size_t i = sizeof(lengths) / sizeof(lengths[0]); i-- > 0;) {
		assert_int_equal(truncate(f->overlay, lengths[i]), 0);
		assert_int_equal(bis_disk_open("vda", f->file, false, f->overlay, &d), -EINVAL);
		assert_non_null(strstr(bis_error_message(), f->overlay));
	}
	/* A disk image by mistake stays what it was. */
	copy_file(f->file, f->overlay);
	assert_fails(bis_disk_open("vda", f->file, false, f->overlay, &d), -EINVAL, "not an overlay file");
	assert_int_equal(stat(f->overlay, &st), 0);
	assert_int_equal(st.st_size, DISK);
}

static void an_overlay_of_another_disk_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_ok(open_disk(f, false, true));
	assert_ok(write_at(f, 0, 512, 1));
	bis_disk_close(f->disk);
	f->disk = NULL;
	assert_int_equal(truncate(f->file, DISK + 512), 0);
	assert_fails(open_disk(f, false, true), -EINVAL, "belongs to a disk of 329216 bytes, but this one has 329728");
	assert_int_equal(truncate(f->file, DISK + 511), 0);
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
}

/* --- A full host disk: a file may not grow beyond a limit --- */

static struct rlimit limit_file_size(uint64_t bytes)
{
	struct rlimit before, now;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = before;
	now.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	return before;
}

static void a_full_host_disk_is_an_error_and_harms_nothing(void **state)
{
	struct fixture *f = *state;
	struct rlimit before;

	assert_ok(open_disk(f, false, true));
	change_everywhere(f);
	before = limit_file_size(2 * CLUSTER); /* the overlay's clusters from number 1 on are beyond it */
	assert_true(write_at(f, 3 * CLUSTER + 512, 512, 0x99) < 0);
	assert_true(write_at(f, 3 * CLUSTER, 2 * CLUSTER, 0x99) < 0);
	assert_contents(f);
	assert_ok(bis_disk_flush(f->disk));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_contents(f);
	assert_ok(write_at(f, 3 * CLUSTER + 512, 512, 0x99));
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
	assert_file_untouched(f);
}

static void an_overlay_that_cannot_be_made_leaves_nothing_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct rlimit before = limit_file_size(CLUSTER);
	int err = open_disk(f, false, true);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_fails(err, -EFBIG, "cannot make the overlay");
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
}

/* --- Many threads --- */

struct writer {
	struct fixture *f;
	unsigned number;
	int err;
};

/* Writes every eighth sector of the disk, in an order of its own, flushing now and then. */
static void *write_eighth(void *arg)
{
	struct writer *w = arg;
	bis_gpa own = {BASE + RAM_SIZE - (w->number + 1) * 4096};

	for (unsigned i = 0; i < DISK / 512 && !w->err; i++) {
		unsigned sector = (i * 37 + w->number * 11) % (DISK / 512);
		struct bis_mem_range range = {own, 512};

		if (sector % 8 != w->number)
			continue;
		w->err = bis_mem_fill(w->f->memory, own, (uint8_t)(sector * 3 + 1), 512);
		if (!w->err)
			w->err = bis_disk_write(w->f->disk, w->f->memory, &range, 1, (uint64_t)sector * 512);
		if (!w->err && i % 64 == 0)
			w->err = bis_disk_flush(w->f->disk);
		if (!w->err)
			w->err = bis_disk_read(w->f->disk, w->f->memory, &range, 1, (uint64_t)sector * 512);
	}
	return NULL;
}

static void threads_that_share_clusters_lose_no_write(void **state)
{
	struct fixture *f = *state;
	struct writer writers[8];
	pthread_t threads[8];

	assert_ok(open_disk(f, false, true));
	for (unsigned i = 0; i < 8; i++) {
		writers[i] = (struct writer){f, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, write_eighth, &writers[i]), 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_ok(writers[i].err);
	}
	for (unsigned i = 0; i < DISK; i++)
		f->expected[i] = (uint8_t)(i / 512 * 3 + 1);
	assert_contents(f);
	assert_ok(open_disk(f, false, true));
	assert_contents(f);
	assert_file_untouched(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_overlay_keeps_the_changes_and_the_base_stays),
		TEST(one_request_may_cross_base_and_overlay),
		TEST(zeroes_and_discards_in_an_overlay),
		TEST(a_crash_loses_nothing_flushed_and_keeps_clusters_whole),
		TEST(damaged_overlays_are_refused),
		TEST(an_overlay_of_another_disk_is_refused),
		TEST(a_full_host_disk_is_an_error_and_harms_nothing),
		TEST(an_overlay_that_cannot_be_made_leaves_nothing_in_the_way),
		TEST(threads_that_share_clusters_lose_no_write),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
