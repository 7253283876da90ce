/*
 * Random operations on a tree, the same for the same seed wherever they are carried out: in a guest on a share, and on
 * the host on a second directory, whose tree and results must then be the same, byte for byte. Each task works in a
 * directory of its own, t0, t1, ..., and on names of its own in the directory `common`, so that the order among tasks
 * does not matter.
 */
#ifndef MAGICFS_STRESS_H
#define MAGICFS_STRESS_H

#include "face.h"

enum {
	STRESS_MAX = 1 << 17,  /* operations of a task in one round */
	STRESS_SPACE = 1 << 0, /* with allocate and copy, which Linux's 9P does not pass on */
	STRESS_MAP = 1 << 1,   /* with maps that go to the file, which Linux has with a cache alone */
};

struct stress_result {
	unsigned count;		     /* operations done */
	uint16_t digest[STRESS_MAX]; /* of each operation's result and what it gave */

	/* Of a replay: where it first went another way. */
	uint16_t expected[STRESS_MAX];
	bool different;
	unsigned number;
	char what[256];
	int64_t result;
};

struct stress_order {
	uint64_t seed;
	unsigned features; /* STRESS_SPACE */
	unsigned most;	   /* operations; at most STRESS_MAX */
	uint64_t until;	   /* port_milliseconds() to end at; 0: after `most` */
	/* Unless NULL told of each operation, in words, and its result. */
	void (*tell)(void *context, unsigned number, const char *what, int64_t result);
	void *context;
};

/* Makes what the tasks work in, below handle 1: 0 or the error. */
int64_t stress_prepare(struct call *c, unsigned tasks);
/* One task's round. `c` has room for data. */
void stress_run(const struct stress_order *order, unsigned task, struct call *c, struct stress_result *result);

#endif
