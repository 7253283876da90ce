/*
 * Signals that end or stop the process, served by a thread of their own: the machine gets the time to stop in order,
 * the terminal is restored, and the process ends the way the signal says.
 */
#ifndef BISCUIT_RUN_SIGNALS_H
#define BISCUIT_RUN_SIGNALS_H

#include <biscuit/machine.h>

struct signals;

/*
 * Blocks the signals for the calling thread and all that it makes from now on, and starts serving them: the process is
 * expected to clean up and to end with signals_die; when that takes more than two seconds or a second signal comes, it
 * is ended here. To be called before any other thread exists. -errno with message.
 */
BIS_MUST_CHECK int signals_start(struct signals **out);
/*
 * From now on a signal asks `m` to stop, with BIS_STOP_HOST and the status 128 + signal. NULL: there is no machine to
 * ask. Returns the signal that has come already, 0 if none has.
 */
int signals_watch_machine(struct signals *s, struct bis_machine *m);
/* Stops serving; the signals stay blocked. Returns the signal that has come, 0 if none has. NULL is allowed. */
int signals_end(struct signals *s);

/* Restores the terminal and ends the process by the signal's default action. Does not return. */
_Noreturn void signals_die(int sig);

#endif
