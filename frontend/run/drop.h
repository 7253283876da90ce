/* A file that was dropped onto the window, on its way to the guest. */
#ifndef BISCUIT_RUN_DROP_H
#define BISCUIT_RUN_DROP_H

#include <stddef.h>

#include <biscuit/types.h>

/*
 * Copies the file `path` into the directory of the first share of the machine `arg` that can be written; `told` says
 * what came of it. Nothing is replaced: a name that is taken gets a number. Any thread without locks. -ENOENT (there is
 * no such share), -EISDIR, -errno, with message.
 */
BIS_MUST_CHECK int drop_file(void *arg, const char *path, char *told, size_t size);

#endif
