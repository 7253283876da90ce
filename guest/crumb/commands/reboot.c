/* reboot: the machine starts afresh. */
#include "../shell.h"
#include <power.h>

void command_reboot(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	machine_reset();
}
