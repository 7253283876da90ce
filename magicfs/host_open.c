/*
 * Opening and making files in the host's directory. What exists is looked at through an O_PATH descriptor first, and
 * only a regular file or a directory is opened, through that descriptor: a device, FIFO or socket of the host never is.
 * Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define ATTEMPTS_MAX 100 /* to find or make a name that others make and remove meanwhile */
#define LINKS_MAX    40	 /* to follow for a file to be made, as the host does */

static int host_flags(const struct host *h, unsigned flags)
{
	static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
	int out = access[flags & MFS_ACCESS] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	if (flags & MFS_APPEND)
		out |= O_APPEND;
	if (flags & MFS_SYNC)
		out |= O_SYNC;
	else if (h->options.sync && (flags & MFS_ACCESS) != MFS_READ)
		out |= O_DSYNC;
	return out;
}

/* open(2), making room when the process has no descriptors left. */
static int open_host(struct host *h, int dir, const char *path, int flags, uint32_t mode)
{
	bool relieved = false;

	for (;;) {
		int fd = openat(dir, path, flags, mode);

		if (fd >= 0)
			return fd;
		if (errno == EINTR)
			continue;
		if (errno != EMFILE || relieved)
			return -errno;
		relieved = true;
		if (!host_relieve(h, HOST_RELIEF))
			return -EMFILE;
	}
}

int host_open_again(struct host *h, int fd, unsigned flags)
{
	char proc[HOST_PROC_SIZE];
	int how = host_flags(h, flags) | (flags & MFS_TRUNCATE ? O_TRUNC : 0), again = -EPERM;

	host_proc_path(proc, fd);
	/* Only the owner may read without leaving a trace. */
	if (h->fs.readonly || flags & MFS_NO_ATIME)
		again = open_host(h, AT_FDCWD, proc, how | O_NOATIME, 0);
	if (again == -EPERM)
		again = open_host(h, AT_FDCWD, proc, how, 0);
	/* Another process has a lease on it, which it is being asked to give up. */
	if (again == -EWOULDBLOCK)
		again = open_host(h, AT_FDCWD, proc, how & ~O_NONBLOCK, 0);
	return again;
}

/* Will what is opened so be written? */
static bool writes(unsigned flags)
{
	return (flags & MFS_ACCESS) != MFS_READ || flags & MFS_TRUNCATE;
}

static int check_type(uint32_t type, unsigned flags)
{
	if (type == S_IFLNK)
		return flags & MFS_DIRECTORY ? -ENOTDIR : -ELOOP;
	if (flags & MFS_DIRECTORY && type != S_IFDIR)
		return -ENOTDIR;
	if (type != S_IFDIR)
		return type == S_IFREG ? 0 : -ENXIO;
	return writes(flags) || flags & MFS_CREATE ? -EISDIR : 0;
}

/* What it is; its mode on the host only where it will be written. */
static int identify(struct host *h, const struct host_ref *ref, unsigned flags, struct host_identity *out)
{
	if (!ref->pinned || writes(flags))
		return host_identify(h, ref->fd, out);
	*out = (struct host_identity){
		.dev = ref->pinned->dev, .id = ref->pinned->node.id, .type = ref->pinned->node.type};
	return 0;
}

/* A file of procfs or sysfs, where the share has one in it: it speaks for the process that opens it, which is not the
 * guest's. */
static bool is_kernel_file(const struct host *h, int fd, uint64_t dev)
{
	int64_t type = host_fs_type(h, fd, dev);

	return type == PROC_SUPER_MAGIC || type == SYSFS_MAGIC;
}

static int open_ref(struct host *h, const struct host_ref *ref, unsigned flags, struct mfs_node **out)
{
	struct host_identity identity;
	int fd, err = identify(h, ref, flags, &identity);

	if (!err)
		err = check_type(identity.type, flags);
	if (!err && identity.type == S_IFREG && is_kernel_file(h, ref->fd, identity.dev))
		err = -EACCES;
	if (!err && writes(flags))
		err = host_owner_writes(h, ref->fd, identity.host_mode);
	/* Before the file is cut. */
	if (!err)
		err = host_hold(h);
	if (err)
		return err;
	fd = host_open_again(h, ref->fd, flags);
	if (fd >= 0)
		return host_node_make_held(h, fd, &identity, true, flags, out);
	host_unhold(h);
	return fd;
}

/* fd is a file just made: gives it to its owner and makes the node. Without success fd is closed. */
static int made(struct host *h, int fd, unsigned flags, uint32_t mode, struct mfs_who who, struct mfs_node **out)
{
	struct host_identity identity;
	int err = host_owner_made(h, fd, S_IFREG | mode, 0, who);

	if (!err)
		err = host_identify(h, fd, &identity);
	if (!err)
		return host_node_make(h, fd, &identity, true, flags, out);
	close(fd);
	return err;
}

static int open_temporary(struct host *h, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
			  struct mfs_node **out)
{
	int how = host_flags(h, flags) | O_TMPFILE | (flags & MFS_EXCLUSIVE ? O_EXCL : 0), fd;
	struct host_ref dir;
	int err = host_ref(h, at, &dir);

