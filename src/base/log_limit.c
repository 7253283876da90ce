/*
 * Rate limit of log messages that a guest can trigger. Runs on whatever thread logs; the state belongs to the caller.
 */
#include "src/base/log_internal.h"

#define SECOND_NS UINT64_C(1000000000)

bool bis_log_limit_pass(struct bis_log_limit *limit, uint64_t now_ns, uint32_t *dropped)
{
	if (now_ns - limit->window_start_ns >= SECOND_NS) {
		limit->window_start_ns = now_ns;
		limit->passed = 0;
	}
	if (limit->passed >= BIS_LOG_BURST) {
		if (limit->dropped < UINT32_MAX)
			limit->dropped++;
		return false;
	}
	limit->passed++;
	*dropped = limit->dropped;
	limit->dropped = 0;
	return true;
}
