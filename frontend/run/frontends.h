/* What looks at the machine from outside: the files of --mount, the server of --gdb, the screen. Runs on the main
 * thread. */
#ifndef BISCUIT_RUN_FRONTENDS_H
#define BISCUIT_RUN_FRONTENDS_H

#include "frontend/debug/debug.h"
#include "frontend/run/guest.h"
#include "frontend/run/options.h"
#include "frontend/run/profile.h"
#include "frontend/run/screen.h"
#include "frontend/run/trace.h"

struct frontends {
	struct bis_machine *machine;
	struct guest *guest;
	struct debug *debug;
	struct inspect *inspect;
	struct gdb *gdb;
	struct profile *profile;
	struct screen screen;
};

/*
 * Starts those that the user asked for and the trace (NULL: none), on a machine that has its modules and its guest and
 * has not started. With --gdb it will stop before the guest's first instruction. -errno with message; frontends_stop in
 * any case.
 */
BIS_MUST_CHECK int frontends_start(struct frontends *f, const struct run_options *o, struct bis_machine *m,
				   struct guest *g, struct trace *trace);
/* Ends them all, before the machine goes. */
void frontends_stop(struct frontends *f);
/* Frees what the trace's last lines needed, when the machine is gone. */
void frontends_free(struct frontends *f);

#endif
