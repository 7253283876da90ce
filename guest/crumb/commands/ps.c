/* ps: the table of tasks. */
#include "../layout.h"
#include "../shell.h"
#include "../task.h"
#include "../timer.h"
#include <stdio.h>

static const char *state_name(enum task_state state)
{
	switch (state) {
	case TASK_READY:
		return "ready";
	case TASK_RUNNING:
		return "running";
	case TASK_WAITING:
		return "waiting";
	case TASK_FINISHED:
		return "finished";
	default:
		return "";
	}
}

void command_ps(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%4s  %-12s %-9s %10s  %s\n", "TASK", "NAME", "STATE", "CPU", "ADDRESS SPACE");
	for (unsigned i = 0; i < MAX_TASKS; i++) {
		const struct task *task = &tasks[i];

		if (task->state == TASK_FREE)
			continue;
		printf("%4u  %-12s %-9s %7u ms  ", task->id, task->name, state_name(task->state),
		       (unsigned)(ticks_to_microseconds(task_cpu_time(task)) / 1000));
		if (task->user)
			printf("root %p, %lu KiB, %u page tables\n", (void *)task->space.root,
			       task->space.user_pages * PAGE_SIZE / 1024, task->space.tables);
		else
			printf("kernel\n");
	}
}
