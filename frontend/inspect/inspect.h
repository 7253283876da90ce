/*
 * The machine as files: a FUSE mount that shows and changes a machine, docs/inspect.md. Needs libfuse3; a build without
 * it has the same functions, which fail.
 */
#ifndef BISCUIT_FRONTEND_INSPECT_H
#define BISCUIT_FRONTEND_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include <biscuit/types.h>

#include "frontend/debug/debug.h"

struct inspect;

struct inspect_options {
	bool allow_other; /* other users may read; they may not write */
	bool readonly;	  /* nothing can be changed through the mount */
	const char *version;
	/*
	 * Gives the device tree that the guest was started with, in malloc'ed memory; NULL: one is built of the
	 * machine's modules. Any thread, without locks held.
	 */
	int (*device_tree)(void *arg, void **blob, size_t *size);
	void *device_tree_arg;
};

/*
 * Mounts the files of debug_machine(d) on an existing, empty directory and serves them on threads of its own, until
 * inspect_unmount; the mount of a process that was killed is cleared away first. `options` (may be NULL) is copied,
 * `version` too; `d` stays the caller's and outlives the mount. -ENOSYS (built without libfuse3), -ENOENT, -ENOTDIR,
 * -ENOTEMPTY, -EBUSY (a live file system is mounted there), -ENODEV (no /dev/fuse), -EPERM, -ENOMEM, each with message.
 */
BIS_MUST_CHECK int inspect_mount(struct debug *d, const char *mount_point, const struct inspect_options *options,
				 struct inspect **out);
/*
 * Ends what waits in the files, takes the mount away (also if it is in use, or was unmounted by others) and frees
 * everything. Before bis_machine_destroy, without the control lock. NULL is allowed.
 */
void inspect_unmount(struct inspect *in);

#endif
