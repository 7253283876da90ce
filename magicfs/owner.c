/*
 * Whose the files of a shared directory are, as the guest sees it (docs/magicfs.md, "Owners"). Any thread.
 *
 * owner=mapped keeps "uid:gid:mode:rdev" (the mode octal, the others decimal) in an extended attribute of regular files
 * and directories. Special files are made as empty regular files and are what they are by the mode kept. Links cannot
 * keep anything: they belong to the share's uid and gid.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define NOBODY	     65534u
#define KEPT_SIZE    64 /* bytes of the text at most */
#define PERMISSIONS  0777u
#define NOT_SET_ID   01777u
#define SET_ID	     06000u
#define ALL_BITS     07777u
#define OWNER_FILE   0600u /* what the host's user keeps, so that the share goes on working */
#define OWNER_FOLDER 0700u

struct kept {
	uint32_t uid, gid, mode;
	uint64_t rdev;
};

/* --- What is kept --- */

/* The next number of the text, up to `end`. */
static bool number(const char **text, int base, char end, uint64_t max, uint64_t *out)
{
	char *stop;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*out = strtoull(*text, &stop, base);
	if (errno || *stop != end || *out > max)
		return false;
	*text = stop + (end != 0);
	return true;
}

static bool kept_parse(const char *text, struct kept *out)
{
	uint64_t uid, gid, mode, rdev;

	if (!number(&text, 10, ':', UINT32_MAX - 1, &uid) || !number(&text, 10, ':', UINT32_MAX - 1, &gid) ||
	    !number(&text, 8, ':', S_IFMT | ALL_BITS, &mode) || !number(&text, 10, 0, UINT64_MAX, &rdev))
		return false;
	*out = (struct kept){.uid = (uint32_t)uid, .gid = (uint32_t)gid, .mode = (uint32_t)mode, .rdev = rdev};
	return true;
}

static bool kept_read(int fd, struct kept *out)
{
	char proc[HOST_PROC_SIZE], text[KEPT_SIZE];
	ssize_t len = getxattr(host_proc_path(proc, fd), HOST_OWNER_XATTR, text, sizeof(text) - 1);

	if (len < 0 || memchr(text, 0, (size_t)len))
		return false;
	text[len] = 0;
	return kept_parse(text, out);
}

static int kept_write(int fd, const struct kept *k)
{
	char proc[HOST_PROC_SIZE], text[KEPT_SIZE];
	int len = snprintf(text, sizeof(text), "%u:%u:%o:%llu", k->uid, k->gid, k->mode, (unsigned long long)k->rdev);

	return setxattr(host_proc_path(proc, fd), HOST_OWNER_XATTR, text, (size_t)len, 0) ? -errno : 0;
}

/* The type that an object of the host's type has with what is kept: only regular files can be something else. */
static uint32_t kept_type(uint32_t host_mode, uint32_t kept_mode)
{
	uint32_t type = kept_mode & S_IFMT;

	if (S_ISREG(host_mode) && (type == S_IFIFO || type == S_IFSOCK || type == S_IFCHR || type == S_IFBLK))
		return type;
	return host_mode & S_IFMT;
}

static bool can_keep(uint32_t host_mode)
{
	return S_ISREG(host_mode) || S_ISDIR(host_mode);
}

/* --- Showing --- */

static void show_kept(const struct host *h, int fd, struct mfs_attr *attr)
{
	struct kept k;

	attr->uid = h->options.uid;
	attr->gid = h->options.gid;
	if (!can_keep(attr->mode) || !kept_read(fd, &k))
		return;
	attr->uid = k.uid;
	attr->gid = k.gid;
	attr->mode = kept_type(attr->mode, k.mode) | (k.mode & ALL_BITS);
	attr->rdev = S_ISCHR(attr->mode) || S_ISBLK(attr->mode) ? k.rdev : 0;
}

void host_owner_show(const struct host *h, int fd, struct mfs_attr *attr)
{
	switch (h->options.owner) {
	case MFS_OWNER_GUEST:
		attr->uid = attr->uid == h->euid ? h->options.uid : NOBODY;
		attr->gid = attr->gid == h->egid ? h->options.gid : NOBODY;
		break;
	case MFS_OWNER_MAPPED:
		show_kept(h, fd, attr);
		break;
	case MFS_OWNER_HOST:
		break;
	}
}

/* --- Changing --- */

/* The bits that a file or directory has on the host, where the guest's are kept aside. */
static uint32_t mapped_mode(uint32_t mode)
{
	if (S_ISDIR(mode))
		return (mode & PERMISSIONS) | OWNER_FOLDER;
	return S_ISREG(mode) ? (mode & PERMISSIONS) | OWNER_FILE : OWNER_FILE;
}

