/*
 * hammer DIRECTORY SECONDS [SEED [gentle]]: 64 threads read, write, list and poll everything below a mount of machine
 * files, while some of what they write pauses, resumes, steps and resets the machine; another sends them signals, so
 * that calls that wait are interrupted. At last the machine is told to stop, under their hands. Fails if a call fails
 * in a way that it may not, or if one does not come back. First, that events can be polled. `gentle`: registers and
 * fields are left alone, so that a guest does not notice.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, PATHS = 8192, BYTES = 65536, PATIENCE = 60 /* seconds for a call that must not hang */ };

struct hammer {
	const char *dir;
	uint32_t seed;
	bool gentle;
	double end; /* of the machine */
	char *paths[PATHS];
	size_t n_paths;
	_Atomic bool stopping; /* whatever fails from here on may */
	_Atomic unsigned long reads, writes, refused, interrupted;
	_Atomic int failed; /* an errno that may not be */
	const char *_Atomic failed_at;
};

struct hand {
	struct hammer *h;
	pthread_t thread;
	uint32_t random;
	const char *_Atomic busy_with;
	_Atomic bool gone;
};

static struct hammer hammer;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static uint32_t next(struct hand *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 17;
	a->random ^= a->random << 5;
	return a->random;
}

/* Errors that a file may give whoever comes at a bad time or with bad text. */
static void note(const struct hand *a, int err)
{
	static const int expected[] = {EBUSY,  EINVAL,	EFAULT, ENOENT, EACCES, EAGAIN,
				       EISDIR, ENODATA, ENODEV, ENOSPC, EPERM};

	if (a->h->stopping)
		return;
	if (err == EINTR) {
		a->h->interrupted++;
		return;
	}
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (err != expected[i])
			continue;
		a->h->refused++;
		return;
	}
	a->h->failed = err;
	a->h->failed_at = a->busy_with;
}

static int add_path(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	if (kind == FTW_F && hammer.n_paths < PATHS)
		hammer.paths[hammer.n_paths++] = strdup(path);
	return 0;
}

static int open_in(const struct hammer *h, const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", h->dir, name);
	return open(path, flags | O_CLOEXEC);
}

static void write_to(struct hand *a, int fd, const char *text)
{
	if (fd < 0) {
		note(a, errno);
		return;
	}
	if (write(fd, text, strlen(text)) < 0)
		note(a, errno);
	else
		a->h->writes++;
	if (close(fd))
		note(a, errno);
}

static void write_one(struct hand *a)
{
	enum { ROUGH = 8 }; /* the first ones */
	static const struct {
		const char *path, *text;
	} acts[] = {
		{"ctl", "reset"},
		{"cpu/0/pc", "0x80000018"},
		{"cpu/0/x/a0", "0x1"},
		{"cpu/0/csr/mscratch", "0x2"},
		{"cpu/0/csr/satp", "0x8000000000080000"},
		{"cpu/0/csr.fields/mstatus/MPP", "1"},
		{"cpu/0/vm/lower", "bytes"},
		{"dev/uart0/lcr", "0x3"},
		{"ctl", "pause"},
		{"ctl", "resume"},
		{"ctl", "resume\nhelp\n"},
		{"ctl", "step 1000"},
		{"ctl", "step 1000000000"},
		{"ctl", "nonsense\xff"},
		{"cpu/0/ctl", "step 3"},
		{"cpu/0/ctl", "step 1000000000"},
		{"cpu/1/ctl", "until 0x80000018"},
		{"cpu/0/vm/walk", "0xffffffc000001000 fetch"},
		{"dev/uart0/in", "hello"},
		{"break/add", "pc 0x80000020 once"},
		{"break/add", "write 0x80100010+8 if a0 == 5"},
		{"break/remove", "2"},
		{"symbols/lookup", "0x80000000"},
		{"modules/uart0/ctl", "nonsense"},
	};
	size_t i = next(a) % (sizeof(acts) / sizeof(acts[0]));

	if (i < ROUGH && a->h->gentle)
		return;
	a->busy_with = acts[i].text;
	write_to(a, open_in(a->h, acts[i].path, O_WRONLY | O_TRUNC), acts[i].text);
}

/* Whatever it is, it gets a number. Memory and the machine's end are left alone. */
static void write_any(struct hand *a)
{
	static const char *const texts[] = {"0", "1", "0x2", "3", "0xff", "0x80000018", "18446744073709551615", "x"};
	const char *path = a->h->paths[next(a) % a->h->n_paths], *text = texts[next(a) % 8];

	if (a->h->gentle || strstr(path, "/mem/") || strstr(path, "/vm/"))
		return;
	a->busy_with = path;
	write_to(a, open(path, O_WRONLY | O_CLOEXEC), text);
}

static void read_one(struct hand *a, char *buf)
{
	const char *path = a->h->paths[next(a) % a->h->n_paths];
	struct pollfd p = {.events = POLLIN};
	ssize_t got = 1;

	a->busy_with = path;
	p.fd = open(path, O_RDONLY | (next(a) & 3 ? O_NONBLOCK : 0) | O_CLOEXEC);
	if (p.fd < 0) {
		note(a, errno);
		return;
	}
	if (strstr(path, "/mem/phys") && lseek(p.fd, 0x80000000 + (off_t)(next(a) & 0xffffff), SEEK_SET) < 0)
		note(a, errno);
	if (poll(&p, 1, (int)(next(a) & 7)) < 0 && errno != EINTR)
		note(a, errno);
	for (int i = 0; i < 8 && got > 0 && !a->h->stopping; i++)
		got = read(p.fd, buf, BYTES);
	if (got < 0)
		note(a, errno);
	else
		a->h->reads++;
	close(p.fd);
}

