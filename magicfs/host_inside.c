/*
 * Is a directory still in the share? A descriptor goes on working when the host moves its directory away, but what lies
 * below is none of the guest's business any more. The root is looked for as many levels above as it was last time,
 * which the kernel answers at once; only where it is not found there each level is asked. Any thread; no lock is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define UPS_MAX 1024u /* levels in one path */

/* "../" so many times, at most UPS_MAX. */
static void put_ups(char ups[3 * UPS_MAX + 1], unsigned levels)
{
	for (unsigned i = 0; i < levels; i++)
		memcpy(ups + (size_t)3 * i, "../", 3);
	ups[(size_t)3 * levels] = 0;
}

/* What lies `levels` above the directory behind fd. */
static int stat_above(int fd, unsigned levels, struct stat *out)
{
	char ups[3 * UPS_MAX + 1];
	int from = fd, up, err;

	for (; levels > UPS_MAX; levels -= UPS_MAX) {
		put_ups(ups, UPS_MAX);
		up = openat(from, ups, O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = up < 0 ? -errno : 0;
		if (from != fd)
			close(from);
		if (err)
			return err;
		from = up;
	}
	put_ups(ups, levels);
	err = fstatat(from, ups, out, levels ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH) ? -errno : 0;
	if (from != fd)
		close(from);
	return err;
}

static bool is_root(const struct host *h, const struct stat *st)
{
	return st->st_dev == h->root_dev && st->st_ino == h->fs.root->id;
}

/* How many levels the directory lies below the root; -EXDEV if it does not. */
static int find_depth(const struct host *h, int fd, unsigned *depth)
{
	struct stat at = {.st_ino = 0}, below;
	unsigned levels = 0;
	int from = fd, up, err = stat_above(fd, 0, &at);

	while (!err && !is_root(h, &at)) {
		below = at;
		up = openat(from, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = up < 0 || fstat(up, &at) ? -errno : 0;
		if (from != fd)
			close(from);
		from = up < 0 ? fd : up;
		levels++;
		/* The host's own root is above itself. */
		if (!err && at.st_dev == below.st_dev && at.st_ino == below.st_ino)
			err = -EXDEV;
	}
	if (from != fd)
		close(from);
	*depth = levels;
	return err;
}

static int check(struct host *h, struct host_node *n, int fd)
{
	char path[MFS_PATH_MAX];
	unsigned depth = atomic_load_explicit(&n->depth, memory_order_relaxed);
	struct stat above;
	int err;

	if (!stat_above(fd, depth, &above) && is_root(h, &above))
		return 0;
	err = find_depth(h, fd, &depth);
	if (!err)
		atomic_store_explicit(&n->depth, depth, memory_order_relaxed);
	else if (err == -EACCES) /* a directory above that may not be searched */
		err = host_path_of(h, fd, path);
	return err == -EXDEV ? -ESTALE : err;
}

/* Not a directory: nothing is found from there. */
static bool needs_no_check(const struct host *h, const struct host_node *n)
{
	return n->node.type != S_IFDIR || (n->node.id == h->fs.root->id && n->dev == h->root_dev);
}

int host_pin_start(struct host *h, struct host_node *base, int *fd)
{
	int err = host_pin(base, fd);

	if (err || needs_no_check(h, base))
		return err;
	err = check(h, base, *fd);
	if (err)
		host_unpin(base);
	return err;
}

/* How deep the path leads if there is no link in it. */
static unsigned depth_of(unsigned depth, const char *path)
{
	size_t len;

	if (path[0] == '/')
		depth = 0;
	for (;; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (!len)
			return depth;
		if (len == 2 && path[0] == '.' && path[1] == '.')
			depth -= depth > 0;
		else
			depth += len != 1 || path[0] != '.';
	}
}

void host_depth_hint(const struct mfs_at *at, struct mfs_node *node)
{
	unsigned depth = atomic_load_explicit(&host_node_of(at->base)->depth, memory_order_relaxed);

	atomic_store_explicit(&host_node_of(node)->depth, depth_of(depth, at->path), memory_order_relaxed);
}
