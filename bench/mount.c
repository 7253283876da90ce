/*
 * bench-mount BISCUIT-RUN: what looking at a running machine costs. Runs the command with a guest that counts without
 * end, and through its mount measures how long it takes to open, read and close `regs`; how fast `mem/phys` is
 * read; and how many instructions a second the guest executes while somebody reads `regs` ten times a second and while
 * nobody does, in turns.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEMORY	"256M"
#define READS	5000 /* of regs */
#define BLOCK	((size_t)1 << 20)
#define PASSES	8 /* over all of the memory */
#define TURNS	15
#define GLANCES 10 /* in a turn, which is a second */

static const uint32_t guest[] = {
	0x00128293, /* addi t0, t0, 1 */
	0x00530333, /* add t1, t1, t0 */
	0xff9ff06f, /* j the first */
};

static char directory[] = "/tmp/bench-mount.XXXXXX";
static pid_t machine;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void end_machine(void)
{
	kill(machine, SIGTERM);
	waitpid(machine, NULL, 0);
	rmdir(directory);
}

static void stop(const char *what)
{
	fprintf(stderr, "bench-mount: %s: %s\n", what, strerror(errno));
	end_machine();
	exit(1);
}

static int open_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static size_t read_file(const char *name, char *to, size_t size)
{
	int fd = open_file(name);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		stop(name);
	while ((n = read(fd, to + len, size - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		stop(name);
	close(fd);
	return len;
}

static int make_kernel(char *path)
{
	int fd = mkstemp(path);

	return fd >= 0 && write(fd, guest, sizeof(guest)) == (ssize_t)sizeof(guest) ? close(fd) : -1;
}

static void start_machine(const char *command)
{
	char kernel[] = "/tmp/bench-kernel.XXXXXX";
	double patience = seconds() + 10;
	int fd;

	if (!mkdtemp(directory) || make_kernel(kernel)) {
		perror("bench-mount");
		exit(1);
	}
	machine = fork();
	if (!machine) {
		execl(command, command, "--memory", MEMORY, "--console", "null", "--mount", directory, kernel, NULL);
		perror(command);
		_exit(127);
	}
	while ((fd = open_file("regs")) < 0 && seconds() < patience && !waitpid(machine, NULL, WNOHANG))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	unlink(kernel);
	if (fd < 0)
		stop("no mount");
	close(fd);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure_regs(void)
{
	static double took[READS];
	char text[16384];

	for (int i = 0; i < READS; i++) {
		double start = seconds();

		read_file("regs", text, sizeof(text));
		took[i] = seconds() - start;
	}
	qsort(took, READS, sizeof(*took), compare);
	printf("open, read and close regs: median %.3f ms, 99%% %.3f ms, longest %.3f ms of %d\n",
	       took[READS / 2] * 1e3, took[READS * 99 / 100] * 1e3, took[READS - 1] * 1e3, READS);
}

static void measure_memory(void)
{
	double took[PASSES], start;
	char *block = malloc(BLOCK);
	int fd = open_file("mem/phys");
	size_t size = 0;
	ssize_t n;

	if (!block || fd < 0)
		stop("mem/phys");
	for (int i = 0; i < PASSES; i++) {
		off_t ram = lseek(fd, 0x80000000, SEEK_SET);

		start = seconds();
		for (size = 0; (n = pread(fd, block, BLOCK, ram + (off_t)size)) > 0;)
			size += (size_t)n;
		took[i] = (double)size / (seconds() - start);
	}
	qsort(took, PASSES, sizeof(*took), compare);
	printf("read mem/phys, %zu MiB in blocks of 1 MiB: median %.2f GB/s, slowest %.2f\n", size >> 20,
	       took[PASSES / 2] / 1e9, took[0] / 1e9);
	close(fd);
	free(block);
}

static double executed(void)
{
	char text[4096], *line;

	text[read_file("status", text, sizeof(text) - 1)] = '\0';
	line = strstr(text, "instret ");
	if (!line)
		stop("status");
	return strtod(line + strlen("instret "), NULL);
}

/* Instructions a second over a second, with so many reads of regs in it. */
static double turn(int glances)
{
	char text[16384];
	double before = executed(), start = seconds(), next = start;

	for (int i = 0; i < GLANCES; i++) {
		if (i < glances)
			read_file("regs", text, sizeof(text));
		next += 1.0 / GLANCES;
		while (seconds() < next)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return (executed() - before) / (seconds() - start);
}

static void measure_guest(void)
{
	double alone[TURNS], watched[TURNS];

	for (int i = 0; i < TURNS; i++) {
		alone[i] = turn(0);
		watched[i] = turn(GLANCES);
	}
	qsort(alone, TURNS, sizeof(*alone), compare);
	qsort(watched, TURNS, sizeof(*watched), compare);
	printf("guest: %.1f MIPS alone, %.1f with %d reads of regs a second: %+.2f %%\n", alone[TURNS / 2] / 1e6,
	       watched[TURNS / 2] / 1e6, GLANCES, (watched[TURNS / 2] / alone[TURNS / 2] - 1) * 100);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench-mount BISCUIT-RUN\n");
		return 2;
	}
	start_machine(argv[1]);
	measure_regs();
	measure_memory();
	measure_guest();
	end_machine();
	return 0;
}
