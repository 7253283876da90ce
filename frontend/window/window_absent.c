/* A build without SDL2 and its companions; see window.h. */
#include "frontend/window/window.h"

#include <errno.h>

#include <biscuit/error.h>

int window_start(struct debug *d, const struct window_options *options, struct window **out)
{
	(void)d, (void)options, (void)out;
	return bis_fail(ENOSYS, "this biscuit-run was built without SDL2");
}

void window_stop(struct window *w)
{
	(void)w;
}
