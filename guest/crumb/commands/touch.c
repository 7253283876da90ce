/* touch: makes files that are not there, and sets the time of the others to now. */
#include "../files.h"
#include "../shell.h"

static int64_t touch(const char *path)
{
	struct place place;
	int64_t result = path_find(&place, path);

	if (result)
		return result;
	result = magicfs_simple(MAGICFS_SET, place.share, place.path, 0, NULL, 0, 0, 0,
				MAGICFS_SET_ATIME_NOW | MAGICFS_SET_MTIME_NOW);
	if (result != -MAGICFS_ENOENT)
		return result;
	result = files_open(path, MAGICFS_O_WRITE | MAGICFS_O_CREATE, 0644);
	return result < 0 ? result : magicfs_close((uint32_t)result);
}

void command_touch(int argc, char **argv)
{
	if (shell_options(&argc, argv, "", 1) < 0)
		return;
	for (int i = 1; i < argc; i++) {
		int64_t error = touch(argv[i]);

		if (error)
			files_complain("touch", argv[i], error);
	}
}
