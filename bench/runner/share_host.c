/*
 * The shared folder as the host itself sees it: the same work that the guests do, in system calls. Single-threaded.
 * All functions give a rate a second, of bytes or of files, and 0 when something fails.
 */
#include "share_internal.h"
#include "tree.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PASSES	    3
#define LARGE	    (1 << 20)
#define SMALL	    (64 << 10)
#define DATA_SIZE   ((size_t)BENCH_TREE_DATA_MIB << 20)
#define HOLES_SIZE  ((size_t)BENCH_TREE_HOLES_MIB << 20)
#define PAGE	    4096
#define FILES	    (BENCH_TREE_DIRECTORIES * BENCH_TREE_DIRECTORIES)
#define CREATED	    2000
#define NAME_LENGTH 64

static unsigned char buffer[LARGE] __attribute__((aligned(PAGE)));
static volatile uint64_t sum; /* of what was read, so that the reading is not left out */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double rate(double count, double begin)
{
	return count / (now() - begin);
}

static double move(int at, size_t piece, bool write)
{
	int fd = openat(at, "data", O_RDWR | O_CLOEXEC);
	double begin = now();
	bool good = fd >= 0;

	for (unsigned pass = 0; pass < PASSES; pass++) {
		for (size_t place = 0; good && place < DATA_SIZE; place += piece) {
			ssize_t moved = write ? pwrite(fd, buffer, piece, (off_t)place)
					      : pread(fd, buffer, piece, (off_t)place);

			good = moved == (ssize_t)piece;
		}
	}
	begin = good ? rate((double)DATA_SIZE * PASSES, begin) : 0;
	if (fd >= 0)
		close(fd);
	return begin;
}

static void name_file(char name[static NAME_LENGTH], unsigned i)
{
	snprintf(name, NAME_LENGTH, "tree/d%02u/f%02u", i / BENCH_TREE_DIRECTORIES, i % BENCH_TREE_DIRECTORIES);
}

/* Names are made beforehand, as in the guests. */
static char (*names_of_tree(void))[NAME_LENGTH]
{
	char(*names)[NAME_LENGTH] = malloc((size_t)FILES * NAME_LENGTH);

	for (unsigned i = 0; names && i < FILES; i++)
		name_file(names[i], i);
	return names;
}

static double stat_all(int at, char (*names)[NAME_LENGTH])
{
	double begin = now();
	struct stat st;

	for (unsigned pass = 0; pass < PASSES; pass++)
		for (unsigned i = 0; i < FILES; i++)
			if (fstatat(at, names[i], &st, AT_SYMLINK_NOFOLLOW))
				return 0;
	return rate(PASSES * FILES, begin);
}

