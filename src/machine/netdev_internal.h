/* Network devices of a machine, as the machine itself sees them. Callers hold the device lock. */
#ifndef BISCUIT_NETDEV_INTERNAL_H
#define BISCUIT_NETDEV_INTERNAL_H

#include <biscuit/netdev.h>

/* The head of the machine's list of network devices; NULL in a new machine. Defined by the machine. */
struct bis_netdev **bis_machine_netdevs(struct bis_machine *m);

/* Unplugs every back end and frees every network device. Called after the last module has gone. */
void bis_netdev_destroy_all(struct bis_machine *m);

#endif
