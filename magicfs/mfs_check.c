/*
 * The checks at the border of MagicFS, magicfs/mfs_check.h, and those that faces use on what comes from a guest. Any
 * thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "magicfs/mfs_check.h"

int mfs_path_set(char path[MFS_PATH_MAX], const char *bytes, size_t len)
{
	if (len >= MFS_PATH_MAX)
		return -ENAMETOOLONG;
	if (memchr(bytes, 0, len))
		return -EINVAL;
	memcpy(path, bytes, len);
	path[len] = 0;
	return 0;
}

int mfs_name_check(const char *name)
{
	size_t len = strnlen(name, MFS_NAME_MAX + 1);

	if (len > MFS_NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 0 || memchr(name, '/', len) || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	return 0;
}

void mfs_count_call(struct mfs *fs)
{
	atomic_fetch_add_explicit(&fs->operations, 1, memory_order_relaxed);
}

int mfs_begin(const struct mfs_at *at)
{
	size_t len = 0, component = 0;

	mfs_count_call(at->base->fs);
	for (; at->path[len]; len++) {
		component = at->path[len] == '/' ? 0 : component + 1;
		if (component > MFS_NAME_MAX || len + 1 >= MFS_PATH_MAX)
			return -ENAMETOOLONG;
	}
	return 0;
}

int mfs_begin_change(const struct mfs_at *at)
{
	int err = mfs_begin(at);

	return !err && at->base->fs->readonly ? -EROFS : err;
}

/* The last component, without the slashes behind it: its length in *len, 0 for the root and for "". */
static const char *last_of(const char *path, size_t *len)
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	*len = end - start;
	return path + start;
}

int mfs_begin_make(const struct mfs_at *at)
{
	int err = mfs_begin_change(at);
	const char *last;
	size_t len;

	if (err)
		return err;
	if (!at->path[0])
		return -ENOENT;
	last = last_of(at->path, &len);
	return len == 0 || !strncmp(last, ".", len) || !strncmp(last, "..", len) ? -EEXIST : 0;
}

int mfs_begin_take(const struct mfs_at *at, int dot, int dotdot)
{
	int err = mfs_begin_change(at);
	const char *last;
	size_t len;

	if (err)
		return err;
	last = last_of(at->path, &len);
	if (len == 1 && last[0] == '.')
		return dot;
	return len == 2 && !strncmp(last, "..", len) ? dotdot : 0;
}

int mfs_begin_file(const struct mfs_node *node, unsigned access)
{
	mfs_count_call(node->fs);
	if (!node->open)
		return -EBADF;
	if (node->type == S_IFDIR)
		return -EISDIR;
	if ((node->flags & MFS_ACCESS) != MFS_READ_WRITE && (node->flags & MFS_ACCESS) != access)
		return -EBADF;
	return 0;
}

int mfs_begin_file_change(const struct mfs_node *node)
{
	if (node->fs->readonly) {
		mfs_count_call(node->fs);
		return -EROFS;
	}
	return mfs_begin_file(node, MFS_WRITE);
}
