/* Shared by the disk back end's files alone: requests on a file descriptor, and the overlay. See disk.h. */
#ifndef BISCUIT_MODULES_DISK_INTERNAL_H
#define BISCUIT_MODULES_DISK_INTERNAL_H

#include "modules/backend/disk.h"

enum disk_op { DISK_READ, DISK_READ_CACHED, DISK_WRITE, DISK_DISCARD, DISK_ZERO, DISK_ZERO_UNMAP };

/* A request on its way; its memory is consumed from the front. Discards and zeroes have none. */
struct disk_request {
	enum disk_op op;
	struct bis_memory *memory;
	const struct bis_mem_range *ranges;
	size_t count;
	uint64_t consumed; /* bytes of ranges[0] */
};

/* Carries out the next `len` bytes of the request at `offset` of a file. 0 or -errno. */
BIS_MUST_CHECK int bis_disk_carry_out(struct disk_request *r, int fd, uint64_t offset, uint64_t len);

/* Opens a file or block device, or makes it (O_CREAT in `flags`), and locks it. */
BIS_MUST_CHECK int bis_disk_open_locked(const char *name, const char *path, int flags, int *fd);
/* Plain transfers of all of `len` bytes: -EIO at the end of the file. */
BIS_MUST_CHECK int bis_disk_pread_all(int fd, void *buf, size_t len, uint64_t offset);
BIS_MUST_CHECK int bis_disk_pwrite_all(int fd, const void *buf, size_t len, uint64_t offset);

struct disk_overlay;

/* Opens or makes the overlay of a disk of `size` bytes, open for reading as `base`, which stays the caller's. */
BIS_MUST_CHECK int bis_overlay_open(const char *name, const char *path, bool readonly, int base, uint64_t size,
				    struct disk_overlay **out);
/* Its descriptor, which stays its own. */
int bis_overlay_file(const struct disk_overlay *o);
/* Makes everything durable, as far as the host can. */
void bis_overlay_close(struct disk_overlay *o);
/* Any operation on [offset, offset+len), which lies in the disk. */
BIS_MUST_CHECK int bis_overlay_carry_out(struct disk_overlay *o, struct disk_request *r, uint64_t offset, uint64_t len);
BIS_MUST_CHECK int bis_overlay_flush(struct disk_overlay *o);
/* Where the byte at `offset` is kept: a descriptor, and *at in it. */
int bis_overlay_find(const struct disk_overlay *o, uint64_t offset, uint64_t *at);

#endif
