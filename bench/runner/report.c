/* The table and the JSON of a benchmark. */
#include "report.h"
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[BENCH_KINDS] = {"integer", "float", "system", "paged", "apps"};
static const char *const subject_names[BENCH_SUBJECTS] = {"ours", "qemu", "native", "unpaged"};
static const unsigned widths[BENCH_WIDTHS] = {64, 32};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof(*values), by_value);
	return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

double bench_speed(double of, double than)
{
	return of > 0 && than > 0 ? than / of : NAN;
}

double bench_mean_speed(const struct bench_report *report, enum bench_kind kind, unsigned width,
			enum bench_subject other)
{
	double sum = 0;
	unsigned count = 0;

	for (size_t i = 0; i < report->row_count; i++) {
		const struct bench_row *row = &report->rows[i];
		double speed = bench_speed(row->seconds[BENCH_OURS], row->seconds[other]);

		if (row->kind != kind || row->width != width || isnan(speed))
			continue;
		sum += log(speed);
		count++;
	}
	return count ? exp(sum / count) : NAN;
}

static void name_figure(char name[static BENCH_NAME_MAX], const char *text, unsigned width)
{
	snprintf(name, BENCH_NAME_MAX, "%s-rv%u", text, width);
}

struct bench_figure *bench_add_figure(struct bench_report *report, const char *name, unsigned width)
{
	struct bench_figure *figure = &report->figures[report->figure_count];

	if (report->figure_count == BENCH_ROWS_MAX)
		return NULL;
	report->figure_count++;
	*figure = (struct bench_figure){.width = width, .value = {NAN, NAN, NAN, NAN}};
	name_figure(figure->name, name, width);
	return figure;
}

struct bench_figure *bench_find_figure(struct bench_report *report, const char *name, unsigned width)
{
	char full[BENCH_NAME_MAX];

	name_figure(full, name, width);
	for (size_t i = 0; i < report->figure_count; i++)
		if (!strcmp(report->figures[i].name, full))
			return &report->figures[i];
	return NULL;
}

/* How a figure of ours compares with another subject's, as a factor in speed; NAN for what is no rate. */
static double figure_speed(const struct bench_figure *figure, enum bench_subject other)
{
	const char *width = strrchr(figure->name, '-');

	if (!width || width - figure->name < 2 || strncmp(width - 2, "_s", 2))
		return NAN;
	return bench_speed(figure->value[other], figure->value[BENCH_OURS]);
}

static void print_figure(FILE *to, const struct bench_figure *figure)
{
	double over_qemu = figure_speed(figure, BENCH_QEMU), over_native = figure_speed(figure, BENCH_NATIVE);

	fprintf(to, "%-44s", figure->name);
	for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
		if (!isnan(figure->value[subject]))
			fprintf(to, "  %s %.*f", subject_names[subject], figure->value[subject] < 10 ? 2 : 1,
				figure->value[subject]);
	if (!isnan(over_qemu))
		fprintf(to, "  x qemu %.2f", over_qemu);
	if (!isnan(over_native))
		fprintf(to, "  %% native %.1f", 100 * over_native);
	fputc('\n', to);
}

static void print_cell(FILE *to, int width, int digits, double value, const char *unit)
{
	if (isnan(value))
		fprintf(to, "%*s", width, "-");
	else
		fprintf(to, "%*.*f%s", width, digits, value, unit);
}

static void print_speeds(FILE *to, const double over[BENCH_SUBJECTS])
{
	print_cell(to, 10, 2, over[BENCH_QEMU], "");
	print_cell(to, 11, 1, 100 * over[BENCH_NATIVE], "");
	print_cell(to, 11, 1, 100 * over[BENCH_UNPAGED], "");
	fputc('\n', to);
}

void bench_print_head(FILE *to)
{
	fprintf(to, "%-22s%9s%10s%10s%10s%10s%11s%11s\n", "payload", "ours s", "qemu s", "native s", "unpaged s",
		"x qemu", "% native", "% unpaged");
	fflush(to);
}

