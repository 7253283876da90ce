/*
 * The calls of magicfs/mfs.h as the faces make them: each is carried out by mfs.c, and who watches the machine
 * (<biscuit/trace.h>) is told of it. Any thread.
 */
#include <stdio.h>
#include <string.h>

#include <biscuit/trace.h>

#include "magicfs/mfs_do.h"

/* What an operation was about. */
struct about {
	const char *operation;
	struct mfs_node *node;
	const char *path;  /* from the node; "" or NULL: the node itself */
	const char *other; /* see struct bis_fs_seen */
	bool has_range;
	uint64_t offset, length;
};

static bool is_watched(const struct mfs_node *node)
{
	return node->fs->machine && bis_machine_wants_fs(node->fs->machine);
}

/* The path from the root, "/" first; false if the object it starts at has no name any more. */
static bool whole_path(struct mfs_node *node, const char *path, char *buf, size_t size)
{
	struct mfs_description d;
	bool absolute = path[0] == '/';

	if (!absolute && (!node->fs->ops->describe || node->fs->ops->describe(node->fs, node, &d) || d.nameless))
		return false;
	if (absolute)
		snprintf(buf, size, "%s", path);
	else
		snprintf(buf, size, "%s%s%s%s", d.path[0] ? "/" : "", d.path, path[0] || !d.path[0] ? "/" : "", path);
	return true;
}

static __attribute__((noinline)) void tell(const struct about *a, int64_t result)
{
	char path[2 * MFS_PATH_MAX];
	struct bis_fs_seen seen = {
		.share = a->node->fs->name,
		.operation = a->operation,
		.other = a->other,
		.id = a->node->id,
		.has_range = a->has_range,
		.offset = a->offset,
		.length = a->length,
		.result = result,
	};

	if (whole_path(a->node, a->path ? a->path : "", path, sizeof(path)))
		seen.path = path;
	bis_machine_tell_fs(a->node->fs->machine, &seen);
}

static int64_t told(const char *operation, struct mfs_node *node, int64_t result)
{
	if (is_watched(node))
		tell(&(struct about){.operation = operation, .node = node}, result);
	return result;
}

static int64_t told_at(const char *operation, const struct mfs_at *at, const char *other, int64_t result)
{
	if (is_watched(at->base))
		tell(&(struct about){.operation = operation, .node = at->base, .path = at->path, .other = other},
		     result);
	return result;
}

/* With the other path from the root, too. */
static int64_t told_two(const char *operation, const struct mfs_at *from, const struct mfs_at *to, int64_t result)
{
	char other[2 * MFS_PATH_MAX];

	if (!is_watched(from->base))
		return result;
	if (!whole_path(to->base, to->path, other, sizeof(other)))
		snprintf(other, sizeof(other), "%s", to->path);
	return told_at(operation, from, other, result);
}

static int64_t told_range(const char *operation, struct mfs_node *node, uint64_t offset, uint64_t length,
			  int64_t result)
{
	if (is_watched(node))
		tell(&(struct about){.operation = operation,
				     .node = node,
				     .has_range = true,
				     .offset = offset,
				     .length = length},
		     result);
	return result;
}

static uint64_t bytes_of(const struct bis_mem_range *ranges, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += ranges[i].len;
	return bytes;
}

/* --- Objects --- */

int mfs_lookup(const struct mfs_at *at, struct mfs_node **out)
{
	return (int)told_at("lookup", at, NULL, mfs_do_lookup(at, out));
}

int mfs_stat(const struct mfs_at *at, struct mfs_attr *out)
{
	return (int)told_at("stat", at, NULL, mfs_do_stat(at, out));
}

int mfs_set(const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr)
{
	return (int)told_at("set", at, NULL, mfs_do_set(at, mask, attr));
}

int mfs_open(const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who, struct mfs_node **out)
{
	return (int)told_at("open", at, NULL, mfs_do_open(at, flags, mode, who, out));
}

ssize_t mfs_readlink(const struct mfs_at *at, char *buf, size_t size)
{
	return told_at("readlink", at, NULL, mfs_do_readlink(at, buf, size));
}

