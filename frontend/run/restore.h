/* --restore: a machine from a snapshot. Runs on the main thread. */
#ifndef BISCUIT_RUN_RESTORE_H
#define BISCUIT_RUN_RESTORE_H

#include <stdio.h>

#include <biscuit/machine.h>

#include "frontend/run/options.h"
#include "frontend/run/trace.h"
#include "frontend/run/translations.h"

/*
 * Makes the machine that o->restore describes, with all its modules but the console's back end, which is that of
 * o->console, and restores it: paused afterwards. `trace` and `log` as in machine_create. -errno with message; the
 * machine is the caller's, if there is one, in any case.
 */
BIS_MUST_CHECK int restore_machine(const struct run_options *o, struct trace *trace, struct translations *translations,
				   FILE *log, struct bis_machine **out, struct bis_module **console);

#endif