void bench_print_row(FILE *to, const struct bench_row *row)
{
	double over[BENCH_SUBJECTS];

	fprintf(to, "%-21s", row->name);
	for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++) {
		print_cell(to, 10, 3, row->seconds[subject], "");
		over[subject] = bench_speed(row->seconds[BENCH_OURS], row->seconds[subject]);
	}
	print_speeds(to, over);
	fflush(to);
}

void bench_print_summary(FILE *to, const struct bench_report *report)
{
	for (unsigned w = 0; w < BENCH_WIDTHS; w++) {
		for (unsigned kind = 0; kind < BENCH_KINDS; kind++) {
			double over[BENCH_SUBJECTS];

			for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
				over[subject] = bench_mean_speed(report, kind, widths[w], subject);
			if (isnan(over[BENCH_OURS]))
				continue;
			fprintf(to, "geometric mean, %-7s rv%u %34s", kind_names[kind], widths[w], "");
			print_speeds(to, over);
		}
	}
	for (size_t i = 0; i < report->figure_count; i++)
		print_figure(to, &report->figures[i]);
}

static void write_number(FILE *to, const char *name, double value)
{
	if (isnan(value))
		fprintf(to, ", \"%s\": null", name);
	else
		fprintf(to, ", \"%s\": %.6g", name, value);
}

static void write_means(FILE *to, const struct bench_report *report)
{
	const char *separator = "";

	for (unsigned w = 0; w < BENCH_WIDTHS; w++) {
		for (unsigned kind = 0; kind < BENCH_KINDS; kind++) {
			fprintf(to, "%s\n    {\"kind\": \"%s\", \"width\": %u", separator, kind_names[kind], widths[w]);
			write_number(to, "speed_over_qemu", bench_mean_speed(report, kind, widths[w], BENCH_QEMU));
			write_number(to, "speed_over_native", bench_mean_speed(report, kind, widths[w], BENCH_NATIVE));
			fputc('}', to);
			separator = ",";
		}
	}
}

static void write_rows(FILE *to, const struct bench_report *report)
{
	for (size_t i = 0; i < report->row_count; i++) {
		const struct bench_row *row = &report->rows[i];

		fprintf(to, "%s\n    {\"name\": \"%s\", \"width\": %u, \"kind\": \"%s\"", i ? "," : "", row->name,
			row->width, kind_names[row->kind]);
		for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
			write_number(to, subject_names[subject], row->seconds[subject]);
		write_number(to, "speed_over_qemu", bench_speed(row->seconds[BENCH_OURS], row->seconds[BENCH_QEMU]));
		write_number(to, "speed_over_native",
			     bench_speed(row->seconds[BENCH_OURS], row->seconds[BENCH_NATIVE]));
		fputc('}', to);
	}
}

static void write_figures(FILE *to, const struct bench_report *report)
{
	for (size_t i = 0; i < report->figure_count; i++) {
		const struct bench_figure *figure = &report->figures[i];

		fprintf(to, "%s\n    {\"name\": \"%s\", \"width\": %u", i ? "," : "", figure->name, figure->width);
		for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
			write_number(to, subject_names[subject], figure->value[subject]);
		write_number(to, "speed_over_qemu", figure_speed(figure, BENCH_QEMU));
		write_number(to, "speed_over_native", figure_speed(figure, BENCH_NATIVE));
		fputc('}', to);
	}
}

int bench_write_json(const char *path, const struct bench_report *report)
{
	FILE *to = fopen(path, "we");

	if (!to)
		return -errno;
	fprintf(to, "{\n  \"runs\": %u, \"clock\": \"%s\",\n  \"rows\": [", report->runs, report->clock);
	write_rows(to, report);
	fprintf(to, "\n  ],\n  \"means\": [");
	write_means(to, report);
	fprintf(to, "\n  ],\n  \"figures\": [");
	write_figures(to, report);
	fprintf(to, "\n  ]\n}\n");
	return fclose(to) ? -errno : 0;
}
