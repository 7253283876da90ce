/*
 * How every call of magicfs/mfs.h begins: it is counted, and what can be checked without the host is checked. Any
 * thread.
 */
#ifndef BISCUIT_MAGICFS_MFS_CHECK_H
#define BISCUIT_MAGICFS_MFS_CHECK_H

#include "magicfs/mfs.h"

/* Counts a call. */
void mfs_count_call(struct mfs *fs);
/* Counts a call and checks the lengths of the path and of its components: -ENAMETOOLONG. */
BIS_MUST_CHECK int mfs_begin(const struct mfs_at *at);
/* The same for a call that changes something: -EROFS. */
BIS_MUST_CHECK int mfs_begin_change(const struct mfs_at *at);
/* The same for one that makes the name: -EEXIST if it cannot but exist. */
BIS_MUST_CHECK int mfs_begin_make(const struct mfs_at *at);
/* The same for one that takes the name away: "." and ".." have none to take, and are told so with `dot` and `dotdot`.
 */
BIS_MUST_CHECK int mfs_begin_take(const struct mfs_at *at, int dot, int dotdot);
/* Counts a call on an open regular file: 0 if it is open for the access (MFS_READ or MFS_WRITE). -EBADF, -EISDIR. */
BIS_MUST_CHECK int mfs_begin_file(const struct mfs_node *node, unsigned access);
/* The same for a change of the file: -EROFS. */
BIS_MUST_CHECK int mfs_begin_file_change(const struct mfs_node *node);

#endif
