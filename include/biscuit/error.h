/*
 * How libbiscuit reports failure: a function returns 0 or a negative errno and leaves one sentence that names the thing
 * and what was expected. The sentence belongs to the calling thread, as errno does.
 */
#ifndef BISCUIT_ERROR_H
#define BISCUIT_ERROR_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets this thread's message (cut at 2047 bytes) and returns -abs(err), so that `return bis_fail(EINVAL, "...")` reads
 * well. */
int bis_fail(int err, const char *fmt, ...) BIS_PRINTF(2, 3);

/* Puts "prefix: " before this thread's message, for a caller that knows the context; returns err unchanged. */
int bis_fail_prefix(int err, const char *fmt, ...) BIS_PRINTF(2, 3);

/* The last failure of this thread in words; "" before any. Valid until the thread's next failing call. */
const char *bis_error_message(void);

/*
 * The entry of `names` (an array of `count` strings) nearest to `word` by edit distance, or NULL where nothing is near
 * enough to be a plausible slip. For messages of the form "unknown X 'foo' (did you mean 'food'?)".
 */
const char *bis_nearest_name(const char *word, const char *const *names, size_t count);

#ifdef __cplusplus
}
#endif
#endif
