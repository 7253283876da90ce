/* Finding crumb. Runs on the main thread. */
#include "crumb.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>

/* The folder of the running program; one built with libtool lies in .libs of the build tree. */
static bool program_folder(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	if (n <= 0)
		return false;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(buf, '/');
	if (slash && !strcmp(slash, "/.libs"))
		*slash = '\0';
	return true;
}

static char *readable(const char *folder, const char *file)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return NULL;
	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

int crumb_find(unsigned xlen, char **path)
{
	const char *folder = getenv("BISCUIT_DATADIR");
	char file[32], tree[PATH_MAX];
	char *found = NULL;

	snprintf(file, sizeof(file), "crumb-rv%u.elf", xlen);
	if (folder && *folder) {
		found = readable(folder, file);
	} else {
		folder = BISCUIT_PKGDATADIR;
		if (program_folder(tree, sizeof(tree) - sizeof("/guest/crumb"))) {
			strcat(tree, "/guest/crumb");
			found = readable(tree, file);
		}
		if (!found)
			found = readable(folder, file);
	}
	if (!found)
		return bis_fail(
			ENOENT,
			"no kernel is named and crumb is not installed (no %s in %s); name a kernel, or build Biscuit "
			"where riscv64-unknown-elf-gcc is installed",
			file, folder);
	*path = found;
	return 0;
}
