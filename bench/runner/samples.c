/* See samples.h. */
#include "samples.h"
#include <math.h>
#include <string.h>

/* The place of a name, the one behind all others if it is new. */
static size_t find(const struct bench_samples *s, const char *name)
{
	size_t i = 0;

	while (i < s->count && strcmp(s->at[i].name, name))
		i++;
	return i;
}

void bench_samples_add(struct bench_samples *s, const char *name, enum bench_subject subject, double value)
{
	size_t i = find(s, name);
	struct bench_sample *sample = &s->at[i];

	if (i == BENCH_SAMPLES_MAX)
		return;
	if (i == s->count) {
		snprintf(sample->name, sizeof(sample->name), "%s", name);
		s->count++;
	}
	if (sample->runs[subject] < BENCH_RUNS_MAX)
		sample->values[subject][sample->runs[subject]++] = value;
}

void bench_samples_medians(struct bench_samples *s, const char *name, double medians[BENCH_SUBJECTS])
{
	size_t i = find(s, name);

	for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
		medians[subject] = i < s->count ? bench_median(s->at[i].values[subject], s->at[i].runs[subject]) : NAN;
}

void bench_samples_report(struct bench_samples *s, struct bench_report *report)
{
	for (size_t i = 0; i < s->count; i++) {
		struct bench_figure *figure = bench_add_figure(report, s->at[i].name, 64);

		if (figure)
			bench_samples_medians(s, s->at[i].name, figure->value);
	}
}
