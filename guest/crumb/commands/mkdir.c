/* mkdir: makes directories; with -p also those on the way, and those that are there already are no mistake. */
#include "../files.h"
#include "../shell.h"

static int64_t make(const char *path)
{
	struct place place;
	int64_t error = path_find(&place, path);

	return error ? error : magicfs_mkdir(place.share, place.path, 0755);
}

/* Makes the directories before each '/' in the place's path, and the last one. */
static int64_t make_all(const char *path)
{
	struct place place;
	int64_t error = path_find(&place, path);
	char *at = place.text + (place.path - place.text);

	for (bool more = true; !error && more; at++) {
		if (*at && *at != '/')
			continue;
		more = *at == '/';
		*at = '\0';
		error = place.path[0] ? magicfs_mkdir(place.share, place.path, 0755) : 0;
		if (error == -MAGICFS_EEXIST)
			error = 0;
		if (more)
			*at = '/';
	}
	return error;
}

void command_mkdir(int argc, char **argv)
{
	int parents = shell_options(&argc, argv, "p", 1);

	if (parents < 0)
		return;
	for (int i = 1; i < argc; i++) {
		int64_t error = parents ? make_all(argv[i]) : make(argv[i]);

		if (error)
			files_complain("mkdir", argv[i], error);
	}
}
