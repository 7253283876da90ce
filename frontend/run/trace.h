/* Execution trace: a line for each instruction of each hart. */
#ifndef BISCUIT_RUN_TRACE_H
#define BISCUIT_RUN_TRACE_H

#include <biscuit/machine.h>

struct trace;

/* Opens `path` for writing; NULL is standard error. -errno with message. */
BIS_MUST_CHECK int trace_open(const char *path, struct trace **out);
/* Writes what waits and closes; NULL is allowed. After the machine has stopped. */
void trace_close(struct trace *t);
/* For bis_machine_config.trace; `arg` is the trace. */
void trace_step(void *arg, struct bis_hart *h);

#endif
