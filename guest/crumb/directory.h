/* Reading a directory. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "files.h"

struct directory {
	struct magicfs_list list;
	int64_t error; /* why it ended early; 0: it did not */
};

/* Opens a directory; flags: MAGICFS_ATTRIBUTES or 0. 0 or an error. */
int64_t directory_open(struct directory *d, const char *path, uint32_t flags);

/* The same for a handle that is open already. When all is read, the page d->list.buffer is to be freed. */
int64_t directory_begin(struct directory *d, uint32_t handle, uint32_t flags);

/* The next entry, "." and ".." left out, or NULL: the end, or an error. It stays valid until the next call. */
const struct magicfs_entry *directory_next(struct directory *d);

void directory_close(struct directory *d);

#endif
