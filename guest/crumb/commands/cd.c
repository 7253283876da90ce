/* cd: another current directory; without a name, /. */
#include "../files.h"
#include "../shell.h"

void command_cd(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/";
	struct magicfs_stat stat;
	int64_t error;

	if (argc > 2) {
		shell_usage("cd");
		return;
	}
	error = files_stat(path, true, &stat);
	if (!error)
		error = is_directory(&stat) ? path_change_directory(path) : -MAGICFS_ENOTDIR;
	if (error)
		files_complain("cd", path, error);
}