static double open_all(int at, char (*names)[NAME_LENGTH])
{
	double begin = now();

	for (unsigned i = 0; i < FILES; i++) {
		int fd = openat(at, names[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return 0;
		close(fd);
	}
	return rate(FILES, begin);
}

/* The names of a directory, looked at one by one if asked to: how many there are, 0 if it cannot be read. */
static unsigned list(int at, const char *path, bool attributes)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned count = 0;
	struct stat st;

	if (!directory)
		return 0;
	while ((entry = readdir(directory))) {
		if (attributes && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			break;
		count++;
	}
	closedir(directory);
	return count;
}

static double list_flat(int at, bool attributes)
{
	double begin = now();
	unsigned count = 0;

	for (unsigned pass = 0; pass < PASSES; pass++)
		count += list(at, "flat", attributes);
	return rate(count, begin);
}

static double walk(int at)
{
	double begin = now();
	char name[NAME_LENGTH];
	unsigned count = 0;

	for (unsigned i = 0; i < BENCH_TREE_DIRECTORIES; i++) {
		snprintf(name, sizeof(name), "tree/d%02u", i);
		count += list(at, name, true);
	}
	return rate(count, begin);
}

/* Creates files in `made`, then removes them. */
static void make(int at, double *created, double *removed)
{
	double begin = now();
	char name[NAME_LENGTH];

	for (unsigned i = 0; i < CREATED; i++) {
		snprintf(name, sizeof(name), "made/n%04u", i);
		close(openat(at, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
	}
	*created = rate(CREATED, begin);
	begin = now();
	for (unsigned i = 0; i < CREATED; i++) {
		snprintf(name, sizeof(name), "made/n%04u", i);
		unlinkat(at, name, 0);
	}
	*removed = rate(CREATED, begin);
}

/* A new file. */
static double write_new(int at)
{
	int fd = openat(at, "made/data", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	double begin = now();
	size_t place = 0;

	if (fd < 0)
		return 0;
	while (place < DATA_SIZE && pwrite(fd, buffer, LARGE, (off_t)place) == LARGE)
		place += LARGE;
	begin = rate((double)place, begin);
	close(fd);
	unlinkat(at, "made/data", 0);
	return begin;
}

static double touch_holes(int at)
{
	int fd = openat(at, "holes", O_RDONLY | O_CLOEXEC);
	const unsigned char *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, HOLES_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	double begin = now();
	uint64_t total = 0;

	if (bytes == MAP_FAILED)
		return 0;
	for (size_t i = 0; i < HOLES_SIZE; i += PAGE)
		total += bytes[i];
	sum = total;
	begin = rate((double)HOLES_SIZE / PAGE, begin);
	munmap((void *)bytes, HOLES_SIZE);
	close(fd);
	return begin;
}

static double read_mapped(int at)
{
	int fd = openat(at, "data", O_RDONLY | O_CLOEXEC);
	const uint64_t *words = fd < 0 ? MAP_FAILED : mmap(NULL, DATA_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	double begin = now();
	uint64_t total = 0;

	if (words == MAP_FAILED)
		return 0;
	for (const uint64_t *w = words; w < words + DATA_SIZE / sizeof(*w); w += 8)
		total += w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7];
	sum = total;
	begin = rate((double)DATA_SIZE, begin);
	munmap((void *)words, DATA_SIZE);
	close(fd);
	return begin;
}

void share_host_native(const char *folder, struct bench_samples *samples)
{
	int at = open(folder, O_DIRECTORY | O_CLOEXEC);
	char(*names)[NAME_LENGTH] = names_of_tree();
	const struct {
		const char *name;
		double value;
	} all[] = {
		{"share_native_stat_s", names ? stat_all(at, names) : 0},
		{"share_native_list_s", list_flat(at, false)},
		{"share_native_list_attributes_s", list_flat(at, true)},
		{"share_native_open_s", names ? open_all(at, names) : 0},
		{"share_native_read_64k_mib_s", move(at, SMALL, false) / LARGE},
		{"share_native_read_1m_mib_s", move(at, LARGE, false) / LARGE},
		{"share_native_write_64k_mib_s", move(at, SMALL, true) / LARGE},
		{"share_native_write_1m_mib_s", move(at, LARGE, true) / LARGE},
		{"share_native_map_read_mib_s", read_mapped(at) / LARGE},
		{"share_native_map_touch_pages_s", touch_holes(at)},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bench_samples_add(samples, all[i].name, BENCH_NATIVE, all[i].value);
	free(names);
	if (at >= 0)
		close(at);
}

void share_host_linux(const char *folder, double values[SHARE_LINUX_FIGURES])
{
	int at = open(folder, O_DIRECTORY | O_CLOEXEC);
	char(*names)[NAME_LENGTH] = names_of_tree();

	values[SHARE_WALK] = walk(at);
	values[SHARE_STAT] = names ? stat_all(at, names) : 0;
	values[SHARE_READ] = move(at, LARGE, false) / LARGE;
	values[SHARE_WRITE] = write_new(at) / LARGE;
	make(at, &values[SHARE_CREATE], &values[SHARE_UNLINK]);
	free(names);
	if (at >= 0)
		close(at);
}
