/* --drive: disks. */
#ifndef BISCUIT_RUN_DRIVE_H
#define BISCUIT_RUN_DRIVE_H

#include <biscuit/machine.h>

/* Checks the value of a --drive; *native: it is to be the native block device. -EINVAL with message. */
BIS_MUST_CHECK int drive_check(const char *value, bool *native);
/* Adds the device for a value that was checked. Errors as bis_machine_add. */
BIS_MUST_CHECK int drive_add(struct bis_machine *m, const char *value);

#endif
