/*
 * A server of the gdb remote protocol. It has a thread of its own and looks at the machine through <biscuit/debug.h>;
 * one client at a time. While one is connected the machine stands still unless the client lets it go on; when it goes,
 * its breakpoints are removed and the machine goes on.
 */
#ifndef BISCUIT_FRONTEND_GDB_H
#define BISCUIT_FRONTEND_GDB_H

#include "frontend/debug/debug.h"

struct gdb;

/*
 * Listens at `address`: "1234", ":1234" or "127.0.0.1:1234" (TCP, this host only; port 0: any free one), or the path of
 * a Unix socket, with a '/' in it, that only its owner may use. -EINVAL (another address), -EADDRINUSE, … with message.
 */
BIS_MUST_CHECK int gdb_start(struct debug *d, const char *address, struct gdb **out);
/* Where it listens, as a client names it: "127.0.0.1:1234" or the path. */
const char *gdb_address(const struct gdb *g);
/* Tells a client what it has not heard yet, and ends. Not with the control lock or the device lock. NULL is allowed. */
void gdb_stop(struct gdb *g);

#endif
