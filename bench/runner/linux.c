/*
 * The Linux part of the benchmark: each run boots the guest, lets it rest at the prompt of its shell, and has it
 * measure its disk with bench-disk. Both programs get the same kernel, initial RAM disk, disk file, memory and one
 * hart.
 */
#include "linux.h"
#include "command.h"
#include "session.h"
#include <unistd.h>

#define TIMEOUT_SECONDS 120
#define SETTLE_SECONDS	3
#define IDLE_SECONDS	5
#define FIRST_LINE	"init: begins"
#define PROMPT		"/ # "

const char *const bench_linux_names[BENCH_LINUX_FIGURES] = {
	[BENCH_LINUX_INIT] = "linux_init_ms",	      [BENCH_LINUX_RESIDENT] = "linux_resident_mib",
	[BENCH_LINUX_IDLE] = "linux_idle_percent",    [BENCH_LINUX_WRITE] = "linux_disk_write_mib_s",
	[BENCH_LINUX_READ] = "linux_disk_read_mib_s", [BENCH_LINUX_RANDOM] = "linux_disk_random_read_4k_s",
};

/* The guest at its prompt: how it behaves when it has nothing to do. */
static void measure_rest(struct bench_session *s, double values[BENCH_LINUX_FIGURES])
{
	double before;

	sleep(SETTLE_SECONDS);
	before = bench_session_processor(s);
	sleep(IDLE_SECONDS);
	values[BENCH_LINUX_IDLE] = (bench_session_processor(s) - before) * 100 / IDLE_SECONDS;
	values[BENCH_LINUX_RESIDENT] = bench_session_resident(s);
}

static bool measure_disk(struct bench_session *s, double values[BENCH_LINUX_FIGURES])
{
	double write_kib, read_kib, random;

	bench_session_type(s, "bench-disk /dev/vda");
	if (bench_session_wait(s, "disk: ", TIMEOUT_SECONDS) < 0 || bench_session_wait(s, "done", TIMEOUT_SECONDS) < 0)
		return false;
	if (sscanf(s->text, "disk: %lf %lf %lf", &write_kib, &read_kib, &random) != 3)
		return false;
	values[BENCH_LINUX_WRITE] = write_kib / 1024;
	values[BENCH_LINUX_READ] = read_kib / 1024;
	values[BENCH_LINUX_RANDOM] = random;
	return true;
}

/* One boot. Names what did not happen, NULL when all did. */
static const char *run_guest(char *const argv[], double values[BENCH_LINUX_FIGURES])
{
	static struct bench_session s;
	const char *problem = NULL;

	if (bench_session_begin(&s, argv))
		return "could not be started";
	values[BENCH_LINUX_INIT] = bench_session_wait(&s, FIRST_LINE, TIMEOUT_SECONDS) * 1000;
	if (values[BENCH_LINUX_INIT] < 0) {
		problem = "did not reach init";
	} else if (bench_session_wait(&s, PROMPT, TIMEOUT_SECONDS) < 0) {
		problem = "did not reach the prompt";
	} else {
		measure_rest(&s, values);
		if (!measure_disk(&s, values))
			problem = "did not measure its disk";
	}
	bench_session_end(&s);
	return problem;
}

static const char *run_subject(const struct bench_linux *set, enum bench_subject subject,
			       double values[BENCH_LINUX_FIGURES])
{
	struct bench_command c = {0};

	bench_command_linux(&c, subject, set->programs[subject], set->folder, "1", "512M");
	bench_command_disk(&c, subject, set->folder, "disk.img", false);
	return run_guest(c.at, values);
}

bool bench_linux_measure(const struct bench_linux *set, struct bench_samples *samples)
{
	double values[BENCH_LINUX_FIGURES];
	bool resting[BENCH_SUBJECTS] = {false};

	for (unsigned run = 0; run < set->runs; run++) {
		for (unsigned subject = BENCH_OURS; subject <= BENCH_QEMU; subject++) {
			const char *problem = resting[subject] ? NULL : run_subject(set, subject, values);

			if (problem) {
				fprintf(stderr, "bench: Linux under %s %s\n", set->programs[subject], problem);
				resting[subject] = true;
			}
			for (unsigned i = 0; !resting[subject] && i < BENCH_LINUX_FIGURES; i++)
				bench_samples_add(samples, bench_linux_names[i], subject, values[i]);
		}
	}
	return !resting[BENCH_OURS];
}
