/* More than one hart, for programs in M-mode. */
#ifndef HART_H
#define HART_H

#define SDK_MAX_HARTS 64
#define CLINT_MSIP    0x2000000 /* one 32-bit word a hart: 1 raises its machine software interrupt */

#ifndef __ASSEMBLER__

/* Runs run(argument) on another, parked hart with the stack that ends at stack_top (aligned to 16 bytes). When the
 * function returns, the hart parks again. Returns at once: 0, or -1 when there cannot be such a hart or it has not yet
 * picked up its last function. A hart that the machine lacks simply never runs. */
int hart_start(unsigned long hart, void (*run)(void *argument), void *argument, void *stack_top);

#endif
#endif
