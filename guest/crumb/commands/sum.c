/* sum: a checksum of files, the one that the host's `cksum` prints (POSIX): a 32-bit CRC of the bytes and their count.
 */
#include "../files.h"
#include "../layout.h"
#include "../pages.h"
#include "../shell.h"
#include <stdio.h>

#define POLYNOMIAL 0x04c11db7U

/* table[n]: what n in the top byte does to the rest. */
static void make_table(uint32_t table[256])
{
	for (uint32_t n = 0; n < 256; n++) {
		table[n] = n << 24;
		for (unsigned bit = 0; bit < 8; bit++)
			table[n] = table[n] << 1 ^ (table[n] >> 31 ? POLYNOMIAL : 0);
	}
}

static uint32_t add_byte(const uint32_t table[256], uint32_t crc, unsigned char byte)
{
	return crc << 8 ^ table[crc >> 24 ^ byte];
}

static int64_t sum(const char *path, const uint32_t table[256], unsigned char *page)
{
	int64_t handle = files_open(path, MAGICFS_O_READ, 0), got;
	uint64_t size = 0;
	uint32_t crc = 0;

	if (handle < 0)
		return handle;
	while ((got = magicfs_read((uint32_t)handle, page, PAGE_SIZE, size)) > 0) {
		for (int64_t i = 0; i < got; i++)
			crc = add_byte(table, crc, page[i]);
		size += (uint64_t)got;
	}
	magicfs_close((uint32_t)handle);
	if (got < 0)
		return got;
	for (uint64_t rest = size; rest; rest >>= 8)
		crc = add_byte(table, crc, (unsigned char)rest);
	printf("%u %llu %s\n", (unsigned)~crc, (unsigned long long)size, path);
	return 0;
}

void command_sum(int argc, char **argv)
{
	uint32_t table[256];
	unsigned char *page;

	if (shell_options(&argc, argv, "", 1) < 0)
		return;
	make_table(table);
	page = page_alloc();
	for (int i = 1; i < argc; i++) {
		int64_t error = page ? sum(argv[i], table, page) : -MAGICFS_ENOMEM;

		if (error)
			files_complain("sum", argv[i], error);
	}
	page_free(page);
}
