/*
 * How fast MagicFS's native device is, from a bare guest that waits for each request. Share 0 holds what the runner
 * has put there (bench/runner/tree.h). Prints a line for each figure, its name and its number, and "done" at the end;
 * sizes are in KiB a second, times in nanoseconds, everything else a second.
 */
#include <magicfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES	   10000 /* tree/dNN/fNN; and as many in flat */
#define DATA_SIZE  (256u << 20)
#define HOLES_SIZE (1u << 30)
#define PAGE	   4096
#define LARGE	   (1 << 20)
#define SMALL	   (64 << 10)
#define PASSES	   3
#define MAPS	   20
#define POSTED	   32
#define PATH_SIZE  16
#define TICKS	   10000000 /* a second, of the time register */

static char paths[FILES][PATH_SIZE];
static unsigned char buffer[LARGE] __attribute__((aligned(PAGE)));
static volatile uint64_t sum; /* of what was read, so that the reading is not left out */

static uint64_t ticks(void)
{
	return CSR_READ64(time, timeh);
}

static void report(const char *name, uint64_t count, uint64_t begin)
{
	printf("%s %llu\n", name, (unsigned long long)(count * TICKS / (ticks() - begin + 1)));
}

/* Gives the result back, or ends the program. */
static int64_t good(const char *what, int64_t result)
{
	if (result < 0) {
		printf("share: %s: error %lld\n", what, (long long)-result);
		exit(1);
	}
	return result;
}

static uint32_t open_good(const char *path, uint32_t flags)
{
	return (uint32_t)good(path, magicfs_open(0, path, flags, 0));
}

static void name_files(void)
{
	for (unsigned i = 0; i < FILES; i++)
		snprintf(paths[i], PATH_SIZE, "tree/d%02u/f%02u", i / 100, i % 100);
}

static void move(const char *name, uint32_t file, uint64_t piece, bool write)
{
	uint64_t begin = ticks();

	for (unsigned pass = 0; pass < PASSES; pass++)
		for (uint64_t at = 0; at < DATA_SIZE; at += piece)
			if (good(name, write ? magicfs_write(file, buffer, piece, at)
					     : magicfs_read(file, buffer, piece, at)) != (int64_t)piece)
				good("a transfer was short", -MAGICFS_EIO);
	report(name, (uint64_t)PASSES * (DATA_SIZE >> 10), begin);
}

static void move_all(void)
{
	uint32_t file = open_good("data", MAGICFS_O_READ_WRITE);

	move("read_64k", file, SMALL, false);
	move("read_1m", file, LARGE, false);
	move("write_64k", file, SMALL, true);
	move("write_1m", file, LARGE, true);
	magicfs_close(file);
}

static void stat_all(void)
{
	struct magicfs_stat attributes;
	uint64_t begin = ticks();

	for (unsigned pass = 0; pass < PASSES; pass++)
		for (unsigned i = 0; i < FILES; i++)
			good("stat", magicfs_stat(0, paths[i], MAGICFS_NOFOLLOW, &attributes));
	report("stat", PASSES * FILES, begin);
}

/* The same with many requests under way. */
static void stat_posted(void)
{
	static struct magicfs_request requests[POSTED] MAGICFS_ALIGNED;
	static struct magicfs_stat attributes[POSTED];
	struct magicfs_request *free_ones[POSTED], *request;
	unsigned next = 0, taken = 0, free_count = 0;
	uint64_t begin = ticks();

	for (unsigned i = 0; i < POSTED; i++)
		free_ones[free_count++] = &requests[i];
	while (taken < PASSES * FILES) {
		while (free_count && next < PASSES * FILES) {
			request = free_ones[--free_count];
			*request = magicfs_make(MAGICFS_STAT, 0, paths[next++ % FILES], MAGICFS_NOFOLLOW,
						&attributes[request - requests], sizeof(attributes[0]));
			good("post", magicfs_post(request));
		}
		while ((request = magicfs_take())) {
			good("posted stat", request->result);
			free_ones[free_count++] = request;
			taken++;
		}
	}
	report("stat_posted", PASSES * FILES, begin);
}

static void list_flat(const char *name, uint32_t flags)
{
	uint32_t directory = open_good("flat", MAGICFS_O_DIRECTORY);
	uint64_t begin = ticks(), count = 0;

	for (unsigned pass = 0; pass < PASSES; pass++) {
		struct magicfs_list list = {.handle = directory, .flags = flags, .buffer = buffer, .size = SMALL};

		while (magicfs_list(&list))
			count++;
		good(name, list.error);
	}
	if (count < (uint64_t)PASSES * FILES)
		good("names are missing", -MAGICFS_EIO);
	report(name, count, begin);
	magicfs_close(directory);
}

static void open_all(void)
{
	uint64_t begin = ticks();

	for (unsigned i = 0; i < FILES; i++)
		magicfs_close(open_good(paths[i], MAGICFS_O_READ));
	report("open", FILES, begin);
}

/* Mapping and unmapping the file of holes, and then a word of each of its pages. */
static void map_holes(void)
{
	uint32_t file = open_good("holes", MAGICFS_O_READ);
	uint64_t taken = 0, begin, total = 0;
	int64_t address;

	for (unsigned i = 0; i < MAPS; i++) {
		begin = ticks();
		address = good("map", magicfs_map(file, 0, HOLES_SIZE, 0));
		taken += ticks() - begin;
		good("unmap", magicfs_unmap(address, HOLES_SIZE));
	}
	printf("map_ns %llu\n", (unsigned long long)(taken * (1000000000 / TICKS) / MAPS));
	address = good("map", magicfs_map(file, 0, HOLES_SIZE, 0));
	begin = ticks();
	for (uint64_t at = 0; at < HOLES_SIZE; at += PAGE)
		total += *(const volatile uint64_t *)MAGICFS_POINTER((uint64_t)address + at);
	report("map_touch", HOLES_SIZE / PAGE, begin);
	sum = total;
	good("unmap", magicfs_unmap(address, HOLES_SIZE));
	magicfs_close(file);
}

/* All of a mapped file, eight words at a time. */
static void map_data(void)
{
	uint32_t file = open_good("data", MAGICFS_O_READ);
	int64_t address = good("map", magicfs_map(file, 0, DATA_SIZE, 0));
	const uint64_t *words = MAGICFS_POINTER((uint64_t)address);
	uint64_t begin = ticks(), total = 0;

	for (const uint64_t *w = words; w < words + DATA_SIZE / sizeof(*w); w += 8)
		total += w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7];
	report("map_read", DATA_SIZE >> 10, begin);
	sum = total;
	good("unmap", magicfs_unmap(address, DATA_SIZE));
	magicfs_close(file);
}

int main(void)
{
	if (magicfs_shares_read() == 0)
		good("there is no share", -MAGICFS_ENODEV);
	name_files();
	memset(buffer, 0x5a, sizeof(buffer));
	stat_all();
	stat_posted();
	list_flat("list", 0);
	list_flat("list_attributes", MAGICFS_ATTRIBUTES);
	open_all();
	move_all();
	map_data();
	map_holes();
	puts("done");
	return 0;
}
