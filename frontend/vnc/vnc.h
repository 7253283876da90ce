/*
 * The display and its input over VNC, by libvncserver, on a thread of its own; a build without it has the same
 * functions, which fail.
 */
#ifndef BISCUIT_FRONTEND_VNC_H
#define BISCUIT_FRONTEND_VNC_H

#include "frontend/debug/debug.h"

struct vnc;

struct vnc_options {
	const char *address;	   /* ":N" or "127.0.0.1:N": display N of this host, TCP port 5900+N; this host alone */
	const char *password_file; /* its first line, at most 8 characters count; NULL: no password */
	const char *title;
};

/* -ENOSYS (built without), -EINVAL, -EADDRINUSE, … with message. */
BIS_MUST_CHECK int vnc_start(struct debug *d, const struct vnc_options *options, struct vnc **out);
/* Before bis_machine_destroy, without locks. NULL is allowed. */
void vnc_stop(struct vnc *v);

#endif
