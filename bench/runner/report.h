/* What the benchmark found, as a table for people and as JSON for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>
#include <stdio.h>

/* Unpaged is ours once more, with the payload that a paged one is made of. */
enum bench_subject { BENCH_OURS, BENCH_QEMU, BENCH_NATIVE, BENCH_UNPAGED, BENCH_SUBJECTS };
enum bench_kind { BENCH_INTEGER, BENCH_FLOAT, BENCH_SYSTEM, BENCH_PAGED, BENCH_APPS, BENCH_KINDS };

#define BENCH_WIDTHS   2
#define BENCH_ROWS_MAX 128
#define BENCH_NAME_MAX 64

/* One payload at one width: median seconds of each subject, NAN for one that did not run. */
struct bench_row {
	char name[BENCH_NAME_MAX]; /* payload and width, "sieve-rv64" */
	enum bench_kind kind;
	unsigned width;
	double seconds[BENCH_SUBJECTS];
};

/* A figure that is not a payload's time. */
struct bench_figure {
	char name[BENCH_NAME_MAX]; /* ends in its unit, and the width; a unit that ends in _s is a rate, more is better
				    */
	unsigned width;
	double value[BENCH_SUBJECTS];
};

struct bench_report {
	unsigned runs;
	const char *clock;
	struct bench_row rows[BENCH_ROWS_MAX];
	size_t row_count;
	struct bench_figure figures[BENCH_ROWS_MAX];
	size_t figure_count;
};

/* One more figure, "NAME-rvWIDTH", all of whose values are NAN; NULL when there are too many. */
struct bench_figure *bench_add_figure(struct bench_report *report, const char *name, unsigned width);
/* The figure that was added so, or NULL. */
struct bench_figure *bench_find_figure(struct bench_report *report, const char *name, unsigned width);

/* The median of `count` values, which it sorts; NAN when there are none. */
double bench_median(double *values, size_t count);

/* How many times `of` is as fast as `than`, from their seconds; NAN when either did not run. */
double bench_speed(double of, double than);

/* The geometric mean over the payloads of a kind and width of how fast ours is, compared with another subject; NAN when
 * there are none. */
double bench_mean_speed(const struct bench_report *report, enum bench_kind kind, unsigned width,
			enum bench_subject other);

void bench_print_head(FILE *to);
void bench_print_row(FILE *to, const struct bench_row *row);

/* The geometric means a kind and width, and the figures. */
void bench_print_summary(FILE *to, const struct bench_report *report);

/* Writes the whole report to a file. Returns 0 or -errno. */
int bench_write_json(const char *path, const struct bench_report *report);

#endif
