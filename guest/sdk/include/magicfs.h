/*
 * Client of MagicFS, the directories of the host that the user shares (slot 4): POSIX-like names, for M-mode and
 * S-mode, programs and kernels alike. docs/magicfs.md describes the protocol; magicfs_protocol.h has its structures.
 *
 * A file is named by a handle and a path from there. Handle k, below magicfs_shares_read(), is the root of share k;
 * magicfs_open() gives more. "" is the handle itself. Functions return 0 or a number, or below 0 an error as
 * -MAGICFS_ENOENT.
 *
 * Any number of harts may call these functions at once, but magicfs_post() and magicfs_take() are for one hart at a
 * time. What a pointer leads to must be physically contiguous: with paging on, a buffer inside one page, or one in
 * memory that the kernel maps in one piece. A scattered buffer is described by its pieces: magicfs_readv(),
 * magicfs_writev().
 */
#ifndef MAGICFS_H
#define MAGICFS_H

#include <biscuit.h>
#include <magicfs_protocol.h>
#include <riscv.h>
#include <stddef.h>
#include <stdint.h>

/* Define these before this header where the defaults do not fit: the physical address of what a pointer leads to, and
 * back; who gets what is made. */
#ifndef MAGICFS_PHYSICAL
#define MAGICFS_PHYSICAL(pointer) ((uint64_t)(uintptr_t)(pointer))
#endif
#ifndef MAGICFS_POINTER
#define MAGICFS_POINTER(address) ((void *)(uintptr_t)(address))
#endif
#ifndef MAGICFS_UID
#define MAGICFS_UID 0
#define MAGICFS_GID 0
#endif

/* A request that begins so lies inside one page, on a stack as well. */
#define MAGICFS_ALIGNED __attribute__((aligned(128)))

/* --- Any request --- */

/* Carries out a request: its result. */
static inline int64_t magicfs_do(struct magicfs_request *request)
{
	uint64_t address = MAGICFS_PHYSICAL(request);
	volatile uint32_t *done = &request->done;

	*done = 0;
	memory_fence();
	/* On RV32 all harts share HIGH: it is left alone where it is not needed. */
	if (address >> 32)
		magicfs_request_write(address);
	else
		csr_write(MAGICFS_REQUEST, (uintptr_t)address);
	memory_fence();
	if (!*done)
		return magicfs_status_read() & NATIVE_STATUS_READY ? -MAGICFS_EFAULT : -MAGICFS_ENODEV;
	return request->result;
}

/* What carries out the requests below. A kernel that lets others run meanwhile defines it before this header, as a
 * function that posts the request and sleeps until it is done. */
#ifndef MAGICFS_DO
#define MAGICFS_DO(request) magicfs_do(request)
#endif

/* Has a request carried out in the background; it and its buffers are the device's until magicfs_take() gives it, or
 * `done` is 1. 0, -MAGICFS_EAGAIN: too many are under way, -MAGICFS_EBUSY: this one is. */
static inline int magicfs_post(struct magicfs_request *request)
{
	*(volatile uint32_t *)&request->done = 0;
	memory_fence();
	magicfs_post_write(MAGICFS_PHYSICAL(request));
	return -(int)((magicfs_status_read() & NATIVE_STATUS_ERROR_MASK) >> NATIVE_STATUS_ERROR_SHIFT);
}

/* A posted request that is done, or NULL. */
static inline struct magicfs_request *magicfs_take(void)
{
	uint64_t address = magicfs_done_read();

	memory_fence();
	return address ? MAGICFS_POINTER(address) : NULL;
}

static inline uint32_t magicfs_length(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

/* The beginning of a request: an operation, what it is done to, and where it has its data. */
static inline struct magicfs_request magicfs_make(uint32_t op, uint32_t handle, const char *path, uint32_t flags,
						  const void *buffer, uint64_t length)
{
	return (struct magicfs_request){.op = op,
					.flags = flags,
					.handle = handle,
					.path = path ? MAGICFS_PHYSICAL(path) : 0,
					.path_len = path ? magicfs_length(path) : 0,
					.buffer = buffer ? MAGICFS_PHYSICAL(buffer) : 0,
					.length = length,
					.uid = MAGICFS_UID,
					.gid = MAGICFS_GID};
}

static inline int64_t magicfs_simple(uint32_t op, uint32_t handle, const char *path, uint32_t flags, const void *buffer,
				     uint64_t length, uint64_t offset, uint32_t mode, uint32_t mask)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(op, handle, path, flags, buffer, length);

	r.offset = offset;
	r.mode = mode;
	r.mask = mask;
	return MAGICFS_DO(&r);
}

