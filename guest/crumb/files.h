/*
 * Files: directories of the host, through MagicFS (docs/magicfs.md).
 *
 * Whoever includes this header has all of the SDK's client, magicfs_open(), magicfs_read() and so on, with one thing
 * changed: the task sleeps while the host works, and others run. A path goes through path_find() first.
 */
#ifndef FILES_H
#define FILES_H

struct magicfs_request;

/* Carries out a request: posts it and sleeps until it is done. The idle task, which must not sleep, has it done at
 * once. A task that is killed meanwhile gets -MAGICFS_EINTR from what waits for events and from whatever it begins
 * afterwards, so that it comes to its end; only what gives something back is still done. */
long long files_do(struct magicfs_request *request);
#define MAGICFS_DO(request) files_do(request)

#include "paths.h"
#include <magicfs.h>
#include <stdbool.h>

/* Looks for MagicFS. Called once, before anything below. */
void files_start(void);

/* How many directories of the host there are to be used, at most MAGICFS_SHARES_MAX, and what they are called. */
unsigned files_shares(void);
const char *files_share_name(unsigned share);
bool files_share_is_readonly(unsigned share);

/* Opens what is at a path: a handle, or an error. Flags: enum magicfs_open, MAGICFS_NOFOLLOW; `mode` for what it makes.
 */
int64_t files_open(const char *path, uint32_t flags, uint32_t mode);

/* What is at a path: 0 or an error; a link as the last component is followed or not. Also of /, where several shares
 * are. */
int64_t files_stat(const char *path, bool follow, struct magicfs_stat *out);

static inline bool is_directory(const struct magicfs_stat *s)
{
	return (s->mode & MAGICFS_TYPE) == MAGICFS_DIRECTORY;
}

static inline bool is_link(const struct magicfs_stat *s)
{
	return (s->mode & MAGICFS_TYPE) == MAGICFS_SYMBOLIC_LINK;
}

/* An error in words. */
const char *files_describe(int64_t error);

/* "command: path: what is wrong", on the console; of a name that is not there also the nearest one that is. */
void files_complain(const char *command, const char *path, int64_t error);

#endif
