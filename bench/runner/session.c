/* See session.h. Single-threaded; the process dies with the runner. */
#include "session.h"
#include <dirent.h>
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
	sigset_t none;

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
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
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
	while (s->length < s->matched || !(found = strstr(s->text + s->matched, text)))
		if (!take_output(s, deadline))
			return -1;
	s->match = (size_t)(found - s->text);
	s->matched = 1;
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

/* The sum of those lines of its status whose names are given, in KiB. */
static double status_kib(const struct bench_session *s, const char *const names[], size_t count)
{
	unsigned long kib, sum = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)s->pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < count; i++)
			if (!strncmp(line, names[i], strlen(names[i])) &&
			    sscanf(line + strlen(names[i]), " %lu", &kib) == 1)
				sum += kib;
	fclose(file);
	return (double)sum;
}

double bench_session_resident(const struct bench_session *s)
{
	static const char *const names[] = {"VmRSS:"};

	return status_kib(s, names, 1) / 1024;
}

double bench_session_private(const struct bench_session *s)
{
	static const char *const names[] = {"RssAnon:", "RssFile:"};

	return status_kib(s, names, 2);
}

unsigned bench_session_entries(const struct bench_session *s, const char *folder)
{
	unsigned count = 0;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)s->pid, folder);
	directory = opendir(path);
	if (!directory)
		return 0;
	for (const struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
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
