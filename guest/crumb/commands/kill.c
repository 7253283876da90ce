/* kill: ends a user program. */
#include "../shell.h"
#include "../task.h"
#include <stdio.h>
#include <stdlib.h>

void command_kill(int argc, char **argv)
{
	char *end = "";
	unsigned long id = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
	struct task *task;

	if (argc != 2 || *end) {
		shell_usage("kill");
		return;
	}
	task = id <= (unsigned)-1 ? task_find((unsigned)id) : NULL;
	if (!task)
		printf("no task %s: try \"ps\"\n", argv[1]);
	else if (!task->user)
		printf("%s[%lu] is %s\n", task->name, id,
		       task->state == TASK_FINISHED ? "finished already" : "part of the kernel");
	else {
		task_kill(task);
		task_yield();
	}
}