int mfs_statfs(const struct mfs_at *at, struct mfs_statfs *out)
{
	return (int)told_at("statfs", at, NULL, mfs_do_statfs(at, out));
}

/* --- Names --- */

int mfs_mkdir(const struct mfs_at *at, uint32_t mode, struct mfs_who who)
{
	return (int)told_at("mkdir", at, NULL, mfs_do_mkdir(at, mode, who));
}

int mfs_mknod(const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who)
{
	return (int)told_at("mknod", at, NULL, mfs_do_mknod(at, mode, rdev, who));
}

int mfs_symlink(const struct mfs_at *at, const char *target, struct mfs_who who)
{
	return (int)told_at("symlink", at, target, mfs_do_symlink(at, target, who));
}

int mfs_link(const struct mfs_at *from, const struct mfs_at *to)
{
	return (int)told_two("link", from, to, mfs_do_link(from, to));
}

int mfs_rename(const struct mfs_at *from, const struct mfs_at *to, unsigned flags)
{
	return (int)told_two("rename", from, to, mfs_do_rename(from, to, flags));
}

int mfs_unlink(const struct mfs_at *at, bool directory)
{
	return (int)told_at("unlink", at, NULL, mfs_do_unlink(at, directory));
}

/* --- Content --- */

ssize_t mfs_read(struct mfs_node *node, struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
		 uint64_t offset, bool nowait)
{
	return told_range("read", node, offset, bytes_of(ranges, count),
			  mfs_do_read(node, m, ranges, count, offset, nowait));
}

ssize_t mfs_write(struct mfs_node *node, const struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
		  uint64_t offset)
{
	return told_range("write", node, offset, bytes_of(ranges, count), mfs_do_write(node, m, ranges, count, offset));
}

int mfs_list(struct mfs_node *node, uint64_t cursor, mfs_entry_fn take, void *arg)
{
	return (int)told("list", node, mfs_do_list(node, cursor, take, arg));
}

int mfs_sync(struct mfs_node *node, bool data_only)
{
	return (int)told("sync", node, mfs_do_sync(node, data_only));
}

int mfs_fallocate(struct mfs_node *node, unsigned mode, uint64_t offset, uint64_t len)
{
	return (int)told_range("fallocate", node, offset, len, mfs_do_fallocate(node, mode, offset, len));
}

int64_t mfs_seek(struct mfs_node *node, uint64_t offset, bool hole)
{
	return told_range("seek", node, offset, 0, mfs_do_seek(node, offset, hole));
}

ssize_t mfs_copy(struct mfs_node *from, uint64_t from_offset, struct mfs_node *to, uint64_t to_offset, uint64_t len)
{
	return told_range("copy", to, to_offset, len, mfs_do_copy(from, from_offset, to, to_offset, len));
}

int mfs_map(struct mfs_node *node, bool write, int *fd)
{
	return (int)told("map", node, mfs_do_map(node, write, fd));
}

/* --- Extended attributes --- */

ssize_t mfs_getxattr(const struct mfs_at *at, const char *name, void *buf, size_t size)
{
	return told_at("getxattr", at, name, mfs_do_getxattr(at, name, buf, size));
}

ssize_t mfs_listxattr(const struct mfs_at *at, char *buf, size_t size)
{
	return told_at("listxattr", at, NULL, mfs_do_listxattr(at, buf, size));
}

int mfs_setxattr(const struct mfs_at *at, const char *name, const void *value, size_t size, unsigned flags)
{
	return (int)told_at("setxattr", at, name, mfs_do_setxattr(at, name, value, size, flags));
}

int mfs_removexattr(const struct mfs_at *at, const char *name)
{
	return (int)told_at("removexattr", at, name, mfs_do_removexattr(at, name));
}

/* --- Locks --- */

int mfs_lock(struct mfs_node *node, const struct mfs_lock *lock)
{
	return (int)told_range("lock", node, lock->start, lock->length, mfs_do_lock(node, lock));
}

int mfs_getlock(struct mfs_node *node, struct mfs_lock *lock)
{
	return (int)told("getlock", node, mfs_do_getlock(node, lock));
}
