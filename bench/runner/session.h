/* A process that is talked to, under a stopwatch. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define BENCH_SESSION_TEXT_MAX (1 << 18)

struct bench_session {
	pid_t pid;
	int input, output; /* our ends of its pipes */
	double start;	   /* seconds on the monotonic clock, just before the process was made */
	size_t length;
	size_t match;			   /* where in the text the last match begins */
	size_t matched;			   /* 1 behind the first match, which is not to be found again */
	char text[BENCH_SESSION_TEXT_MAX]; /* its output from the match before on, a string; what is too much is dropped
					    */
};

/* Runs argv[0], found through PATH, with its standard error thrown away. Returns 0, or -errno when no process could be
 * made.
 */
int bench_session_begin(struct bench_session *s, char *const argv[]);
/*
 * Waits until its output contains `text` behind the last match. Returns the seconds since its start, or a
 * negative number when the text did not come within `timeout` seconds.
 */
double bench_session_wait(struct bench_session *s, const char *text, double timeout);
/* Types a line. */
void bench_session_type(struct bench_session *s, const char *line);
/* The processor time that it has used so far, of all its threads, in seconds. */
double bench_session_processor(const struct bench_session *s);
/* The memory that is resident for it, guest memory included, in MiB; 0 when it has ended. */
double bench_session_resident(const struct bench_session *s);
/* The memory that is resident for it alone, without memory files such as the guest's memory, in KiB; 0 when it has
 * ended. */
double bench_session_private(const struct bench_session *s);
/* How many entries a folder of its in /proc has: "task" for its threads, "fd" for its descriptors. */
unsigned bench_session_entries(const struct bench_session *s, const char *folder);
/* Kills and reaps it. */
void bench_session_end(struct bench_session *s);

#endif
