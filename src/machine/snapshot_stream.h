/*
 * The bytes of a snapshot on their way to and from a file: compressed pieces, each with a checksum, which several
 * threads work on. Failures carry a message; after the first one every call gives it again.
 */
#ifndef BISCUIT_SNAPSHOT_STREAM_H
#define BISCUIT_SNAPSHOT_STREAM_H

#include <biscuit/types.h>

struct snapshot_writer;
/* `fd` stays the caller's. -ENOMEM, -ENOSYS (built without zstd). */
BIS_MUST_CHECK int snapshot_writer_create(int fd, struct snapshot_writer **out);
BIS_MUST_CHECK int snapshot_write(struct snapshot_writer *w, const void *data, size_t len);
/* Ends the file; nothing more can be written. */
BIS_MUST_CHECK int snapshot_writer_finish(struct snapshot_writer *w);
void snapshot_writer_destroy(struct snapshot_writer *w);

struct snapshot_reader;
BIS_MUST_CHECK int snapshot_reader_create(int fd, struct snapshot_reader **out);
/* Exactly `len` bytes: -EBADMSG where the file is damaged or ends before. */
BIS_MUST_CHECK int snapshot_read(struct snapshot_reader *r, void *data, size_t len);
/* Was that all, and does nothing follow? 0, or -EBADMSG. */
BIS_MUST_CHECK int snapshot_reader_finish(struct snapshot_reader *r);
void snapshot_reader_destroy(struct snapshot_reader *r);

/* What comes before the pieces, as it is. Reading stops early at the end of the file. */
BIS_MUST_CHECK int snapshot_write_plain(int fd, const void *data, size_t len);
BIS_MUST_CHECK int snapshot_read_plain(int fd, void *data, size_t len, size_t *got);

#endif
