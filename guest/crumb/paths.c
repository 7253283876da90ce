/*
 * Paths, taken apart. Here a path is a list of names, each behind a '/', and "" is the root: "/a/b" has two, and going
 * up takes the last one away. What is a link, and where it leads, is the host's business.
 */
#include "paths.h"
#include "files.h"
#include <magicfs_protocol.h>
#include <string.h>

static char directory[PATH_SIZE];

/* Adds one name, which is not ended by NUL, to a path. */
static bool add_name(char path[PATH_SIZE], const char *name, size_t len)
{
	size_t end = strlen(path);

	if (len == 0 || (len == 1 && name[0] == '.'))
		return true;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		if (end)
			*strrchr(path, '/') = '\0';
		return true;
	}
	if (len >= PATH_SIZE - 1 - end)
		return false;
	path[end] = '/';
	memcpy(path + end + 1, name, len);
	path[end + 1 + len] = '\0';
	return true;
}

/* The list of names that a path means, from the root on. */
static bool absolute(char to[PATH_SIZE], const char *path)
{
	strlcpy(to, path[0] == '/' ? "" : directory, PATH_SIZE);
	while (*path) {
		const char *slash = strchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);

		if (!add_name(to, path, len))
			return false;
		path += slash ? len + 1 : len;
	}
	return true;
}

/* Does the list begin with these names? */
static bool begins_with(const char *path, const char *names)
{
	size_t len = strlen(names);

	return strncmp(path, names, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

int path_find(struct place *place, const char *path)
{
	unsigned shares = files_shares();

	if (shares == 0)
		return -MAGICFS_ENODEV;
	if (!absolute(place->text, path))
		return -MAGICFS_ENAMETOOLONG;
	place->path = place->text[0] ? place->text + 1 : place->text;
	if (shares == 1 || !place->text[0]) {
		place->share = shares == 1 ? 0 : ALL_SHARES;
		return 0;
	}
	for (unsigned i = 0; i < shares; i++) {
		if (begins_with(place->path, files_share_name(i))) {
			place->share = i;
			place->path += strlen(files_share_name(i));
			place->path += place->path[0] == '/';
			return 0;
		}
	}
	return -MAGICFS_ENOENT;
}

const char *path_directory(void)
{
	return directory[0] ? directory : "/";
}

int path_change_directory(const char *path)
{
	char to[PATH_SIZE];

	if (!absolute(to, path))
		return -MAGICFS_ENAMETOOLONG;
	strlcpy(directory, to, PATH_SIZE);
	return 0;
}

bool path_is_inside(const char *path, const char *outer)
{
	char a[PATH_SIZE], b[PATH_SIZE];

	return absolute(a, path) && absolute(b, outer) && begins_with(a, b);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int path_join(char to[PATH_SIZE], const char *path, const char *name)
{
	size_t len = strlen(path);
	bool slash = len && path[len - 1] != '/';

	if (len + slash + strlen(name) >= PATH_SIZE)
		return -MAGICFS_ENAMETOOLONG;
	memmove(to, path, len);
	if (slash)
		to[len] = '/';
	strlcpy(to + len + slash, name, PATH_SIZE - len - slash);
	return 0;
}
