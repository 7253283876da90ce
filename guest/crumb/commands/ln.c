/* ln: another name for a file or, with -s, a symbolic link. */
#include "../files.h"
#include "../shell.h"

static int64_t link(const char *target, const char *name, bool symbolic)
{
	struct place old, new;
	int64_t error = path_find(&new, name);

	if (!error && symbolic)
		return magicfs_symlink(target, new.share, new.path);
	if (!error)
		error = path_find(&old, target);
	return error ? error : magicfs_link(old.share, old.path, new.share, new.path);
}

void command_ln(int argc, char **argv)
{
	int symbolic = shell_options(&argc, argv, "s", 2);
	int64_t error;

	if (symbolic < 0)
		return;
	if (argc != 3) {
		shell_usage("ln");
		return;
	}
	error = link(argv[1], argv[2], symbolic);
	if (error)
		files_complain("ln", error == -MAGICFS_EEXIST ? argv[2] : argv[1], error);
}
