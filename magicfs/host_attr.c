/*
 * What objects of the host's directory are: stat, set, readlink, statfs. Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15;
	return a ^ a >> 29;
}

uint64_t host_id(const struct host *h, uint64_t dev, uint64_t ino)
{
	/* Inode numbers have the top bit clear, as a rule. */
	return dev == h->root_dev ? ino : mix(mix(1, dev), ino) | (uint64_t)1 << 63;
}

int host_statx(int fd, const char *name, struct statx *out)
{
	return statx(fd, name, AT_SYMLINK_NOFOLLOW | (name[0] ? 0 : AT_EMPTY_PATH), STATX_BASIC_STATS | STATX_BTIME,
		     out)
		       ? -errno
		       : 0;
}

int64_t host_fs_type(const struct host *h, int fd, uint64_t dev)
{
	struct statfs st;

	if (dev == h->root_dev)
		return h->root_type;
	return fstatfs(fd, &st) ? -1 : (int64_t)st.f_type;
}

static struct mfs_time time_of(const struct statx_timestamp *t)
{
	return (struct mfs_time){.sec = t->tv_sec, .nsec = t->tv_nsec};
}

static struct mfs_time born_of(const struct statx *sx)
{
	return sx->stx_mask & STATX_BTIME ? time_of(&sx->stx_btime) : (struct mfs_time){0};
}

static uint64_t id_of(const struct host *h, const struct statx *sx)
{
	return host_id(h, makedev(sx->stx_dev_major, sx->stx_dev_minor), sx->stx_ino);
}

struct mfs_time host_born(int fd)
{
	struct statx sx;

	return host_statx(fd, "", &sx) ? (struct mfs_time){0} : born_of(&sx);
}

bool host_is(const struct host *h, int fd, uint64_t id, struct mfs_time born)
{
	struct mfs_time now;
	struct statx sx;

	if (host_statx(fd, "", &sx) || id_of(h, &sx) != id)
		return false;
	now = born_of(&sx);
	return (!now.sec && !now.nsec) || (!born.sec && !born.nsec) || (now.sec == born.sec && now.nsec == born.nsec);
}

static void fill(const struct host *h, const struct statx *sx, struct mfs_attr *out)
{
	*out = (struct mfs_attr){
		.id = id_of(h, sx),
		.mode = sx->stx_mode,
		.uid = sx->stx_uid,
		.gid = sx->stx_gid,
		.nlink = sx->stx_nlink,
		.rdev = makedev(sx->stx_rdev_major, sx->stx_rdev_minor),
		.size = sx->stx_size,
		.blocks = sx->stx_blocks,
		.blksize = sx->stx_blksize,
		.atime = time_of(&sx->stx_atime),
		.mtime = time_of(&sx->stx_mtime),
		.ctime = time_of(&sx->stx_ctime),
		.btime = time_of(&sx->stx_btime),
	};
	out->version = mix(
		mix(mix((uint64_t)out->mtime.sec * 1000000000 + out->mtime.nsec, out->size), (uint64_t)out->ctime.sec),
		out->ctime.nsec);
}

int host_identify(const struct host *h, int fd, struct host_identity *out)
{
	struct mfs_attr attr;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	attr = (struct mfs_attr){.mode = st.st_mode};
	host_owner_show(h, fd, &attr);
	out->dev = st.st_dev;
	out->id = host_id(h, st.st_dev, st.st_ino);
	out->type = attr.mode & S_IFMT;
	out->host_mode = st.st_mode;
	return 0;
}

/* One name seen from the base, with nothing to follow: the object need not be opened. False: it must be, after all. */
static bool stat_name(struct host *h, const struct mfs_at *at, struct mfs_attr *out, int *err)
{
	struct host_node *base = host_node_of(at->base);
	struct statx sx;
	int fd;

	if (h->options.owner == MFS_OWNER_MAPPED || !host_path_is_name(at->path))
		return false;
	*err = host_pin_start(h, base, &fd);
	if (*err)
		return true;
	*err = host_statx(fd, at->path, &sx);
	host_unpin(base);
	if (*err)
		return true;
	if (at->follow && S_ISLNK(sx.stx_mode))
		return false;
	fill(h, &sx, out);
	host_owner_show(h, -1, out);
	return true;
}

