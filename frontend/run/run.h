/* Running a guest from start to end. */
#ifndef BISCUIT_RUN_RUN_H
#define BISCUIT_RUN_RUN_H

#include "frontend/run/options.h"

/*
 * Runs the guest that the options describe and returns the exit status: the guest's, or one of enum run_status after a
 * message. Ends the process by a signal where the machine stopped for one. `stdout_closed`: there is no standard
 * output.
 */
int run_guest(const struct run_options *o, bool stdout_closed);

#endif
