/* The payload runs in machine mode, untranslated. */
#include "guest.h"

uint32_t bench_run(uint32_t rounds)
{
	return bench_payload(rounds);
}
