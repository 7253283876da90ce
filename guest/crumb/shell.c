/* Reading a line, cutting it into words, finding the command. */
#include "shell.h"
#include "console.h"
#include "greeting.h"
#include "line.h"
#include "paths.h"
#include "programs.h"
#include "redirect.h"
#include "suggest.h"
#include "task.h"
#include <power.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS   32
#define PROMPT_SIZE 36

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

int shell_options(int *argc, char **argv, const char *letters, int words)
{
	int found = 0, taken = 1;
	bool more = true;

	for (; more && taken < *argc && argv[taken][0] == '-' && argv[taken][1]; taken++) {
		more = strcmp(argv[taken], "--") != 0;
		for (const char *letter = argv[taken] + 1; more && *letter; letter++) {
			const char *known = strchr(letters, *letter);

			if (!known) {
				shell_usage(argv[0]);
				return -1;
			}
			found |= 1 << (known - letters);
		}
	}
	*argc -= taken - 1;
	memmove(argv + 1, argv + taken, (size_t)*argc * sizeof(*argv));
	if (*argc <= words) {
		shell_usage(argv[0]);
		return -1;
	}
	return found;
}

static char *skip_blanks(char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* Ends the word at `*from`, whose quotes fall away, and moves `*from` behind it. */
static char *cut_word(char **from)
{
	char *word = *from, *to = word, quote = '\0', c;

	while ((c = **from) != '\0' && (quote || (c != ' ' && c != '\t'))) {
		++*from;
		if (c == quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			*to++ = c;
	}
	if (c)
		++*from;
	*to = '\0';
	return word;
}

/* What a line says: words, and after > or >> a file for the output. */
struct order {
	int argc;
	char *argv[MAX_WORDS + 1];
	char *output;
	bool append;
};

/* False: a > has no file behind it, or there are too many words. */
static bool read_order(char *line, struct order *o)
{
	*o = (struct order){0};
	for (;;) {
		line = skip_blanks(line);
		if (!*line)
			return true;
		if (*line == '>') {
			o->append = line[1] == '>';
			line = skip_blanks(line + 1 + o->append);
			if (!*line)
				return false;
			o->output = cut_word(&line);
		} else if (o->argc == MAX_WORDS) {
			return false;
		} else {
			o->argv[o->argc++] = cut_word(&line);
		}
	}
}

/* Ctrl-C meanwhile makes the command come to its end (files_do). */
static void run_command(const struct command *command, struct order *o)
{
	if (o->output && !redirect_begin(o->output, o->append))
		return;
	console_set_foreground(current);
	command->run(o->argc, o->argv);
	console_set_foreground(NULL);
	current->killed = false;
	redirect_end();
}

static void run_line(char *line)
{
	const struct command *command;
	struct order o;

	if (line[0] == '#')
		return;
	if (!read_order(line, &o)) {
		printf("too many words, or a > without a file\n");
		return;
	}
	if (o.argc == 0)
		return;
	command = find_command(o.argv[0]);
	if (command)
		run_command(command, &o);
	else
		suggest_print("command", o.argv[0], command_name, "help");
}

/* "crumb> ", and elsewhere than in / the directory's name. */
static void make_prompt(char prompt[PROMPT_SIZE])
{
	const char *directory = path_base(path_directory());

	snprintf(prompt, PROMPT_SIZE, "crumb%s%.24s> ", *directory ? " " : "", directory);
}

void shell_run(struct task *task)
{
	char line[LINE_SIZE], prompt[PROMPT_SIZE];

	(void)task;
	greet();
	do {
		make_prompt(prompt);
		if (!line_read(prompt, line))
			machine_power_off(0);
		run_line(line);
		programs_report_finished();
	} while (true);
}
