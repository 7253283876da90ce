/* A 16550 UART, polled: the console of the virt board. `base` is where its registers are mapped. */
#ifndef UART_H
#define UART_H

#include <stdint.h>

#define UART_BASE 0x10000000UL

/* Registers, a byte each, and the bits used of them */
#define UART_DATA      0
#define UART_IER       1 /* interrupt enable */
#define UART_IER_INPUT 0x01
#define UART_LSR       5 /* line status */
#define UART_LSR_INPUT 0x01
#define UART_LSR_ROOM  0x20

static inline volatile uint8_t *uart_register(uintptr_t base, unsigned number)
{
	return (volatile uint8_t *)base + number;
}

/* Waits for room in the transmitter. */
static inline void uart_putc(uintptr_t base, char c)
{
	while (!(*uart_register(base, UART_LSR) & UART_LSR_ROOM))
		;
	*uart_register(base, UART_DATA) = (uint8_t)c;
}

/* The next byte received, or -1 when there is none. */
static inline int uart_getc(uintptr_t base)
{
	return *uart_register(base, UART_LSR) & UART_LSR_INPUT ? *uart_register(base, UART_DATA) : -1;
}

/* Raises the UART's interrupt line while input waits, or not any more. */
static inline void uart_input_interrupt(uintptr_t base, _Bool enable)
{
	*uart_register(base, UART_IER) = enable ? UART_IER_INPUT : 0;
}

#endif
