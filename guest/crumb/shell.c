/* Reading a line, cutting it into words, finding the command. */
#include "shell.h"
#include "line.h"
#include "programs.h"
#include "suggest.h"
#include "task.h"
#include <power.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS 16

const struct command commands[] = {
#define COMMAND(name, arguments, help) {#name, arguments, help, command_##name},
#include "commands.def"
#undef COMMAND
};
const unsigned command_count = sizeof(commands) / sizeof(commands[0]);

static const char *command_name(unsigned i)
{
	return i < command_count ? commands[i].name : NULL;
}

static const struct command *find_command(const char *name)
{
	for (unsigned i = 0; i < command_count; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

void shell_usage(const char *name)
{
	const struct command *command = find_command(name);

	printf("usage: %s %s\n", command->name, command->arguments);
}

/* Ends each word where it lies and points argv at them; returns how many there are. */
static int split(char *line, char *argv[MAX_WORDS + 1])
{
	int argc = 0;

	for (char *at = line; argc < MAX_WORDS; argc++) {
		while (*at == ' ' || *at == '\t')
			*at++ = '\0';
		if (!*at)
			break;
		argv[argc] = at;
		while (*at && *at != ' ' && *at != '\t')
			at++;
	}
	argv[argc] = NULL;
	return argc;
}

static void run_line(char *line)
{
	char *argv[MAX_WORDS + 1];
	int argc = split(line, argv);
	const struct command *command;

	if (argc == 0 || argv[0][0] == '#')
		return;
	command = find_command(argv[0]);
	if (command)
		command->run(argc, argv);
	else
		suggest_print("command", argv[0], command_name, "help");
}

void shell_run(struct task *task)
{
	char line[LINE_SIZE];

	(void)task;
	while (line_read("crumb> ", line)) {
		run_line(line);
		programs_report_finished();
	}
	machine_power_off(0);
}
