/*
 * The programs of Debian as a benchmark: in each run both guests boot the same kernel, initial RAM disk and disk, and
 * the programs take turns, one guest resting while the other works. bench/linux/apps.sh is what the guests run; its
 * marks on the console start and stop the watch.
 */
#include "apps.h"
#include "command.h"
#include "session.h"
#include <string.h>

#define BOOT_SECONDS	180
#define TIMEOUT_SECONDS 600
#define PROMPT		"/ # "

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
	struct bench_command c = {0};

	bench_command_linux(&c, subject, set->programs[subject], set->folder, harts, "1G");
	bench_command_disk(&c, subject, set->folder, "apps.img", true);
	if (bench_session_begin(s, c.at))
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

/* The programs from `first` on, before `end`, in guests of so many harts. */
static bool measure_guests(const struct bench_apps *set, const char *harts, unsigned first, unsigned end,
			   struct bench_samples *samples)
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
				bench_samples_add(samples, bench_app_names[app], subject, seconds);
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

bool bench_apps_measure(const struct bench_apps *set, struct bench_samples *samples)
{
	bool good = true, single = false;

	for (unsigned app = 0; app < BENCH_APP_MAKE; app++)
		single = single || set->wanted[app];
	for (unsigned run = 0; run < set->runs; run++) {
		if (single)
			good = measure_guests(set, "1", 0, BENCH_APP_MAKE, samples) && good;
		if (set->wanted[BENCH_APP_MAKE])
			good = measure_guests(set, "4", BENCH_APP_MAKE, BENCH_APPS_COUNT, samples) && good;
	}
	return good;
}
