/* See samples.h. */
#include "samples.h"
#include <string.h>

void bench_samples_add(struct bench_samples *s, const char *name, enum bench_subject subject, double value)
{
	struct bench_sample *sample;
	size_t i = 0;

	while (i < s->count && strcmp(s->at[i].name, name))
		i++;
	if (i == BENCH_SAMPLES_MAX)
		return;
	sample = &s->at[i];
	if (i == s->count) {
		snprintf(sample->name, sizeof(sample->name), "%s", name);
		s->count++;
	}
	if (sample->runs[subject] < BENCH_RUNS_MAX)
		sample->values[subject][sample->runs[subject]++] = value;
}

void bench_samples_report(struct bench_samples *s, struct bench_report *report)
{
	for (size_t i = 0; i < s->count; i++) {
		struct bench_figure *figure = bench_add_figure(report, s->at[i].name, 64);

		for (unsigned subject = 0; figure && subject < BENCH_SUBJECTS; subject++)
			figure->value[subject] = bench_median(s->at[i].values[subject], s->at[i].runs[subject]);
	}
}