static void list_one(struct hand *a)
{
	static const char *const dirs[] = {"", "break", "dev", "cpu/0/csr", "modules"};
	char path[4096];
	DIR *dir;

	a->busy_with = "a directory";
	snprintf(path, sizeof(path), "%s/%s", a->h->dir, dirs[next(a) % (sizeof(dirs) / sizeof(dirs[0]))]);
	dir = opendir(path);
	if (!dir) {
		note(a, errno);
		return;
	}
	while (readdir(dir))
		;
	closedir(dir);
}

static void *swing(void *arg)
{
	struct hand *a = arg;
	char *buf = malloc(BYTES);

	/* On until the machine is gone, and a little beyond. */
	while (now() < a->h->end + 0.2) {
		switch (next(a) & 7) {
		case 0:
		case 1:
			write_one(a);
			break;
		case 2:
			list_one(a);
			break;
		case 3:
			write_any(a);
			break;
		default:
			read_one(a, buf);
		}
	}
	free(buf);
	a->gone = true;
	return NULL;
}

/* Nothing to read, then an event, by poll. */
static bool events_can_be_polled(const struct hammer *h)
{
	int events = open_in(h, "events", O_RDONLY | O_NONBLOCK), ctl = open_in(h, "ctl", O_WRONLY);
	struct pollfd p = {.fd = events, .events = POLLIN};
	char line[512] = "";
	bool ok = false;

	if (events < 0 || ctl < 0)
		fprintf(stderr, "hammer: %s\n", strerror(errno));
	else if (poll(&p, 1, 0) != 0)
		fprintf(stderr, "hammer: events are ready before there are any\n");
	else if (read(events, line, sizeof(line) - 1) >= 0 || errno != EAGAIN)
		fprintf(stderr, "hammer: events can be read before there are any\n");
	else if (write(ctl, "pause", 5) != 5 || poll(&p, 1, 20000) != 1)
		fprintf(stderr, "hammer: no event of a pause\n");
	else if (read(events, line, sizeof(line) - 1) <= 0 || !strstr(line, "\"event\":\"paused\""))
		fprintf(stderr, "hammer: another event than that of a pause: %s\n", line);
	else
		ok = write(ctl, "resume", 6) == 6;
	close(events);
	close(ctl);
	return ok;
}

static void disturb(int number)
{
	(void)number;
}

/* A nap, then a signal for somebody who may be waiting. */
static void prod(struct hand *hands, struct hand *prodder)
{
	struct timespec nap = {.tv_nsec = 2000000};

	nanosleep(&nap, NULL);
	for (unsigned i = 0; i < THREADS; i += 1 + next(prodder) % 16)
		if (!hands[i].gone)
			pthread_kill(hands[i].thread, SIGUSR1);
}

static void stop_machine(struct hammer *h)
{
	int fd;

	h->stopping = true;
	fd = open_in(h, "ctl", O_WRONLY);
	if (fd < 0 || write(fd, "stop 7", 6) != 6)
		h->failed = errno;
	close(fd);
}

/* Prods until all have come back from what they are at: false if some do not. */
static bool bring_home(struct hammer *h, struct hand *hands)
{
	struct hand prodder = {.random = h->seed + 1};
	bool stuck = true;

	while (now() < h->end)
		prod(hands, &prodder);
	stop_machine(h);
	while (stuck && now() < h->end + PATIENCE) {
		prod(hands, &prodder);
		stuck = false;
		for (unsigned i = 0; i < THREADS; i++)
			stuck |= !hands[i].gone;
	}
	for (unsigned i = 0; i < THREADS; i++)
		if (!hands[i].gone)
			fprintf(stderr, "hammer: a call does not come back: %s\n", hands[i].busy_with);
	return !stuck;
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = disturb}; /* not restarting calls */
	static struct hand hands[THREADS];
	struct hammer *h = &hammer;

	if (argc < 3)
		return 125;
	h->dir = argv[1];
	h->seed = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 1;
	h->gentle = argc > 4 && !strcmp(argv[4], "gentle");
	if (!events_can_be_polled(h))
		return 1;
	nftw(h->dir, add_path, 16, FTW_PHYS);
	sigaction(SIGUSR1, &act, NULL);
	h->end = now() + strtod(argv[2], NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		hands[i].h = h;
		hands[i].random = h->seed * 7919 + i + 1;
		if (pthread_create(&hands[i].thread, NULL, swing, &hands[i]))
			return 125;
	}
	if (!bring_home(h, hands))
		_exit(1);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(hands[i].thread, NULL);
	printf("%zu files, %lu reads, %lu writes, %lu refused, %lu interrupted, seed %u\n", h->n_paths, h->reads,
	       h->writes, h->refused, h->interrupted, h->seed);
	if (h->failed)
		fprintf(stderr, "hammer: a call failed: %s: %s\n", h->failed_at ? h->failed_at : "stop",
			strerror(h->failed));
	return h->failed || !h->reads || !h->writes;
}
