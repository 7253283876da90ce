/*
 * The bytes of a snapshot on their way to and from a file: one compressed frame with a checksum over everything in it.
 * Failures carry a message; after the first one every call gives it again.
 */
#ifndef BISCUIT_SNAPSHOT_STREAM_H
#define BISCUIT_SNAPSHOT_STREAM_H

#include <biscuit/types.h>

struct snapshot_writer;
/* `fd` stays the caller's. -ENOMEM, -ENOSYS (built without zstd). */
BIS_MUST_CHECK int snapshot_writer_create(int fd, struct snapshot_writer **out);
BIS_MUST_CHECK int snapshot_write(struct snapshot_writer *w, const void *data, size_t len);
/* Ends the frame; nothing more can be written. */
BIS_MUST_CHECK int snapshot_writer_finish(struct snapshot_writer *w);
void snapshot_writer_destroy(struct snapshot_writer *w);

struct snapshot_reader;
BIS_MUST_CHECK int snapshot_reader_create(int fd, struct snapshot_reader **out);
/* Exactly `len` bytes: -EBADMSG where the frame is damaged or ends before. */
BIS_MUST_CHECK int snapshot_read(struct snapshot_reader *r, void *data, size_t len);
/* The frame has ended here, its checksum is right, and nothing follows: 0, or -EBADMSG. */
BIS_MUST_CHECK int snapshot_reader_finish(struct snapshot_reader *r);
void snapshot_reader_destroy(struct snapshot_reader *r);

#endif
