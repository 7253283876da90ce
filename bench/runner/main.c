/*
 * bench-run: times payloads under biscuit-run, under QEMU and as native programs, and compares them.
 *
 * The subjects take turns within a payload, so that a busy host slows all of them alike, and the median of the turns
 * counts. What the empty payload takes is subtracted from every time. All subjects must print the same checksum.
 */
#include "apps.h"
#include "command.h"
#include "linux.h"
#include "process.h"
#include "report.h"
#include "share.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_SECONDS	    60
#define PROMPT		    "crumb> "
#define CHECKSUM_LENGTH_MAX 16
#define GUEST_SPEED_RUNS    1

struct settings {
	const char *ours, *qemu[BENCH_WIDTHS], *crumb[BENCH_WIDTHS];
	const char *payloads;		/* the folder of NAME-rv64.elf, NAME-rv32.elf and NAME-native */
	const char *lists[BENCH_KINDS]; /* payload names, separated by spaces */
	const char *linux_folder;	/* of the Linux guest, NULL or empty for none */
	const char *share;		/* where to make the folder that is shared, NULL or empty: by itself */
	const char *only, *json;
	unsigned runs;
	bool processor_clock;
};

struct bench {
	struct settings set;
	struct bench_report report;
	double start_up[BENCH_SUBJECTS]; /* seconds of the empty payload, for the width being measured */
	double resident_mib;		 /* the most that biscuit-run needed in any run of that width */
	bool failed;
};

static const unsigned widths[BENCH_WIDTHS] = {64, 32};
static const char *const subject_names[BENCH_SUBJECTS] = {"ours", "qemu", "native", "unpaged"};

