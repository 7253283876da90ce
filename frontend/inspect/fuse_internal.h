/* What the files about the mount share. Only these know of libfuse3. */
#ifndef BISCUIT_INSPECT_FUSE_INTERNAL_H
#define BISCUIT_INSPECT_FUSE_INTERNAL_H

#include <sys/stat.h>

#include "frontend/inspect/inspect_internal.h"

struct fuse_session;
struct fuse_lowlevel_ops;

/* What is answered, with a struct inspect as the session's data. */
extern const struct fuse_lowlevel_ops inspect_fuse_ops;

/* --- Directories: their names as of opendir (listing.c) --- */

struct inspect_listing {
	struct inspect_listing *next, **place; /* in->lock */
	struct inspect_entry {
		char name[INSPECT_NAME_MAX];
		mode_t mode;
	} * at;
	size_t count, capacity;
};

/* The names of a directory; NULL: no memory. */
struct inspect_listing *inspect_listing_open(struct inspect *in, struct inspect_node *n);
void inspect_listing_close(struct inspect *in, struct inspect_listing *l);
/* Closes those that were open when the mount went. */
void inspect_listings_close(struct inspect *in);

/* --- Threads that serve a session (loop.c) --- */

struct inspect_loop;

BIS_MUST_CHECK int inspect_loop_start(struct fuse_session *se, struct inspect_loop **out);
/* No request is taken any more, and all that were are answered, but for those that wait for a stream. Frees the loop.
 */
void inspect_loop_stop(struct inspect_loop *l);

/* --- Mount points (mount_point.c) --- */

/*
 * Sees to it that a file system can be mounted at `path`: takes a dead mount away, and checks what is there. *real is
 * the path without links, malloc'ed. Errors as inspect_mount.
 */
BIS_MUST_CHECK int inspect_prepare_mount_point(const char *path, char **real);
/* Is there a program fusermount3? It mounts for ordinary users, and unmounts when a process has died. */
bool inspect_have_fusermount(void);

#endif
