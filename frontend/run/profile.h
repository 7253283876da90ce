/*
 * --profile: where the guest spends its time, by samples of each hart's program counter and callers. docs/trace.md
 * describes the option and the file.
 */
#ifndef BISCUIT_RUN_PROFILE_H
#define BISCUIT_RUN_PROFILE_H

#include <biscuit/machine.h>

struct debug;
struct profile;

/* The value FILE[,rate=HZ]; NULL is all defaults. Is it one? -EINVAL with message. */
BIS_MUST_CHECK int profile_check(const char *value);
/*
 * Opens the file and samples from now on the harts of `m` whenever it runs. `d` gives the symbols; both outlive
 * profile_stop. -errno with message.
 */
BIS_MUST_CHECK int profile_start(const char *value, struct bis_machine *m, const struct debug *d, struct profile **out);
/* Takes no more samples, writes the file and prints what took longest; NULL is allowed. Not on a hart's thread. */
void profile_stop(struct profile *p);

#endif
