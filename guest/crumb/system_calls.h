/* System calls, by number: see system_calls.def. */
#ifndef SYSTEM_CALLS_H
#define SYSTEM_CALLS_H

#include <stdint.h>

enum system_call_number {
#define SYSTEM_CALL(name, arguments, help) SYS_##name,
#include "system_calls.def"
#undef SYSTEM_CALL
	SYSTEM_CALL_COUNT
};

/* The file that is the console, and the first number that `open` gives. */
#define CONSOLE_FILE 1
#define FIRST_FILE   3

struct file_status {
	uint64_t size;
	int64_t modified; /* ns since 1970 */
	uint32_t mode;	  /* type and permissions, as POSIX numbers them */
};

/* How many calls all tasks have made. */
uint64_t system_calls_made(void);

struct trap_frame;

/* Does the call that the current task asks for in its registers. */
void system_call(struct trap_frame *frame);

#endif
