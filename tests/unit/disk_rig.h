/* For tests of the disk back end: a file with a pattern on it, guest memory, and what the disk is expected to hold. */
#ifndef BISCUIT_UNIT_DISK_RIG_H
#define BISCUIT_UNIT_DISK_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/memory.h>

#include "modules/backend/disk.h"
#include "tests/unit/unit.h"

#define CLUSTER	 65536u
#define DISK	 (5u * CLUSTER + 3 * 512u) /* the last cluster is short */
#define BASE	 0x80000000u
#define RAM_SIZE 0x200000u

struct fixture {
	char dir[32], file[64], overlay[64];
	struct bis_memory *memory;
	struct bis_disk *disk;
	uint8_t *expected; /* what the disk holds, DISK bytes */
};

static inline uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 7 + at / 512);
}

static inline void make_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static inline int disk_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/biscuit-disk-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/disk", f->dir);
	snprintf(f->overlay, sizeof(f->overlay), "%s/overlay", f->dir);
	f->expected = malloc(DISK);
	for (size_t i = 0; i < DISK; i++)
		f->expected[i] = pattern(i);
	make_file(f->file, f->expected, DISK);
	assert_ok(bis_memory_create(&f->memory));
	assert_ok(bis_memory_add_ram(f->memory, "ram", (bis_gpa){BASE}, RAM_SIZE));
	*state = f;
	return 0;
}

static inline int disk_teardown(void **state)
{
	struct fixture *f = *state;

	bis_disk_close(f->disk);
	bis_memory_destroy(f->memory);
	unlink(f->file);
	unlink(f->overlay);
	rmdir(f->dir);
	free(f->expected);
	free(f);
	return 0;
}

static inline int open_disk(struct fixture *f, bool readonly, bool overlay)
{
	bis_disk_close(f->disk);
	f->disk = NULL;
	return bis_disk_open("disk", f->file, readonly, overlay ? f->overlay : NULL, &f->disk);
}

static inline int read_at(struct fixture *f, uint64_t offset, uint64_t len)
{
	return bis_disk_read(f->disk, f->memory, &(struct bis_mem_range){{BASE}, len}, 1, offset);
}

/* Writes `len` bytes of value `byte`, and notes them as expected if that works. */
static inline int write_at(struct fixture *f, uint64_t offset, uint64_t len, uint8_t byte)
{
	int err;

	assert_ok(bis_mem_fill(f->memory, (bis_gpa){BASE}, byte, len));
	err = bis_disk_write(f->disk, f->memory, &(struct bis_mem_range){{BASE}, len}, 1, offset);
	if (!err)
		memset(f->expected + offset, byte, len);
	return err;
}

/* The whole disk reads as expected. */
static inline void assert_contents(struct fixture *f)
{
	uint8_t *got = malloc(DISK);

	assert_ok(bis_mem_fill(f->memory, (bis_gpa){BASE}, 0x5a, DISK));
	assert_ok(read_at(f, 0, DISK));
	assert_ok(bis_mem_read(f->memory, (bis_gpa){BASE}, got, DISK));
	assert_memory_equal(got, f->expected, DISK);
	free(got);
}

static inline void assert_file_untouched(const struct fixture *f)
{
	uint8_t *got = malloc(DISK + 1);
	int fd = open(f->file, O_RDONLY);

	assert_int_equal(read(fd, got, DISK + 1), DISK);
	for (size_t i = 0; i < DISK; i++)
		assert_int_equal(got[i], pattern(i));
	close(fd);
	free(got);
}

#endif
