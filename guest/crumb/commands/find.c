/* find: the names of all that is below a directory, or of what matches a pattern. */
#include "../shell.h"
#include "../walk.h"
#include <stdio.h>
#include <string.h>

/* `*` stands for any characters, `?` for one. After a mismatch the last `*` takes one character more. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static int64_t print_one(void *context, const char *path, const struct magicfs_stat *stat, enum walk_moment when)
{
	(void)stat;
	if (when != WALK_LEAVE && matches(context, path_base(path)))
		printf("%s\n", path);
	return 0;
}

void command_find(int argc, char **argv)
{
	static char all[] = "*";
	const char *start = ".";
	char *pattern = all, failed[PATH_SIZE];
	int64_t error;

	if (argc > 1 && (strchr(argv[argc - 1], '*') || strchr(argv[argc - 1], '?')))
		pattern = argv[--argc];
	if (argc > 2) {
		shell_usage("find");
		return;
	}
	if (argc == 2)
		start = argv[1];
	error = walk(start, print_one, pattern, failed);
	if (error)
		files_complain("find", failed, error);
}
