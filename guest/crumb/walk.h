/* Going through a directory and all that is below it. */
#ifndef WALK_H
#define WALK_H

#include "files.h"

enum walk_moment {
	WALK_ENTER, /* a directory, before what is in it */
	WALK_LEAVE, /* the same directory, after that */
	WALK_OTHER, /* all else */
};

/* Called for each thing. `path` begins as the path given to walk() did. Anything but 0 ends the walk. */
typedef int64_t (*walk_visit)(void *context, const char *path, const struct magicfs_stat *stat, enum walk_moment when);

/* Visits what is at a path and, if that is a directory, everything below it; links are not followed. What visit()
 * returned last, or why the walk could not go on; in that case `failed`, PATH_SIZE bytes, says where. */
int64_t walk(const char *path, walk_visit visit, void *context, char *failed);

#endif
