/* The keys that biscuit-run keeps for itself in a terminal. */
#ifndef BISCUIT_RUN_ESCAPE_H
#define BISCUIT_RUN_ESCAPE_H

#include <biscuit/types.h>

#define ESCAPE_KEY 0x01 /* Ctrl-A */

enum escape_action { ESCAPE_NONE, ESCAPE_QUIT, ESCAPE_HELP };

/* Zero-initialised: no escape key was pressed yet. */
struct escape {
	bool pending;
};

/*
 * Takes the escape sequences out of `buf` in place: Ctrl-A x, Ctrl-A h, and Ctrl-A Ctrl-A, which leaves one. Another
 * key behind Ctrl-A is dropped. Returns how many bytes are left; *action is the last one asked for, and behind
 * ESCAPE_QUIT nothing is looked at.
 */
size_t escape_filter(struct escape *e, uint8_t *buf, size_t len, enum escape_action *action);

#endif