static inline int64_t magicfs_two_paths(uint32_t op, uint32_t handle, const char *path, uint32_t handle2,
					const char *path2, uint32_t flags)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(op, handle, path, flags, NULL, 0);

	r.handle2 = handle2;
	r.path2 = MAGICFS_PHYSICAL(path2);
	r.path2_len = magicfs_length(path2);
	return MAGICFS_DO(&r);
}

/* --- Shares --- */

/* The name of share k, cut off at `size` bytes, without NUL: its length. */
static inline int64_t magicfs_share(uint32_t share, char *name, size_t size)
{
	return magicfs_simple(MAGICFS_SHARE, share, NULL, 0, name, size, 0, 0, 0);
}

static inline int64_t magicfs_statfs(uint32_t at, const char *path, struct magicfs_statfs *out)
{
	return magicfs_simple(MAGICFS_STATFS, at, path, 0, out, sizeof(*out), 0, 0, 0);
}

/* --- Files; `flags` of magicfs_open: enum magicfs_open, MAGICFS_NOFOLLOW --- */

static inline int64_t magicfs_open(uint32_t at, const char *path, uint32_t flags, uint32_t mode)
{
	return magicfs_simple(MAGICFS_OPEN, at, path, flags, NULL, 0, 0, mode, 0);
}

static inline int64_t magicfs_close(uint32_t handle)
{
	return magicfs_simple(MAGICFS_CLOSE, handle, NULL, 0, NULL, 0, 0, 0, 0);
}

static inline int64_t magicfs_read(uint32_t handle, void *buffer, uint64_t len, uint64_t offset)
{
	return magicfs_simple(MAGICFS_READ, handle, NULL, 0, buffer, len, offset, 0, 0);
}

static inline int64_t magicfs_write(uint32_t handle, const void *buffer, uint64_t len, uint64_t offset)
{
	return magicfs_simple(MAGICFS_WRITE, handle, NULL, 0, buffer, len, offset, 0, 0);
}

/* The same with a buffer in pieces; their addresses are physical. */
static inline int64_t magicfs_readv(uint32_t handle, const struct magicfs_piece *pieces, unsigned count,
				    uint64_t offset)
{
	return magicfs_simple(MAGICFS_READ, handle, NULL, MAGICFS_VECTOR, pieces, count, offset, 0, 0);
}

static inline int64_t magicfs_writev(uint32_t handle, const struct magicfs_piece *pieces, unsigned count,
				     uint64_t offset)
{
	return magicfs_simple(MAGICFS_WRITE, handle, NULL, MAGICFS_VECTOR, pieces, count, offset, 0, 0);
}

/* On stable storage when it returns. */
static inline int64_t magicfs_sync(uint32_t handle)
{
	return magicfs_simple(MAGICFS_SYNC, handle, NULL, 0, NULL, 0, 0, 0, 0);
}

/* `mode`: enum magicfs_allocate. */
static inline int64_t magicfs_allocate(uint32_t handle, uint32_t mode, uint64_t offset, uint64_t len)
{
	return magicfs_simple(MAGICFS_ALLOCATE, handle, NULL, 0, NULL, len, offset, 0, mode);
}

/* Where data (flags 0) or a hole (MAGICFS_HOLE) is next. */
static inline int64_t magicfs_seek(uint32_t handle, uint64_t offset, uint32_t flags)
{
	return magicfs_simple(MAGICFS_SEEK, handle, NULL, flags, NULL, 0, offset, 0, 0);
}

/* From one file to another on the host: bytes copied. */
static inline int64_t magicfs_copy(uint32_t from, uint64_t from_offset, uint32_t to, uint64_t to_offset, uint64_t len)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_COPY, from, NULL, 0, NULL, len);

	r.offset = from_offset;
	r.handle2 = to;
	r.value[0] = to_offset;
	return MAGICFS_DO(&r);
}

/* --- Attributes; `flags`: 0, MAGICFS_NOFOLLOW --- */

static inline int64_t magicfs_stat(uint32_t at, const char *path, uint32_t flags, struct magicfs_stat *out)
{
	return magicfs_simple(MAGICFS_STAT, at, path, flags, out, sizeof(*out), 0, 0, 0);
}

