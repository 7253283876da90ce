/* rmdir: removes empty directories. */
#include "../files.h"
#include "../shell.h"

void command_rmdir(int argc, char **argv)
{
	struct place place;

	if (shell_options(&argc, argv, "", 1) < 0)
		return;
	for (int i = 1; i < argc; i++) {
		int64_t error = path_find(&place, argv[i]);

		if (!error)
			error = magicfs_rmdir(place.share, place.path);
		if (error)
			files_complain("rmdir", argv[i], error);
	}
}