	if (err)
		return err;
	fd = open_host(h, dir.fd, ".", how, host_owner_mode(h, S_IFREG | mode));
	host_unref(&dir);
	return fd < 0 ? fd : made(h, fd, flags, mode, who, out);
}

/* Makes the file at the place. -EEXIST: there is something. */
static int create_at(struct host *h, const struct host_place *place, unsigned flags, uint32_t mode, struct mfs_who who,
		     struct mfs_node **out)
{
	/* With O_EXCL nothing that exists is opened, and no link followed. */
	int fd = open_host(h, place->dir.fd, place->name, host_flags(h, flags) | O_CREAT | O_EXCL | O_NOFOLLOW,
			   host_owner_mode(h, S_IFREG | mode));
	int err = fd < 0 ? fd : made(h, fd, flags, mode, who, out);

	if (fd >= 0 && err)
		unlinkat(place->dir.fd, place->name, 0);
	return err;
}

/*
 * A name that a file may have to be made for: in a directory, and after links, which lead to nothing yet, what the last
 * of them says.
 */
struct wanted {
	struct host_place place;
	char target[MFS_PATH_MAX];
	unsigned links;
};

/* What the name leads to: an O_PATH descriptor, or -ENOENT, … */
static int find_wanted(struct host *h, struct wanted *w, bool follow)
{
	/* The name alone, with the slashes behind it, in the directory already found. */
	return host_resolve_target(h, w->place.dir.fd, w->place.name, follow);
}

/* The name is taken, though it leads to nothing: goes on to what the link there says. -EAGAIN: it is no link now. */
static int follow_wanted(struct host *h, struct wanted *w)
{
	ssize_t len = readlinkat(w->place.dir.fd, w->place.name, w->target, sizeof(w->target));
	char *slash;
	int dir;

	if (len < 0)
		return errno == EINVAL || errno == ENOENT ? -EAGAIN : -errno;
	if (len == sizeof(w->target))
		return -ENAMETOOLONG;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	w->target[len] = 0;
	slash = strrchr(w->target, '/');
	if (strlen(slash ? slash + 1 : w->target) > MFS_NAME_MAX)
		return -ENAMETOOLONG;
	if (slash && !slash[1])
		return -EISDIR;
	strcpy(w->place.name, slash ? slash + 1 : w->target);
	if (!slash)
		return 0;
	slash[1] = 0;
	dir = host_resolve_target(h, w->place.dir.fd, w->target, true);
	if (dir < 0)
		return dir;
	host_unref(&w->place.dir);
	w->place.dir = (struct host_ref){.fd = dir};
	return 0;
}

/* Opens what is there, or else makes it. -EAGAIN: once more, as it changed meanwhile or is now known to be elsewhere.
 */
static int try_wanted(struct host *h, struct wanted *w, bool follow, unsigned flags, uint32_t mode, struct mfs_who who,
		      struct mfs_node **out)
{
	int err, fd = flags & MFS_EXCLUSIVE ? -ENOENT : find_wanted(h, w, follow);

	if (fd >= 0) {
		err = open_ref(h, &(struct host_ref){.fd = fd}, flags, out);
		close(fd);
		return err;
	}
	if (fd != -ENOENT)
		return fd;
	err = create_at(h, &w->place, flags, mode, who, out);
	if (err != -EEXIST || flags & MFS_EXCLUSIVE)
		return err;
	err = follow ? follow_wanted(h, w) : 0;
	return err ? err : -EAGAIN;
}

static int open_or_create(struct host *h, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
			  struct mfs_node **out)
{
	bool follow = at->follow && !(flags & MFS_EXCLUSIVE);
	struct wanted w = {0};
	int err = host_place_find(h, at, &w.place);

	if (err)
		return err;
	/* "a/" is a directory, which is not made by opening. */
	err = strchr(w.place.name, '/') ? -EISDIR : -EAGAIN;
	for (unsigned attempt = 0; err == -EAGAIN && attempt < ATTEMPTS_MAX; attempt++)
		err = try_wanted(h, &w, follow, flags, mode, who, out);
	host_unref(&w.place.dir);
	return err;
}

int host_open(struct mfs *fs, const struct mfs_at *at, unsigned flags, uint32_t mode, struct mfs_who who,
	      struct mfs_node **out)
{
	struct host *h = host_of(fs);
	struct host_ref ref;
	int err;

	if (flags & MFS_TEMPORARY)
		return open_temporary(h, at, flags, mode, who, out);
	/* The base itself and the root are there: nothing is made. */
	if (flags & MFS_CREATE && at->path[strspn(at->path, "/")])
		return open_or_create(h, at, flags, mode, who, out);
	err = host_ref(h, at, &ref);
	if (err)
		return err;
	err = flags & MFS_CREATE && flags & MFS_EXCLUSIVE ? -EEXIST : open_ref(h, &ref, flags, out);
	host_unref(&ref);
	if (!err)
		host_depth_hint(at, *out);
	return err;
}
