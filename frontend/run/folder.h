/* --linux: a folder with a Linux guest. */
#ifndef BISCUIT_RUN_FOLDER_H
#define BISCUIT_RUN_FOLDER_H

#include "frontend/run/options.h"

/*
 * Fills what the options leave open from the folder that --linux names: kernel, initial RAM disk, the kernel's command
 * line, memory. Nothing happens without --linux. -ENOENT, -EINVAL with message.
 */
BIS_MUST_CHECK int folder_complete(struct run_options *o);

#endif
