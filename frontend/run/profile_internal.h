/* What the files of --profile share. */
#ifndef BISCUIT_RUN_PROFILE_INTERNAL_H
#define BISCUIT_RUN_PROFILE_INTERNAL_H

#include <stdio.h>

#include <biscuit/hart.h>
#include <biscuit/types.h>

#define PROFILE_DEPTH 64

/* A frame: a symbol, or where there is none the page that the address lies in. */
struct profile_frame {
	const char *symbol; /* of the struct debug */
	uint64_t page;	    /* 0 with a symbol */
};

/* A call stack of a hart, innermost first, and how often it was seen. No frames: the hart sleeps. */
struct profile_stack {
	struct profile_stack *next; /* of the same bucket */
	uint64_t count;
	unsigned hart, depth;
	enum bis_priv priv;
	struct profile_frame frames[];
};

/* All stacks seen. Whoever has it guards it. */
struct profile_table {
	struct profile_stack *buckets[4096];
	size_t stacks;
	uint64_t samples, idle, lost; /* lost: there was no memory for the stack */
};

void profile_table_add(struct profile_table *t, unsigned hart, enum bis_priv priv, const struct profile_frame *frames,
		       unsigned depth, uint64_t count);
void profile_table_free(struct profile_table *t);
/* Collapsed stacks, the most frequent first: "hart0;S;main;loop 123". -errno with message. */
BIS_MUST_CHECK int profile_table_write(const struct profile_table *t, FILE *to);
/* The innermost symbols that were seen most, as messages on standard error. */
void profile_table_print(const struct profile_table *t, const char *path);

#endif
