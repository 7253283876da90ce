/* Time and the timer interrupt. Times are ticks of the time register since the machine started. */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define NEVER UINT64_MAX

/* M-mode, once: does S-mode have a timer of its own (the Sstc extension)? If so, it is switched on. */
bool timer_probe_sstc(void);

/* Did timer_probe_sstc() find one? */
bool timer_has_sstc(void);

/* Ends a pending timer interrupt and asks for one at `when` (NEVER: for none). */
void timer_set(uint64_t when);

uint64_t milliseconds_to_ticks(uint64_t milliseconds);
uint64_t ticks_to_microseconds(uint64_t ticks);

#endif
