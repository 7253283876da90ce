/* A small HTTP server on the loopback address, for guests to download from. */
#ifndef TESTS_SYSTEM_HTTP_H
#define TESTS_SYSTEM_HTTP_H

/*
 * Serves one file to every GET request on a port of 127.0.0.1, in a process of its own that ends with the caller.
 * Returns the port, or -errno.
 */
int http_serve(const char *path);

#endif
