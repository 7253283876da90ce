/*
 * The 16550 UART of the virt board, for machines without native devices.
 *
 * A UART knows neither who is at its other end nor that the input has ended. The boot argument `plain` says that it is
 * not a person; the byte Ctrl-D then stands for the end.
 */
#include "board.h"
#include "console.h"
#include "interrupts.h"
#include "kernel.h"
#include "space.h"
#include <uart.h>

#define UART_PLIC_INPUT 10
#define UART_REGISTERS	8

/* Where the registers are; their physical address until start() has mapped them. */
static uintptr_t base = UART_BASE;

static void start(void (*input)(void))
{
	volatile void *registers = device_map(UART_BASE, UART_REGISTERS);

	if (!registers)
		panic("no room to map the UART");
	base = (uintptr_t)registers;
	interrupts_attach_plic(UART_PLIC_INPUT, input);
}

static bool is_interactive(void)
{
	return !board.plain;
}

static void put(char c)
{
	uart_putc(base, c);
}

static int poll(void)
{
	int c = uart_getc(base);

	if (c < 0)
		return CONSOLE_NONE;
	return board.plain && c == KEY_CTRL('D') ? CONSOLE_END : c;
}

static void enable_input(bool enable)
{
	uart_input_interrupt(base, enable);
}

const struct console_driver uart_console = {
	.name = "16550 UART",
	.start = start,
	.is_interactive = is_interactive,
	.put = put,
	.poll = poll,
	.enable_input = enable_input,
};
