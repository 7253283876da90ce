/*
 * The terminal in raw mode, and back. A process has one controlling terminal and signal handlers have no argument, so
 * this is the one part with state of the process.
 */
#ifndef BISCUIT_RUN_TERMINAL_H
#define BISCUIT_RUN_TERMINAL_H

#include <biscuit/types.h>

/*
 * Remembers the settings of the terminal `fd` and sees to it that they come back when the process crashes (SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL, SIGABRT) or calls exit. -ENOTTY, -errno. Main thread, once.
 */
BIS_MUST_CHECK int terminal_open(int fd);
/* Raw mode: keys go to the guest one by one, unchanged. Nothing happens unless opened and in the foreground. */
void terminal_raw(void);
/* The settings of terminal_open come back. Any thread; async-signal-safe; may be called again and again. */
void terminal_restore(void);

#endif
