/*
 * Extended attributes of the files of a host directory, magicfs/mfs.h. Any thread; nothing is kept between calls.
 *
 * The host's calls take a path, since descriptors that are only places (O_PATH) cannot be used for them: it is
 * /proc/self/fd/N, which leads to the object itself and, where that is a symbolic link, no further. Links and special
 * files have no attributes user.* on Linux: setting one is -EPERM, reading one -ENODATA.
 *
 * What a guest may use: user.*; with owner=host also security.*, trusted.* and the ACLs in system.*, which then mean on
 * the host what they mean in the guest. Attributes that Biscuit keeps (user.biscuit.*) do not exist for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "magicfs/host_internal.h"

#define OWN_PREFIX  "user.biscuit."
#define LIST_MAX    65536 /* bytes, of Linux for any object */
#define VALUE_MAX   65536
#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

static bool starts(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool is_own(const char *name)
{
	return starts(name, OWN_PREFIX);
}

/* Is the name in a namespace that the share passes on? */
static bool is_passed(const struct host *h, const char *name)
{
	if (starts(name, "user."))
		return true;
	return h->options.owner == MFS_OWNER_HOST && (starts(name, "security.") || starts(name, "trusted.") ||
						      !strcmp(name, ACL_ACCESS) || !strcmp(name, ACL_DEFAULT));
}

ssize_t host_getxattr(struct mfs *fs, const struct mfs_at *at, const char *name, void *buf, size_t size)
{
	struct host *h = host_of(fs);
	char proc[HOST_PROC_SIZE];
	struct host_ref ref;
	ssize_t got;
	int err = host_ref(h, at, &ref);

	if (err)
		return err;
	if (!is_passed(h, name))
		got = -EOPNOTSUPP;
	else if (is_own(name))
		got = -ENODATA;
	else {
		got = getxattr(host_proc_path(proc, ref.fd), name, buf, size < VALUE_MAX ? size : VALUE_MAX);
		got = got < 0 ? -errno : got;
	}
	host_unref(&ref);
	return got;
}

/* Leaves those names of the list that the guest may see; the bytes left. */
static size_t filter(const struct host *h, char *list, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0, next; i < len; i = next) {
		next = i + strnlen(list + i, len - i) + 1;
		if (next > len)
			break;
		if (!is_passed(h, list + i) || is_own(list + i))
			continue;
		memmove(list + kept, list + i, next - i);
		kept += next - i;
	}
	return kept;
}

ssize_t host_listxattr(struct mfs *fs, const struct mfs_at *at, char *buf, size_t size)
{
	struct host *h = host_of(fs);
	char proc[HOST_PROC_SIZE], *list;
	struct host_ref ref;
	size_t kept;
	ssize_t got;
	int err = host_ref(h, at, &ref);

	if (err)
		return err;
	list = malloc(LIST_MAX);
	got = list ? listxattr(host_proc_path(proc, ref.fd), list, LIST_MAX) : -1;
	if (got < 0) {
		got = list ? -errno : -ENOMEM;
		goto done;
	}
	kept = filter(h, list, (size_t)got);
	got = (ssize_t)kept;
	if (size > 0 && size < kept)
		got = -ERANGE;
	else if (size > 0)
		memcpy(buf, list, kept);
done:
	free(list);
	host_unref(&ref);
	return got;
}

int host_setxattr(struct mfs *fs, const struct mfs_at *at, const char *name, const void *value, size_t size,
		  unsigned flags)
{
	struct host *h = host_of(fs);
	char proc[HOST_PROC_SIZE];
	struct host_ref ref;
	int err = host_ref(h, at, &ref);

	if (err)
		return err;
	if (!is_passed(h, name))
		err = -EOPNOTSUPP;
	else if (is_own(name))
		err = -EPERM;
	else if (setxattr(host_proc_path(proc, ref.fd), name, value, size, (int)flags) < 0)
		err = -errno;
	host_unref(&ref);
	return err;
}

int host_removexattr(struct mfs *fs, const struct mfs_at *at, const char *name)
{
	struct host *h = host_of(fs);
	char proc[HOST_PROC_SIZE];
	struct host_ref ref;
	int err = host_ref(h, at, &ref);

	if (err)
		return err;
	if (!is_passed(h, name))
		err = -EOPNOTSUPP;
	else if (is_own(name))
		err = -ENODATA;
	else if (removexattr(host_proc_path(proc, ref.fd), name) < 0)
		err = -errno;
	host_unref(&ref);
	return err;
}