static inline int64_t magicfs_chmod(uint32_t at, const char *path, uint32_t mode)
{
	return magicfs_simple(MAGICFS_SET, at, path, 0, NULL, 0, 0, mode, MAGICFS_SET_MODE);
}

static inline int64_t magicfs_truncate(uint32_t at, const char *path, uint64_t size)
{
	return magicfs_simple(MAGICFS_SET, at, path, 0, NULL, 0, size, 0, MAGICFS_SET_SIZE);
}

static inline int64_t magicfs_chown(uint32_t at, const char *path, uint32_t flags, uint32_t uid, uint32_t gid)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_SET, at, path, flags, NULL, 0);

	r.uid = uid;
	r.gid = gid;
	r.mask = MAGICFS_SET_UID | MAGICFS_SET_GID;
	return MAGICFS_DO(&r);
}

/* ns since 1970. */
static inline int64_t magicfs_utimens(uint32_t at, const char *path, uint32_t flags, int64_t atime, int64_t mtime)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_SET, at, path, flags, NULL, 0);

	r.value[0] = (uint64_t)atime;
	r.value[1] = (uint64_t)mtime;
	r.mask = MAGICFS_SET_ATIME | MAGICFS_SET_MTIME;
	return MAGICFS_DO(&r);
}

/* With size 0 the size is asked for. */
static inline int64_t magicfs_getxattr(uint32_t at, const char *path, const char *name, void *value, size_t size,
				       uint32_t flags)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_GETXATTR, at, path, flags, value, size);

	r.path2 = MAGICFS_PHYSICAL(name);
	r.path2_len = magicfs_length(name);
	return MAGICFS_DO(&r);
}

/* `how`: 0, 1 only make, 2 only replace. */
static inline int64_t magicfs_setxattr(uint32_t at, const char *path, const char *name, const void *value, size_t size,
				       uint32_t flags, uint32_t how)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_SETXATTR, at, path, flags, value, size);

	r.path2 = MAGICFS_PHYSICAL(name);
	r.path2_len = magicfs_length(name);
	r.mask = how;
	return MAGICFS_DO(&r);
}

static inline int64_t magicfs_listxattr(uint32_t at, const char *path, char *names, size_t size, uint32_t flags)
{
	return magicfs_simple(MAGICFS_LISTXATTR, at, path, flags, names, size, 0, 0, 0);
}

static inline int64_t magicfs_removexattr(uint32_t at, const char *path, const char *name, uint32_t flags)
{
	return magicfs_two_paths(MAGICFS_REMOVEXATTR, at, path, 0, name, flags);
}

/* --- Names --- */

static inline int64_t magicfs_mkdir(uint32_t at, const char *path, uint32_t mode)
{
	return magicfs_simple(MAGICFS_MKDIR, at, path, 0, NULL, 0, 0, mode, 0);
}

static inline int64_t magicfs_mknod(uint32_t at, const char *path, uint32_t mode, uint64_t device)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_MKNOD, at, path, 0, NULL, 0);

	r.mode = mode;
	r.value[0] = device;
	return MAGICFS_DO(&r);
}

static inline int64_t magicfs_unlink(uint32_t at, const char *path)
{
	return magicfs_simple(MAGICFS_UNLINK, at, path, 0, NULL, 0, 0, 0, 0);
}

static inline int64_t magicfs_rmdir(uint32_t at, const char *path)
{
	return magicfs_simple(MAGICFS_UNLINK, at, path, MAGICFS_DIRECTORY_ONLY, NULL, 0, 0, 0, 0);
}

/* `flags`: enum magicfs_rename. */
static inline int64_t magicfs_rename(uint32_t from, const char *old_path, uint32_t to, const char *new_path,
				     uint32_t flags)
{
	return magicfs_two_paths(MAGICFS_RENAME, from, old_path, to, new_path, flags);
}

static inline int64_t magicfs_link(uint32_t from, const char *old_path, uint32_t to, const char *new_path)
{
	return magicfs_two_paths(MAGICFS_LINK, from, old_path, to, new_path, 0);
}

static inline int64_t magicfs_symlink(const char *target, uint32_t at, const char *path)
{
	return magicfs_two_paths(MAGICFS_SYMLINK, at, path, 0, target, 0);
}

/* The target's bytes without NUL. */
static inline int64_t magicfs_readlink(uint32_t at, const char *path, char *target, size_t size)
{
	return magicfs_simple(MAGICFS_READLINK, at, path, 0, target, size, 0, 0, 0);
}

