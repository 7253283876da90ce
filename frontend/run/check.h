/* --engine check: the same guest on two engines in lockstep. */
#ifndef BISCUIT_RUN_CHECK_H
#define BISCUIT_RUN_CHECK_H

#include "frontend/run/options.h"

/* Is that what the option asks for? */
bool check_is_meant(const char *engine);
/*
 * Runs the guest on the engine under test and, in a machine of its own without console, on the reference engine; one
 * hart, virtual time. Compares registers, CSRs and memory again and again. The guest's exit status, or
 * RUN_STATUS_FAILED after the first difference, which is printed.
 */
int check_guest(const struct run_options *o);

#endif
