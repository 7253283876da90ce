/* map: a file's pages as memory. The mapping stays until the next one; what the host changes shows in it at once. */
#include "../careful.h"
#include "../files.h"
#include "../layout.h"
#include "../shell.h"
#include "../space.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct {
	char name[64];
	int64_t address; /* physical; 0: nothing is mapped */
	uint64_t size;	 /* of the file, as far as it is mapped */
	const char *text;
} mapped;

static void unmap(void)
{
	if (!mapped.address)
		return;
	window_map(0, 0);
	magicfs_unmap(mapped.address, ROUND_UP(mapped.size, PAGE_SIZE));
	mapped.address = 0;
}

static int64_t map(const char *path)
{
	int64_t handle = files_open(path, MAGICFS_O_READ, 0), address;
	struct magicfs_stat stat = {0};

	if (handle < 0)
		return handle;
	address = magicfs_stat((uint32_t)handle, "", 0, &stat);
	mapped.size = stat.size < WINDOW_SIZE ? stat.size : WINDOW_SIZE;
	if (address >= 0)
		address = magicfs_map((uint32_t)handle, 0, ROUND_UP(mapped.size, PAGE_SIZE), MAGICFS_SHARED);
	magicfs_close((uint32_t)handle);
	if (address < 0)
		return address;
	mapped.address = address;
	mapped.text = window_map((uint64_t)address, ROUND_UP(mapped.size, PAGE_SIZE));
	strlcpy(mapped.name, path, sizeof(mapped.name));
	return mapped.text ? 0 : -MAGICFS_ENOMEM;
}

/* Reads it as memory. When the host has made the file shorter, its pages are gone and reading them is a fault. */
static void print_first_line(void)
{
	char line[80];
	size_t len = mapped.size < sizeof(line) ? (size_t)mapped.size : sizeof(line);
	size_t left = careful_copy(line, mapped.text, len), shown = 0;

	printf("%s: %llu bytes at %p, physical %#llx\n", mapped.name, (unsigned long long)mapped.size,
	       (const void *)mapped.text, (unsigned long long)mapped.address);
	while (shown < len - left && line[shown] != '\n') {
		putchar(isprint((unsigned char)line[shown]) ? line[shown] : '.');
		shown++;
	}
	printf("\n");
	if (left)
		printf("map: %s: access fault at %p: the file has become shorter\n", mapped.name,
		       (const void *)(mapped.text + len - left));
}

void command_map(int argc, char **argv)
{
	int64_t error = 0;

	if (argc > 2 || (argc == 1 && !mapped.address)) {
		shell_usage("map");
		return;
	}
	if (argc == 2) {
		unmap();
		error = map(argv[1]);
	}
	if (error)
		files_complain("map", argv[1], error);
	else
		print_first_line();
}
