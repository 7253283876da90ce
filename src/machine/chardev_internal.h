/* Character devices of a machine, as the machine itself sees them. Callers hold the device lock. */
#ifndef BISCUIT_CHARDEV_INTERNAL_H
#define BISCUIT_CHARDEV_INTERNAL_H

#include <biscuit/chardev.h>

/* The head of the machine's list of character devices; NULL in a new machine. Defined by the machine. */
struct bis_chardev **bis_machine_chardevs(struct bis_machine *m);

/* Unplugs every back end and frees every character device. Called after the last module has gone. */
void bis_chardev_destroy_all(struct bis_machine *m);

#endif