int host_stat(struct mfs *fs, const struct mfs_at *at, struct mfs_attr *out)
{
	struct host *h = host_of(fs);
	struct host_ref ref;
	struct statx sx;
	int err;

	if (stat_name(h, at, out, &err))
		return err;
	err = host_ref(h, at, &ref);
	if (err)
		return err;
	err = host_statx(ref.fd, "", &sx);
	if (!err) {
		fill(h, &sx, out);
		host_owner_show(h, ref.fd, out);
	}
	host_unref(&ref);
	return err;
}

static int set_size(struct host *h, const struct host_ref *ref, uint64_t size)
{
	char proc[HOST_PROC_SIZE];
	struct host_identity identity;
	int err;

	/* What is open for writing can be cut whatever its permissions are now. */
	if (ref->pinned && ref->pinned->node.open && (ref->pinned->node.flags & MFS_ACCESS) != MFS_READ)
		return ftruncate(ref->fd, (off_t)size) ? -errno : 0;
	err = host_identify(h, ref->fd, &identity);
	if (err)
		return err;
	if (identity.type != S_IFREG)
		return identity.type == S_IFDIR ? -EISDIR : -EINVAL;
	err = host_owner_writes(h, ref->fd, identity.host_mode);
	if (err)
		return err;
	return truncate(host_proc_path(proc, ref->fd), (off_t)size) ? -errno : 0;
}

static struct timespec time_to_set(unsigned mask, unsigned given, unsigned now, const struct mfs_time *t)
{
	if (mask & given)
		return (struct timespec){.tv_sec = t->sec, .tv_nsec = (long)t->nsec};
	return (struct timespec){.tv_nsec = mask & now ? UTIME_NOW : UTIME_OMIT};
}

static int set_times(int fd, unsigned mask, const struct mfs_attr *attr)
{
	char proc[HOST_PROC_SIZE];
	struct timespec times[2] = {
		time_to_set(mask, MFS_SET_ATIME, MFS_SET_ATIME_NOW, &attr->atime),
		time_to_set(mask, MFS_SET_MTIME, MFS_SET_MTIME_NOW, &attr->mtime),
	};

	return utimensat(AT_FDCWD, host_proc_path(proc, fd), times, 0) ? -errno : 0;
}

int host_set(struct mfs *fs, const struct mfs_at *at, unsigned mask, const struct mfs_attr *attr)
{
	struct host *h = host_of(fs);
	struct host_ref ref;
	int err = host_ref(h, at, &ref);

	if (err)
		return err;
	if (mask & MFS_SET_SIZE)
		err = set_size(h, &ref, attr->size);
	if (!err && mask & (MFS_SET_MODE | MFS_SET_UID | MFS_SET_GID))
		err = host_owner_set(h, ref.fd, mask, attr);
	if (!err && mask & (MFS_SET_ATIME | MFS_SET_MTIME | MFS_SET_ATIME_NOW | MFS_SET_MTIME_NOW))
		err = set_times(ref.fd, mask, attr);
	host_unref(&ref);
	return err;
}

ssize_t host_readlink(struct mfs *fs, const struct mfs_at *at, char *buf, size_t size)
{
	struct host *h = host_of(fs);
	bool name = host_path_is_name(at->path);
	struct mfs_at object = {.base = at->base, .path = name ? "" : at->path};
	struct host_ref ref;
	ssize_t len = host_ref(h, &object, &ref);

	if (len)
		return len;
	len = readlinkat(ref.fd, name ? at->path : "", buf, size);
	/* An empty path that is no link is not found. */
	if (len < 0)
		len = errno == ENOENT && !name ? -EINVAL : -errno;
	host_unref(&ref);
	return len;
}

int host_statfs(struct mfs *fs, const struct mfs_at *at, struct mfs_statfs *out)
{
	struct host *h = host_of(fs);
	struct host_ref ref;
	struct statfs st;
	uint32_t fsid[2];
	int err = host_ref(h, at, &ref);

	if (err)
		return err;
	err = fstatfs(ref.fd, &st) ? -errno : 0;
	host_unref(&ref);
	if (err)
		return err;
	memcpy(fsid, &st.f_fsid, sizeof(fsid));
	*out = (struct mfs_statfs){
		.type = (uint32_t)st.f_type,
		.bsize = (uint32_t)st.f_bsize,
		.namelen = (uint32_t)st.f_namelen,
		.blocks = st.f_blocks,
		.bfree = st.f_bfree,
		.bavail = st.f_bavail,
		.files = st.f_files,
		.ffree = st.f_ffree,
		.fsid = (uint64_t)fsid[1] << 32 | fsid[0],
	};
	return 0;
}
