/* uptime: the time since the start, the instructions and the share of the time that the hart slept. */
#include "../board.h"
#include "../shell.h"
#include "../system_calls.h"
#include "../task.h"
#include "../timer.h"
#include <riscv.h>
#include <stdio.h>

void command_uptime(int argc, char **argv)
{
	uint64_t up = read_time(), idle = task_cpu_time(&tasks[0]);
	uint64_t milliseconds = ticks_to_microseconds(up) / 1000;

	(void)argc;
	(void)argv;
	printf("up %u.%03u s, idle %u %%, %llu instructions\n", (unsigned)(milliseconds / 1000),
	       (unsigned)(milliseconds % 1000), (unsigned)(idle * 100 / up), (unsigned long long)read_instret());
	printf("%llu context switches, %llu system calls\n", (unsigned long long)tasks_switches(),
	       (unsigned long long)system_calls_made());
	printf("%u hart%s (crumb uses one) with %s, timer: %s\n", board.harts, board.harts == 1 ? "" : "s", board.isa,
	       timer_has_sstc() ? "Sstc" : "CLINT, through M-mode");
}
