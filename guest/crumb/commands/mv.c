/* mv: gives files and directories other names, in the same share. */
#include "../files.h"
#include "../shell.h"

static int64_t move(const char *from, const char *to)
{
	struct place old, new;
	int64_t error = path_find(&old, from);

	if (!error)
		error = path_find(&new, to);
	return error ? error : magicfs_rename(old.share, old.path, new.share, new.path, 0);
}

void command_mv(int argc, char **argv)
{
	int64_t error = shell_options(&argc, argv, "", 2);
	const char *to = argv[argc - 1];
	char inside[PATH_SIZE];
	struct magicfs_stat stat;
	bool into;

	if (error)
		return;
	into = files_stat(to, true, &stat) == 0 && is_directory(&stat);
	if (argc > 3 && !into) {
		files_complain("mv", to, -MAGICFS_ENOTDIR);
		return;
	}
	for (int i = 1; i < argc - 1; i++) {
		error = into ? path_join(inside, to, path_base(argv[i])) : 0;
		if (!error)
			error = move(argv[i], into ? inside : to);
		if (error)
			files_complain("mv", argv[i], error);
	}
}
