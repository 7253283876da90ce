/* The demo system that runs when no kernel is named. */
#ifndef BISCUIT_RUN_CRUMB_H
#define BISCUIT_RUN_CRUMB_H

#include <biscuit/types.h>

/*
 * Finds crumb for harts of that width: in $BISCUIT_DATADIR, in the build tree that the program runs from, or where it
 * is installed. -ENOENT with a message that says where it was looked for; *path is to be freed.
 */
BIS_MUST_CHECK int crumb_find(unsigned xlen, char **path);

#endif
