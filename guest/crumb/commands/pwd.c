/* pwd: the current directory. */
#include "../paths.h"
#include "../shell.h"
#include <stdio.h>

void command_pwd(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%s\n", path_directory());
}
