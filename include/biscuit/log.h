/*
 * Log messages of a machine: the core and modules hand them to a callback; only frontends print.
 * Messages that a guest can trigger are rate-limited per call site.
 */
#ifndef BISCUIT_LOG_H
#define BISCUIT_LOG_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_machine;

enum bis_log_level { BIS_LOG_ERROR, BIS_LOG_WARN, BIS_LOG_INFO, BIS_LOG_DEBUG };

/* Receives one message without newline. May be called on any thread, also several at once. */
typedef void (*bis_log_fn)(void *arg, enum bis_log_level level, const char *module, const char *message);

/* Logs if `level` is at or below the machine's level. Any thread. `module` is a short name such as "memory" or "uart0".
 */
void bis_log(struct bis_machine *m, enum bis_log_level level, const char *module, const char *fmt, ...)
	BIS_PRINTF(4, 5);

/* State of one call site: at most `burst` messages a second pass, the rest are counted and the count is logged with the
 * next. */
struct bis_log_limit {
	uint64_t window_start_ns;
	uint32_t passed;
	uint32_t dropped;
};

/* As bis_log, for what a guest can trigger. `limit` belongs to the module instance and is zero-initialised. */
void bis_log_limited(struct bis_machine *m, struct bis_log_limit *limit, enum bis_log_level level, const char *module,
		     const char *fmt, ...) BIS_PRINTF(5, 6);

#ifdef __cplusplus
}
#endif
#endif
