/*
 * From a name to an object: magicfs/host_internal.h. The kernel resolves every path, beneath a descriptor that is in
 * the share (openat2 with RESOLVE_BENEATH or RESOLVE_IN_ROOT), so that no link, "..", or change of the tree meanwhile
 * leads out of it. What is done to paths here is only to choose the descriptor to start from. Any thread; no lock is
 * held.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define RACES_MAX 1000 /* of a resolution with renames on the host */

int host_open_path(int dir, const char *path, bool follow, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)),
		.resolve = RESOLVE_NO_MAGICLINKS | resolve,
	};

	for (unsigned races = 0;;) {
		long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || ++races == RACES_MAX)
			return -errno;
		sched_yield();
	}
}

/* The same, making room when the process has no descriptors left. */
static int open_beneath(struct host *h, int dir, const char *path, bool follow, uint64_t resolve)
{
	int fd = host_open_path(dir, path, follow, resolve);

	if (fd == -EMFILE && host_relieve(h, HOST_RELIEF))
		fd = host_open_path(dir, path, follow, resolve);
	return fd;
}

static int root_fd(const struct host *h)
{
	return host_node_of(h->fs.root)->fd;
}

bool host_path_is_name(const char *path)
{
	return path[0] && !strchr(path, '/') && strcmp(path, "..") != 0;
}

/* --- Where an object is --- */

/* The host's path of what fd refers to, NUL-terminated: its length, or -errno. */
static ssize_t kernel_path(int fd, char path[MFS_PATH_MAX])
{
	char proc[HOST_PROC_SIZE];
	ssize_t len = readlink(host_proc_path(proc, fd), path, MFS_PATH_MAX);

	if (len < 0)
		return -errno;
	if (len == MFS_PATH_MAX)
		return -ENAMETOOLONG;
	path[len] = 0;
	return path[0] == '/' ? len : -EXDEV;
}

int host_path_of(struct host *h, int fd, char path[MFS_PATH_MAX])
{
	char root[MFS_PATH_MAX];
	ssize_t root_len = kernel_path(root_fd(h), root), len = kernel_path(fd, path);

	if (root_len < 0)
		return (int)root_len;
	if (len < 0)
		return (int)len;
	if (root_len == 1)
		root_len = 0;
	if (len < root_len || memcmp(path, root, (size_t)root_len) != 0)
		return -EXDEV;
	if (len == root_len) {
		path[0] = 0;
		return 0;
	}
	if (path[root_len] != '/')
		return -EXDEV;
	memmove(path, path + root_len + 1, (size_t)(len - root_len));
	return 0;
}

int host_path_true(struct host *h, int fd, char path[MFS_PATH_MAX])
{
	struct stat named, held;
	int err = host_path_of(h, fd, path);

	if (err)
		return err;
	/* Nothing is told about what is found there but whether it is the same object. */
	if (fstat(fd, &held) ||
	    fstatat(root_fd(h), path, &named, AT_SYMLINK_NOFOLLOW | (path[0] ? 0 : AT_EMPTY_PATH)) ||
	    held.st_dev != named.st_dev || held.st_ino != named.st_ino)
		return -ENOENT;
	return 0;
}

/* --- Resolving --- */

/* Skips slashes, "." and, counting them in *ups, ".." at the start of a path. */
static const char *skip_start(const char *path, size_t *ups)
{
	for (;;) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.')
			++*ups;
		else if (len != 1 || path[0] != '.')
			return path;
		path += len;
	}
}

