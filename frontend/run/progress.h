/* A line with a percentage while something large is loaded. */
#ifndef BISCUIT_RUN_PROGRESS_H
#define BISCUIT_RUN_PROGRESS_H

#include <biscuit/loader.h>

/* Zero-initialised but for `enabled`. One thread. */
struct progress {
	bool enabled;	    /* there is a terminal to look at */
	int64_t started_ms; /* loading of the present file, CLOCK_MONOTONIC */
	int width;	    /* of the line that stands there; 0: none */
	int percent;
};

/* bis_load_progress.report; `arg` is a struct progress. The line is on standard error. */
void progress_report(void *arg, const char *name, uint64_t done, uint64_t total);
/* Removes the line. */
void progress_erase(struct progress *p);

#endif
