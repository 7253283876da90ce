/*
 * --trace: what the guest does, a line for each thing, to a file or to standard error. docs/trace.md describes both the
 * option and the lines.
 */
#ifndef BISCUIT_RUN_TRACE_H
#define BISCUIT_RUN_TRACE_H

#include <biscuit/machine.h>

#include "frontend/run/options.h"

struct debug;
struct trace;

/* Is it a value of the option, as far as one can tell without a machine? -EINVAL with message. */
BIS_MUST_CHECK int trace_check(const char *value);
/* Reads all values of the option and opens the file. -errno with message. */
BIS_MUST_CHECK int trace_open(const struct run_words *values, struct trace **out);
/* What the machine is to be made with: nothing for NULL. */
struct bis_observer trace_observer(struct trace *t);
/*
 * Finds what the filters name, in a machine that has its modules and not started; `d` gives the symbols and outlives
 * the machine's last instruction. -errno with message.
 */
BIS_MUST_CHECK int trace_start(struct trace *t, struct bis_machine *m, const struct debug *d);
/* Writes what waits and closes; NULL is allowed. When no hart runs any more. */
void trace_close(struct trace *t);

#endif
