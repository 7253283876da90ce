/* What the files about the mount share. Only these know of libfuse3. */
#ifndef BISCUIT_INSPECT_FUSE_INTERNAL_H
#define BISCUIT_INSPECT_FUSE_INTERNAL_H

#include "frontend/inspect/inspect_internal.h"

struct fuse_session;
struct fuse_lowlevel_ops;

/* What is answered, with a struct inspect as the session's data. */
extern const struct fuse_lowlevel_ops inspect_fuse_ops;
/* Closes the directories that were open when the mount went. */
void inspect_close_listings(struct inspect *in);

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
