/* Double-precision floating point: the series and kernels of series.h. */
#include "../bench.h"

typedef double real;

#define SQUARE_ROOT __builtin_sqrt

#include "series.h"

const uint32_t bench_rounds = 600 * BENCH_SCALE;

uint32_t bench_payload(uint32_t rounds)
{
	return series_work(rounds);
}
