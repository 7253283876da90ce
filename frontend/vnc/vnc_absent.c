/* A build without libvncserver; see vnc.h. */
#include "frontend/vnc/vnc.h"

#include <errno.h>

#include <biscuit/error.h>

int vnc_start(struct debug *d, const struct vnc_options *options, struct vnc **out)
{
	(void)d, (void)options, (void)out;
	return bis_fail(ENOSYS, "this biscuit-run was built without libvncserver");
}

void vnc_stop(struct vnc *v)
{
	(void)v;
}