/* --- Directories --- */

/* A directory being read: set `handle`, `flags` (0, MAGICFS_ATTRIBUTES), `buffer` (aligned to 8) and its `size`; the
 * rest is 0 at the start. */
struct magicfs_list {
	uint32_t handle, flags;
	void *buffer;
	size_t size;
	uint64_t cursor;
	size_t at, filled;
	int64_t error;
};

/* The next entry, valid until the next call, or NULL at the end and after an error. */
static inline const struct magicfs_entry *magicfs_list(struct magicfs_list *l)
{
	const struct magicfs_entry *entry;

	if (l->at >= l->filled) {
		l->error = magicfs_simple(MAGICFS_LIST, l->handle, NULL, l->flags, l->buffer, l->size, l->cursor, 0, 0);
		if (l->error <= 0)
			return NULL;
		l->filled = (size_t)l->error;
		l->at = 0;
		l->error = 0;
	}
	entry = (const void *)((const char *)l->buffer + l->at);
	l->at += entry->size;
	l->cursor = entry->cursor;
	return entry;
}

/* Its name, ended by NUL; with MAGICFS_ATTRIBUTES its attributes. */
static inline const char *magicfs_entry_name(const struct magicfs_entry *entry)
{
	return (const char *)entry + entry->name_offset;
}

static inline const struct magicfs_stat *magicfs_entry_stat(const struct magicfs_entry *entry)
{
	return (const void *)(entry + 1);
}

/* --- Locks: `type` enum magicfs_lock; -MAGICFS_EAGAIN where somebody else's is in the way --- */

static inline int64_t magicfs_lock(uint32_t handle, uint32_t type, uint64_t start, uint64_t len, uint64_t owner,
				   uint32_t flags)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_LOCK, handle, NULL, flags, NULL, len);

	r.offset = start;
	r.mask = type;
	r.value[0] = owner;
	return MAGICFS_DO(&r);
}

/* The type of the lock that is in the way of that one; MAGICFS_LOCK_NONE if there is none. */
static inline int64_t magicfs_getlock(uint32_t handle, uint32_t type, uint64_t start, uint64_t len, uint64_t owner)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_GETLOCK, handle, NULL, 0, NULL, len);

	r.offset = start;
	r.mask = type;
	r.value[0] = owner;
	return MAGICFS_DO(&r);
}

/* --- Change events --- */

/* The watch's number. `changes`: enum magicfs_change; `flags`: 0, MAGICFS_RECURSIVE, MAGICFS_NOFOLLOW. */
static inline int64_t magicfs_watch(uint32_t at, const char *path, uint32_t changes, uint32_t flags)
{
	return magicfs_simple(MAGICFS_WATCH, at, path, flags, NULL, 0, 0, 0, changes);
}

static inline int64_t magicfs_unwatch(int64_t watch)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_UNWATCH, 0, NULL, 0, NULL, 0);

	r.value[0] = (uint64_t)watch;
	return MAGICFS_DO(&r);
}

/* Takes what has happened: bytes of struct magicfs_event, or -MAGICFS_EAGAIN. */
static inline int64_t magicfs_events(void *buffer, size_t size)
{
	return magicfs_simple(MAGICFS_EVENTS, 0, NULL, 0, buffer, size, 0, 0, 0);
}

/* --- Pages of files as memory --- */

/* The physical address of `len` bytes of a file, all multiples of 4096. `flags`: MAGICFS_SHARED, MAGICFS_WRITABLE. */
static inline int64_t magicfs_map(uint32_t handle, uint64_t offset, uint64_t len, uint32_t flags)
{
	return magicfs_simple(MAGICFS_MAP, handle, NULL, flags, NULL, len, offset, 0, 0);
}

static inline int64_t magicfs_unmap(int64_t address, uint64_t len)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_UNMAP, 0, NULL, 0, NULL, len);

	r.value[0] = (uint64_t)address;
	return MAGICFS_DO(&r);
}

/* Ends a posted LOCK that waits, or EVENTS, with -MAGICFS_EINTR. */
static inline int64_t magicfs_cancel(struct magicfs_request *request)
{
	struct magicfs_request r MAGICFS_ALIGNED = magicfs_make(MAGICFS_CANCEL, 0, NULL, 0, NULL, 0);

	r.value[0] = MAGICFS_PHYSICAL(request);
	return MAGICFS_DO(&r);
}

#endif
