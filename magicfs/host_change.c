/*
 * Names that change in the host's directory: link, rename, unlink. Nodes that are put aside under such a name are
 * brought back before it goes, or follow it (host_aside.c). Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

int host_link(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to)
{
	struct host *h = host_of(fs);
	char proc[HOST_PROC_SIZE];
	struct host_place place;
	struct host_ref ref;
	int err = host_ref(h, from, &ref);

	if (err)
		return err;
	err = host_place_find(h, to, &place);
	if (!err) {
		/* What is followed is only the way to the descriptor, not a link that it may be of. */
		err = linkat(AT_FDCWD, host_proc_path(proc, ref.fd), place.dir.fd, place.name, AT_SYMLINK_FOLLOW)
			      ? -errno
			      : 0;
		host_unref(&place.dir);
	}
	host_unref(&ref);
	return err;
}

static bool is_directory(const struct host_place *place)
{
	struct stat st;
	char name[MFS_NAME_MAX + 2];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(place->name, "/"), place->name);
	return !fstatat(place->dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

/* Renames, and has the nodes put aside follow. */
static int rename_places(struct host *h, const struct host_place *from, const struct host_place *to, unsigned flags)
{
	char old_path[MFS_PATH_MAX], new_path[MFS_PATH_MAX];
	bool exchange = flags & MFS_RENAME_EXCHANGE, followed, directories;
	int err;

	/* Where that is may change until now; from here on it does not, as far as this share goes. */
	pthread_rwlock_wrlock(&h->names);
	followed = host_aside_path(h, from, old_path) && host_aside_path(h, to, new_path);
	err = syscall(SYS_renameat2, from->dir.fd, from->name, to->dir.fd, to->name, flags) ? -errno : 0;
	if (!err && followed) {
		directories = is_directory(to) || (exchange && is_directory(from));
		host_aside_renamed(h, old_path, new_path, directories, exchange);
	}
	pthread_rwlock_unlock(&h->names);
	return err;
}

int host_rename(struct mfs *fs, const struct mfs_at *from, const struct mfs_at *to, unsigned flags)
{
	struct host *h = host_of(fs);
	struct host_place old_place, new_place;
	int err = host_place_find(h, from, &old_place);

	if (err)
		return err;
	err = host_place_find(h, to, &new_place);
	if (!err) {
		if (!(flags & (MFS_RENAME_EXCHANGE | MFS_RENAME_NOREPLACE)))
			host_aside_keep(h, &new_place);
		err = rename_places(h, &old_place, &new_place, flags);
		host_unref(&new_place.dir);
	}
	host_unref(&old_place.dir);
	return err;
}

int host_unlink(struct mfs *fs, const struct mfs_at *at, bool directory)
{
	struct host *h = host_of(fs);
	struct host_place place;
	int err = host_place_find(h, at, &place);

	if (err)
		return err;
	host_aside_keep(h, &place);
	err = unlinkat(place.dir.fd, place.name, directory ? AT_REMOVEDIR : 0) ? -errno : 0;
	host_unref(&place.dir);
	return err;
}
