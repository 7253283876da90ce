/*
 * bis_channel: a bounded two-way message channel between two parties (a processor and a peripheral, a module and its
 * worker). Both ends have the same verbs. Every function may be called on any thread.
 */
#ifndef BISCUIT_CHANNEL_H
#define BISCUIT_CHANNEL_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_channel; /* one end */

#define BIS_CHANNEL_FOREVER (-1)

/* Makes the two ends of a channel for messages of `message_size` bytes, up to `depth` waiting in each direction. */
BIS_MUST_CHECK int bis_channel_create(size_t message_size, size_t depth, struct bis_channel **a,
				      struct bis_channel **b);
/* Closes this end and frees it; the channel goes with its second end. Messages already sent can still be received. */
void bis_channel_destroy(struct bis_channel *end);
/* Closes this end: both ends' senders get -EPIPE, receivers get what is queued and then -EPIPE. */
void bis_channel_close(struct bis_channel *end);

/* timeout_ms: 0 = do not wait, BIS_CHANNEL_FOREVER, or a limit. -ETIMEDOUT (-EAGAIN if 0), -EPIPE when closed. */
BIS_MUST_CHECK int bis_channel_send(struct bis_channel *end, const void *message, int timeout_ms);
BIS_MUST_CHECK int bis_channel_recv(struct bis_channel *end, void *message, int timeout_ms);
/* As recv with timeout 0. */
BIS_MUST_CHECK int bis_channel_try_recv(struct bis_channel *end, void *message);
/*
 * Sends a request and receives the next message as its answer, within one timeout for both. Messages carry no tag: let
 * one thread at a time query at an end.
 */
BIS_MUST_CHECK int bis_channel_query(struct bis_channel *end, const void *request, void *reply, int timeout_ms);
/* Number of messages waiting to be received at this end. */
size_t bis_channel_pending(struct bis_channel *end);
/* Receives every message waiting now, in order, into `each`; stops at a non-zero return and returns it, else 0. */
int bis_channel_iterate(struct bis_channel *end, int (*each)(void *arg, const void *message), void *arg);

#ifdef __cplusplus
}
#endif
#endif
