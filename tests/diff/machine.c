/*
 * machine.c - starts a machine as a child process, collects what its UART prints, and ends it when it takes too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

enum { OUTPUT_MAX = 1 << 20, ARGS_MAX = 24 };

bool machine_init(struct machine *m, const char *kind, unsigned xlen)
{
	const char *biscuit = getenv("BISCUIT_RUN");

	m->kind = kind;
	if (!strcmp(kind, "qemu") || !strcmp(kind, "qemu-step"))
		m->program = xlen == 64 ? "qemu-system-riscv64" : "qemu-system-riscv32";
	else if (!strcmp(kind, "biscuit") || !strncmp(kind, "biscuit:", 8))
		m->program = biscuit && *biscuit ? biscuit : "biscuit-run";
	else
		return false;
	return true;
}

bool machine_present(const struct machine *m)
{
	const char *path = getenv("PATH");
	char file[4096];

	if (strchr(m->program, '/'))
		return access(m->program, X_OK) == 0;
	while (path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, m->program);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* Fills argv, null-terminated. cpu is kept by the caller until the exec. */
static void build_args(const struct machine *m, const struct isa *isa, const char *elf, char *cpu, size_t size,
		       const char **argv)
{
	size_t n = 0;

	argv[n++] = m->program;
	if (!strncmp(m->kind, "qemu", 4)) {
		isa_qemu_cpu(isa, cpu, size);
		static const char *const fixed[] = {"-machine", "virt", "-m",	    "16M",  "-bios",   "none",
						    "-display", "none", "-monitor", "none", "-serial", "stdio"};
		for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
			argv[n++] = fixed[i];
		argv[n++] = "-cpu";
		argv[n++] = cpu;
		if (!strcmp(m->kind, "qemu-step"))
			argv[n++] = "-singlestep";
		argv[n++] = "-kernel";
	} else {
		argv[n++] = "--isa";
		argv[n++] = isa->name;
		if (m->kind[7] == ':') {
			argv[n++] = "--engine";
			argv[n++] = m->kind + 8;
		}
	}
	argv[n++] = elf;
	argv[n] = NULL;
}

static void exec_child(const char **argv, int out)
{
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	fprintf(stderr, "fuzz-diff: cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads fd to its end or until seconds have passed; false on the latter. */
static bool collect(int fd, unsigned seconds, char *text, size_t *len)
{
	int64_t end = now_ms() + (int64_t)seconds * 1000;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, text + *len, OUTPUT_MAX - 1 - *len);
		if (n <= 0)
			return true;
		*len += (size_t)n;
	}
}

/* The words between BEGIN and END. */
static void parse(const char *text, struct dump *out)
{
	const char *p = strstr(text, "BEGIN");
	size_t lines = 0;

	for (const char *q = text; *q; q++)
		lines += *q == '\n';
	out->words = calloc(lines + 1, sizeof(*out->words));
	if (!p || !out->words) {
		snprintf(out->problem, sizeof(out->problem), "it printed no report; it printed \"%.60s\"", text);
		return;
	}
	p += strcspn(p, "\n");
	while (*p) {
		char *end;
		uint64_t word;

		p += strspn(p, "\r\n");
		if (!strncmp(p, "END", 3))
			return;
		word = strtoull(p, &end, 16);
		if (end == p || out->count >= lines)
			break;
		out->words[out->count++] = word;
		p = end;
	}
	snprintf(out->problem, sizeof(out->problem), "its report breaks off after %zu words", out->count);
}

static void describe_exit(bool in_time, int status, unsigned seconds, struct dump *out)
{
	if (!in_time)
		snprintf(out->problem, sizeof(out->problem), "it did not power off within %u seconds", seconds);
	else if (WIFSIGNALED(status))
		snprintf(out->problem, sizeof(out->problem), "it died of signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(out->problem, sizeof(out->problem), "its exit status is %d", WEXITSTATUS(status));
}

void machine_run(const struct machine *m, const struct isa *isa, const char *elf, unsigned seconds, struct dump *out)
{
	const char *argv[ARGS_MAX];
	char cpu[256];
	char *text = calloc(1, OUTPUT_MAX);
	size_t len = 0;
	int ends[2], status = 0;
	bool in_time;
	pid_t child;

	*out = (struct dump){0};
	build_args(m, isa, elf, cpu, sizeof(cpu), argv);
	if (!text || pipe(ends)) {
		snprintf(out->problem, sizeof(out->problem), "cannot be started: %s", strerror(errno));
		free(text);
		return;
	}
	child = fork();
	if (child == 0)
		exec_child(argv, ends[1]);
	close(ends[1]);
	in_time = child > 0 && collect(ends[0], seconds, text, &len);
	close(ends[0]);
	if (child > 0) {
		if (!in_time)
			kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	parse(text, out);
	describe_exit(in_time, status, seconds, out);
	free(text);
}
