/*
 * The file system over a directory of the host: making it, and its table of operations. Which file does what:
 *   host_path.c      from names to objects, by openat2; host_inside.c: what the host has moved away leads nowhere
 *   host_node.c      nodes and the descriptors they hold; host_aside.c: those that hold none
 *   host_open.c      opening, making files; host_io.c: reading, writing; host_dir.c: listing
 *   host_attr.c      stat, set, readlink, statfs; owner.c: whose files they are; xattr.c
 *   host_make.c, host_change.c   directories, special files, links; link, rename, unlink
 *   host_describe.c, lock.c, watch.c
 * mfs_host_create: control thread. The rest as magicfs/mfs.h says.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "magicfs/host_internal.h"

#define LIMIT_MAX 4096u
#define LIMIT_MIN 16u

static void host_destroy(struct mfs *fs)
{
	struct host *h = host_of(fs);

	if (fs->root)
		host_node_free(fs, fs->root);
	host_locks_destroy(h);
	host_aside_destroy(h);
	pthread_mutex_destroy(&h->owners);
	pthread_mutex_destroy(&h->lock);
	pthread_rwlock_destroy(&h->names);
	free(fs->name);
	free(h);
}

static const struct mfs_ops host_ops = {
	.destroy = host_destroy,
	.node_free = host_node_free,
	.lookup = host_lookup,
	.stat = host_stat,
	.set = host_set,
	.open = host_open,
	.read = host_read,
	.write = host_write,
	.list = host_list,
	.mkdir = host_mkdir,
	.mknod = host_mknod,
	.symlink = host_symlink,
	.link = host_link,
	.rename = host_rename,
	.unlink = host_unlink,
	.readlink = host_readlink,
	.sync = host_sync,
	.statfs = host_statfs,
	.getxattr = host_getxattr,
	.listxattr = host_listxattr,
	.setxattr = host_setxattr,
	.removexattr = host_removexattr,
	.fallocate = host_fallocate,
	.seek = host_seek,
	.copy = host_copy,
	.lock = host_lock,
	.getlock = host_getlock,
	.locks = host_locks_list,
	.map = host_map,
	.describe = host_describe,
	.reopen = host_reopen,
	.watcher_create = host_watcher_create,
};

/* Half of what the process may have, so that others find some, too. */
static unsigned default_limit(void)
{
	struct rlimit r;
	rlim_t half;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return LIMIT_MIN;
	half = r.rlim_cur / 2;
	return half > LIMIT_MAX ? LIMIT_MAX : half < LIMIT_MIN ? LIMIT_MIN : (unsigned)half;
}

/* The name that the guest gets to see: given, or the directory's own. */
static int choose_name(const struct mfs_options *options, int fd, char name[MFS_SHARE_NAME_MAX + 1])
{
	char proc[HOST_PROC_SIZE], path[MFS_PATH_MAX];
	ssize_t len;
	const char *last;

	if (options->name) {
		if (!options->name[0] || strchr(options->name, '/') || strlen(options->name) > MFS_SHARE_NAME_MAX)
			return bis_fail(EINVAL, "share: name '%s' is not 1 to %d bytes without '/'", options->name,
					MFS_SHARE_NAME_MAX);
		strcpy(name, options->name);
		return 0;
	}
	len = readlink(host_proc_path(proc, fd), path, sizeof(path) - 1);
	if (len < 0)
		return bis_fail(errno, "share: '%s': cannot tell its name: %s", options->path, strerror(errno));
	path[len] = 0;
	last = strrchr(path, '/');
	last = last ? last + 1 : path;
	snprintf(name, MFS_SHARE_NAME_MAX + 1, "%.*s", MFS_SHARE_NAME_MAX, *last ? last : "root");
	return 0;
}

/* Can the host do what the rest relies upon? */
static int check_host(const struct mfs_options *options, int fd)
{
	char proc[HOST_PROC_SIZE];
	int probe;

	if (access(host_proc_path(proc, fd), F_OK))
		return bis_fail(errno, "share: '%s': /proc is not mounted", options->path);
	probe = host_open_path(fd, ".", false, RESOLVE_BENEATH);
	if (probe < 0)
		return bis_fail(-probe, "share: '%s': the host has no openat2 (Linux 5.6): %s", options->path,
				strerror(-probe));
	close(probe);
	if (access(proc, R_OK | X_OK))
		return bis_fail(errno, "share: '%s': %s", options->path, strerror(errno));
	if (options->owner == MFS_OWNER_MAPPED && getxattr(proc, HOST_OWNER_XATTR, NULL, 0) < 0 &&
	    (errno == EOPNOTSUPP || errno == ENOSYS))
		return bis_fail(errno,
				"share: '%s': owner=mapped needs extended attributes, which this file system "
				"does not have",
				options->path);
	return 0;
}

/* The root's node, which owns fd. */
static int make_root(struct host *h, int fd)
{
	struct host_identity identity;
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) || fstatfs(fd, &fs)) {
		int err = -errno;

		close(fd);
		return err;
	}
	h->root_dev = st.st_dev;
	h->root_type = fs.f_type;
	identity = (struct host_identity){.dev = st.st_dev, .id = st.st_ino, .type = S_IFDIR};
	return host_node_make_root(h, fd, &identity);
}

static int make(const struct mfs_options *options, const char *name, int fd, struct mfs **out)
{
	struct host *h = calloc(1, sizeof(*h));
	int err = -ENOMEM;

	if (!h) {
		close(fd);
		return err;
	}
	h->options = *options;
	h->options.path = h->options.name = NULL;
	h->euid = geteuid();
	h->egid = getegid();
	h->resolve = options->links_inside ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
	pthread_rwlock_init(&h->names, NULL);
	pthread_mutex_init(&h->lock, NULL);
	pthread_mutex_init(&h->owners, NULL);
	h->fs.ops = &host_ops;
	h->fs.readonly = options->readonly;
	atomic_init(&h->fs.references, 1);
	h->fs.name = strdup(name);
	if (h->fs.name)
		err = make_root(h, fd);
	else
		close(fd);
	if (err) {
		host_destroy(&h->fs);
		return err;
	}
	h->limit = options->handles ? options->handles : default_limit();
	*out = &h->fs;
	return 0;
}

int mfs_host_create(const struct mfs_options *options, struct mfs **out)
{
	char name[MFS_SHARE_NAME_MAX + 1];
	int fd = open(options->path, O_PATH | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return bis_fail(errno, "share: cannot open the directory '%s': %s", options->path, strerror(errno));
	err = check_host(options, fd);
	if (!err)
		err = choose_name(options, fd, name);
	if (err) {
		close(fd);
		return err;
	}
	err = make(options, name, fd, out);
	return err ? bis_fail(-err, "share: '%s': %s", options->path, strerror(-err)) : 0;
}