uint32_t host_owner_mode(const struct host *h, uint32_t mode)
{
	switch (h->options.owner) {
	case MFS_OWNER_GUEST:
		return mode & NOT_SET_ID;
	case MFS_OWNER_MAPPED:
		return mapped_mode(mode);
	case MFS_OWNER_HOST:
		break;
	}
	/* The rest follows when it has its owner. */
	return mode & (S_ISDIR(mode) ? OWNER_FOLDER : OWNER_FILE);
}

static int change_mode(int fd, uint32_t mode)
{
	char proc[HOST_PROC_SIZE];

	return chmod(host_proc_path(proc, fd), mode) ? -errno : 0;
}

static int change_owner(int fd, uint32_t uid, uint32_t gid)
{
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) ? -errno : 0;
}

/* Gives it the bits that the process's umask took from it; a directory may have got its set-group-id from above. */
static int restore_mode(int fd, const struct stat *st, uint32_t mode)
{
	if (S_ISDIR(st->st_mode))
		mode |= st->st_mode & S_ISGID;
	return (st->st_mode & ALL_BITS) == mode ? 0 : change_mode(fd, mode);
}

int host_owner_made(const struct host *h, int fd, uint32_t mode, uint64_t rdev, struct mfs_who who)
{
	struct kept k = {.uid = who.uid, .gid = who.gid, .mode = mode, .rdev = rdev};
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (h->options.owner == MFS_OWNER_HOST) {
		if (st.st_uid != who.uid || st.st_gid != who.gid) {
			err = change_owner(fd, who.uid, who.gid);
			if (err)
				return err;
		}
		return S_ISLNK(st.st_mode) ? 0 : change_mode(fd, mode & ALL_BITS);
	}
	if (S_ISLNK(st.st_mode))
		return 0;
	err = restore_mode(fd, &st, host_owner_mode(h, mode));
	return err || h->options.owner == MFS_OWNER_GUEST ? err : kept_write(fd, &k);
}

int host_owner_writes(const struct host *h, int fd, uint32_t host_mode)
{
	int err = 0;

	if (h->options.owner != MFS_OWNER_HOST && S_ISREG(host_mode) && host_mode & SET_ID)
		err = change_mode(fd, host_mode & NOT_SET_ID);
	/* Another user's: for those who may not change its mode the host does it with the first byte. */
	return err == -EPERM ? 0 : err;
}

static int set_kept(const struct host *h, int fd, const struct stat *st, unsigned mask, const struct mfs_attr *attr)
{
	struct mfs_attr now = {.mode = st->st_mode};
	struct kept k;
	uint32_t host_mode;
	int err = 0;

	show_kept(h, fd, &now);
	k = (struct kept){.uid = now.uid, .gid = now.gid, .mode = now.mode, .rdev = now.rdev};
	/* As the host does it: with a new owner the set-id bits go, where they mean running as somebody. */
	if (mask & (MFS_SET_UID | MFS_SET_GID) && !S_ISDIR(k.mode))
		k.mode &= ~(uint32_t)(k.mode & S_IXGRP ? S_ISUID | S_ISGID : S_ISUID);
	if (mask & MFS_SET_UID)
		k.uid = attr->uid;
	if (mask & MFS_SET_GID)
		k.gid = attr->gid;
	if (mask & MFS_SET_MODE)
		k.mode = (k.mode & S_IFMT) | (attr->mode & ALL_BITS);
	/* Writing what is kept needs the permission to write. */
	host_mode = mask & MFS_SET_MODE ? mapped_mode(k.mode) : (st->st_mode & ALL_BITS) | OWNER_FILE;
	if (host_mode != (st->st_mode & ALL_BITS))
		err = change_mode(fd, host_mode);
	return err ? err : kept_write(fd, &k);
}

static int set_host(int fd, const struct stat *st, unsigned mask, const struct mfs_attr *attr)
{
	int err = 0;

	if (mask & (MFS_SET_UID | MFS_SET_GID))
		err = change_owner(fd, mask & MFS_SET_UID ? attr->uid : UINT32_MAX,
				   mask & MFS_SET_GID ? attr->gid : UINT32_MAX);
	if (err || !(mask & MFS_SET_MODE))
		return err;
	return S_ISLNK(st->st_mode) ? -EOPNOTSUPP : change_mode(fd, attr->mode & ALL_BITS);
}

int host_owner_set(struct host *h, int fd, unsigned mask, const struct mfs_attr *attr)
{
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (h->options.owner == MFS_OWNER_HOST)
		return set_host(fd, &st, mask, attr);
	if (S_ISLNK(st.st_mode))
		return mask & MFS_SET_MODE ? -EOPNOTSUPP : 0;
	if (h->options.owner == MFS_OWNER_GUEST)
		return mask & MFS_SET_MODE ? change_mode(fd, attr->mode & NOT_SET_ID) : 0;
	pthread_mutex_lock(&h->owners);
	err = set_kept(h, fd, &st, mask, attr);
	pthread_mutex_unlock(&h->owners);
	return err;
}
