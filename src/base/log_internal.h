/*
 * The rate limit behind bis_log_limited: which messages of one call site pass.
 */
#ifndef BISCUIT_BASE_LOG_INTERNAL_H
#define BISCUIT_BASE_LOG_INTERNAL_H

#include <biscuit/log.h>

/* Messages of one call site that pass within one second. */
#define BIS_LOG_BURST 10

/*
 * True if a message at time `now_ns` (any clock that does not run backwards) may pass; *dropped is then the number of
 * messages held back since the last one that passed, and *dropped is untouched otherwise. A second begins with the
 * first message after the previous one has ended. The caller serialises calls on one `limit`.
 */
bool bis_log_limit_pass(struct bis_log_limit *limit, uint64_t now_ns, uint32_t *dropped);

#endif
