/* cat: what is in files. */
#include "../console.h"
#include "../files.h"
#include "../layout.h"
#include "../pages.h"
#include "../shell.h"
#include <stdio.h>

static int64_t print_file(const char *path, char *page)
{
	int64_t handle = files_open(path, MAGICFS_O_READ, 0), got = handle;
	uint64_t offset = 0;

	if (handle < 0)
		return handle;
	while ((got = magicfs_read((uint32_t)handle, page, PAGE_SIZE, offset)) > 0) {
		console_write(page, (size_t)got);
		offset += (uint64_t)got;
	}
	magicfs_close((uint32_t)handle);
	return got;
}

void command_cat(int argc, char **argv)
{
	char *page;

	if (shell_options(&argc, argv, "", 1) < 0)
		return;
	page = page_alloc();
	for (int i = 1; i < argc; i++) {
		int64_t error = page ? print_file(argv[i], page) : -MAGICFS_ENOMEM;

		if (error)
			files_complain("cat", argv[i], error);
	}
	page_free(page);
}
