/*
 * Running one process under a stopwatch. Single-threaded; a child dies with the runner, so an interrupted benchmark
 * leaves nothing behind.
 */
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_MILLISECONDS 20

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* The child's side of fork(): never returns. */
static void become(char *const argv[], int input, int output)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(BENCH_EXIT_NOT_FOUND);
	execvp(argv[0], argv);
	_exit(BENCH_EXIT_NOT_FOUND);
}

/* Memory resident now, without what is shared (the memory file that holds guest RAM). */
static double resident_mib(pid_t pid)
{
	unsigned long kib, sum = 0;
	char path[64], line[256];
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	status = fopen(path, "re");
	if (!status)
		return 0;
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1 || sscanf(line, "RssFile: %lu", &kib) == 1)
			sum += kib;
	fclose(status);
	return (double)sum / 1024;
}

/* Takes in what has come; the part beyond the buffer is read and dropped. Returns false at the end of the output. */
static int take_output(int fd, size_t *used, struct bench_process *out)
{
	char dropped[1024];
	size_t left = sizeof(out->output) - 1 - *used;
	ssize_t got = left ? read(fd, out->output + *used, left) : read(fd, dropped, sizeof(dropped));

	if (got <= 0)
		return got < 0 && errno == EINTR;
	if (left)
		*used += (size_t)got;
	out->output[*used] = '\0';
	return 1;
}

/* Follows the process to the end of its output, the awaited text or the deadline; true when it must be ended. */
static int follow(pid_t pid, int fd, const char *until, double start, double timeout, struct bench_process *out)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t used = 0;

	for (;;) {
		int came = poll(&ready, 1, SAMPLE_MILLISECONDS);
		double resident = resident_mib(pid), passed;

		if (resident > out->resident_mib)
			out->resident_mib = resident;
		passed = now() - start;
		if (passed > timeout) {
			out->status = BENCH_EXIT_TIMED_OUT;
			return 1;
		}
		if (came <= 0)
			continue;
		if (!take_output(fd, &used, out))
			return 0;
		if (out->first_output < 0)
			out->first_output = passed;
		if (until && strstr(out->output, until)) {
			out->wall = passed;
			out->status = 0;
			return 1;
		}
	}
}

static void reap(pid_t pid, int ended, double start, struct bench_process *out)
{
	struct rusage usage;
	int status;

	if (ended)
		kill(pid, SIGKILL);
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	out->processor = seconds(usage.ru_utime) + seconds(usage.ru_stime);
	if (ended)
		return;
	out->wall = now() - start;
	out->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int bench_process_run(char *const argv[], const char *until, double timeout, struct bench_process *out)
{
	int input[2], output[2], err = 0, ended;
	double start;
	pid_t pid;

	*out = (struct bench_process){.first_output = -1};
	if (pipe2(input, O_CLOEXEC))
		return -errno;
	if (pipe2(output, O_CLOEXEC)) {
		err = -errno;
		goto close_input;
	}
	if (!until) {
		close(input[1]);
		input[1] = -1;
	}
	start = now();
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(output[1]);
		goto close_output;
	}
	if (pid == 0)
		become(argv, input[0], output[1]);
	close(output[1]);
	ended = follow(pid, output[0], until, start, timeout, out);
	reap(pid, ended, start, out);
close_output:
	close(output[0]);
close_input:
	close(input[0]);
	if (input[1] >= 0)
		close(input[1]);
	return err;
}
