/* Putting a machine together from the command line. */
#ifndef BISCUIT_RUN_MACHINE_H
#define BISCUIT_RUN_MACHINE_H

#include <stdio.h>

#include <biscuit/machine.h>

#include "frontend/run/guest.h"
#include "frontend/run/options.h"
#include "frontend/run/trace.h"
#include "frontend/run/translations.h"

/*
 * A machine without any module that knows all classes of the program. `isa` NULL: the default. `trace`,
 * `translations` and `log` may be NULL. Errors as bis_machine_create.
 */
BIS_MUST_CHECK int machine_create(const struct run_options *o, const char *isa, struct trace *trace,
				  struct translations *translations, FILE *log, struct bis_machine **out);
/* Loads the shared objects that --module names, without adding instances. */
BIS_MUST_CHECK int machine_load_objects(struct bis_machine *m, const struct run_options *o);
/* Adds the board, firmware, drives, networks, shares, what --module asks for, and what such a guest makes use of. */
BIS_MUST_CHECK int machine_add_modules(struct bis_machine *m, const struct run_options *o, const struct guest *g);
/* Adds the console's back end. */
BIS_MUST_CHECK int machine_add_console(struct bis_machine *m, const struct run_options *o, struct bis_module **out);

#endif