__attribute__((format(printf, 2, 3))) static void complain(struct bench *b, const char *format, ...)
{
	va_list arguments;

	b->failed = true;
	fputs("bench: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

/* ONLY is the start of a row's name, "sieve" or "sieve-rv64", or its width, "rv64". */
static bool wanted(const struct bench *b, const char *row)
{
	size_t length = b->set.only ? strlen(b->set.only) : 0, row_length = strlen(row);

	if (length == 0)
		return true;
	if (length > row_length)
		return false;
	return !strncmp(row, b->set.only, length) || !strcmp(row + row_length - length, b->set.only);
}

/* Runs a guest or native program. Returns false when the subject is not there or the run failed, which it reports. */
static bool run_subject(struct bench *b, enum bench_subject subject, unsigned w, const char *file, const char *until,
			struct bench_process *result)
{
	const char *const programs[BENCH_SUBJECTS] = {b->set.ours, b->set.qemu[w], file, b->set.ours};
	struct bench_command c = {0};
	int err;

	bench_command_machine(&c, subject, programs[subject], true);
	if (subject == BENCH_QEMU)
		bench_command_add(&c, "-kernel");
	if (subject != BENCH_NATIVE)
		bench_command_add(&c, "%s", file);
	err = bench_process_run(c.at, until, TIMEOUT_SECONDS, result);
	if (err) {
		complain(b, "cannot run %s: %s", programs[subject], strerror(-err));
		return false;
	}
	if (subject == BENCH_OURS && result->resident_mib > b->resident_mib)
		b->resident_mib = result->resident_mib;
	if (result->status == BENCH_EXIT_NOT_FOUND && subject != BENCH_OURS)
		return false;
	if (result->status) {
		complain(b, "%s: %s ended with status %d: %.200s", file, programs[subject], result->status,
			 result->output);
		return false;
	}
	return true;
}

static void payload_file(const struct bench *b, const char *payload, enum bench_subject subject, unsigned w,
			 char path[static BENCH_PATH_MAX])
{
	size_t length = subject == BENCH_UNPAGED ? strcspn(payload, "_") : strlen(payload);

	if (subject == BENCH_NATIVE)
		snprintf(path, BENCH_PATH_MAX, "%s/%s-native", b->set.payloads, payload);
	else
		snprintf(path, BENCH_PATH_MAX, "%s/%.*s-rv%u.elf", b->set.payloads, (int)length, payload, widths[w]);
}

/* The checksum in the output of a run, apart from what an emulator says; "" if there is none. */
static void read_checksum(const struct bench_process *result, char checksum[static CHECKSUM_LENGTH_MAX])
{
	const char *line = strstr(result->output, "checksum ");

	if (!line || sscanf(line, "checksum %15s", checksum) != 1)
		checksum[0] = '\0';
}

/* The first checksum of a payload becomes the expected one. */
static bool same_checksum(struct bench *b, const char *row, enum bench_subject subject, char *expected,
			  const struct bench_process *result)
{
	char checksum[CHECKSUM_LENGTH_MAX];

	read_checksum(result, checksum);
	if (!expected[0])
		strcpy(expected, checksum);
	if (checksum[0] && !strcmp(expected, checksum))
		return true;
	complain(b, "%s: %s printed %s%s, expected %s", row, subject_names[subject], checksum[0] ? "" : "no checksum",
		 checksum, expected[0] ? expected : "one");
	return false;
}

/* Times a payload `runs` times under each subject. NAN for a subject that is missing or fails, which then rests. */
static void time_payload(struct bench *b, const char *payload, const char *row, unsigned w, unsigned runs,
			 double medians[BENCH_SUBJECTS], double first_output[BENCH_SUBJECTS])
{
	double times[BENCH_SUBJECTS][BENCH_RUNS_MAX], firsts[BENCH_SUBJECTS][BENCH_RUNS_MAX];
	bool resting[BENCH_SUBJECTS] = {[BENCH_UNPAGED] = !strchr(payload, '_')};
	char expected[CHECKSUM_LENGTH_MAX] = "", file[BENCH_PATH_MAX];
	struct bench_process result;

	for (unsigned run = 0; run < runs; run++) {
		for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++) {
			if (resting[subject])
				continue;
			payload_file(b, payload, subject, w, file);
			resting[subject] = !run_subject(b, subject, w, file, NULL, &result) ||
					   !same_checksum(b, row, subject, expected, &result);
			times[subject][run] = b->set.processor_clock ? result.processor : result.wall;
			firsts[subject][run] = result.first_output;
		}
	}
	for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++) {
		medians[subject] = bench_median(times[subject], resting[subject] ? 0 : runs);
		first_output[subject] = bench_median(firsts[subject], resting[subject] ? 0 : runs);
	}
}

/* The empty payload: what to subtract from the others, and how soon a guest runs. */
static void measure_start(struct bench *b, unsigned w)
{
	unsigned runs = 2 * b->set.runs + 1 > BENCH_RUNS_MAX ? BENCH_RUNS_MAX : 2 * b->set.runs + 1;
	double first_output[BENCH_SUBJECTS];
	char name[BENCH_NAME_MAX];

	time_payload(b, "empty", "empty", w, runs, b->start_up, first_output);
	b->start_up[BENCH_UNPAGED] = b->start_up[BENCH_OURS];
	snprintf(name, sizeof(name), "exec_to_first_instruction_ms-rv%u", widths[w]);
	if (wanted(b, name)) {
		struct bench_figure *figure = bench_add_figure(&b->report, "exec_to_first_instruction_ms", widths[w]);

		for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
			figure->value[subject] = first_output[subject] * 1e3;
		figure->value[BENCH_NATIVE] = NAN;
	}
}