/* The path from the root of what `path` names, seen from `base`. ".." at its start goes no further up than the root. */
static int from_root(struct host *h, int base, const char *path, char out[MFS_PATH_MAX])
{
	size_t ups = 0, len;
	int err = 0;

	out[0] = 0;
	if (path[0] != '/')
		err = host_path_true(h, base, out);
	if (err)
		return err;
	path = skip_start(path, &ups);
	for (; ups > 0 && out[0]; ups--) {
		char *slash = strrchr(out, '/');

		*(slash ? slash : out) = 0;
	}
	len = strlen(out);
	if (len + strlen(path) + 2 > MFS_PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(out + len, MFS_PATH_MAX - len, "%s%s", len && *path ? "/" : "", path);
	if (!out[0])
		strcpy(out, ".");
	return 0;
}

int host_resolve(struct host *h, int base, const char *path, bool follow)
{
	char whole[MFS_PATH_MAX];
	int fd, err;

	/* Seen from the base first: usually it need not be known where that is. */
	if (path[0] != '/') {
		bool at_root = base == root_fd(h);

		fd = open_beneath(h, base, path, follow, at_root ? h->resolve : RESOLVE_BENEATH);
		if (fd != -EXDEV || (at_root && path[0] != '.'))
			return fd;
	}
	err = from_root(h, base, path, whole);
	return err ? err : open_beneath(h, root_fd(h), whole, follow, h->resolve);
}

int host_resolve_target(struct host *h, int base, const char *target, bool follow)
{
	char whole[MFS_PATH_MAX];
	size_t len;
	int err, fd;

	if (target[0] == '/')
		return h->options.links_inside ? host_resolve(h, base, target, follow) : -EXDEV;
	fd = open_beneath(h, base, target, follow, RESOLVE_BENEATH);
	if (fd != -EXDEV)
		return fd;
	err = host_path_true(h, base, whole);
	if (err)
		return err;
	len = strlen(whole);
	if (len + strlen(target) + 2 > MFS_PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(whole + len, MFS_PATH_MAX - len, "%s%s", len ? "/" : "", target);
	return open_beneath(h, root_fd(h), whole, follow, h->resolve);
}

int host_ref(struct host *h, const struct mfs_at *at, struct host_ref *out)
{
	struct host_node *base = host_node_of(at->base);
	int fd, err = at->path[0] ? host_pin_start(h, base, &fd) : host_pin(base, &fd);

	if (err)
		return err;
	if (!at->path[0]) {
		*out = (struct host_ref){.fd = fd, .pinned = base};
		return 0;
	}
	fd = host_resolve(h, fd, at->path, at->follow);
	host_unpin(base);
	if (fd < 0)
		return fd;
	*out = (struct host_ref){.fd = fd};
	return 0;
}

void host_unref(struct host_ref *r)
{
	if (r->pinned)
		host_unpin(r->pinned);
	else
		close(r->fd);
}

/* --- Places --- */

/* The place of an object by its node: where its name is now. */
static int place_of_node(struct host *h, struct host_node *n, struct host_place *out)
{
	char path[MFS_PATH_MAX], *slash;
	const char *name;
	int fd, err;

	if (&n->node == h->fs.root)
		return -EBUSY;
	err = host_pin(n, &fd);
	if (err)
		return err;
	err = host_path_true(h, fd, path);
	host_unpin(n);
	if (err)
		return err;
	slash = strrchr(path, '/');
	name = slash ? slash + 1 : path;
	if (strlen(name) > MFS_NAME_MAX)
		return -ENAMETOOLONG;
	strcpy(out->name, name);
	if (slash)
		*slash = 0;
	fd = open_beneath(h, root_fd(h), slash ? path : ".", false, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	out->dir = (struct host_ref){.fd = fd};
	return 0;
}

int host_place_find(struct host *h, const struct mfs_at *at, struct host_place *out)
{
	char parent[MFS_PATH_MAX];
	size_t end = strlen(at->path), start;
	bool slashes;

	if (end == 0)
		return place_of_node(h, host_node_of(at->base), out);
	while (end > 0 && at->path[end - 1] == '/')
		end--;
	slashes = at->path[end] == '/';
	for (start = end; start > 0 && at->path[start - 1] != '/';)
		start--;
	if (start == end)
		return -EBUSY;
	if (end - start > MFS_NAME_MAX || start >= MFS_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(out->name, at->path + start, end - start);
	strcpy(out->name + (end - start), slashes ? "/" : "");
	memcpy(parent, at->path, start);
	parent[start] = 0;
	if (!start) {
		out->dir.pinned = host_node_of(at->base);
		return host_pin_start(h, out->dir.pinned, &out->dir.fd);
	}
	return host_ref(h, &(struct mfs_at){.base = at->base, .path = parent, .follow = true}, &out->dir);
}

int host_lookup(struct mfs *fs, const struct mfs_at *at, struct mfs_node **out)
{
	struct host *h = host_of(fs);
	struct host_identity identity;
	struct host_ref ref;
	char proc[HOST_PROC_SIZE];
	int err = host_ref(h, at, &ref), fd;

	if (err)
		return err;
	err = host_identify(h, ref.fd, &identity);
	if (!err && ref.pinned) {
		fd = open(host_proc_path(proc, ref.fd), O_PATH | O_CLOEXEC);
		err = fd < 0 ? -errno : 0;
		host_unref(&ref);
		ref.fd = fd;
	} else if (err) {
		host_unref(&ref);
	}
	if (!err)
		err = host_node_make(h, ref.fd, &identity, false, 0, out);
	if (!err)
		host_depth_hint(at, *out);
	return err;
}
