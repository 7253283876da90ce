/*
 * The programs of Debian as a benchmark: in each run both guests boot the same kernel, initial RAM disk and disk, and
 * the programs take turns, one guest resting while the other works. bench/linux/apps.sh is what the guests run; its
 * marks on the console start and stop the watch.
 */
#include "apps.h"
#include "session.h"
#include <stdio.h>
#include <string.h>

#define RUNS_MAX	101
#define BOOT_SECONDS	180
#define TIMEOUT_SECONDS 600
#define PROMPT		"/ # "
#define PATH_LENGTH_MAX 1024

const char *const bench_app_names[BENCH_APPS_COUNT] = {
	[BENCH_APP_XZ] = "apps_xz",
	[BENCH_APP_GZIP] = "apps_gzip",
	[BENCH_APP_PYTHON_START] = "apps_python_start",
	[BENCH_APP_PYTHON_LOOP] = "apps_python_loop",
	[BENCH_APP_OPENSSL] = "apps_openssl_sha256",
	[BENCH_APP_GCC] = "apps_gcc",
	[BENCH_APP_MAKE] = "apps_make4",
};

/* Boots and has the guest mount its programs. */
static bool boot(struct bench_session *s, const struct bench_apps *set, enum bench_subject subject, const char *harts)
{
	char kernel[PATH_LENGTH_MAX], initrd[PATH_LENGTH_MAX], ours_drive[PATH_LENGTH_MAX], qemu_drive[PATH_LENGTH_MAX];
	const char *ours[] = {set->programs[BENCH_OURS],
			      "--harts",
			      harts,
			      "--memory",
			      "1G",
			      "--kernel",
			      kernel,
			      "--initrd",
			      initrd,
			      "--append",
			      "console=ttyS0",
			      "--drive",
			      ours_drive,
			      NULL};
	const char *qemu[] = {set->programs[BENCH_QEMU],
			      "-M",
			      "virt",
			      "-smp",
			      harts,
			      "-m",
			      "1G",
			      "-display",
			      "none",
			      "-monitor",
			      "none",
			      "-serial",
			      "stdio",
			      "-net",
			      "none",
			      "-kernel",
			      kernel,
			      "-initrd",
			      initrd,
			      "-append",
			      "console=ttyS0",
			      "-drive",
			      qemu_drive,
			      "-device",
			      "virtio-blk-device,drive=disk",
			      NULL};

	/* QEMU's locks refuse those who only read, too. */
	snprintf(kernel, sizeof(kernel), "%s/kernel", set->folder);
	snprintf(initrd, sizeof(initrd), "%s/initrd", set->folder);
	snprintf(ours_drive, sizeof(ours_drive), "file=%s/apps.img,readonly", set->folder);
	snprintf(qemu_drive, sizeof(qemu_drive),
		 "file=%s/apps.img,format=raw,file.locking=off,if=none,id=disk,readonly=on", set->folder);
	if (bench_session_begin(s, (char *const *)(subject == BENCH_OURS ? ours : qemu)))
		return false;
	if (bench_session_wait(s, PROMPT, BOOT_SECONDS) >= 0) {
		bench_session_type(s, "bench-apps prepare");
		if (bench_session_wait(s, "apps: prepared", BOOT_SECONDS) >= 0 &&
		    bench_session_wait(s, PROMPT, BOOT_SECONDS) >= 0)
			return true;
	}
	bench_session_end(s);
	return false;
}

/* Has the guest do a program's work: the seconds that it took, negative when it did not. */
static double work(struct bench_session *s, const struct bench_apps *set, unsigned app)
{
	double begin, end, processor, amount;
	char command[BENCH_NAME_MAX];

	snprintf(command, sizeof(command), "bench-%s", bench_app_names[app]);
	command[strlen("bench-apps")] = ' ';
	bench_session_type(s, command);
	begin = bench_session_wait(s, "apps: begins", TIMEOUT_SECONDS);
	if (begin < 0)
		return -1;
	processor = bench_session_processor(s);
	end = bench_session_wait(s, "apps: ended", TIMEOUT_SECONDS);
	processor = bench_session_processor(s) - processor;
	if (end < 0 || bench_session_wait(s, "done", TIMEOUT_SECONDS) < 0 ||
	    sscanf(s->text, "apps: ended %lf", &amount) != 1 || bench_session_wait(s, PROMPT, TIMEOUT_SECONDS) < 0)
		return -1;
	return (set->processor_clock ? processor : end - begin) / amount;
}

/* What has been measured. */
struct measured {
	double values[BENCH_APPS_COUNT][BENCH_SUBJECTS][RUNS_MAX];
	unsigned counts[BENCH_APPS_COUNT][BENCH_SUBJECTS];
};

/* The programs from `first` on, before `end`, in guests of so many harts. */
static bool measure_guests(const struct bench_apps *set, const char *harts, unsigned first, unsigned end,
			   struct measured *m)
{
	static struct bench_session sessions[BENCH_SUBJECTS];
	bool good[BENCH_SUBJECTS] = {false};

	for (unsigned subject = BENCH_OURS; subject <= BENCH_QEMU; subject++) {
		good[subject] = boot(&sessions[subject], set, subject, harts);
		if (!good[subject])
			fprintf(stderr, "bench: Linux under %s did not find its programs: %.300s\n",
				set->programs[subject], sessions[subject].text);
	}
	for (unsigned app = first; app < end; app++) {
		for (unsigned subject = BENCH_OURS; set->wanted[app] && subject <= BENCH_QEMU; subject++) {
			double seconds = good[subject] ? work(&sessions[subject], set, app) : -1;

			if (seconds >= 0) {
				m->values[app][subject][m->counts[app][subject]++] = seconds;
			} else if (good[subject]) {
				fprintf(stderr, "bench: Linux under %s did not do its %s: %.300s\n",
					set->programs[subject], bench_app_names[app], sessions[subject].text);
				bench_session_end(&sessions[subject]);
				good[subject] = false;
			}
		}
	}
	for (unsigned subject = BENCH_OURS; subject <= BENCH_QEMU; subject++)
		if (good[subject])
			bench_session_end(&sessions[subject]);
	return good[BENCH_OURS];
}

bool bench_apps_measure(const struct bench_apps *set, double medians[BENCH_APPS_COUNT][BENCH_SUBJECTS])
{
	static struct measured m;
	unsigned runs = set->runs > RUNS_MAX ? RUNS_MAX : set->runs;
	bool good = true, single = false;

	for (unsigned app = 0; app < BENCH_APP_MAKE; app++)
		single = single || set->wanted[app];
	for (unsigned run = 0; run < runs; run++) {
		if (single)
			good = measure_guests(set, "1", 0, BENCH_APP_MAKE, &m) && good;
		if (set->wanted[BENCH_APP_MAKE])
			good = measure_guests(set, "4", BENCH_APP_MAKE, BENCH_APPS_COUNT, &m) && good;
	}
	for (unsigned app = 0; app < BENCH_APPS_COUNT; app++)
		for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
			medians[app][subject] = bench_median(m.values[app][subject], m.counts[app][subject]);
	return good;
}