/* From exec until crumb's prompt has been printed. */
static void measure_prompt(struct bench *b, unsigned w)
{
	double times[BENCH_RUNS_MAX];
	struct bench_process result;
	struct bench_figure *figure;
	char name[BENCH_NAME_MAX];

	snprintf(name, sizeof(name), "crumb_prompt_ms-rv%u", widths[w]);
	if (!b->set.crumb[w] || !wanted(b, name))
		return;
	figure = bench_add_figure(&b->report, "crumb_prompt_ms", widths[w]);
	for (unsigned subject = BENCH_OURS; subject <= BENCH_QEMU; subject++) {
		unsigned run = 0;

		while (run < b->set.runs && run_subject(b, subject, w, b->set.crumb[w], PROMPT, &result))
			times[run++] = result.wall * 1e3;
		figure->value[subject] = bench_median(times, run);
	}
}

static void measure_payload(struct bench *b, const char *payload, enum bench_kind kind, unsigned w)
{
	struct bench_row row = {.kind = kind, .width = widths[w]};
	double first_output[BENCH_SUBJECTS];

	snprintf(row.name, sizeof(row.name), "%s-rv%u", payload, widths[w]);
	if (!wanted(b, row.name) || b->report.row_count == BENCH_ROWS_MAX)
		return;
	time_payload(b, payload, row.name, w, b->set.runs, row.seconds, first_output);
	for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
		row.seconds[subject] -= b->start_up[subject];
	bench_print_row(stdout, &row);
	b->report.rows[b->report.row_count++] = row;
}

/* What paging costs: the geometric mean over the payloads that ran with it and, in turns, without it. */
static void weigh_paging(struct bench *b, unsigned w)
{
	double speed = bench_mean_speed(&b->report, BENCH_PAGED, widths[w], BENCH_UNPAGED);

	if (!isnan(speed))
		bench_add_figure(&b->report, "paging_cost_percent", widths[w])->value[BENCH_OURS] = 100 / speed - 100;
}

static void measure_width(struct bench *b, unsigned w)
{
	char name[BENCH_NAME_MAX];

	b->resident_mib = 0;
	measure_start(b, w);
	for (unsigned kind = 0; kind < BENCH_KINDS; kind++) {
		char *list = strdup(b->set.lists[kind] ? b->set.lists[kind] : ""), *rest = NULL;

		if (!list)
			return complain(b, "out of memory");
		for (char *payload = strtok_r(list, " ", &rest); payload; payload = strtok_r(NULL, " ", &rest))
			measure_payload(b, payload, kind, w);
		free(list);
	}
	weigh_paging(b, w);
	measure_prompt(b, w);
	snprintf(name, sizeof(name), "rss_above_touched_mib-rv%u", widths[w]);
	if (wanted(b, name) && b->resident_mib > 0) {
		bench_add_figure(&b->report, "rss_above_touched_mib", widths[w])->value[BENCH_OURS] = b->resident_mib;
	}
}

/* Debian's kernel. All figures come from the same boots. */
static void measure_linux(struct bench *b)
{
	struct bench_linux set = {
		.programs = {b->set.ours, b->set.qemu[0]}, .folder = b->set.linux_folder, .runs = b->set.runs};
	static struct bench_samples samples;
	char path[BENCH_PATH_MAX], name[BENCH_NAME_MAX];
	bool wants = false;

	snprintf(path, sizeof(path), "%s/kernel", set.folder ? set.folder : "");
	if (access(path, R_OK))
		return;
	for (unsigned i = 0; i < BENCH_LINUX_FIGURES; i++) {
		snprintf(name, sizeof(name), "%s-rv64", bench_linux_names[i]);
		wants = wants || wanted(b, name);
	}
	if (!wants)
		return;
	if (!bench_linux_measure(&set, &samples))
		b->failed = true;
	for (unsigned i = 0; i < BENCH_LINUX_FIGURES; i++) {
		snprintf(name, sizeof(name), "%s-rv64", bench_linux_names[i]);
		if (wanted(b, name))
			bench_samples_medians(&samples, bench_linux_names[i],
					      bench_add_figure(&b->report, bench_linux_names[i], 64)->value);
	}
}

