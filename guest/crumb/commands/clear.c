/* clear: an empty screen. A pipe has none. */
#include "../console.h"
#include "../shell.h"
#include <stdio.h>

void command_clear(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (console_is_interactive())
		printf("\x1b[2J\x1b[H");
}
