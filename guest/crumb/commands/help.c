/* help: the table of commands, as text. */
#include "../shell.h"
#include <stdio.h>
#include <string.h>

void command_help(int argc, char **argv)
{
	char usage[40];

	for (unsigned i = 0; i < command_count; i++) {
		if (argc > 1 && strcmp(argv[1], commands[i].name) != 0)
			continue;
		snprintf(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].arguments);
		printf("  %-28s %s\n", usage, commands[i].help);
	}
}
