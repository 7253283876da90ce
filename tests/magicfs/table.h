/*
 * The table of cases, a text file:
 *
 *   case NAME: what it shows
 *     only FACE: why                    runs on that face alone
 *     on SHARE                          in that share instead of `rw`
 *     needs WHAT                        root, user (not root), or mount: root who may mount
 *     cached: why                       runs on Linux with a cache, and not without
 *     uncached: why                     never runs with a cache, as if the host stepped in after the guest has begun
 *     WHO OPERATION ARGUMENTS => EXPECTED
 *     WHO repeat N OPERATION ...        N times (Linux, which is slow, a tenth); each kind of answer must be expected
 *     WHO background OPERATION ; ...    again and again until `WHO stop`
 *
 * WHO is host (real system calls on the shared directory) or guest, also by the face that it has: native, 9p, local
 * (the host as its own guest, which shows that the table is right), magicfs (native and 9p), linux (9p and local).
 * Operations are those of ops.def. A word is plain, "quoted" with the escapes of C, a quoted text "x"*N, or
 * ~SEED:LENGTH (words.h); several make one when nothing is between them. A path starts in the case's directory, @H/path
 * from handle H, @H is the handle itself. In texts $OUT is the path of a directory beside the shares. Words of
 * keywords.def are numbers, also joined by commas.
 *
 * EXPECTED: nothing (no error), or one of, with | between: a number, an error's name, "data", ok, names NAME... (all of
 * them, in any order), has NAME..., lacks NAME..., or fields KEY=VALUE KEY!=VALUE KEY<VALUE KEY>VALUE, where the VALUE
 * :x is kept at first and compared afterwards.
 */
#ifndef MAGICFS_TABLE_H
#define MAGICFS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum { FACE_NATIVE = 1, FACE_9P = 2, FACE_LOCAL = 4, FACE_MAGICFS = 3, FACE_LINUX = 6, FACE_ALL = 7 };

struct word {
	char *bytes; /* what it stands for, with a NUL behind it that does not count */
	size_t len;
	char *wire;  /* as a guest reads it (words.h) */
	bool quoted; /* all of it is */
	struct word *next;
};

enum step_kind { STEP_CALL, STEP_BACKGROUND, STEP_STOP };

struct step {
	enum step_kind kind;
	bool host;
	unsigned faces;
	char *order;	       /* the line for the runner */
	unsigned times;	       /* that it is done */
	bool changes;	       /* something that others see */
	struct word *expected; /* words */
	const char *file;
	unsigned line;
	const char *text; /* as written */
	struct step *next;
};

struct test_case {
	char *name, *title;
	const char *share;
	unsigned faces;
	const char *needs;  /* NULL: nothing */
	bool cached, mixed; /* runs with a cache alone; never, as when the host steps in after the guest has begun */
	struct step *steps;
	struct test_case *next;
};

/* Reads a file's cases behind those that there are; dies with a message where it makes no sense. `out` is for $OUT. */
void table_read(const char *file, const char *out, struct test_case **cases);

#endif
