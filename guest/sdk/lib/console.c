/* putchar and getchar: the native console where there is one, else the UART of the virt board (untranslated). */
#include "native.h"
#include "uart.h"
#include <stdio.h>

int putchar(int c)
{
	if (native_present(CONSOLE_SLOT))
		native_console_putc((char)c);
	else
		uart_putc(UART_BASE, (char)c);
	return (unsigned char)c;
}

/* Polls, so it works whatever the program does with interrupts; a kernel waits for the interrupt instead. */
int getchar(void)
{
	int c;

	do {
		c = native_present(CONSOLE_SLOT) ? native_console_poll() : uart_getc(UART_BASE);
	} while (c == -1);
	return c < 0 ? EOF : c;
}
