/* Constants shared by the start-up code and C. */
#ifndef GUEST_LAYOUT_H
#define GUEST_LAYOUT_H

#define FINISHER_BASE 0x100000
#define CLINT_BASE    0x2000000
#define UART_BASE     0x10000000

#define HARTS_MAX  2
#define STACK_SIZE 8192 /* per hart and mode */

/* The number in a7 with which run_in()'s function asks to leave its mode. */
#define CALL_LEAVE 0x1ea4e

#endif
