/* System calls, as functions. They return what the kernel returns: negative when it refuses. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "../system_calls.h"

static inline long system_call_2(enum system_call_number number, long first, long second)
{
	register long a0 __asm__("a0") = first;
	register long a1 __asm__("a1") = second;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
	return a0;
}

static inline long write(const char *text, unsigned long len)
{
	return system_call_2(SYS_write, (long)text, (long)len);
}

static inline long sleep_milliseconds(long milliseconds)
{
	return system_call_2(SYS_sleep, milliseconds, 0);
}

static inline long yield(void)
{
	return system_call_2(SYS_yield, 0, 0);
}

static inline long task_id(void)
{
	return system_call_2(SYS_task_id, 0, 0);
}

/* Ticks of the time register in a second. */
static inline long ticks_per_second(void)
{
	return system_call_2(SYS_ticks_per_second, 0, 0);
}

#endif
