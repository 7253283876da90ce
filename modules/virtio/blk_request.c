/* See blk_request.h. */
#include <errno.h>

#include "modules/virtio/blk_request.h"

enum request_type {
	TYPE_IN = 0,
	TYPE_OUT = 1,
	TYPE_FLUSH = 4,
	TYPE_GET_ID = 8,
	TYPE_DISCARD = 11,
	TYPE_WRITE_ZEROES = 13
};
enum request_status { STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPP = 2 };

/* Section 5.2.6.1, little-endian in guest memory. */
struct segment {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags;
};
#define SEGMENT_UNMAP 1u

bool blk_request_parse(struct blk_request *r)
{
	struct virtio_chain *c = &r->chain;
	struct bis_mem_range *last;
	int n;

	n = virtio_write_ranges(c, c->writable, r->data, VIRTIO_QUEUE_SIZE);
	if (n <= 0) {
		virtio_broken(c->virtio, "a request without a byte for its status");
		return false;
	}
	last = &r->data[n - 1];
	r->status.v = last->pa.v + --last->len;
	r->room = c->writable - 1;
	r->answered = 0;
	r->len = r->room;
	r->whole = virtio_read(c, &r->header, sizeof(r->header)) == sizeof(r->header);
	if (r->whole && r->header.type == TYPE_OUT) {
		r->len = c->readable;
		n = virtio_read_ranges(c, c->readable, r->data, VIRTIO_QUEUE_SIZE);
	}
	r->count = n > 0 ? (size_t)n : 0;
	return true;
}

/* Gives the chain back. The length told to the driver reaches to the status only if nothing in front of it is missing.
 */
static void complete(struct blk_request *r, enum request_status status)
{
	uint8_t byte = (uint8_t)status;

	if (bis_mem_write(r->chain.virtio->memory, r->status, &byte, 1))
		return;
	r->chain.written = r->answered + (r->answered == r->room);
	virtio_push(&r->chain);
}

static enum request_status status_of(int err)
{
	if (err == 0)
		return STATUS_OK;
	return err == -EOPNOTSUPP ? STATUS_UNSUPP : STATUS_IOERR;
}

/* Sectors in bytes; -ERANGE where the disk does not reach. */
static int byte_offset(const struct blk_store *b, uint64_t sector, uint64_t *out)
{
	if (sector > bis_disk_sectors(b->disk))
		return -ERANGE;
	*out = sector * BIS_SECTOR_SIZE;
	return 0;
}

/* Are writes to be durable when they are done? Section 5.2.6.2. */
static bool writes_through(struct blk_store *b)
{
	bool writeback;

	virtio_lock(b->virtio);
	writeback = *b->writeback;
	virtio_unlock(b->virtio);
	return !writeback || !virtio_has(b->virtio, BLK_FEATURE_FLUSH);
}

/* One buffer named many times is memory for more bytes than anybody should have to wait for. */
static int move_data(struct blk_store *b, struct blk_request *r)
{
	bool odd = r->len % BIS_SECTOR_SIZE || r->len > BLK_DATA_MAX;
	uint64_t offset;
	int err = odd ? -EINVAL : byte_offset(b, r->header.sector, &offset);

	if (err)
		return err;
	if (r->header.type == TYPE_IN) {
		err = bis_disk_read(b->disk, b->virtio->memory, r->data, r->count, offset);
		r->answered = err ? 0 : r->len;
		return err;
	}
	err = bis_disk_write(b->disk, b->virtio->memory, r->data, r->count, offset);
	return !err && writes_through(b) ? bis_disk_flush(b->disk) : err;
}

static int give_id(const struct blk_store *b, struct blk_request *r)
{
	r->answered = virtio_write(&r->chain, b->serial, r->len < BLK_SERIAL_SIZE ? (size_t)r->len : BLK_SERIAL_SIZE);
	return 0;
}

/* Is one segment of a discard or write-zeroes request as it may be? */
static int check_segment(const struct blk_store *b, const struct segment *s, uint32_t type)
{
	uint32_t flags = type == TYPE_WRITE_ZEROES ? SEGMENT_UNMAP : 0;
	uint32_t max = type == TYPE_WRITE_ZEROES ? BLK_ZERO_SECTORS : BLK_DISCARD_SECTORS;
	uint64_t sectors = bis_disk_sectors(b->disk);

	if (s->flags & ~flags)
		return -EOPNOTSUPP;
	if (s->sectors > max)
		return -EINVAL;
	return s->sectors > sectors || s->sector > sectors - s->sectors ? -ERANGE : 0;
}

/* Discard and write-zeroes: all segments are checked before the first takes effect. */
static int clear_sectors(struct blk_store *b, struct blk_request *r)
{
	struct segment segments[BLK_SEGMENTS];
	uint64_t len = r->chain.readable;
	size_t count = (size_t)(len / sizeof(segments[0]));
	int err = 0;

	if (bis_disk_readonly(b->disk))
		return -EROFS;
	if (len == 0 || len % sizeof(segments[0]) || len > sizeof(segments))
		return -EINVAL;
	if (virtio_read(&r->chain, segments, (size_t)len) != len)
		return -EFAULT;
	for (size_t i = 0; i < count && !err; i++)
		err = check_segment(b, &segments[i], r->header.type);
	for (size_t i = 0; i < count && !err; i++) {
		uint64_t offset = segments[i].sector * BIS_SECTOR_SIZE;
		uint64_t bytes = (uint64_t)segments[i].sectors * BIS_SECTOR_SIZE;

		if (r->header.type == TYPE_DISCARD)
			err = bis_disk_discard(b->disk, offset, bytes);
		else
			err = bis_disk_zero(b->disk, offset, bytes, segments[i].flags & SEGMENT_UNMAP);
	}
	return !err && writes_through(b) ? bis_disk_flush(b->disk) : err;
}

void blk_request_carry_out(struct blk_store *b, struct blk_request *r)
{
	int err = -EOPNOTSUPP;

	if (!r->whole)
		err = -EINVAL;
	else if (r->header.type == TYPE_IN || r->header.type == TYPE_OUT)
		err = move_data(b, r);
	else if (r->header.type == TYPE_FLUSH)
		err = bis_disk_flush(b->disk);
	else if (r->header.type == TYPE_GET_ID)
		err = give_id(b, r);
	else if (r->header.type == TYPE_DISCARD || r->header.type == TYPE_WRITE_ZEROES)
		err = clear_sectors(b, r);
	complete(r, status_of(err));
}

bool blk_request_is_slow(struct blk_store *b, const struct blk_request *r)
{
	uint64_t offset;

	if (!r->whole || r->header.type == TYPE_GET_ID)
		return false;
	if (r->header.type == TYPE_IN)
		return byte_offset(b, r->header.sector, &offset) == 0 && !bis_disk_is_cached(b->disk, offset, r->len);
	return r->header.type != TYPE_OUT || writes_through(b);
}

bool blk_request_read_cached(struct blk_store *b, struct blk_request *r)
{
	uint64_t offset;

	if (!r->whole || r->header.type != TYPE_IN || r->len % BIS_SECTOR_SIZE ||
	    byte_offset(b, r->header.sector, &offset))
		return false;
	if (bis_disk_read_cached(b->disk, b->virtio->memory, r->data, r->count, offset))
		return false;
	r->answered = r->len;
	complete(r, STATUS_OK);
	return true;
}
