/* Ending or restarting the machine. */
#ifndef POWER_H
#define POWER_H

#include <stdint.h>

/* Powers off; the lowest 8 bits of `status` become the exit status of the command that runs the machine. */
_Noreturn void machine_power_off(int status);

/* Starts the machine afresh, as if it had just been switched on. */
_Noreturn void machine_reset(void);

/* Where the virt board's test finisher is, for machines without a module controller. A program that turns paging on
 * sets it to where it has mapped physical address 0x100000. */
extern uintptr_t machine_finisher;

#endif
