/* The kernel's side of the system calls: one function each, found through a table. */
#include "system_calls.h"
#include "board.h"
#include "console.h"
#include "file_calls.h"
#include "task.h"
#include "timer.h"
#include "trap.h"

static long call_exit(const unsigned long *arguments)
{
	task_exit((int)(arguments[0] & 0xff));
}

/* User memory is copied in pieces, each checked against the task's page tables. */
static long call_write(const unsigned long *arguments)
{
	unsigned long address = arguments[1], len = arguments[2];
	char piece[128];

	if (arguments[0] != CONSOLE_FILE)
		return call_file_write(arguments);
	for (unsigned long done = 0; done < len;) {
		unsigned long part = len - done < sizeof(piece) ? len - done : sizeof(piece);

		if (!space_copy_in(&current->space, piece, address + done, part))
			return -1;
		console_write(piece, part);
		done += part;
	}
	return (long)len;
}

static long call_sleep(const unsigned long *arguments)
{
	task_sleep(milliseconds_to_ticks(arguments[0]));
	return 0;
}

static long call_yield(const unsigned long *arguments)
{
	(void)arguments;
	task_yield();
	return 0;
}

static long call_task_id(const unsigned long *arguments)
{
	(void)arguments;
	return (long)current->id;
}

static long call_ticks_per_second(const unsigned long *arguments)
{
	(void)arguments;
	return (long)board.ticks_per_second;
}

static long (*const calls[SYSTEM_CALL_COUNT])(const unsigned long *arguments) = {
#define SYSTEM_CALL(name, arguments, help) [SYS_##name] = call_##name,
#include "system_calls.def"
#undef SYSTEM_CALL
};

static uint64_t made;

uint64_t system_calls_made(void)
{
	return made;
}

void system_call(struct trap_frame *frame)
{
	unsigned long number = frame->x[FRAME_A7];

	made++;
	frame->x[FRAME_A0] = (unsigned long)(number < SYSTEM_CALL_COUNT ? calls[number](&frame->x[FRAME_A0]) : -1);
}
