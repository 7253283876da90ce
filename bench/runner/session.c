/* See session.h. Single-threaded; the process dies with the runner. */
#include "session.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int bench_session_begin(struct bench_session *s, char *const argv[])
{
	int input[2], output[2];

	*s = (struct bench_session){.start = now()};
	if (pipe2(input, O_CLOEXEC))
		return -errno;
	if (pipe2(output, O_CLOEXEC)) {
		close(input[0]);
		close(input[1]);
		return -ENFILE;
	}
	signal(SIGPIPE, SIG_IGN);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		close(STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	s->input = input[1];
	s->output = output[0];
	return s->pid < 0 ? -EAGAIN : 0;
}

/* False at the end of the output or of the time. */
static bool take_output(struct bench_session *s, double deadline)
{
	struct pollfd ready = {.fd = s->output, .events = POLLIN};
	double left = deadline - now();
	size_t room = sizeof(s->text) - 1 - s->length;
	ssize_t got;

	if (room < 4096) {
		s->length /= 2;
		memmove(s->text, s->text + s->length, s->length);
		room = sizeof(s->text) - 1 - s->length;
	}
	if (left < 0 || poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
		return false;
	got = read(s->output, s->text + s->length, room);
	if (got <= 0)
		return false;
	for (ssize_t i = 0; i < got; i++)
		if (!s->text[s->length + (size_t)i])
			s->text[s->length + (size_t)i] = ' ';
	s->length += (size_t)got;
	s->text[s->length] = '\0';
	return true;
}

double bench_session_wait(struct bench_session *s, const char *text, double timeout)
{
	double deadline = now() + timeout;
	const char *found;

	s->length -= s->match;
	memmove(s->text, s->text + s->match, s->length + 1);
	s->match = 0;
	while (s->length == 0 || !(found = strstr(s->text + 1, text)))
		if (!take_output(s, deadline))
			return -1;
	s->match = (size_t)(found - s->text);
	return now() - s->start;
}

void bench_session_type(struct bench_session *s, const char *line)
{
	dprintf(s->input, "%s\n", line);
}

double bench_session_processor(const struct bench_session *s)
{
	unsigned long user = 0, system = 0;
	char path[64], line[1024], *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)s->pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* The second field, in parentheses, may have spaces; the times are fields 14 and 15. */
	if (fgets(line, sizeof(line), file) && (rest = strrchr(line, ')')))
		sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double bench_session_resident(const struct bench_session *s)
{
	unsigned long kib = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)s->pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %lu", &kib) == 1)
			break;
	fclose(file);
	return (double)kib / 1024;
}

void bench_session_end(struct bench_session *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(s->input);
	close(s->output);
}
