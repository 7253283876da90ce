/*
 * What the calls of magicfs/mfs.h do: what can be checked without asking the host is checked here and in mfs_check.c,
 * once for both faces and every table, and what people look at is counted. Any thread; nodes and file systems are
 * counted references.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "magicfs/mfs_check.h"
#include "magicfs/mfs_do.h"

#define XATTR_NAME_BYTES  255
#define XATTR_VALUE_BYTES 65536
#define NANOSECONDS	  1000000000u

enum {
	OPEN_FLAGS = MFS_ACCESS | MFS_CREATE | MFS_EXCLUSIVE | MFS_TRUNCATE | MFS_APPEND | MFS_DIRECTORY |
		     MFS_TEMPORARY | MFS_SYNC | MFS_DIRECT | MFS_NO_ATIME,
	SET_FLAGS = MFS_SET_MODE | MFS_SET_UID | MFS_SET_GID | MFS_SET_SIZE | MFS_SET_ATIME | MFS_SET_MTIME |
		    MFS_SET_ATIME_NOW | MFS_SET_MTIME_NOW | MFS_SET_CTIME,
	FALLOCATE_FLAGS = 1 | 2 | 8 | 16 | 32,
};

/* --- References --- */

struct mfs *mfs_get(struct mfs *fs)
{
	atomic_fetch_add_explicit(&fs->references, 1, memory_order_relaxed);
	return fs;
}

void mfs_put(struct mfs *fs)
{
	if (fs && atomic_fetch_sub_explicit(&fs->references, 1, memory_order_acq_rel) == 1)
		fs->ops->destroy(fs);
}

struct mfs_node *mfs_node_get(struct mfs_node *node)
{
	atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
	return node;
}

void mfs_node_put(struct mfs_node *node)
{
	if (!node || atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel) != 1)
		return;
	atomic_fetch_sub_explicit(&node->fs->nodes, 1, memory_order_relaxed);
	if (node->open)
		atomic_fetch_sub_explicit(&node->fs->open_nodes, 1, memory_order_relaxed);
	node->fs->ops->node_free(node->fs, node);
}

struct mfs_node *mfs_root(struct mfs *fs)
{
	return mfs_node_get(fs->root);
}

/* A call that makes a node has returned `err`: counts the node. */
static int made(struct mfs *fs, int err, struct mfs_node **out)
{
	if (!err) {
		atomic_fetch_add_explicit(&fs->nodes, 1, memory_order_relaxed);
		if ((*out)->open)
			atomic_fetch_add_explicit(&fs->open_nodes, 1, memory_order_relaxed);
	}
	return err;
}

/* Is it somebody? */
static bool is_known(struct mfs_who who)
{
	return who.uid != UINT32_MAX && who.gid != UINT32_MAX;
}

/* --- Objects --- */

int mfs_do_lookup(const struct mfs_at *at, struct mfs_node **out)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (err)
		return err;
	if (!at->path[0] && !at->base->open) {
		*out = mfs_node_get(at->base);
		return 0;
	}
	return fs->ops->lookup ? made(fs, fs->ops->lookup(fs, at, out), out) : -EOPNOTSUPP;
}

int mfs_do_stat(const struct mfs_at *at, struct mfs_attr *out)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (err)
		return err;
	return fs->ops->stat ? fs->ops->stat(fs, at, out) : -EOPNOTSUPP;
}

int mfs_do_set(const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin_change(at);

	if (err)
		return err;
	if (mask & ~(unsigned)SET_FLAGS)
		return -EINVAL;
	if ((mask & MFS_SET_ATIME && attr->atime.nsec >= NANOSECONDS) ||
	    (mask & MFS_SET_MTIME && attr->mtime.nsec >= NANOSECONDS))
		return -EINVAL;
	if ((mask & MFS_SET_UID && attr->uid == UINT32_MAX) || (mask & MFS_SET_GID && attr->gid == UINT32_MAX))
		return -EINVAL;
	if (mask & MFS_SET_SIZE && attr->size > INT64_MAX)
		return -EFBIG;
	return fs->ops->set ? fs->ops->set(fs, at, mask, attr) : -EOPNOTSUPP;
}

