/* What a failed assert() does. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_failed(const char *condition, const char *file, int line)
{
	printf("%s:%d: assertion failed: %s\n", file, line, condition);
	abort();
}
