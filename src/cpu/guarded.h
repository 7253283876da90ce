/*
 * Accesses to host memory that may vanish: pages of a mapped file that becomes shorter raise SIGBUS on the host, which
 * here is an answer instead of an end.
 */
#ifndef BISCUIT_CPU_GUARDED_H
#define BISCUIT_CPU_GUARDED_H

#include <biscuit/types.h>

/*
 * One access of 1, 2, 4 or 8 bytes, any alignment: false if the host has no memory there (any more). Any thread that
 * does not block SIGBUS; bis_guarded_arm was called before.
 */
bool bis_guarded_load(const uint8_t *host, unsigned size, uint64_t *out);
bool bis_guarded_store(uint8_t *host, unsigned size, uint64_t value);

/*
 * Makes sure that this file's handler is the process's first for SIGBUS; what is not its business goes to the handler
 * that was there before. To be called whenever memory of that kind comes into use. -errno with message.
 */
BIS_MUST_CHECK int bis_guarded_arm(void);

#endif
