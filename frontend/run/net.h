/* --net: networks. */
#ifndef BISCUIT_RUN_NET_H
#define BISCUIT_RUN_NET_H

#include <biscuit/machine.h>

/* Checks the value of a --net; *none: there is nothing to add. -EINVAL with message. */
BIS_MUST_CHECK int net_check(const char *value, bool *none);
/*
 * Adds back end and device for a value that was checked; `number` tells the networks of a machine apart. Errors as
 * bis_machine_add.
 */
BIS_MUST_CHECK int net_add(struct bis_machine *m, size_t number, const char *value);

#endif
