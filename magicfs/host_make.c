/*
 * Making directories, special files and links in the host's directory: the object is made with less than its mode, then
 * given to its owner, and removed again if that fails. Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

/* The name without the slashes behind it, for looking at what was just made there. */
static void cut_slashes(struct host_place *place)
{
	place->name[strcspn(place->name, "/")] = 0;
}

/* What was just made at the place goes to its owner. Without success it is removed. */
static int give(struct host *h, struct host_place *place, uint32_t mode, uint64_t rdev, struct mfs_who who)
{
	int fd, err;

	cut_slashes(place);
	fd = host_resolve(h, place->dir.fd, place->name, false);
	if (fd == -ENOENT)
		return 0; /* it was made, and somebody has removed it since */
	err = fd < 0 ? fd : host_owner_made(h, fd, mode, rdev, who);
	if (fd >= 0)
		close(fd);
	if (err)
		unlinkat(place->dir.fd, place->name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
	return err;
}

int host_mkdir(struct mfs *fs, const struct mfs_at *at, uint32_t mode, struct mfs_who who)
{
	struct host *h = host_of(fs);
	struct host_place place;
	int err = host_place_find(h, at, &place);

	if (err)
		return err;
	mode |= S_IFDIR;
	err = mkdirat(place.dir.fd, place.name, host_owner_mode(h, mode)) ? -errno : 0;
	if (!err)
		err = give(h, &place, mode, 0, who);
	host_unref(&place.dir);
	return err;
}

/* Is it a device, or may it not be made on the host? Then the guest's mode is all that tells. */
static bool is_kept_only(const struct host *h, uint32_t mode)
{
	return h->options.owner == MFS_OWNER_MAPPED && !S_ISREG(mode);
}

int host_mknod(struct mfs *fs, const struct mfs_at *at, uint32_t mode, uint64_t rdev, struct mfs_who who)
{
	struct host *h = host_of(fs);
	bool device = S_ISCHR(mode) || S_ISBLK(mode);
	uint32_t host_mode =
		is_kept_only(h, mode) ? S_IFREG | host_owner_mode(h, mode) : (mode & S_IFMT) | host_owner_mode(h, mode);
	struct host_place place;
	int err;

	if (device && h->options.owner != MFS_OWNER_MAPPED &&
	    !(h->options.devices && h->options.owner == MFS_OWNER_HOST))
		return -EPERM;
	err = host_place_find(h, at, &place);
	if (err)
		return err;
	err = mknodat(place.dir.fd, place.name, host_mode, S_ISREG(host_mode) ? 0 : rdev) ? -errno : 0;
	if (!err)
		err = give(h, &place, mode, rdev, who);
	host_unref(&place.dir);
	return err;
}

int host_symlink(struct mfs *fs, const struct mfs_at *at, const char *target, struct mfs_who who)
{
	struct host *h = host_of(fs);
	struct host_place place;
	int err = host_place_find(h, at, &place);

	if (err)
		return err;
	err = symlinkat(target, place.dir.fd, place.name) ? -errno : 0;
	if (!err && h->options.owner == MFS_OWNER_HOST)
		err = give(h, &place, S_IFLNK | 0777, 0, who);
	host_unref(&place.dir);
	return err;
}