/* Debian's programs. */
static void measure_apps(struct bench *b)
{
	struct bench_apps set = {.programs = {b->set.ours, b->set.qemu[0]},
				 .folder = b->set.linux_folder,
				 .runs = b->set.runs,
				 .processor_clock = b->set.processor_clock};
	static struct bench_samples samples;
	struct bench_row rows[BENCH_APPS_COUNT];
	char path[BENCH_PATH_MAX];
	bool wants = false;

	for (unsigned i = 0; i < BENCH_APPS_COUNT; i++) {
		rows[i] = (struct bench_row){.kind = BENCH_APPS, .width = 64};
		snprintf(rows[i].name, sizeof(rows[i].name), "%s-rv64", bench_app_names[i]);
		set.wanted[i] = wanted(b, rows[i].name);
		wants = wants || set.wanted[i];
	}
	snprintf(path, sizeof(path), "%s/apps.img", set.folder ? set.folder : "");
	if (!wants || access(path, R_OK))
		return;
	if (!bench_apps_measure(&set, &samples))
		b->failed = true;
	for (unsigned i = 0; i < BENCH_APPS_COUNT; i++) {
		if (!set.wanted[i] || b->report.row_count == BENCH_ROWS_MAX)
			continue;
		bench_samples_medians(&samples, bench_app_names[i], rows[i].seconds);
		bench_print_row(stdout, &rows[i]);
		b->report.rows[b->report.row_count++] = rows[i];
	}
}

/* How fast a guest of 64 bits is as part of what QEMU's is: from the rows, or from a quick look if they are not there.
 */
static double guest_speed(struct bench *b)
{
	double speed = bench_mean_speed(&b->report, BENCH_INTEGER, 64, BENCH_QEMU), sum = 0, seconds[BENCH_SUBJECTS];
	double first_output[BENCH_SUBJECTS], start_up[BENCH_SUBJECTS];
	char *list = isnan(speed) ? strdup(b->set.lists[BENCH_INTEGER] ? b->set.lists[BENCH_INTEGER] : "") : NULL;
	unsigned count = 0;
	char *rest = NULL;

	if (!list)
		return speed;
	time_payload(b, "empty", "empty", 0, GUEST_SPEED_RUNS, start_up, first_output);
	for (char *payload = strtok_r(list, " ", &rest); payload; payload = strtok_r(NULL, " ", &rest)) {
		time_payload(b, payload, payload, 0, GUEST_SPEED_RUNS, seconds, first_output);
		speed = bench_speed(seconds[BENCH_OURS] - start_up[BENCH_OURS],
				    seconds[BENCH_QEMU] - start_up[BENCH_QEMU]);
		if (!isnan(speed)) {
			sum += log(speed);
			count++;
		}
	}
	free(list);
	return count ? exp(sum / count) : NAN;
}

static void measure_share(struct bench *b)
{
	struct bench_share set = {.programs = {b->set.ours, b->set.qemu[0]},
				  .guests = b->set.payloads,
				  .place = b->set.share,
				  .linux_folder = b->set.linux_folder,
				  .only = b->set.only && strcmp(b->set.only, "rv64") ? b->set.only : NULL,
				  .runs = b->set.runs};
	struct bench_figure *figure;
	char path[BENCH_PATH_MAX];
	double speed;

	if (!bench_share_wanted(set.only))
		return;
	snprintf(path, sizeof(path), "%s/kernel", set.linux_folder ? set.linux_folder : "");
	if (access(path, R_OK))
		set.linux_folder = NULL;
	if (!bench_share_measure(&set, &b->report))
		b->failed = true;
	if (!bench_find_figure(&b->report, "share_9p_none_walk_s", 64))
		return;
	speed = guest_speed(b);
	figure = bench_add_figure(&b->report, "share_guest_speed_over_qemu", 64);
	if (figure)
		figure->value[BENCH_OURS] = speed;
	bench_share_weigh(&b->report, speed);
}

