/* Runners and what they say (link.h, words.h). */
#include "link.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536, ANSWER_SECONDS = 60, SHOWN = 4000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "conform: %s: %s\n", what, strerror(errno));
	exit(2);
}

void link_start(struct link *l, const char *name, char *const argv[])
{
	const char *patience = getenv("PATIENCE");
	int in[2], out[2];

	*l = (struct link){.name = name, .patience = patience ? strtod(patience, NULL) : 1};
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("no pipe");
	l->pid = fork();
	if (l->pid < 0)
		die("no process");
	if (l->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execvp(argv[0], argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	l->in = in[1];
	l->out = out[0];
}

static void append(char **text, size_t *len, const char *bytes, size_t count)
{
	*text = realloc(*text, *len + count + 1);
	if (!*text)
		abort();
	memcpy(*text + *len, bytes, count);
	*len += count;
	(*text)[*len] = '\0';
}

/* Takes in what has come, waiting for it until the deadline. */
static bool take_in(struct link *l, double deadline)
{
	struct pollfd ready = {.fd = l->out, .events = POLLIN};
	double left = deadline - now();
	char piece[PIECE];
	ssize_t got;

	if (l->out < 0 || left < 0 || poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
		return false;
	got = read(l->out, piece, sizeof(piece));
	if (got <= 0) {
		close(l->out);
		l->out = -1;
		return false;
	}
	append(&l->text, &l->len, piece, (size_t)got);
	append(&l->log, &l->log_len, piece, (size_t)got);
	return true;
}

static void drop(struct link *l, size_t count)
{
	l->len -= count;
	memmove(l->text, l->text + count, l->len + 1);
}

bool link_expect(struct link *l, const char *text, double seconds)
{
	double deadline = now() + seconds * l->patience;
	const char *found;

	while (!(found = l->text ? memmem(l->text, l->len, text, strlen(text)) : NULL))
		if (!take_in(l, deadline))
			return false;
	drop(l, (size_t)(found - l->text) + strlen(text));
	return true;
}

void link_send(struct link *l, const char *line)
{
	char *all = NULL;
	size_t len = 0;

	append(&all, &len, line, strlen(line));
	append(&all, &len, "\n", 1);
	for (size_t at = 0; at < len;) {
		ssize_t done = write(l->in, all + at, len - at);

		if (done <= 0)
			break; /* it has ended, which the next wait finds out */
		at += (size_t)done;
	}
	free(all);
}

/* The next whole line, to be freed; NULL when none comes. */
static char *take_line(struct link *l, double deadline)
{
	char *end, *line;

	while (!(end = l->len ? memchr(l->text, '\n', l->len) : NULL))
		if (!take_in(l, deadline))
			return NULL;
	line = strndup(l->text, (size_t)(end - l->text));
	drop(l, (size_t)(end - l->text) + 1);
	return line;
}

static void add_value(struct answer *a, const char *key, size_t key_len, const char **at)
{
	static uint8_t *room;
	struct value *v;

	if (!room && !(room = malloc(PIECE)))
		abort();
	a->values = realloc(a->values, (a->count + 1) * sizeof(*v));
	if (!a->values)
		abort();
	v = &a->values[a->count++];
	v->key = strndup(key, key_len);
	if (**at == '\'') {
		if (!word_text(at, room, PIECE, &v->len))
			v->len = 0;
	} else {
		v->len = strcspn(*at, " \r");
		memcpy(room, *at, v->len);
		*at += v->len;
	}
	v->bytes = malloc(v->len + 1);
	if (!v->bytes)
		abort();
	memcpy(v->bytes, room, v->len);
	v->bytes[v->len] = '\0';
}

static struct answer *parse(char *line)
{
	struct answer *a = calloc(1, sizeof(*a));
	const char *at = line + 1;

	if (!a)
		abort();
	a->line = line;
	a->result = word_number(&at);
	while (*at == ' ') {
		const char *key = ++at;

		at += strcspn(at, "= ");
		if (*at != '=')
			break;
		at++;
		add_value(a, key, (size_t)(at - 1 - key), &at);
	}
	return a;
}

struct answer *link_call(struct link *l, const char *order)
{
	double deadline = now() + ANSWER_SECONDS * l->patience;
	struct answer *first = NULL, **last = &first;
	char *line;

	link_send(l, order);
	while ((line = take_line(l, deadline))) {
		if (!strncmp(line, "@.", 2)) {
			free(line);
			return first;
		}
		if (line[0] == '@') {
			*last = parse(line);
			last = &(*last)->next;
		} else {
			free(line); /* what others say on the console */
		}
	}
	link_free(first);
	return NULL;
}

void link_free(struct answer *answers)
{
	while (answers) {
		struct answer *next = answers->next;

		for (size_t i = 0; i < answers->count; i++) {
			free(answers->values[i].key);
			free(answers->values[i].bytes);
		}
		free(answers->values);
		free(answers->line);
		free(answers);
		answers = next;
	}
}

int link_end(struct link *l)
{
	double deadline = now() + 30 * l->patience;
	int status = 0;
	bool ended;

	link_send(l, "quit");
	close(l->in);
	while (take_in(l, deadline))
		;
	ended = l->out < 0;
	if (!ended)
		kill(l->pid, SIGKILL);
	waitpid(l->pid, &status, 0);
	free(l->text);
	l->text = NULL;
	return !ended ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void link_show(const struct link *l)
{
	size_t from = l->log_len > SHOWN ? l->log_len - SHOWN : 0;
	const char *at = l->log ? l->log + from : "";

	printf("# the last that %s said:\n", l->name);
	while (*at) {
		size_t len = strcspn(at, "\n");

		printf("#   %.*s\n", (int)(len < 300 ? len : 300), at);
		at += len + (at[len] == '\n');
	}
}
