/*
 * Cursors over the chains of a virtqueue: one in the device-readable ranges, one in the writable ones. A chain belongs
 * to one thread at a time, and its ranges were checked when it was taken; no lock.
 */
#include <errno.h>

#include "modules/virtio/virtio.h"

/* The rest of the range at the cursor, at most `len` bytes; len is not beyond the part's end. */
static struct bis_mem_range piece_at(const struct virtio_chain *c, unsigned at, uint64_t offset, uint64_t len)
{
	uint64_t rest = c->ranges[at].len - offset;

	return (struct bis_mem_range){{c->ranges[at].pa.v + offset}, len < rest ? len : rest};
}

static void advance(const struct virtio_chain *c, unsigned *at, uint64_t *offset, uint64_t len)
{
	while (len) {
		uint64_t rest = c->ranges[*at].len - *offset;

		if (len < rest) {
			*offset += len;
			return;
		}
		len -= rest;
		*offset = 0;
		(*at)++;
	}
}

static void advance_read(struct virtio_chain *c, uint64_t len)
{
	advance(c, &c->read_at, &c->read_offset, len);
	c->readable -= len;
}

static void advance_write(struct virtio_chain *c, uint64_t len)
{
	advance(c, &c->write_at, &c->write_offset, len);
	c->writable -= len;
	c->written += len;
}

size_t virtio_read(struct virtio_chain *c, void *dst, size_t len)
{
	uint8_t *to = dst;
	size_t done = 0;

	len = len < c->readable ? len : (size_t)c->readable;
	while (done < len) {
		struct bis_mem_range piece = piece_at(c, c->read_at, c->read_offset, len - done);

		if (bis_mem_read(c->virtio->memory, piece.pa, to + done, piece.len))
			break;
		advance_read(c, piece.len);
		done += piece.len;
	}
	return done;
}

size_t virtio_write(struct virtio_chain *c, const void *src, size_t len)
{
	const uint8_t *from = src;
	size_t done = 0;

	len = len < c->writable ? len : (size_t)c->writable;
	while (done < len) {
		struct bis_mem_range piece = piece_at(c, c->write_at, c->write_offset, len - done);

		if (bis_mem_write(c->virtio->memory, piece.pa, from + done, piece.len))
			break;
		advance_write(c, piece.len);
		done += piece.len;
	}
	return done;
}

size_t virtio_skip(struct virtio_chain *c, size_t len)
{
	len = len < c->readable ? len : (size_t)c->readable;
	advance_read(c, len);
	return len;
}

static int list_ranges(const struct virtio_chain *c, unsigned at, uint64_t offset, uint64_t len,
		       struct bis_mem_range *out, size_t max)
{
	size_t n = 0;

	for (; len; at++, offset = 0) {
		struct bis_mem_range piece = piece_at(c, at, offset, len);

		if (n == max)
			return -E2BIG;
		out[n++] = piece;
		len -= piece.len;
	}
	return (int)n;
}

int virtio_read_ranges(const struct virtio_chain *c, size_t len, struct bis_mem_range *out, size_t max)
{
	return list_ranges(c, c->read_at, c->read_offset, len < c->readable ? len : c->readable, out, max);
}

int virtio_write_ranges(const struct virtio_chain *c, size_t len, struct bis_mem_range *out, size_t max)
{
	return list_ranges(c, c->write_at, c->write_offset, len < c->writable ? len : c->writable, out, max);
}

ssize_t virtio_write_from_fd(struct virtio_chain *c, int fd, uint64_t offset, size_t len)
{
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
	int n = virtio_write_ranges(c, len, ranges, VIRTIO_QUEUE_SIZE);
	ssize_t moved = n <= 0 ? n : bis_mem_preadv(c->virtio->memory, ranges, (size_t)n, fd, offset);

	if (moved > 0)
		advance_write(c, (uint64_t)moved);
	return moved;
}

ssize_t virtio_read_to_fd(struct virtio_chain *c, int fd, uint64_t offset, size_t len)
{
	struct bis_mem_range ranges[VIRTIO_QUEUE_SIZE];
	int n = virtio_read_ranges(c, len, ranges, VIRTIO_QUEUE_SIZE);
	ssize_t moved = n <= 0 ? n : bis_mem_pwritev(c->virtio->memory, ranges, (size_t)n, fd, offset);

	if (moved > 0)
		advance_read(c, (uint64_t)moved);
	return moved;
}
