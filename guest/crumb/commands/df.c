/* df: the shares, and how much room the host has for them. */
#include "../files.h"
#include "../shell.h"
#include <stdio.h>

static unsigned long long mebibytes(uint64_t blocks, uint32_t size)
{
	return blocks / 1024 * size / 1024;
}

void command_df(int argc, char **argv)
{
	struct magicfs_statfs s;

	(void)argc;
	(void)argv;
	if (!files_shares()) {
		printf("df: %s\n", files_describe(-MAGICFS_ENODEV));
		return;
	}
	printf("%-20s %12s %12s %12s\n", "SHARE", "SIZE", "USED", "FREE");
	for (unsigned i = 0; i < files_shares(); i++) {
		int64_t error = magicfs_statfs(i, "", &s);

		if (error < 0) {
			files_complain("df", files_share_name(i), error);
			continue;
		}
		printf("%-20s %8llu MiB %8llu MiB %8llu MiB%s\n", files_share_name(i), mebibytes(s.blocks, s.bsize),
		       mebibytes(s.blocks - s.bfree, s.bsize), mebibytes(s.bavail, s.bsize),
		       files_share_is_readonly(i) ? "  read-only" : "");
	}
}
