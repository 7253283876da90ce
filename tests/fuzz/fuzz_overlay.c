/*
 * Fuzz target: an overlay file from hostile bytes. What is opened must read, take writes and open again with them in
 * it. The first byte of the input says whether the header's checksum is put right, so that what is behind it is
 * reached.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "modules/backend/disk.h"

#define BASE	 UINT64_C(0x80000000)
#define CLUSTER	 65536u
#define DISK	 (CLUSTER + 1024u)
#define DATA	 CLUSTER /* where the file's clusters begin */
#define CHECKSUM 32u	 /* where the header's is, and what it covers */

static uint64_t checksum(const uint8_t *header)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < CHECKSUM; i++)
		hash = (hash ^ header[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* A file in memory of `size` bytes, those of `bytes` if that is not NULL, and a path by which it is opened. */
static int make_file(char path[32], const void *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size) || (bytes && write(fd, bytes, size) != (ssize_t)size))
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* Changes the disk in both clusters, then leaves `byte` in one sector. */
static void use(struct bis_disk *d, struct bis_memory *m, uint8_t byte)
{
	struct bis_mem_range all = {{BASE}, DISK}, sector = {{BASE}, 512};

	if (bis_disk_sectors(d) * BIS_SECTOR_SIZE != DISK || bis_disk_read(d, m, &all, 1, 0) ||
	    bis_disk_zero(d, CLUSTER - 512, 1024, true) || bis_disk_discard(d, 1024, 512) ||
	    bis_mem_fill(m, sector.pa, byte, 512) || bis_disk_write(d, m, &sector, 1, CLUSTER) || bis_disk_flush(d))
		abort();
}

static void check(struct bis_disk *d, struct bis_memory *m, uint8_t byte)
{
	struct bis_mem_range sector = {{BASE}, 512};
	uint8_t got[512];

	if (bis_disk_read(d, m, &sector, 1, CLUSTER) || bis_mem_read(m, sector.pa, got, sizeof(got)))
		abort();
	for (size_t i = 0; i < sizeof(got); i++)
		if (got[i] != byte)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char base_path[32], overlay_path[32];
	struct bis_memory *m;
	struct bis_disk *d;
	int base, overlay;

	if (size < 1 || bis_memory_create(&m))
		return 0;
	if (bis_memory_add_ram(m, "ram", (bis_gpa){BASE}, 2 * CLUSTER))
		abort();
	base = make_file(base_path, NULL, DISK);
	overlay = make_file(overlay_path, data + 1, size - 1);
	if ((data[0] & 1) && size > CHECKSUM + 8) {
		uint64_t sum = checksum(data + 1);

		if (pwrite(overlay, &sum, sizeof(sum), CHECKSUM) != sizeof(sum))
			abort();
	}
	if (!bis_disk_open("fuzz", base_path, false, overlay_path, &d)) {
		use(d, m, 0x5a);
		bis_disk_close(d);
		if (bis_disk_open("fuzz", base_path, true, overlay_path, &d))
			abort();
		check(d, m, 0x5a);
		bis_disk_close(d);
	}
	close(overlay);
	close(base);
	bis_memory_destroy(m);
	return 0;
}

/* Overlays of the disk above: both clusters, one, none; and an empty file. */
size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static const uint8_t bits[] = {3, 1, 0};
	static const uint8_t header[CHECKSUM] = {
		'B',	   'i',	 's', 'c', 'u', 'i', 't', 'O', 'v', 'e', 'r', 'l', 'a',
		'y',	   '\n', 0,   1,   0,	0,   0,	  0,   0,   1,	 0,   0,   DISK >> 8 & 0xff,
		DISK >> 16};
	uint64_t sum;

	if (index == sizeof(bits)) {
		buf[0] = 0;
		return 1;
	}
	if (index > sizeof(bits) || max < 1 + DATA + DISK)
		return 0;
	memset(buf, 0, 1 + DATA + DISK);
	buf[0] = 1;
	memcpy(buf + 1, header, sizeof(header));
	sum = checksum(buf + 1);
	memcpy(buf + 1 + CHECKSUM, &sum, sizeof(sum));
	buf[1 + 4096] = bits[index];
	memset(buf + 1 + DATA, 0x33, DISK);
	return 1 + DATA + DISK;
}