/* In a read-only share nothing is made, but what exists can be opened by a call that would have made it. */
static int open_readonly(struct mfs *fs, const struct mfs_at *at, unsigned flags, struct mfs_node **out)
{
	struct mfs_attr attr;
	int err;

	if ((flags & MFS_ACCESS) != MFS_READ || flags & (MFS_TRUNCATE | MFS_TEMPORARY))
		return -EROFS;
	if (flags & MFS_CREATE && flags & MFS_EXCLUSIVE) {
		struct mfs_at nofollow = {.base = at->base, .path = at->path};

		err = fs->ops->stat ? fs->ops->stat(fs, &nofollow, &attr) : -EOPNOTSUPP;
		return err == 0 ? -EEXIST : err == -ENOENT ? -EROFS : err;
	}
	err = fs->ops->open(fs, at, flags & ~(unsigned)(MFS_CREATE | MFS_EXCLUSIVE), 0, (struct mfs_who){0}, out);
	return err == -ENOENT && flags & MFS_CREATE ? -EROFS : made(fs, err, out);
}

int mfs_do_open(const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who, struct mfs_node **out)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (err)
		return err;
	if (flags & ~(unsigned)OPEN_FLAGS || (flags & MFS_ACCESS) == MFS_ACCESS)
		return -EINVAL;
	if (flags & MFS_CREATE && flags & (MFS_DIRECTORY | MFS_TEMPORARY))
		return -EINVAL;
	if (flags & (MFS_CREATE | MFS_TEMPORARY) && !is_known(who))
		return -EINVAL;
	if (!fs->ops->open)
		return -EOPNOTSUPP;
	if (fs->readonly)
		return open_readonly(fs, at, flags, out);
	if (flags & MFS_TEMPORARY && (flags & MFS_ACCESS) == MFS_READ)
		return -EINVAL;
	return made(fs, fs->ops->open(fs, at, flags, mode & 07777, who, out), out);
}

ssize_t mfs_do_readlink(const struct mfs_at *at, char *buf, size_t size)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (err)
		return err;
	if (size == 0)
		return -EINVAL;
	return fs->ops->readlink ? fs->ops->readlink(fs, at, buf, size) : -EOPNOTSUPP;
}

int mfs_do_statfs(const struct mfs_at *at, struct mfs_statfs *out)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (err)
		return err;
	return fs->ops->statfs ? fs->ops->statfs(fs, at, out) : -EOPNOTSUPP;
}

/* --- Names --- */

int mfs_do_mkdir(const struct mfs_at *at, uint32_t mode, struct mfs_who who)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin_make(at);

	if (err)
		return err;
	if (!is_known(who))
		return -EINVAL;
	return fs->ops->mkdir ? fs->ops->mkdir(fs, at, mode & 07777, who) : -EOPNOTSUPP;
}

int mfs_do_mknod(const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who)
{
	struct mfs *fs = at->base->fs;
	uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
	int err = mfs_begin_make(at);

	if (err)
		return err;
	if (type == S_IFDIR)
		return -EPERM;
	if (!is_known(who))
		return -EINVAL;
	if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != S_IFCHR && type != S_IFBLK)
		return -EINVAL;
	return fs->ops->mknod ? fs->ops->mknod(fs, at, type | (mode & 07777), rdev, who) : -EOPNOTSUPP;
}

int mfs_do_symlink(const struct mfs_at *at, const char *target, struct mfs_who who)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin_make(at);

	if (err)
		return err;
	if (!is_known(who))
		return -EINVAL;
	if (!target[0])
		return -ENOENT;
	if (strnlen(target, MFS_PATH_MAX) == MFS_PATH_MAX)
		return -ENAMETOOLONG;
	return fs->ops->symlink ? fs->ops->symlink(fs, at, target, who) : -EOPNOTSUPP;
}

int mfs_do_link(const struct mfs_at *from, const struct mfs_at *to)
{
	struct mfs *fs = from->base->fs;
	int err = mfs_begin(from);

	if (!err)
		err = mfs_begin_make(to);
	if (err)
		return err;
	if (to->base->fs != fs)
		return -EXDEV;
	return fs->ops->link ? fs->ops->link(fs, from, to) : -EOPNOTSUPP;
}

int mfs_do_rename(const struct mfs_at *from, const struct mfs_at *to, unsigned flags)
{
	struct mfs *fs = from->base->fs;
	int err = mfs_begin_take(from, -EBUSY, -EBUSY);

	if (!err)
		err = mfs_begin_take(to, -EBUSY, -EBUSY);
	if (err)
		return err;
	if (to->base->fs != fs)
		return -EXDEV;
	if (!to->path[0])
		return -ENOENT;
	if (flags & ~(unsigned)(MFS_RENAME_NOREPLACE | MFS_RENAME_EXCHANGE | MFS_RENAME_WHITEOUT) ||
	    (flags & MFS_RENAME_EXCHANGE && flags != MFS_RENAME_EXCHANGE))
		return -EINVAL;
	return fs->ops->rename ? fs->ops->rename(fs, from, to, flags) : -EOPNOTSUPP;
}

