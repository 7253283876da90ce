/*
 * A disk: the sectors of a file or host block device, with an overlay file that takes the writes if the user wants one.
 * What every block device of the machine stands on. Thread: open and close as the owner's create and destroy; all other
 * functions may be called by any number of threads at once, and may wait for the host's storage, so no lock of the
 * machine is held. Of requests that overlap and run at the same time, either may come first, sector by sector.
 */
#ifndef BISCUIT_MODULES_DISK_H
#define BISCUIT_MODULES_DISK_H

#include <biscuit/memory.h>
#include <biscuit/module.h>

#define BIS_SECTOR_SIZE 512u

struct bis_disk;

/*
 * Opens `path` and locks it against other virtual machines: writers exclude everybody, readers exclude writers. With an
 * `overlay` (neither NULL nor ""), `path` is only read; writes go to that file, which is made if there is none and is
 * refused unless it was made for a disk of this size. A size that is no multiple of the sector's is rounded down.
 * `name` starts the messages. -EBUSY: locked by another; -EINVAL: not a disk, not an overlay, or one for another disk;
 * -errno of the host. *out is closed with bis_disk_close.
 */
BIS_MUST_CHECK int bis_disk_open(const char *name, const char *path, bool readonly, const char *overlay,
				 struct bis_disk **out);
/* Nobody uses it any more. What an overlay holds is made durable. NULL is allowed. */
void bis_disk_close(struct bis_disk *d);

/*
 * For the `outside` of block devices: makes what was written durable, then tells of the files, each with its size and
 * the time of its last change. The next write comes with another time. -errno with message.
 */
BIS_MUST_CHECK int bis_disk_outside(struct bis_disk *d, void (*tell)(void *arg, const struct bis_outside *thing),
				    void *arg);

uint64_t bis_disk_sectors(const struct bis_disk *d);
bool bis_disk_readonly(const struct bis_disk *d);

/*
 * Move bytes between the disk from `offset` on and the ranges of guest memory, in order. 0 when all were moved; -ERANGE
 * beyond the end, -EROFS, -EFAULT (not RAM), each with nothing moved; -EIO where the file has become too short, -ENOSPC
 * or another errno of the host, with part of it moved perhaps.
 */
BIS_MUST_CHECK int bis_disk_read(struct bis_disk *d, struct bis_memory *m, const struct bis_mem_range *ranges,
				 size_t count, uint64_t offset);
BIS_MUST_CHECK int bis_disk_write(struct bis_disk *d, struct bis_memory *m, const struct bis_mem_range *ranges,
				  size_t count, uint64_t offset);
/* Reads only what the host has in memory: -EAGAIN, with part of it moved perhaps, if it would have to wait for storage.
 */
BIS_MUST_CHECK int bis_disk_read_cached(struct bis_disk *d, struct bis_memory *m, const struct bis_mem_range *ranges,
					size_t count, uint64_t offset);
/* Would reading [offset, offset+len) wait for storage? A guess from its first and last byte. */
bool bis_disk_is_cached(const struct bis_disk *d, uint64_t offset, uint64_t len);

/*
 * All writes, discards and zeroes that returned before the call are on stable storage when it gives 0. Once it has
 * failed it fails for good: nobody knows then what the host has lost.
 */
BIS_MUST_CHECK int bis_disk_flush(struct bis_disk *d);
/* The guest no longer needs these bytes: gives their space back where the host can. They read as anything. */
BIS_MUST_CHECK int bis_disk_discard(struct bis_disk *d, uint64_t offset, uint64_t len);
/* These bytes read as zero; with `unmap` their space may be given back. */
BIS_MUST_CHECK int bis_disk_zero(struct bis_disk *d, uint64_t offset, uint64_t len, bool unmap);

#endif
