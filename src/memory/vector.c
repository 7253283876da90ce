/*
 * Scatter/gather between guest memory and files, and giving host memory back, <biscuit/memory.h>. Any thread, no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/uio.h>

#include <biscuit/error.h>

#include "src/memory/memory_internal.h"

#define VECTORS 64 /* of one system call */

/* A place in a list of checked ranges. */
struct place {
	const struct bis_mem_range *ranges;
	size_t count, index;
	uint64_t offset; /* in ranges[index] */
};

static int check_ranges(const struct bis_memory *m, const struct bis_mem_range *ranges, size_t count, uint64_t offset)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		int err = bis_mem_check_ram(m, ranges[i].pa, ranges[i].len);

		if (err)
			return err;
		if (ranges[i].len > INT64_MAX - total)
			return bis_fail(EINVAL, "memory: a list of more than 2^63 bytes");
		total += ranges[i].len;
	}
	if (offset > INT64_MAX - total)
		return bis_fail(EINVAL, "memory: file offset %" PRIu64 " with %" PRIu64 " bytes goes beyond 2^63",
				offset, total);
	return 0;
}

/* The host memory from the place on, as vectors; their number. */
static int gather(const struct bis_memory *m, struct place p, struct iovec *iov)
{
	int n = 0;

	while (n < VECTORS && p.index < p.count) {
		const struct bis_mem_range *r = &p.ranges[p.index];
		struct bis_ram *ram;
		uint64_t at, len;

		if (p.offset == r->len) {
			p.index++;
			p.offset = 0;
			continue;
		}
		ram = bis_mem_find(m, r->pa.v + p.offset);
		at = r->pa.v + p.offset - ram->base;
		len = r->len - p.offset < ram->size - at ? r->len - p.offset : ram->size - at;
		iov[n++] = (struct iovec){.iov_base = ram->host + at, .iov_len = (size_t)len};
		p.offset += len;
	}
	return n;
}

/* Moves the place on by `len` bytes; with `write`, tells of them as written. */
static void advance(struct bis_memory *m, struct place *p, uint64_t len, bool write)
{
	while (len > 0) {
		const struct bis_mem_range *r = &p->ranges[p->index];
		uint64_t part = len < r->len - p->offset ? len : r->len - p->offset;

		if (part && write)
			bis_mem_touched(m, r->pa.v + p->offset, part);
		p->offset += part;
		len -= part;
		if (p->offset == r->len) {
			p->index++;
			p->offset = 0;
		}
	}
}

static ssize_t move(struct bis_memory *m, const struct bis_mem_range *ranges, size_t count, int fd, uint64_t offset,
		    bool write, int flags)
{
	struct place p = {.ranges = ranges, .count = count};
	struct iovec iov[VECTORS];
	uint64_t done = 0;
	int n, err = check_ranges(m, ranges, count, offset);

	if (err)
		return err;
	while ((n = gather(m, p, iov)) > 0) {
		ssize_t got = bis_ram_move(fd, iov, n, (off_t)(offset + done), write, flags);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && done)
			break;
		if (got < 0 && errno == EAGAIN)
			return -EAGAIN; /* an answer that is asked for often */
		if (got < 0)
			return bis_fail(errno, "memory: cannot %s the file: %s", write ? "read" : "write",
					strerror(errno));
		if (got == 0)
			break;
		advance(m, &p, (uint64_t)got, write);
		done += (uint64_t)got;
	}
	return (ssize_t)done;
}

ssize_t bis_mem_preadv(struct bis_memory *m, const struct bis_mem_range *ranges, size_t count, int fd, uint64_t offset)
{
	return move(m, ranges, count, fd, offset, true, 0);
}

ssize_t bis_mem_preadv_nowait(struct bis_memory *m, const struct bis_mem_range *ranges, size_t count, int fd,
			      uint64_t offset)
{
	ssize_t got = move(m, ranges, count, fd, offset, true, RWF_NOWAIT);

	/* A file system that cannot tell, such as tmpfs. */
	return got == -EOPNOTSUPP ? -EAGAIN : got;
}

ssize_t bis_mem_pwritev(const struct bis_memory *m, const struct bis_mem_range *ranges, size_t count, int fd,
			uint64_t offset)
{
	/* Nothing of the memory changes when it is only read. */
	return move((struct bis_memory *)(uintptr_t)m, ranges, count, fd, offset, false, 0);
}

int bis_mem_discard(struct bis_memory *m, bis_gpa pa, uint64_t len)
{
	int err;

	if ((pa.v | len) & BIS_PAGE_MASK)
		return bis_fail(EINVAL, "memory: 0x%" PRIx64 " bytes at 0x%" PRIx64 " are not whole pages", len, pa.v);
	err = bis_mem_check_ram(m, pa, len);
	if (err)
		return err;
	while (len > 0) {
		struct bis_ram *r = bis_mem_find(m, pa.v);
		uint64_t at = pa.v - r->base, part = len < r->size - at ? len : r->size - at;

		if (fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)part))
			return bis_fail(errno, "memory: cannot give memory back: %s", strerror(errno));
		bis_mem_touched(m, pa.v, part);
		pa.v += part;
		len -= part;
	}
	return 0;
}
