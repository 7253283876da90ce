/*
 * Signals that end or stop the process, served by a thread of their own: the machine gets the time to stop in order,
 * the terminal is restored, and the process ends the way the signal says.
 */
#ifndef BISCUIT_RUN_SIGNALS_H
#define BISCUIT_RUN_SIGNALS_H

#include <biscuit/machine.h>

struct signals;

/*
 * Blocks the signals for the calling thread and all that it makes from now on, and starts serving them. To be called
 * before any other thread exists. -errno with message.
 */
BIS_MUST_CHECK int signals_start(struct signals **out);
/*
 * From now on a signal asks `m` to stop, with BIS_STOP_HOST and the status 128 + signal, and ends the process itself
 * only when that takes more than two seconds or a second signal comes. NULL: no machine, a signal ends the process at
 * once.
 */
void signals_watch_machine(struct signals *s, struct bis_machine *m);
/* Stops serving; NULL is allowed. The signals stay blocked. */
void signals_end(struct signals *s);

/* Restores the terminal and ends the process by the signal's default action. Does not return. */
_Noreturn void signals_die(int sig);

#endif
