/*
 * Shared folders: what is measured in which order, and the parts that need no Linux. Each run measures everything once
 * with every program, so that what else the host does slows all of them alike.
 */
#include "share_internal.h"
#include "tree.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TIMEOUT_SECONDS 60
#define MEMORY_FOLDER	"/dev/shm"
#define MEMORY_NEEDED	((uint64_t)3 << 30)
#define NATIVE_PREFIX	"share_native_"

/* Groups of figures that are measured together. */
static const struct {
	const char *prefix;
	bool needs_linux;
	bool once; /* however many runs there are: it takes long and hardly varies */
	bool (*run)(const struct bench_share *set, struct bench_samples *samples);
} groups[] = {
	{NATIVE_PREFIX, false, false, share_native_run},
	{"share_unused_", false, false, share_unused_run},
	{"share_9p_", true, false, share_linux_run},
	{"share_list_", true, true, share_list_run},
};

/* What share-speed.elf prints. */
static const struct {
	const char *word, *name;
	double unit;
} speeds[] = {
	{"stat", NATIVE_PREFIX "stat_s", 1},
	{"stat_posted", NATIVE_PREFIX "stat_posted_s", 1},
	{"list", NATIVE_PREFIX "list_s", 1},
	{"list_attributes", NATIVE_PREFIX "list_attributes_s", 1},
	{"open", NATIVE_PREFIX "open_s", 1},
	{"read_64k", NATIVE_PREFIX "read_64k_mib_s", 1.0 / 1024},
	{"read_1m", NATIVE_PREFIX "read_1m_mib_s", 1.0 / 1024},
	{"write_64k", NATIVE_PREFIX "write_64k_mib_s", 1.0 / 1024},
	{"write_1m", NATIVE_PREFIX "write_1m_mib_s", 1.0 / 1024},
	{"map_read", NATIVE_PREFIX "map_read_mib_s", 1.0 / 1024},
	{"map_ns", NATIVE_PREFIX "map_us", 1e-3},
	{"map_touch", NATIVE_PREFIX "map_touch_pages_s", 1},
};

/* "share_virtiofs" names figures that are measured beside those of 9P. */
static bool group_wanted(const char *only, const char *prefix)
{
	size_t length = only ? strlen(only) : 0, prefix_length = strlen(prefix);

	if (only && !strncmp(only, "share_virtiofs", strlen("share_virtiofs")))
		return !strcmp(prefix, "share_9p_");
	return !strncmp(only ? only : "", prefix, length < prefix_length ? length : prefix_length);
}

bool bench_share_wanted(const char *only)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (group_wanted(only, groups[i].prefix))
			return true;
	return false;
}

static void take_speeds(const char *text, struct bench_samples *samples)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
		size_t length = strlen(speeds[i].word);

		for (const char *at = strstr(text, speeds[i].word); at; at = strstr(at + 1, speeds[i].word)) {
			if (at[length] != ' ' || (at > text && at[-1] != '\n'))
				continue;
			bench_samples_add(samples, speeds[i].name, BENCH_OURS,
					  strtod(at + length, NULL) * speeds[i].unit);
			break;
		}
	}
}

bool share_native_run(const struct bench_share *set, struct bench_samples *samples)
{
	static struct bench_session s;
	char guest[BENCH_PATH_MAX], share[BENCH_PATH_MAX];
	char *ours[] = {(char *)set->programs[BENCH_OURS], "--share", share, guest, NULL};
	bool good;

	snprintf(guest, sizeof(guest), "%s/share-speed.elf", set->guests);
	snprintf(share, sizeof(share), "%s,name=" SHARE_NAME, set->folder);
	if (bench_session_begin(&s, ours))
		return false;
	good = bench_session_wait(&s, "done", TIMEOUT_SECONDS) >= 0;
	if (good)
		take_speeds(s.text, samples);
	else
		fprintf(stderr, "bench: the native share was not measured: %.300s\n", s.text);
	bench_session_end(&s);
	share_host_native(set->folder, samples);
	return good;
}

/* What an idle machine costs. */
struct cost {
	double start_ms, private_kib, threads, descriptors;
};

static bool idle_cost(char *const argv[], struct cost *out)
{
	static struct bench_session s;

	if (bench_session_begin(&s, argv))
		return false;
	out->start_ms = bench_session_wait(&s, "ready", TIMEOUT_SECONDS) * 1e3;
	out->private_kib = bench_session_private(&s);
	out->threads = bench_session_entries(&s, "task");
	out->descriptors = bench_session_entries(&s, "fd");
	bench_session_end(&s);
	return out->start_ms > 0;
}

