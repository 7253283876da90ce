/* Biscuit's native console: slot 1 (docs/devices.md). */
#include "console.h"
#include "interrupts.h"
#include <native.h>

static void start(void (*input)(void))
{
	interrupts_attach_native(CONSOLE_SLOT, input);
}

static bool is_interactive(void)
{
	return console_status_read() & CONSOLE_STATUS_INTERACTIVE;
}

static int poll(void)
{
	int c = native_console_poll();

	return c >= 0 ? c : c == -1 ? CONSOLE_NONE : CONSOLE_END;
}

/* The end of the input interrupts too, so that a waiting reader learns of it. */
static void enable_input(bool enable)
{
	console_enable_write(enable ? CONSOLE_ENABLE_INPUT | CONSOLE_ENABLE_END : 0);
}

const struct console_driver native_console = {
	.name = "native console",
	.start = start,
	.is_interactive = is_interactive,
	.put = native_console_putc,
	.poll = poll,
	.enable_input = enable_input,
};
