/* poweroff: ends the machine with an exit status. */
#include "../shell.h"
#include <power.h>
#include <stdio.h>
#include <stdlib.h>

void command_poweroff(int argc, char **argv)
{
	char *end = "";
	long status = argc > 1 ? strtol(argv[1], &end, 10) : 0;

	if (argc > 2 || *end || status < 0 || status > 255) {
		shell_usage("poweroff");
		printf("STATUS is a number from 0 to 255\n");
		return;
	}
	machine_power_off((int)status);
}