enum option_code {
	OURS = 1,
	QEMU64,
	QEMU32,
	CRUMB64,
	CRUMB32,
	PAYLOADS,
	LINUX,
	SHARE,
	INTEGER,
	FLOAT,
	SYSTEM,
	PAGED,
	ONLY,
	JSON,
	RUNS,
	CLOCK
};

static const struct option options[] = {
	{"ours", required_argument, NULL, OURS},
	{"qemu64", required_argument, NULL, QEMU64},
	{"qemu32", required_argument, NULL, QEMU32},
	{"crumb64", required_argument, NULL, CRUMB64},
	{"crumb32", required_argument, NULL, CRUMB32},
	{"payloads", required_argument, NULL, PAYLOADS},
	{"integer", required_argument, NULL, INTEGER},
	{"float", required_argument, NULL, FLOAT},
	{"system", required_argument, NULL, SYSTEM},
	{"only", required_argument, NULL, ONLY},
	{"json", required_argument, NULL, JSON},
	{"runs", required_argument, NULL, RUNS},
	{"clock", required_argument, NULL, CLOCK},
	{"linux", required_argument, NULL, LINUX},
	{"share", required_argument, NULL, SHARE},
	{"paged", required_argument, NULL, PAGED},
	{0},
};

static bool parse_runs(const char *text, unsigned *runs)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value < 1 || value > BENCH_RUNS_MAX)
		return false;
	*runs = (unsigned)value;
	return true;
}

/* Fills the settings; false, with a message, when the command line makes no sense. */
static bool parse(struct bench *b, int argc, char **argv)
{
	struct settings *set = &b->set;
	const char **const texts[] = {
		[OURS] = &set->ours,
		[QEMU64] = &set->qemu[0],
		[QEMU32] = &set->qemu[1],
		[CRUMB64] = &set->crumb[0],
		[CRUMB32] = &set->crumb[1],
		[PAYLOADS] = &set->payloads,
		[LINUX] = &set->linux_folder,
		[SHARE] = &set->share,
		[INTEGER] = &set->lists[BENCH_INTEGER],
		[FLOAT] = &set->lists[BENCH_FLOAT],
		[SYSTEM] = &set->lists[BENCH_SYSTEM],
		[PAGED] = &set->lists[BENCH_PAGED],
		[ONLY] = &set->only,
		[JSON] = &set->json,
	};
	int code;

	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (code == RUNS && !parse_runs(optarg, &set->runs))
			complain(b, "BENCH_RUNS is '%s', expected 1 to %d", optarg, BENCH_RUNS_MAX);
		else if (code == CLOCK && strcmp(optarg, "wall") && strcmp(optarg, "cpu"))
			complain(b, "BENCH_CLOCK is '%s', expected wall or cpu", optarg);
		else if (code == CLOCK)
			set->processor_clock = !strcmp(optarg, "cpu");
		else if (code == '?')
			b->failed = true;
		else if (code != RUNS)
			*texts[code] = optarg;
	}
	if (!set->ours || !set->payloads)
		complain(b, "--ours and --payloads are needed");
	return !b->failed;
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.set = {.qemu = {"qemu-system-riscv64", "qemu-system-riscv32"}, .runs = 5},
	};
	int err;

	if (!parse(&b, argc, argv))
		return 2;
	b.report.runs = b.set.runs;
	b.report.clock = b.set.processor_clock ? "cpu" : "wall";
	bench_print_head(stdout);
	for (unsigned w = 0; w < BENCH_WIDTHS; w++)
		measure_width(&b, w);
	measure_apps(&b);
	measure_linux(&b);
	measure_share(&b);
	bench_print_summary(stdout, &b.report);
	if (b.report.row_count + b.report.figure_count == 0)
		complain(&b, "nothing is named '%s'", b.set.only);
	err = b.set.json ? bench_write_json(b.set.json, &b.report) : 0;
	if (err)
		complain(&b, "%s: %s", b.set.json, strerror(-err));
	return b.failed ? 1 : 0;
}
