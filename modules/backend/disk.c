/*
 * The disk back end, see disk.h: opening, locking and measuring the file, and the requests on a plain file. overlay.c
 * has what an overlay adds. Runs on the worker threads of block devices; holds no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "modules/backend/disk_internal.h"

#define PART_RANGES 256u

struct bis_disk {
	char *name; /* of whose it is, for messages */
	char *path, *overlay_path;
	int fd;
	bool readonly;
	uint64_t size; /* bytes, whole sectors */
	struct disk_overlay *overlay;
	_Atomic bool unsynced; /* written since the last flush began */
	_Atomic int failed;    /* a flush that failed; what is durable is not known from then on */
};

/* --- Requests on a file descriptor --- */

/* The next `len` bytes of the request's memory, as far as `max` ranges reach; returns the number of ranges. */
static size_t next_ranges(const struct disk_request *r, uint64_t len, struct bis_mem_range *out, size_t max)
{
	uint64_t consumed = r->consumed;
	size_t n = 0;

	for (size_t i = 0; i < r->count && n < max && len > 0; i++) {
		uint64_t here = r->ranges[i].len - consumed;

		if (here > len)
			here = len;
		if (here > 0)
			out[n++] = (struct bis_mem_range){{r->ranges[i].pa.v + consumed}, here};
		len -= here;
		consumed = 0;
	}
	return n;
}

static void consume(struct disk_request *r, uint64_t len)
{
	while (r->count > 0 && len >= r->ranges->len - r->consumed) {
		len -= r->ranges->len - r->consumed;
		r->consumed = 0;
		r->ranges++;
		r->count--;
	}
	r->consumed += len;
}

static ssize_t move_part(const struct disk_request *r, const struct bis_mem_range *part, size_t n, int fd,
			 uint64_t offset)
{
	switch (r->op) {
	case DISK_READ:
		return bis_mem_preadv(r->memory, part, n, fd, offset);
	case DISK_READ_CACHED:
		return bis_mem_preadv_nowait(r->memory, part, n, fd, offset);
	default:
		return bis_mem_pwritev(r->memory, part, n, fd, offset);
	}
}

static int transfer(struct disk_request *r, int fd, uint64_t offset, uint64_t len)
{
	while (len > 0) {
		struct bis_mem_range part[PART_RANGES];
		size_t n = next_ranges(r, len, part, PART_RANGES);
		ssize_t moved = move_part(r, part, n, fd, offset);

		if (moved <= 0)
			return moved ? (int)moved : -EIO;
		consume(r, (uint64_t)moved);
		offset += (uint64_t)moved;
		len -= (uint64_t)moved;
	}
	return 0;
}

static int change_space(int fd, int mode, uint64_t offset, uint64_t len)
{
	int err;

	do
		err = fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len) ? -errno : 0;
	while (err == -EINTR);
	return err;
}

/* Is this how a host says that it has no such operation, here or on such bounds? */
static bool not_offered(int err)
{
	return err == -EOPNOTSUPP || err == -ENOSYS || err == -EINVAL || err == -ENODEV;
}

static int discard(int fd, uint64_t offset, uint64_t len)
{
	int err = change_space(fd, FALLOC_FL_PUNCH_HOLE, offset, len);

	return not_offered(err) ? 0 : err;
}

static int write_zeroes(int fd, uint64_t offset, uint64_t len)
{
	static const uint8_t zeroes[1 << 16];
	int err = 0;

	while (!err && len > 0) {
		size_t part = len < sizeof(zeroes) ? (size_t)len : sizeof(zeroes);

		err = bis_disk_pwrite_all(fd, zeroes, part, offset);
		offset += part;
		len -= part;
	}
	return err;
}

static int zero(int fd, uint64_t offset, uint64_t len, bool unmap)
{
	int err = unmap ? change_space(fd, FALLOC_FL_PUNCH_HOLE, offset, len) : -EOPNOTSUPP;

	if (not_offered(err))
		err = change_space(fd, FALLOC_FL_ZERO_RANGE, offset, len);
	return not_offered(err) ? write_zeroes(fd, offset, len) : err;
}

int bis_disk_carry_out(struct disk_request *r, int fd, uint64_t offset, uint64_t len)
{
	switch (r->op) {
	case DISK_READ:
	case DISK_READ_CACHED:
	case DISK_WRITE:
		return transfer(r, fd, offset, len);
	case DISK_DISCARD:
		return discard(fd, offset, len);
	case DISK_ZERO:
	case DISK_ZERO_UNMAP:
		return zero(fd, offset, len, r->op == DISK_ZERO_UNMAP);
	}
	return -EINVAL;
}

