/* A runner at the other end of two pipes: a machine, or a process of the host. One thread. */
#ifndef MAGICFS_LINK_H
#define MAGICFS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct value {
	char *key, *bytes;
	size_t len;
};

/* One line of an answer. */
struct answer {
	long long result;
	struct value *values;
	size_t count;
	char *line; /* as it came */
	struct answer *next;
};

struct link {
	const char *name;
	pid_t pid;
	int in, out; /* our ends */
	char *text;  /* what has come and was not taken yet */
	size_t len;
	char *log; /* all that came */
	size_t log_len;
	double patience; /* multiplies times */
};

/* Starts a program. It dies with us. */
void link_start(struct link *l, const char *name, char *const argv[]);
/* Waits for a text and drops it and all before it; false when it does not come in time. */
bool link_expect(struct link *l, const char *text, double seconds);
void link_send(struct link *l, const char *line);
/* Sends an order and waits for its answers: NULL when none comes. The answers are freed with link_free. */
struct answer *link_call(struct link *l, const char *order);
void link_free(struct answer *answers);
/* Tells it to quit, ends its input and waits: the exit status, or -1 when it had to be killed. */
int link_end(struct link *l);
/* Prints the last lines that came. */
void link_show(const struct link *l);

#endif
