/* ls: names in directories. */
#include "../console.h"
#include "../file_text.h"
#include "../names.h"
#include "../shell.h"
#include "../task.h"
#include <stdio.h>

enum { LONG = 1, ALL = 2, TITLE = 4 };

static void print_target(const char *directory, const char *name)
{
	char path[PATH_SIZE], target[256];
	struct place place;
	int64_t len;

	if (path_join(path, directory, name) != 0 || path_find(&place, path) != 0)
		return;
	len = magicfs_readlink(place.share, place.path, target, sizeof(target));
	if (len > 0)
		printf(" -> %.*s", (int)len, target);
}

/* `name` in a directory; "" for the directory where the name is a whole path. */
static void print_one(const char *directory, const char *name, const struct magicfs_stat *s, int options)
{
	char mode[11], time[20];

	if (options & LONG) {
		text_mode(mode, s->mode);
		text_time(time, s->mtime);
		printf("%s %3llu %5u %5u %10llu %.16s ", mode, (unsigned long long)s->nlink, (unsigned)s->uid,
		       (unsigned)s->gid, (unsigned long long)s->size, time);
	}
	printf("%s", name);
	if ((options & LONG) && is_link(s))
		print_target(directory, name);
	printf("\n");
}

static void print_names(const char *directory, const struct names *names, int options)
{
	if (!(options & LONG) && console_is_interactive() && !current->output) {
		names_print_columns(names, 0, (size_t)-1);
		return;
	}
	for (const struct name *name = names->first; name && !current->killed; name = name->next)
		print_one(directory, name->text, &name->stat, options);
}

static int64_t list(const char *path, int options)
{
	struct magicfs_stat stat;
	struct names names;
	int64_t error = files_stat(path, true, &stat);

	if (!error && is_directory(&stat)) {
		if (options & TITLE)
			printf("%s:\n", path);
		error = names_read(&names, path, options & ALL);
		print_names(path, &names, options);
		names_free(&names);
		return error;
	}
	/* A link that leads nowhere is something, too. */
	error = files_stat(path, false, &stat);
	if (!error)
		print_one("", path, &stat, options);
	return error;
}

void command_ls(int argc, char **argv)
{
	int options = shell_options(&argc, argv, "la", 0);

	if (options < 0)
		return;
	if (argc > 2)
		options |= TITLE;
	for (int i = 1; i < argc || i == 1; i++) {
		const char *path = i < argc ? argv[i] : ".";
		int64_t error;

		error = list(path, options);
		if (error)
			files_complain("ls", path, error);
	}
}