int bis_disk_pread_all(int fd, void *buf, size_t len, uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t part = pread(fd, (uint8_t *)buf + done, len - done, (off_t)(offset + done));

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return part ? -errno : -EIO;
		done += (size_t)part;
	}
	return 0;
}

int bis_disk_pwrite_all(int fd, const void *buf, size_t len, uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t part = pwrite(fd, (const uint8_t *)buf + done, len - done, (off_t)(offset + done));

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return part ? -errno : -EIO;
		done += (size_t)part;
	}
	return 0;
}

/* --- Requests on the disk --- */

static bool op_writes(enum disk_op op)
{
	return op != DISK_READ && op != DISK_READ_CACHED;
}

static int carry_out(struct bis_disk *d, struct disk_request *r, uint64_t offset, uint64_t len)
{
	if (len > d->size || offset > d->size - len)
		return -ERANGE;
	if (op_writes(r->op) && d->readonly)
		return -EROFS;
	if (len == 0)
		return 0;
	if (op_writes(r->op))
		atomic_store(&d->unsynced, true);
	if (d->overlay)
		return bis_overlay_carry_out(d->overlay, r, offset, len);
	return bis_disk_carry_out(r, d->fd, offset, len);
}

static int move(struct bis_disk *d, enum disk_op op, struct bis_memory *m, const struct bis_mem_range *ranges,
		size_t count, uint64_t offset)
{
	struct disk_request r = {op, m, ranges, count, 0};
	uint64_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (ranges[i].len > d->size - len)
			return -ERANGE;
		if (!bis_mem_is_ram(m, ranges[i].pa, ranges[i].len))
			return -EFAULT;
		len += ranges[i].len;
	}
	return carry_out(d, &r, offset, len);
}

int bis_disk_read(struct bis_disk *d, struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
		  uint64_t offset)
{
	return move(d, DISK_READ, m, ranges, count, offset);
}

int bis_disk_read_cached(struct bis_disk *d, struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
			 uint64_t offset)
{
	return move(d, DISK_READ_CACHED, m, ranges, count, offset);
}

int bis_disk_write(struct bis_disk *d, struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
		   uint64_t offset)
{
	return move(d, DISK_WRITE, m, ranges, count, offset);
}

int bis_disk_discard(struct bis_disk *d, uint64_t offset, uint64_t len)
{
	struct disk_request r = {.op = DISK_DISCARD};

	return carry_out(d, &r, offset, len);
}

int bis_disk_zero(struct bis_disk *d, uint64_t offset, uint64_t len, bool unmap)
{
	struct disk_request r = {.op = unmap ? DISK_ZERO_UNMAP : DISK_ZERO};

	return carry_out(d, &r, offset, len);
}

int bis_disk_flush(struct bis_disk *d)
{
	int err;

	if (d->readonly)
		return 0;
	atomic_store(&d->unsynced, false);
	if (d->overlay)
		return bis_overlay_flush(d->overlay);
	err = fdatasync(d->fd) ? -errno : 0;
	/* The host may have dropped written data and report success next time. */
	if (err)
		atomic_store(&d->failed, err);
	return atomic_load(&d->failed);
}

static bool byte_is_cached(const struct bis_disk *d, uint64_t offset)
{
	uint64_t at = offset;
	int fd = d->overlay ? bis_overlay_find(d->overlay, offset, &at) : d->fd;
	uint8_t byte;
	struct iovec part = {&byte, 1};

	return preadv2(fd, &part, 1, (off_t)at, RWF_NOWAIT) == 1;
}

bool bis_disk_is_cached(const struct bis_disk *d, uint64_t offset, uint64_t len)
{
	if (len == 0 || len > d->size || offset > d->size - len)
		return true;
	return byte_is_cached(d, offset) && byte_is_cached(d, offset + len - 1);
}

uint64_t bis_disk_sectors(const struct bis_disk *d)
{
	return d->size / BIS_SECTOR_SIZE;
}

bool bis_disk_readonly(const struct bis_disk *d)
{
	return d->readonly;
}

/* --- What a snapshot hangs on --- */

/* Times of change go by the host's clock tick. */
#define TICK_NS INT64_C(10000000)

/* Waits until a change would have another time than the last one had. */
static void let_time_pass(const struct timespec *changed)
{
	static const struct timespec tick = {.tv_nsec = TICK_NS};
	struct timespec now;
	int64_t ago;

	do {
		clock_gettime(CLOCK_REALTIME, &now);
		ago = (int64_t)(now.tv_sec - changed->tv_sec) * 1000000000 + (now.tv_nsec - changed->tv_nsec);
	} while (ago >= 0 && ago < TICK_NS && nanosleep(&tick, NULL) == 0);
}

