/* blk: the native block device, and a look into one of its sectors. */
#include "../pages.h"
#include "../shell.h"
#include <ctype.h>
#include <native.h>
#include <stdio.h>
#include <stdlib.h>

#define SECTOR_SIZE 512U
#define ROW	    16U

static void print_info(void)
{
	unsigned long long sectors = block_capacity_read();

	printf("block device: %llu sectors of %u bytes, %llu KiB%s\n", sectors, SECTOR_SIZE, sectors / 2,
	       block_status_read() & BLOCK_STATUS_READONLY ? ", read-only" : "");
}

static void print_sector(const unsigned char *data)
{
	for (unsigned at = 0; at < SECTOR_SIZE; at += ROW) {
		printf("%03x ", at);
		for (unsigned i = 0; i < ROW; i++)
			printf(" %02x", data[at + i]);
		printf("  ");
		for (unsigned i = 0; i < ROW; i++)
			putchar(isprint(data[at + i]) ? data[at + i] : '.');
		printf("\n");
	}
}

static void read_and_print(unsigned long sector)
{
	unsigned char *page = page_alloc();
	unsigned error;

	if (!page) {
		printf("no memory for a sector\n");
		return;
	}
	error = native_block_read(sector, 1, (uintptr_t)page);
	if (error == NATIVE_ERROR_NONE)
		print_sector(page);
	else
		printf("sector %lu cannot be read: %s (error %u)\n", sector,
		       error == NATIVE_ERROR_RANGE ? "it is behind the end" : "the device failed", error);
	page_free(page);
}

void command_blk(int argc, char **argv)
{
	char *end = "";
	unsigned long sector = argc > 1 ? strtoul(argv[1], &end, 0) : 0;

	if (argc > 2 || *end || (argc > 1 && !isdigit(argv[1][0])))
		shell_usage("blk");
	else if (!native_present(BLOCK_SLOT))
		printf("this machine has no native block device\n");
	else if (argc == 1)
		print_info();
	else
		read_and_print(sector);
}
