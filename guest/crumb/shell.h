/* The shell: a kernel task that reads commands and does them. */
#ifndef SHELL_H
#define SHELL_H

struct task;

/* A command gets its words: argv[0] is its name, argv[argc] is NULL. It prints what it has to say. */
struct command {
	const char *name, *arguments, *help;
	void (*run)(int argc, char **argv);
};

#define COMMAND(name, arguments, help) void command_##name(int argc, char **argv);
#include "commands.def"
#undef COMMAND

extern const struct command commands[];
extern const unsigned command_count;

/* Reads and runs commands until the input ends, then powers off. The start of the shell's task. */
void shell_run(struct task *task);

/* Prints that a command was used wrongly, and how it is used. */
void shell_usage(const char *name);

/* Takes words like "-l" and "-la" that come first away from argv; "--" ends them. Bit n of the result: the option
 * letters[n] was there. Negative, and the usage printed: there was another one, or fewer than `words` words are left
 * behind the command's name. */
int shell_options(int *argc, char **argv, const char *letters, int words);

#endif