static int tell_file(const struct bis_disk *d, int fd, const char *what, const char *path,
		     void (*tell)(void *arg, const struct bis_outside *thing), void *arg)
{
	struct stat st;
	struct tm when = {0};
	char day[32] = "", state[128];

	if (fstat(fd, &st))
		return bis_fail(errno, "%s: '%s': %s", d->name, path, strerror(errno));
	if (S_ISREG(st.st_mode)) {
		let_time_pass(&st.st_mtim);
		gmtime_r(&st.st_mtim.tv_sec, &when);
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &when);
		snprintf(state, sizeof(state), "%lld bytes, changed %s.%09ld UTC", (long long)st.st_size, day,
			 st.st_mtim.tv_nsec);
	} else {
		/* A block device does not tell when it was written. */
		snprintf(state, sizeof(state), "%" PRIu64 " bytes", d->size);
	}
	tell(arg, &(struct bis_outside){what, path, state});
	return 0;
}

int bis_disk_outside(struct bis_disk *d, void (*tell)(void *arg, const struct bis_outside *thing), void *arg)
{
	int err = atomic_load(&d->unsynced) ? bis_disk_flush(d) : 0;

	if (err)
		return bis_fail(-err, "%s: what was written to '%s' is not durable: %s", d->name,
				d->overlay ? d->overlay_path : d->path, strerror(-err));
	err = tell_file(d, d->fd, "disk", d->path, tell, arg);
	if (!err && d->overlay)
		err = tell_file(d, bis_overlay_file(d->overlay), "overlay", d->overlay_path, tell, arg);
	return err;
}

/* --- Opening --- */

static int lock_file(int fd, bool readonly, const char *name, const char *path)
{
	struct flock lock = {.l_type = readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return bis_fail(EBUSY, "%s: '%s' is in use by another virtual machine", name, path);
	return bis_fail(errno, "%s: cannot lock '%s': %s", name, path, strerror(errno));
}

int bis_disk_open_locked(const char *name, const char *path, int flags, int *out)
{
	bool readonly = (flags & O_ACCMODE) == O_RDONLY;
	/* Without O_NONBLOCK a FIFO named by mistake would wait for its other end. */
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
	struct stat st;
	int err;

	if (fd < 0)
		return bis_fail(errno, "%s: cannot open '%s' for %s: %s", name, path, readonly ? "reading" : "writing",
				strerror(errno));
	if (fstat(fd, &st))
		err = bis_fail(errno, "%s: '%s': %s", name, path, strerror(errno));
	else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		err = bis_fail(EINVAL, "%s: '%s': expected a file or a block device", name, path);
	else
		err = lock_file(fd, readonly, name, path);
	if (err) {
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

static int measure(struct bis_disk *d, const char *name, const char *path)
{
	off_t size = lseek(d->fd, 0, SEEK_END);

	if (size < 0)
		return bis_fail(errno, "%s: '%s': %s", name, path, strerror(errno));
	if (size < (off_t)BIS_SECTOR_SIZE)
		return bis_fail(EINVAL, "%s: '%s' has %lld bytes: expected at least one sector of %u", name, path,
				(long long)size, BIS_SECTOR_SIZE);
	d->size = (uint64_t)size / BIS_SECTOR_SIZE * BIS_SECTOR_SIZE;
	return 0;
}

static void free_disk(struct bis_disk *d)
{
	free(d->name);
	free(d->path);
	free(d->overlay_path);
	free(d);
}

int bis_disk_open(const char *name, const char *path, bool readonly, const char *overlay, struct bis_disk **out)
{
	bool layered = overlay && *overlay;
	struct bis_disk *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return bis_fail(ENOMEM, "no memory for %s", name);
	d->readonly = readonly;
	d->name = strdup(name);
	d->path = strdup(path);
	d->overlay_path = strdup(layered ? overlay : "");
	err = d->name && d->path && d->overlay_path ? 0 : bis_fail(ENOMEM, "no memory for %s", name);
	if (!err)
		err = bis_disk_open_locked(name, path, readonly || layered ? O_RDONLY : O_RDWR, &d->fd);
	if (err)
		goto free_disk;
	err = measure(d, name, path);
	if (!err && layered)
		err = bis_overlay_open(name, overlay, readonly, d->fd, d->size, &d->overlay);
	if (err)
		goto close_file;
	*out = d;
	return 0;
close_file:
	close(d->fd);
free_disk:
	free_disk(d);
	return err;
}

void bis_disk_close(struct bis_disk *d)
{
	if (!d)
		return;
	if (d->overlay)
		bis_overlay_close(d->overlay);
	close(d->fd);
	free_disk(d);
}
