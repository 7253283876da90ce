/* Running one process under a stopwatch. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stddef.h>

#define BENCH_OUTPUT_MAX     4096
#define BENCH_EXIT_NOT_FOUND 127
#define BENCH_EXIT_TIMED_OUT 128

/* What one run took. Times are in seconds from just before the process was made. */
struct bench_process {
	double wall;	     /* until it was reaped, or until the awaited text came */
	double processor;    /* user and system time of all its threads */
	double first_output; /* until its first byte of output; negative when there was none */
	double resident_mib; /* the most memory seen resident apart from shared memory (guest RAM); 0 unknown */
	int status;	     /* exit status, 128 + signal, or one of BENCH_EXIT_* */
	char output[BENCH_OUTPUT_MAX]; /* the start of its output, a string */
};

/*
 * Runs argv[0], found through PATH, with its standard output and error collected.
 *
 * With `until` NULL its input is empty and it runs to its end. Otherwise its input is a pipe that is kept open, and the
 * process is ended as soon as its output contains that text; status is then 0. Either way it is killed after
 * `timeout` seconds. Returns 0, or -errno when no process could be made.
 */
int bench_process_run(char *const argv[], const char *until, double timeout, struct bench_process *out);

#endif
