/* run: starts a user program, in the foreground or, with &, in the background. */
#include "../console.h"
#include "../programs.h"
#include "../shell.h"
#include "../suggest.h"
#include "../task.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void list_programs(void)
{
	char usage[32];

	for (unsigned i = 0; i < program_count; i++) {
		snprintf(usage, sizeof(usage), "%s %s", programs[i].name, programs[i].argument);
		printf("  %-16s %s\n", usage, programs[i].help);
	}
}

static const char *program_name(unsigned i)
{
	return i < program_count ? programs[i].name : NULL;
}

/* Waits for the program; Ctrl-C kills it meanwhile. */
static void wait_in_foreground(struct task *task)
{
	unsigned id = task->id;
	int status;

	console_set_foreground(task);
	status = task_join(task);
	console_set_foreground(NULL);
	program_report(task->name, id, status);
}

void command_run(int argc, char **argv)
{
	bool background = argc > 1 && strcmp(argv[argc - 1], "&") == 0;
	const struct program *program;
	struct task *task;
	char *end = "";
	long argument;

	argc -= background;
	if (argc == 1) {
		list_programs();
		return;
	}
	argument = argc > 2 ? strtol(argv[2], &end, 0) : 0;
	if (argc > 3 || *end) {
		shell_usage("run");
		return;
	}
	program = program_find(argv[1]);
	if (!program) {
		suggest_print("program", argv[1], program_name, "run");
		return;
	}
	task = program_start(program, argument);
	if (!task)
		return;
	if (background)
		printf("%s[%u] is running\n", task->name, task->id);
	else
		wait_in_foreground(task);
}
