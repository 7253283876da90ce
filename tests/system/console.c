/*
 * console: talks to a program over its standard input and output, as a script says, and reports each check in TAP.
 *
 *   console [-t] LOG SCRIPT COMMAND [ARGUMENTS...]
 *
 * -t: the program sits at a terminal of 80 columns and 24 lines, not at pipes. LOG gets all that the program prints.
 * SCRIPT has one order a line; empty lines and lines that begin with # are none.
 *
 *   expect SECONDS REGEX          waits for output that matches, behind what was matched before; the end if none comes
 *   send TEXT                     types TEXT and Enter
 *   keys TEXT                     types TEXT, in which \e, \r, \t, \\ and \xHH stand for what they do in C
 *   check SECONDS NAME: COMMAND   types a shell command; the check NAME passes when its status is 0
 *   host NAME: COMMAND            the same for a shell command on the host
 *   ok NAME                       the check NAME has passed
 *   serve FILE                    serves FILE over HTTP; {port} in what follows stands for the port
 *   kill                          kills the program with SIGKILL
 *   end SECONDS STATUS            waits until the program has ended, with that exit status (128 + signal)
 *
 * In an order {port} stands for the port of the HTTP server and {now} for the host's time in seconds since 1970; for
 * the host's commands GUEST_PID is the program's process. The environment's PATIENCE multiplies all times. Exit status
 * 0 when every check has passed, 1 when one has not, 2 for a script that makes no sense. Single-threaded; the program
 * dies with console.
 */
#include "http.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX (1 << 20) /* what is kept of output that nothing has matched yet */
#define LINE_MAX   4096

struct console {
	pid_t pid; /* 0 when it has been reaped */
	int status;
	int input, output; /* our ends of its pipes; output is -1 at its end */
	FILE *log;
	char *text; /* output behind the last match, a string without \r and NUL */
	size_t length;
	unsigned count, failed;
	int port;
	double patience;
	double last; /* when the last verdict was */
	const char *log_path;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list arguments;

	fputs("console: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

static void verdict(struct console *c, bool passed, const char *name)
{
	printf("%sok - %s # %.1f s\n", passed ? "" : "not ", name, now() - c->last);
	fflush(stdout);
	c->last = now();
	c->count++;
	c->failed += !passed;
}

/* --- The program --- */

/* Pairs of a reading and a writing end. */
static void make_pipes(int input[2], int output[2])
{
	if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC))
		die("no pipe: %s", strerror(errno));
}

/* A terminal in place of two pipes. */
static void make_terminal(int input[2], int output[2])
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	if (ours < 0 || grantpt(ours) || unlockpt(ours) || ptsname_r(ours, name, sizeof(name)))
		die("no terminal: %s", strerror(errno));
	input[1] = ours;
	output[0] = fcntl(ours, F_DUPFD_CLOEXEC, 0);
	input[0] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	output[1] = fcntl(input[0], F_DUPFD_CLOEXEC, 0);
	if (output[0] < 0 || output[1] < 0 || ioctl(ours, TIOCSWINSZ, &size))
		die("no terminal: %s", strerror(errno));
}

