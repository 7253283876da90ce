/* hexdump: the bytes of a file. */
#include "../files.h"
#include "../shell.h"
#include <ctype.h>
#include <stdio.h>

#define ROW 16

static void print_row(uint64_t offset, const unsigned char *bytes, int len)
{
	printf("%08llx ", (unsigned long long)offset);
	for (int i = 0; i < ROW; i++) {
		if (i < len)
			printf(" %02x", bytes[i]);
		else
			printf("   ");
	}
	printf("  ");
	for (int i = 0; i < len; i++)
		putchar(isprint(bytes[i]) ? bytes[i] : '.');
	printf("\n");
}

void command_hexdump(int argc, char **argv)
{
	unsigned char bytes[ROW * 32];
	uint64_t offset = 0;
	int64_t handle, got;

	if (shell_options(&argc, argv, "", 1) < 0)
		return;
	handle = got = files_open(argv[1], MAGICFS_O_READ, 0);
	while (handle >= 0 && (got = magicfs_read((uint32_t)handle, bytes, sizeof(bytes), offset)) > 0) {
		for (int64_t at = 0; at < got; at += ROW, offset += ROW)
			print_row(offset, bytes + at, got - at < ROW ? (int)(got - at) : ROW);
	}
	if (got < 0)
		files_complain("hexdump", argv[1], got);
	if (handle >= 0)
		magicfs_close((uint32_t)handle);
}