int mfs_do_unlink(const struct mfs_at *at, bool directory)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin_take(at, directory ? -EINVAL : -EISDIR, directory ? -ENOTEMPTY : -EISDIR);

	if (err)
		return err;
	return fs->ops->unlink ? fs->ops->unlink(fs, at, directory) : -EOPNOTSUPP;
}

/* --- Content --- */

ssize_t mfs_do_read(struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
		    uint64_t offset, bool nowait)
{
	struct mfs *fs = node->fs;
	ssize_t got = mfs_begin_file(node, MFS_READ);

	if (got)
		return got;
	if (offset > INT64_MAX)
		return -EINVAL;
	if (!fs->ops->read)
		return -EOPNOTSUPP;
	got = fs->ops->read(fs, node, m, ranges, count, offset, nowait);
	if (got > 0)
		atomic_fetch_add_explicit(&fs->bytes_read, (uint64_t)got, memory_order_relaxed);
	return got;
}

ssize_t mfs_do_write(struct mfs_node *node, const struct bis_memory *m, const struct bis_mem_range *ranges,
		     size_t count, uint64_t offset)
{
	struct mfs *fs = node->fs;
	ssize_t put = mfs_begin_file_change(node);

	if (put)
		return put;
	if (node->flags & MFS_APPEND)
		offset = 0;
	if (offset > INT64_MAX)
		return -EFBIG;
	if (!fs->ops->write)
		return -EOPNOTSUPP;
	put = fs->ops->write(fs, node, m, ranges, count, offset);
	if (put > 0)
		atomic_fetch_add_explicit(&fs->bytes_written, (uint64_t)put, memory_order_relaxed);
	return put;
}

int mfs_do_list(struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg)
{
	struct mfs *fs = node->fs;

	mfs_count_call(fs);
	if (node->type != S_IFDIR)
		return -ENOTDIR;
	if (!node->open)
		return -EBADF;
	if (cursor > INT64_MAX)
		return -EINVAL;
	return fs->ops->list ? fs->ops->list(fs, node, cursor, take, arg) : -EOPNOTSUPP;
}

int mfs_do_sync(struct mfs_node *node, bool data_only)
{
	mfs_count_call(node->fs);
	return node->fs->ops->sync ? node->fs->ops->sync(node->fs, node, data_only) : -EOPNOTSUPP;
}

int mfs_do_fallocate(struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len)
{
	struct mfs *fs = node->fs;
	int err = mfs_begin_file_change(node);

	if (err)
		return err;
	if (mode & ~(unsigned)FALLOCATE_FLAGS)
		return -EOPNOTSUPP;
	if (len == 0)
		return -EINVAL;
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return -EFBIG;
	return fs->ops->fallocate ? fs->ops->fallocate(fs, node, mode, offset, len) : -EOPNOTSUPP;
}

int64_t mfs_do_seek(struct mfs_node *node, uint64_t offset, bool hole)
{
	struct mfs *fs = node->fs;

	mfs_count_call(fs);
	if (!node->open)
		return -EBADF;
	if (node->type == S_IFDIR)
		return -EISDIR;
	if (offset > INT64_MAX)
		return -ENXIO;
	return fs->ops->seek ? fs->ops->seek(fs, node, offset, hole) : -EOPNOTSUPP;
}

ssize_t mfs_do_copy(struct mfs_node *from, uint64_t from_offset, struct mfs_node *to, uint64_t to_offset, uint64_t len)
{
	struct mfs *fs = to->fs;
	ssize_t done = mfs_begin_file_change(to);

	if (!done)
		done = mfs_begin_file(from, MFS_READ);
	if (done)
		return done;
	if (from->fs != fs)
		return -EXDEV;
	if (to->flags & MFS_APPEND)
		return -EBADF;
	if (from_offset > INT64_MAX)
		return -EINVAL;
	if (to_offset > INT64_MAX)
		return -EFBIG;
	return fs->ops->copy ? fs->ops->copy(fs, from, from_offset, to, to_offset, len) : -EOPNOTSUPP;
}

