/* --window and --vnc: the guest's screen, on this desktop or over the network. Runs on the main thread. */
#ifndef BISCUIT_RUN_SCREEN_H
#define BISCUIT_RUN_SCREEN_H

#include <biscuit/machine.h>

#include "frontend/debug/debug.h"
#include "frontend/run/guest.h"
#include "frontend/run/options.h"

struct screen {
	struct bis_machine *machine;
	struct window *window;
	struct vnc *vnc;
};

/* Reads the values of --window (NULL: none) and --vnc into the options. -EINVAL or -ENOMEM with message. */
BIS_MUST_CHECK int screen_read_window(struct run_options *o, const char *value);
BIS_MUST_CHECK int screen_read_vnc(struct run_options *o, const char *value);

/*
 * Opens what the user asked for, on a machine that has its modules and its guest and has not started. Where there is no
 * desktop the guest runs without a window, and a line says so. -errno with message; screen_stop in any case.
 */
BIS_MUST_CHECK int screen_start(struct screen *s, const struct run_options *o, struct debug *d, const struct guest *g);
/* Closes it, before the machine goes. */
void screen_stop(struct screen *s);

#endif
