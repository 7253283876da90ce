/* Random numbers that a seed chooses, not 0: Marsaglia's xorshift with the shifts 13, 7 and 17. */
#ifndef BISCUIT_TESTS_RANDOM_H
#define BISCUIT_TESTS_RANDOM_H

#include <stdint.h>

static inline uint64_t xorshift(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
