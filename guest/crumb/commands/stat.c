/* stat: all that is known about a file. */
#include "../file_text.h"
#include "../files.h"
#include "../shell.h"
#include <stdio.h>

static void print(const char *path, const struct magicfs_stat *s)
{
	char mode[11], accessed[20], modified[20], changed[20];

	text_mode(mode, s->mode);
	text_time(accessed, s->atime);
	text_time(modified, s->mtime);
	text_time(changed, s->ctime);
	printf("%s\n", path);
	printf("  mode      %s (%04o), links %llu\n", mode, (unsigned)s->mode & 07777, (unsigned long long)s->nlink);
	printf("  owner     %u, group %u\n", (unsigned)s->uid, (unsigned)s->gid);
	printf("  size      %llu bytes, %llu KiB on disk\n", (unsigned long long)s->size,
	       (unsigned long long)s->blocks / 2);
	printf("  id        %llx, version %llx\n", (unsigned long long)s->id, (unsigned long long)s->version);
	printf("  modified  %s UTC\n  accessed  %s UTC\n  changed   %s UTC\n", modified, accessed, changed);
}

void command_stat(int argc, char **argv)
{
	struct magicfs_stat s;

	if (shell_options(&argc, argv, "", 1) < 0)
		return;
	for (int i = 1; i < argc; i++) {
		int64_t error = files_stat(argv[i], false, &s);

		if (error)
			files_complain("stat", argv[i], error);
		else
			print(argv[i], &s);
	}
}
