/* Where the files are mounted: what a killed run left there is cleared, what cannot be is refused with a reason. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "frontend/inspect/fuse_internal.h"

extern char **environ;

static bool executable_in(const char *dirs, const char *name)
{
	char path[4096];

	while (*dirs) {
		size_t len = strcspn(dirs, ":");

		snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, name);
		if (len && !access(path, X_OK))
			return true;
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

bool inspect_have_fusermount(void)
{
	const char *dirs = getenv("PATH");

	return (dirs && executable_in(dirs, "fusermount3")) ||
	       executable_in("/usr/local/bin:/usr/bin:/bin", "fusermount3");
}

/* Lets fusermount3 take the mount away, for who may not do it himself. */
static bool fusermount_away(const char *path)
{
	char *const args[] = {"fusermount3", "-u", "-q", "-z", "--", (char *)(uintptr_t)path, NULL};
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, args[0], NULL, NULL, args, environ))
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The process that served this mount is gone: every access fails with ENOTCONN. */
static int clear_dead_mount(const char *path)
{
	if (!umount2(path, MNT_DETACH) || fusermount_away(path))
		return 0;
	return bis_fail(EBUSY, "%s: a dead mount is there and cannot be taken away; try: fusermount3 -u %s", path,
			path);
}

static int check_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (!dir)
		return bis_fail(errno, "%s: %s", path, strerror(errno));
	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(dir);
	return empty ? 0 : bis_fail(ENOTEMPTY, "%s: expected an empty directory to mount on", path);
}

/* Is `path` the root of another file system than the directory above it? */
static bool is_mount_point(const char *path, const struct stat *st)
{
	struct stat above;
	char *up;
	bool is = false;

	if (asprintf(&up, "%s/..", path) < 0)
		return false;
	if (!stat(up, &above))
		is = above.st_dev != st->st_dev || above.st_ino == st->st_ino;
	free(up);
	return is;
}

/* The kernel may remember the attributes of a dead mount's root for a while, but not those of its file system. */
static int look_at(const char *path, struct stat *st)
{
	struct statfs fs;

	if (statfs(path, &fs) && errno == ENOTCONN)
		return -ENOTCONN;
	return stat(path, st) ? -errno : 0;
}

int inspect_prepare_mount_point(const char *path, char **real)
{
	struct stat st;
	int err = look_at(path, &st);

	if (err == -ENOTCONN) {
		err = clear_dead_mount(path);
		if (err)
			return err;
		err = look_at(path, &st);
	}
	if (err == -ENOENT)
		return bis_fail(ENOENT, "%s: there is no such directory; make it first", path);
	if (err)
		return bis_fail(-err, "%s: %s", path, strerror(-err));
	if (!S_ISDIR(st.st_mode))
		return bis_fail(ENOTDIR, "%s: expected a directory to mount on", path);
	if (is_mount_point(path, &st))
		return bis_fail(EBUSY, "%s: another file system is mounted there", path);
	err = check_empty(path);
	if (err)
		return err;
	*real = realpath(path, NULL);
	return *real ? 0 : bis_fail(errno, "%s: %s", path, strerror(errno));
}
