/* blk: what the disk is, a look into one of its sectors, and a way to fill one. */
#include "../block.h"
#include "../pages.h"
#include "../shell.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW 16U

static void print_info(void)
{
	unsigned long long sectors = block_sectors();

	printf("%s: %llu sectors of %u bytes, %llu KiB%s\n", block_driver()->name, sectors, SECTOR_SIZE, sectors / 2,
	       block_is_readonly() ? ", read-only" : "");
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

static void read_and_print(unsigned long sector, unsigned char *data)
{
	enum block_result result = block_do(BLOCK_READ, sector, 1, data);

	if (result == BLOCK_OK)
		print_sector(data);
	else
		printf("sector %lu cannot be read: %s\n", sector, block_describe(result));
}

/* Writes the text again and again until the sector is full, and returns once it is on the disk to stay. */
static void fill(unsigned long sector, const char *text, unsigned char *data)
{
	size_t len = strlen(text);
	enum block_result result;

	for (unsigned i = 0; i < SECTOR_SIZE; i++)
		data[i] = (unsigned char)text[i % len];
	result = block_do(BLOCK_WRITE, sector, 1, data);
	if (result == BLOCK_OK)
		result = block_do(BLOCK_FLUSH, 0, 0, NULL);
	if (result == BLOCK_OK)
		printf("sector %lu is full of \"%s\"\n", sector, text);
	else
		printf("sector %lu cannot be written: %s\n", sector, block_describe(result));
}

void command_blk(int argc, char **argv)
{
	char *end = "";
	unsigned long sector = argc > 1 ? strtoul(argv[1], &end, 0) : 0;
	unsigned char *page;

	if (argc > 3 || *end || (argc > 1 && !isdigit(argv[1][0]))) {
		shell_usage("blk");
	} else if (!block_driver()) {
		printf("this machine has no disk\n");
	} else if (argc == 1) {
		print_info();
	} else if (!(page = page_alloc())) {
		printf("no memory for a sector\n");
	} else {
		if (argc == 2)
			read_and_print(sector, page);
		else
			fill(sector, argv[2], page);
		page_free(page);
	}
}
