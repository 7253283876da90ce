/* rm: removes files and, with -r, directories with all that is in them. */
#include "../files.h"
#include "../shell.h"
#include "../walk.h"

static int64_t remove_one(void *context, const char *path, const struct magicfs_stat *stat, enum walk_moment when)
{
	const int *recursive = context;
	struct place place;
	int64_t error;

	(void)stat;
	if (when == WALK_ENTER)
		return *recursive ? 0 : -MAGICFS_EISDIR;
	error = path_find(&place, path);
	if (error)
		return error;
	return when == WALK_LEAVE ? magicfs_rmdir(place.share, place.path) : magicfs_unlink(place.share, place.path);
}

void command_rm(int argc, char **argv)
{
	int recursive = shell_options(&argc, argv, "r", 1);
	char failed[PATH_SIZE];

	if (recursive < 0)
		return;
	for (int i = 1; i < argc; i++) {
		int64_t error = walk(argv[i], remove_one, &recursive, failed);

		if (error)
			files_complain("rm", failed, error);
	}
}