int mfs_do_map(struct mfs_node *node, bool write, int *fd)
{
	struct mfs *fs = node->fs;
	int err = mfs_begin_file(node, MFS_READ);

	if (write && fs->readonly)
		return -EROFS;
	if (err)
		return err;
	if (write && (node->flags & MFS_ACCESS) != MFS_READ_WRITE)
		return -EACCES;
	return fs->ops->map ? fs->ops->map(fs, node, write, fd) : -EOPNOTSUPP;
}

/* --- Extended attributes --- */

static int xattr_name_check(const char *name)
{
	size_t len = strnlen(name, XATTR_NAME_BYTES + 1);

	return len == 0 || len > XATTR_NAME_BYTES ? -ERANGE : 0;
}

ssize_t mfs_do_getxattr(const struct mfs_at *at, const char *name, void *buf, size_t size)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (!err)
		err = xattr_name_check(name);
	if (err)
		return err;
	return fs->ops->getxattr ? fs->ops->getxattr(fs, at, name, buf, size) : -EOPNOTSUPP;
}

ssize_t mfs_do_listxattr(const struct mfs_at *at, char *buf, size_t size)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin(at);

	if (err)
		return err;
	return fs->ops->listxattr ? fs->ops->listxattr(fs, at, buf, size) : -EOPNOTSUPP;
}

int mfs_do_setxattr(const struct mfs_at *at, const char *name, const void *value, size_t size, unsigned flags)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin_change(at);

	if (!err)
		err = xattr_name_check(name);
	if (err)
		return err;
	if (flags > 2)
		return -EINVAL;
	if (size > XATTR_VALUE_BYTES)
		return -E2BIG;
	return fs->ops->setxattr ? fs->ops->setxattr(fs, at, name, value, size, flags) : -EOPNOTSUPP;
}

int mfs_do_removexattr(const struct mfs_at *at, const char *name)
{
	struct mfs *fs = at->base->fs;
	int err = mfs_begin_change(at);

	if (!err)
		err = xattr_name_check(name);
	if (err)
		return err;
	return fs->ops->removexattr ? fs->ops->removexattr(fs, at, name) : -EOPNOTSUPP;
}

/* --- Locks --- */

static int lock_check(const struct mfs_node *node, const struct mfs_lock *lock)
{
	mfs_count_call(node->fs);
	if (!node->open)
		return -EBADF;
	if (lock->type != MFS_LOCK_READ && lock->type != MFS_LOCK_WRITE && lock->type != MFS_LOCK_NONE)
		return -EINVAL;
	return 0;
}

int mfs_do_lock(struct mfs_node *node, const struct mfs_lock *lock)
{
	int err = lock_check(node, lock);

	if (err)
		return err;
	return node->fs->ops->lock ? node->fs->ops->lock(node->fs, node, lock) : -EOPNOTSUPP;
}

int mfs_do_getlock(struct mfs_node *node, struct mfs_lock *lock)
{
	int err = lock_check(node, lock);

	if (err)
		return err;
	return node->fs->ops->getlock ? node->fs->ops->getlock(node->fs, node, lock) : -EOPNOTSUPP;
}

void mfs_locks(struct mfs_node *node, mfs_lock_fn give, void *arg)
{
	if (node->open && node->fs->ops->locks)
		node->fs->ops->locks(node->fs, node, give, arg);
}

/* --- Describing, watching --- */

int mfs_describe(struct mfs_node *node, struct mfs_description *out)
{
	mfs_count_call(node->fs);
	return node->fs->ops->describe ? node->fs->ops->describe(node->fs, node, out) : -EOPNOTSUPP;
}

int mfs_reopen(struct mfs *fs, const struct mfs_description *d, struct mfs_node **out)
{
	mfs_count_call(fs);
	if (strnlen(d->path, MFS_PATH_MAX) == MFS_PATH_MAX)
		return -ENAMETOOLONG;
	if (d->flags & ~(unsigned)(MFS_ACCESS | MFS_APPEND | MFS_DIRECTORY | MFS_SYNC | MFS_DIRECT | MFS_NO_ATIME) ||
	    (d->flags & MFS_ACCESS) == MFS_ACCESS)
		return -EINVAL;
	if (fs->readonly && (d->flags & MFS_ACCESS) != MFS_READ)
		return -EROFS;
	return fs->ops->reopen ? made(fs, fs->ops->reopen(fs, d, out), out) : -EOPNOTSUPP;
}

int mfs_watcher_create(struct mfs *fs, struct mfs_watcher **out)
{
	mfs_count_call(fs);
	return fs->ops->watcher_create ? fs->ops->watcher_create(fs, out) : -EOPNOTSUPP;
}
