/* run: starts a user program, in the foreground or, with &, in the background. */
#include "../console.h"
#include "../files.h"
#include "../line.h"
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
	console_set_foreground(current);
	program_report(task->name, id, status);
}

/* The words behind the program's name, as they were typed. */
static bool join(char *text, size_t size, int argc, char **argv)
{
	size_t len = 0;

	text[0] = '\0';
	for (int i = 2; i < argc && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i > 2 ? " " : "", argv[i]);
	return len < size;
}

/* What has a '/' in its name is a file, and so is what is no program of the kernel's image but is there. */
static struct task *start(const char *name, const char *text)
{
	const struct program *program = strchr(name, '/') ? NULL : program_find(name);
	long number = strtol(text, NULL, 0);
	struct magicfs_stat stat;

	if (program)
		return program_start(program, number, text);
	if (strchr(name, '/') || files_stat(name, true, &stat) == 0)
		return program_start_file(name, number, text);
	suggest_print("program", name, program_name, "run");
	return NULL;
}

void command_run(int argc, char **argv)
{
	bool background = argc > 1 && strcmp(argv[argc - 1], "&") == 0;
	char text[LINE_SIZE];
	struct task *task;

	argc -= background;
	if (argc == 1) {
		list_programs();
		return;
	}
	if (!join(text, sizeof(text), argc, argv)) {
		shell_usage("run");
		return;
	}
	if (background)
		current->output = NULL; /* it may outlive the line */
	task = start(argv[1], text);
	if (!task)
		return;
	if (background)
		printf("%s[%u] is running\n", task->name, task->id);
	else
		wait_in_foreground(task);
}
