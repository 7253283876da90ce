/* Figures that are collected run by run, by their names. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include "report.h"

#define BENCH_SAMPLES_MAX 64 /* names */
#define BENCH_RUNS_MAX	  101

struct bench_samples {
	size_t count;
	struct bench_sample {
		char name[BENCH_NAME_MAX];
		unsigned runs[BENCH_SUBJECTS];
		double values[BENCH_SUBJECTS][BENCH_RUNS_MAX];
	} at[BENCH_SAMPLES_MAX];
};

/* One more value of a figure; what is too much is dropped. */
void bench_samples_add(struct bench_samples *s, const char *name, enum bench_subject subject, double value);
/* The medians of a figure's values; NAN for a subject that has none. */
void bench_samples_medians(struct bench_samples *s, const char *name, double medians[BENCH_SUBJECTS]);
/* The medians become figures of the report, for guests of 64 bits, in the order in which their names came first. */
void bench_samples_report(struct bench_samples *s, struct bench_report *report);

#endif