bool share_unused_run(const struct bench_share *set, struct bench_samples *samples)
{
	char guest[BENCH_PATH_MAX], share[BENCH_PATH_MAX];
	char *with[] = {(char *)set->programs[BENCH_OURS], guest, "--share", share, NULL};
	char *without[] = {(char *)set->programs[BENCH_OURS], guest, NULL};
	struct cost a, b;

	snprintf(guest, sizeof(guest), "%s/share-idle.elf", set->guests);
	snprintf(share, sizeof(share), "%s,name=" SHARE_NAME, set->folder);
	if (!idle_cost(without, &b) || !idle_cost(with, &a)) {
		fprintf(stderr, "bench: a guest with a share that it does not use did not start\n");
		return false;
	}
	bench_samples_add(samples, "share_unused_start_ms", BENCH_OURS, a.start_ms - b.start_ms);
	bench_samples_add(samples, "share_unused_private_kib", BENCH_OURS, a.private_kib - b.private_kib);
	bench_samples_add(samples, "share_unused_threads", BENCH_OURS, a.threads - b.threads);
	bench_samples_add(samples, "share_unused_descriptors", BENCH_OURS, a.descriptors - b.descriptors);
	return true;
}

/* Has somebody asked the runner to end? Its guests are gone then, or will be soon. */
static bool interrupted(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM);
}

/* In memory if there is room, so that no disk is measured that has to take what is written. The caller frees the name;
 * NULL when the place is not there. */
static char *name_folder(const struct bench_share *set)
{
	const char *place = set->place;
	char *whole, *folder = NULL;
	struct statvfs memory;

	if (!place || !*place)
		place = !statvfs(MEMORY_FOLDER, &memory) && memory.f_bavail * memory.f_frsize >= MEMORY_NEEDED
				? MEMORY_FOLDER
				: set->guests;
	whole = realpath(place, NULL); /* virtiofsd wants it so */
	if (!whole)
		fprintf(stderr, "bench: %s: %s\n", place, strerror(errno));
	else if (asprintf(&folder, "%s/biscuit-bench-%ld", whole, (long)getpid()) < 0)
		folder = NULL;
	free(whole);
	return folder;
}

static bool measure_all(const struct bench_share *set, struct bench_samples *samples)
{
	bool good = true, linux_there = set->linux_folder && *set->linux_folder;

	for (unsigned run = 0; run < set->runs; run++)
		for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && !interrupted(); i++)
			if (group_wanted(set->only, groups[i].prefix) && (linux_there || !groups[i].needs_linux) &&
			    (run == 0 || !groups[i].once))
				good = groups[i].run(set, samples) && good;
	return good;
}

static bool measure_in(const char *folder, const struct bench_share *set, struct bench_samples *samples)
{
	struct bench_share with_folder = *set;
	int err = bench_tree_make(folder);
	bool good = false;

	with_folder.folder = folder;
	if (err)
		fprintf(stderr, "bench: %s: %s\n", folder, strerror(-err));
	else
		good = measure_all(&with_folder, samples);
	if (err != -EEXIST)
		bench_tree_remove(folder);
	return good;
}

bool bench_share_measure(const struct bench_share *set, struct bench_report *report)
{
	static struct bench_samples samples;
	char *folder = name_folder(set);
	sigset_t ends, before;
	bool good;

	/* The folder is removed before the runner ends. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &before);
	good = folder && measure_in(folder, set, &samples);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(folder);
	bench_samples_report(&samples, report);
	return good;
}

void bench_share_weigh(struct bench_report *report, double guest_speed)
{
	static const char *const caches[] = {"none", "mmap", "loose"};
	char name[BENCH_NAME_MAX];

	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		struct bench_figure *walk, *weighed;

		snprintf(name, sizeof(name), "share_9p_%s_walk_s", caches[i]);
		walk = bench_find_figure(report, name, 64);
		if (!walk || isnan(walk->value[BENCH_OURS] * walk->value[BENCH_QEMU] * guest_speed))
			continue;
		snprintf(name, sizeof(name), "share_9p_%s_walk_per_guest_speed", caches[i]);
		weighed = bench_add_figure(report, name, 64);
		if (weighed)
			weighed->value[BENCH_OURS] = walk->value[BENCH_OURS] / walk->value[BENCH_QEMU] / guest_speed;
	}
}
