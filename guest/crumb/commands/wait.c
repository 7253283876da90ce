/* wait: until the programs in the background have ended; Ctrl-C leaves them running. */
#include "../interrupts.h"
#include "../programs.h"
#include "../shell.h"
#include "../task.h"
#include "../timer.h"

void command_wait(int argc, char **argv)
{
	bool enabled = interrupts_disable();

	(void)argc;
	(void)argv;
	for (struct task *task = &tasks[0]; task < &tasks[MAX_TASKS]; task++) {
		while (task->user && task->state != TASK_FINISHED && !current->killed)
			task_wait(task, NEVER);
	}
	interrupts_restore(enabled);
	programs_report_finished();
}
