/* Snapshots: snapshots/new is the machine as it is when the file is opened, so that cp keeps it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <biscuit/error.h>
#include <biscuit/snapshot.h>

#include "frontend/inspect/inspect_internal.h"

static int open_new(struct inspect *in, const struct inspect_node *n, int *fd)
{
	int file = memfd_create("snapshot", MFD_CLOEXEC);
	int err;

	(void)n;
	if (file < 0)
		return bis_fail(errno, "cannot make a file for the snapshot: %s", strerror(errno));
	err = bis_snapshot_write(in->machine, file, NULL);
	if (err) {
		close(file);
		return err;
	}
	*fd = file;
	return 0;
}

static const struct inspect_type new_type = {.kind = INSPECT_TEXT, .open_fd = open_new};

static const struct inspect_row rows[] = {
	{"new", &new_type, NULL},
	{0},
};

const struct inspect_type inspect_snapshots_type = {.kind = INSPECT_DIR, .rows = rows};
