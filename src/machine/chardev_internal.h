/* Character devices of a machine, as the machine itself sees them. Callers hold the device lock. */
#ifndef BISCUIT_CHARDEV_INTERNAL_H
#define BISCUIT_CHARDEV_INTERNAL_H

#include <biscuit/chardev.h>

/* The head of the machine's list of character devices; NULL in a new machine. Defined by the machine. */
struct bis_chardev **bis_machine_chardevs(struct bis_machine *m);

struct bis_chardev *bis_chardev_next(struct bis_chardev *c);
const char *bis_chardev_name(const struct bis_chardev *c);
/* The bytes that wait in both queues, and back: -EINVAL where they do not fit. */
void bis_chardev_save(const struct bis_chardev *c, void (*put)(void *arg, const void *data, size_t len), void *arg);
BIS_MUST_CHECK int bis_chardev_restore(struct bis_chardev *c, const uint8_t *data, size_t len);

/* Unplugs every back end and frees every character device. Called after the last module has gone. */
void bis_chardev_destroy_all(struct bis_machine *m);

#endif
