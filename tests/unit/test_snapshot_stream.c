/* The stream that is a snapshot's file: every bit, every length and the order of the pieces count. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/machine/snapshot_stream.h"
#include "tests/unit/unit.h"

#define STREAM ((size_t)1300 << 10) /* three pieces */

/* A stream of words that count, in a new file in memory. */
static int write_stream(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);
	struct snapshot_writer *w;

	assert_true(fd >= 0);
	assert_ok(snapshot_writer_create(fd, &w));
	for (uint32_t at = 0; at < STREAM; at += 4096) {
		uint32_t page[1024] = {at};

		assert_ok(snapshot_write(w, page, sizeof(page)));
	}
	assert_ok(snapshot_writer_finish(w));
	snapshot_writer_destroy(w);
	return fd;
}

/* Reads all of it: 0 where every byte is as it was written. */
static int read_stream(int fd)
{
	struct snapshot_reader *r;
	uint32_t page[1024];
	int err = 0;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_ok(snapshot_reader_create(fd, &r));
	for (uint32_t at = 0; at < STREAM && !err; at += 4096) {
		err = snapshot_read(r, page, sizeof(page));
		assert_true(err || page[0] == at);
	}
	if (!err)
		err = snapshot_reader_finish(r);
	snapshot_reader_destroy(r);
	return err;
}

static void every_bit_and_every_length_counts(void **state)
{
	int fd = write_stream();
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t byte, flipped;

	(void)state;
	assert_ok(read_stream(fd));
	assert_in_range(size, 100, 100000);
	for (off_t at = 0; at < size; at += at < 64 || at > size - 64 ? 1 : 37) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		flipped = byte ^ (uint8_t)(1 << at % 8);
		assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
		assert_fails(read_stream(fd), -EBADMSG, "the snapshot");
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_int_equal(pwrite(fd, "", 1, size), 1);
	assert_fails(read_stream(fd), -EBADMSG, "something follows");
	for (off_t at = size - 1; at >= 0; at -= at < 64 || at > size - 64 ? 1 : 37) {
		assert_ok(ftruncate(fd, at));
		assert_fails(read_stream(fd), -EBADMSG, "cut off");
	}
	close(fd);
}

/* Two pieces that change places have checksums that are right, each by itself. */
static void pieces_keep_their_places(void **state)
{
	uint32_t lens[2];
	uint8_t *data;
	size_t one, two;
	int fd = write_stream();
	off_t size = lseek(fd, 0, SEEK_END);

	(void)state;
	data = malloc((size_t)size);
	assert_non_null(data);
	assert_int_equal(pread(fd, data, (size_t)size, 0), size);
	memcpy(lens, data, sizeof(lens));
	one = 16 + lens[1];
	memcpy(lens, data + one, sizeof(lens));
	two = 16 + lens[1];
	assert_int_equal(pwrite(fd, data + one, two, 0), two);
	assert_int_equal(pwrite(fd, data, one, (off_t)two), one);
	assert_fails(read_stream(fd), -EBADMSG, "checksum");
	free(data);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_and_every_length_counts),
		cmocka_unit_test(pieces_keep_their_places),
	};

	return cmocka_run_group_tests_name("snapshot_stream", tests, NULL, NULL);
}
