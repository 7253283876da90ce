/* --share: directories of the host in the guest. */
#ifndef BISCUIT_RUN_SHARE_H
#define BISCUIT_RUN_SHARE_H

#include <biscuit/machine.h>

#include "frontend/run/options.h"

/* Checks the value of one --share: its directory and its keys. -errno with message. */
BIS_MUST_CHECK int share_check(const char *value);
/* Checks all of them together. -errno with message. */
BIS_MUST_CHECK int share_check_all(const struct run_options *o);
/* Puts the share that is to be the guest's root, if there is one, onto the kernel's command line. -ENOMEM. */
BIS_MUST_CHECK int share_complete(struct run_options *o);
/* Adds the shares and a virtio-9p device for each, as long as there is room. Errors as bis_machine_add. */
BIS_MUST_CHECK int share_add_all(struct bis_machine *m, const struct run_options *o);
/* Adds the native device for all shares that the machine has, if --share is used. Errors as bis_machine_add. */
BIS_MUST_CHECK int share_add_native(struct bis_machine *m, const struct run_options *o);

#endif
