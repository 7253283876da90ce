/* The inspection files in a build without libfuse3: says so. */
#include <errno.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect.h"

int inspect_mount(struct debug *d, const char *mount_point, const struct inspect_options *options, struct inspect **out)
{
	(void)d;
	(void)options;
	(void)out;
	return bis_fail(ENOSYS, "%s: built without libfuse3 (Debian: libfuse3-dev)", mount_point);
}

void inspect_unmount(struct inspect *in)
{
	(void)in;
}