static void start(struct console *c, char *const argv[], bool terminal)
{
	int input[2], output[2];
	char pid[24];

	(terminal ? make_terminal : make_pipes)(input, output);
	c->pid = fork();
	if (c->pid < 0)
		die("no process: %s", strerror(errno));
	if (c->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		if (terminal && (setsid() < 0 || ioctl(STDIN_FILENO, TIOCSCTTY, 0)))
			_exit(127);
		execvp(argv[0], argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	snprintf(pid, sizeof(pid), "%ld", (long)c->pid);
	setenv("GUEST_PID", pid, 1);
	close(input[0]);
	close(output[1]);
	c->input = input[1];
	c->output = output[0];
}

/* Takes in what the program has printed, waiting for it until the deadline. False when nothing came. */
static bool take_output(struct console *c, double deadline)
{
	struct pollfd ready = {.fd = c->output, .events = POLLIN};
	double left = deadline - now();
	char piece[4096];
	ssize_t got;

	if (c->output < 0 || left < 0 || poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
		return false;
	got = read(c->output, piece, sizeof(piece));
	if (got <= 0) {
		close(c->output);
		c->output = -1;
		return false;
	}
	fwrite(piece, 1, (size_t)got, c->log);
	fflush(c->log);
	if (c->length + (size_t)got >= OUTPUT_MAX) {
		memmove(c->text, c->text + OUTPUT_MAX / 2, c->length - OUTPUT_MAX / 2);
		c->length -= OUTPUT_MAX / 2;
	}
	for (ssize_t i = 0; i < got; i++)
		if (piece[i] && piece[i] != '\r')
			c->text[c->length++] = piece[i];
	c->text[c->length] = '\0';
	return true;
}

/* Waits for output that matches and drops it and all before it. The part in parentheses, if any, goes into `part`. */
static bool wait_for(struct console *c, const char *pattern, double seconds, char part[static 32])
{
	double deadline = now() + seconds * c->patience;
	regmatch_t match[2] = {{.rm_so = -1}, {.rm_so = -1}};
	regex_t regex;
	bool found;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE))
		die("'%s' is not a regular expression", pattern);
	while (!(found = !regexec(&regex, c->text, 2, match, 0)) && take_output(c, deadline))
		;
	regfree(&regex);
	if (!found)
		return false;
	if (match[1].rm_so >= 0)
		snprintf(part, 32, "%.*s", (int)(match[1].rm_eo - match[1].rm_so), c->text + match[1].rm_so);
	c->length -= (size_t)match[0].rm_eo;
	memmove(c->text, c->text + match[0].rm_eo, c->length + 1);
	return true;
}

static void type_bytes(struct console *c, const char *text, size_t length)
{
	while (length) {
		ssize_t done = write(c->input, text, length);

		if (done <= 0)
			return; /* the program has ended, which the next wait finds out */
		text += done;
		length -= (size_t)done;
	}
}

static void type(struct console *c, const char *text)
{
	type_bytes(c, text, strlen(text));
}

static void reap(struct console *c)
{
	int status;

	if (!c->pid)
		return;
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	c->pid = 0;
}

/* --- The orders --- */

/* What went wrong makes the rest pointless: shows the console's end and leaves. */
__attribute__((format(printf, 2, 3), noreturn)) static void give_up(struct console *c, const char *format, ...)
{
	char name[LINE_MAX], command[LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	verdict(c, false, name);
	printf("# the end of the console:\n");
	fflush(stdout);
	snprintf(command, sizeof(command), "tail -n 40 '%s' | sed 's/^/#   /'", c->log_path);
	if (system(command))
		printf("# (cannot be shown)\n");
	if (c->pid)
		kill(c->pid, SIGKILL);
	reap(c);
	exit(1);
}

/* Cuts "NAME: REST" in two. */
static char *cut_name(char *text)
{
	char *colon = strstr(text, ": ");

	if (!colon)
		die("'%s': expected NAME: COMMAND", text);
	*colon = '\0';
	return colon + 2;
}

static double cut_seconds(char **text)
{
	char *end;
	double seconds = strtod(*text, &end);

	if (end == *text || !isspace((unsigned char)*end))
		die("'%s': expected a number of seconds", *text);
	*text = end + strspn(end, " ");
	return seconds;
}

static void order_expect(struct console *c, char *text)
{
	double seconds = cut_seconds(&text);
	char part[32];

	if (!wait_for(c, text, seconds, part))
		give_up(c, "%s before '%s' came", c->output < 0 ? "the program ended" : "time ran out", text);
}

static void order_send(struct console *c, char *text)
{
	type(c, text);
	type(c, "\n");
}

static char escaped(char **from)
{
	static const char letters[] = "ert\\", bytes[] = "\x1b\r\t\\";
	char digits[3] = "", letter = *(*from)++;
	const char *at = letter ? strchr(letters, letter) : NULL;

	if (at)
		return bytes[at - letters];
	if (letter != 'x' || !isxdigit((unsigned char)**from) || !isxdigit((unsigned char)(*from)[1]))
		die("'\\%c': expected \\e, \\r, \\t, \\\\ or \\xHH", letter);
	memcpy(digits, *from, 2);
	*from += 2;
	return (char)strtoul(digits, NULL, 16);
}

static void order_keys(struct console *c, char *text)
{
	size_t length = 0;
	char *to = text;

	while (*text) {
		char byte = *text++;

		to[length++] = byte == '\\' ? escaped(&text) : byte;
	}
	type_bytes(c, to, length);
}

/* The mark is typed in two pieces, so that the echo of the command is not taken for it. */
static void order_check(struct console *c, char *text)
{
	double seconds = cut_seconds(&text);
	char *command = cut_name(text), line[2 * LINE_MAX], mark[64], status[32] = "";

	snprintf(line, sizeof(line), "{ %s; }; printf '@%%d:%%d@\\n' %u $?\n", command, c->count);
	snprintf(mark, sizeof(mark), "@%u:([0-9]+)@", c->count);
	type(c, line);
	if (!wait_for(c, mark, seconds, status))
		give_up(c, "%s (%s)", text, c->output < 0 ? "the program ended" : "time ran out");
	verdict(c, !strcmp(status, "0"), text);
	if (strcmp(status, "0"))
		printf("# status %s of: %s\n", status, command);
}

static void order_host(struct console *c, char *text)
{
	char *command = cut_name(text);

	verdict(c, system(command) == 0, text);
}

static void order_ok(struct console *c, char *text)
{
	verdict(c, true, text);
}

static void order_serve(struct console *c, char *text)
{
	c->port = http_serve(text);
	if (c->port < 0)
		die("%s cannot be served: %s", text, strerror(-c->port));
}

static void order_kill(struct console *c, char *text)
{
	(void)text;
	if (c->pid)
		kill(c->pid, SIGKILL);
	reap(c);
}

static void order_end(struct console *c, char *text)
{
	double deadline = now() + cut_seconds(&text) * c->patience;

	while (take_output(c, deadline))
		;
	if (c->output >= 0)
		give_up(c, "the program did not end");
	reap(c);
	if (c->status != atoi(text))
		give_up(c, "the program ended with status %d, expected %s", c->status, text);
}

static const struct {
	const char *name;
	void (*run)(struct console *c, char *text);
} orders[] = {
	{"expect", order_expect}, {"send", order_send}, {"keys", order_keys},
	{"check", order_check},	  {"host", order_host}, {"ok", order_ok},
	{"serve", order_serve},	  {"kill", order_kill}, {"end", order_end},
};

/* Puts the values in place of {port} and {now}. */
static void fill_in(const struct console *c, const char *from, char to[static LINE_MAX])
{
	size_t used = 0;

	while (*from && used < LINE_MAX - 24) {
		if (!strncmp(from, "{port}", 6)) {
			used += (size_t)snprintf(to + used, 24, "%d", c->port);
			from += 6;
		} else if (!strncmp(from, "{now}", 5)) {
			used += (size_t)snprintf(to + used, 24, "%lld", (long long)time(NULL));
			from += 5;
		} else {
			to[used++] = *from++;
		}
	}
	to[used] = '\0';
}

static void obey(struct console *c, const char *raw)
{
	char line[LINE_MAX];

	fill_in(c, raw, line);
	line[strcspn(line, "\n")] = '\0';
	if (!line[0] || line[0] == '#')
		return;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		size_t length = strlen(orders[i].name);

		if (!strncmp(line, orders[i].name, length) && (!line[length] || line[length] == ' '))
			return orders[i].run(c, line + length + strspn(line + length, " "));
	}
	die("'%s': unknown order", line);
}

int main(int argc, char **argv)
{
	struct console c = {.output = -1, .patience = getenv("PATIENCE") ? atof(getenv("PATIENCE")) : 1};
	bool terminal = argc > 1 && !strcmp(argv[1], "-t");
	char line[LINE_MAX];
	FILE *script;

	argc -= terminal;
	argv += terminal;
	if (argc < 4)
		die("expected [-t] LOG SCRIPT COMMAND [ARGUMENTS...]");
	signal(SIGPIPE, SIG_IGN);
	c.log_path = argv[1];
	c.log = fopen(argv[1], "we");
	script = fopen(argv[2], "re");
	c.text = calloc(1, OUTPUT_MAX + 1);
	if (!c.log || !script || !c.text || c.patience <= 0)
		die("%s, %s or PATIENCE: %s", argv[1], argv[2], strerror(errno));
	c.last = now();
	start(&c, argv + 3, terminal);
	while (fgets(line, sizeof(line), script))
		obey(&c, line);
	if (c.pid)
		kill(c.pid, SIGKILL);
	reap(&c);
	fclose(script);
	fclose(c.log);
	free(c.text);
	return c.failed ? 1 : 0;
}
