/* System calls, as functions. They return what the kernel returns: negative when it refuses. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "../system_calls.h"
#include <magicfs_protocol.h>
#include <string.h>

static inline long system_call_3(enum system_call_number number, long first, long second, long third)
{
	register long a0 __asm__("a0") = first;
	register long a1 __asm__("a1") = second;
	register long a2 __asm__("a2") = third;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
	return a0;
}

static inline long sleep_milliseconds(long milliseconds)
{
	return system_call_3(SYS_sleep, milliseconds, 0, 0);
}

static inline long yield(void)
{
	return system_call_3(SYS_yield, 0, 0, 0);
}

static inline long task_id(void)
{
	return system_call_3(SYS_task_id, 0, 0, 0);
}

/* Ticks of the time register in a second. */
static inline long ticks_per_second(void)
{
	return system_call_3(SYS_ticks_per_second, 0, 0, 0);
}

/* --- Files. Flags of open: enum magicfs_open --- */

static inline long open(const char *path, int flags)
{
	return system_call_3(SYS_open, (long)path, (long)strlen(path), flags);
}

static inline long close(long file)
{
	return system_call_3(SYS_close, file, 0, 0);
}

static inline long read(long file, void *buffer, unsigned long len)
{
	return system_call_3(SYS_read, file, (long)buffer, (long)len);
}

static inline long write(long file, const void *bytes, unsigned long len)
{
	return system_call_3(SYS_write, file, (long)bytes, (long)len);
}

/* Names in a directory, one after the other, each ended by NUL. */
static inline long list(long directory, char *names, unsigned long size)
{
	return system_call_3(SYS_list, directory, (long)names, (long)size);
}

static inline long stat(const char *path, struct file_status *status)
{
	return system_call_3(SYS_stat, (long)path, (long)strlen(path), (long)status);
}

#endif
