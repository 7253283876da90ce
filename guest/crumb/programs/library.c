/* What the SDK's C library needs from a user program: a console, made of the system call write, and exit. */
#include "system.h"
#include <stdio.h>
#include <stdlib.h>

/* Characters wait here for the end of the line, so that a line is one system call. */
static char line[128];
static unsigned used;

static void flush(void)
{
	write(CONSOLE_FILE, line, used);
	used = 0;
}

int putchar(int c)
{
	line[used++] = (char)c;
	if (c == '\n' || used == sizeof(line))
		flush();
	return (unsigned char)c;
}

_Noreturn void exit(int status)
{
	flush();
	for (;;)
		system_call_3(SYS_exit, status, 0, 0);
}
