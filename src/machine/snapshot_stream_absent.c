/* Streams of snapshots, snapshot_stream.h, where zstd is not there. */
#include "src/machine/snapshot_stream.h"

#include <errno.h>

#include <biscuit/error.h>

static int absent(void)
{
	return bis_fail(ENOSYS, "this Biscuit was built without zstd, which snapshots need (Debian: libzstd-dev)");
}

int snapshot_writer_create(int fd, struct snapshot_writer **out)
{
	(void)fd;
	(void)out;
	return absent();
}

int snapshot_write(struct snapshot_writer *w, const void *data, size_t len)
{
	(void)w;
	(void)data;
	(void)len;
	return absent();
}

int snapshot_writer_finish(struct snapshot_writer *w)
{
	(void)w;
	return absent();
}

void snapshot_writer_destroy(struct snapshot_writer *w)
{
	(void)w;
}

int snapshot_reader_create(int fd, struct snapshot_reader **out)
{
	(void)fd;
	(void)out;
	return absent();
}

int snapshot_read(struct snapshot_reader *r, void *data, size_t len)
{
	(void)r;
	(void)data;
	(void)len;
	return absent();
}

int snapshot_reader_finish(struct snapshot_reader *r)
{
	(void)r;
	return absent();
}

void snapshot_reader_destroy(struct snapshot_reader *r)
{
	(void)r;
}

int snapshot_write_plain(int fd, const void *data, size_t len)
{
	(void)fd;
	(void)data;
	(void)len;
	return absent();
}

int snapshot_read_plain(int fd, void *data, size_t len, size_t *got)
{
	(void)fd;
	(void)data;
	(void)len;
	(void)got;
	return absent();
}
