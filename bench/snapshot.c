/*
 * bench-snapshot [FILE...]: how long it takes to save and to restore a machine with 256 MiB of RAM, half and all of it
 * full of the bytes of these files, one behind the other and again; of the program and its libraries where none is
 * named. The file lies in memory, so that the host's disk does not count; how long a save to a disk waits for it is
 * shown apart. Prints medians, and the processor time of all threads, which other programs on the host change less.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <biscuit/builtin.h>
#include <biscuit/snapshot.h>

#define RAM_SIZE (UINT64_C(256) << 20)
#define RUNS	 7

struct sample {
	double wall, cpu;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct sample now(void)
{
	return (struct sample){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct sample since(struct sample start)
{
	struct sample end = now();

	return (struct sample){end.wall - start.wall, end.cpu - start.cpu};
}

static void stop(const char *what)
{
	fprintf(stderr, "bench-snapshot: %s\n", what);
	exit(1);
}

static void require(int err)
{
	if (err)
		stop(bis_error_message());
}

/* --- What is measured --- */

static struct bis_machine *make(void)
{
	struct bis_machine_config cfg = {.ram_size = RAM_SIZE, .isa = "rv64", .classes = bis_builtin_modules};
	struct bis_machine *m;

	require(bis_machine_create(&cfg, &m));
	require(bis_board_virt(m));
	return m;
}

/* Appends a file to what is in RAM, up to `end` bytes. */
static void load(struct bis_machine *m, const char *path, uint64_t *at, uint64_t end)
{
	static uint8_t buf[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	while (fd >= 0 && *at < end && (got = read(fd, buf, sizeof(buf))) > 0) {
		size_t part = (uint64_t)got < end - *at ? (size_t)got : (size_t)(end - *at);

		require(bis_mem_write(bis_machine_memory(m), (bis_gpa){BIS_RAM_BASE + *at}, buf, part));
		*at += part;
	}
	if (fd >= 0)
		close(fd);
}

/* Every file that is mapped to be executed. */
static void load_own(struct bis_machine *m, uint64_t *at, uint64_t end)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4400], *path;

	while (maps && fgets(line, sizeof(line), maps)) {
		path = strstr(line, " r-xp ") ? strchr(line, '/') : NULL;
		if (!path)
			continue;
		path[strcspn(path, "\n")] = 0;
		load(m, path, at, end);
	}
	if (maps)
		fclose(maps);
}

static void fill(struct bis_machine *m, uint64_t end, int argc, char **argv)
{
	uint64_t at = 0, before = 1;

	while (at < end && at != before) {
		before = at;
		for (int i = 1; i < argc; i++)
			load(m, argv[i], &at, end);
		if (argc == 1)
			load_own(m, &at, end);
	}
	if (at < end)
		stop("the files cannot be read");
}

static struct sample restore(const char *path)
{
	struct bis_machine *m = make();
	struct bis_snapshot *s;
	struct sample start = now(), took;

	require(bis_snapshot_open(path, &s));
	require(bis_snapshot_restore(s, m));
	took = since(start);
	bis_snapshot_close(s);
	bis_machine_destroy(m);
	return took;
}

static struct sample sync_to_disk(struct bis_machine *m)
{
	static const char name[] = "bench-snapshot.snap";
	struct sample start = now(), took;

	require(bis_snapshot_save(m, name, NULL));
	took = since(start);
	unlink(name);
	return took;
}

/* --- Figures --- */

static int compare(const void *a, const void *b)
{
	double x = ((const struct sample *)a)->wall, y = ((const struct sample *)b)->wall;

	return (x > y) - (x < y);
}

static void report(const char *what, struct sample *all)
{
	qsort(all, RUNS, sizeof(*all), compare);
	printf("%-10s %6.3f s  (fastest %.3f, slowest %.3f; processor %.3f)\n", what, all[RUNS / 2].wall, all[0].wall,
	       all[RUNS - 1].wall, all[RUNS / 2].cpu);
}

/* With so much of RAM in use. */
static void measure(uint64_t used, int argc, char **argv)
{
	struct sample saved[RUNS], synced[RUNS], restored[RUNS];
	struct bis_machine *m = make();
	struct stat st = {0};
	char path[32];

	fill(m, used, argc, argv);
	require(bis_machine_start(m));
	require(bis_machine_pause(m));
	for (unsigned i = 0; i < RUNS; i++) {
		int fd = memfd_create("snapshot", MFD_CLOEXEC);
		struct sample start = now();

		if (fd < 0)
			stop(strerror(errno));
		require(bis_snapshot_write(m, fd, NULL));
		saved[i] = since(start);
		fstat(fd, &st);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		restored[i] = restore(path);
		synced[i] = sync_to_disk(m);
		close(fd);
	}
	printf("RAM of 256 MiB, %u MiB in use, in a file of %.1f MiB\n", (unsigned)(used >> 20),
	       (double)st.st_size / 1048576);
	report("save", saved);
	report("restore", restored);
	report("with sync", synced);
	bis_machine_destroy(m);
}

int main(int argc, char **argv)
{
	measure(RAM_SIZE / 2, argc, argv);
	measure(RAM_SIZE, argc, argv);
	return 0;
}
