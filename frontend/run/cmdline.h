/* A command line as a table: one row an option, from which parsing and --help come. */
#ifndef BISCUIT_RUN_CMDLINE_H
#define BISCUIT_RUN_CMDLINE_H

#include <biscuit/types.h>

#define CMDLINE_MAX 64 /* rows */

struct run_options;

/* One option. A row without `read` starts a group of --help. */
struct cmdline_option {
	const char *name;
	char letter;	   /* 0: none */
	int argument;	   /* as getopt_long's has_arg */
	const char *value; /* what --help calls it */
	const char *help;  /* NULL: the line of another option, or the manual alone, tells of it */
	int (*read)(struct run_options *o, const char *value); /* 0 or -errno with message */
};

struct cmdline {
	const struct cmdline_option *rows;
	size_t count; /* at most CMDLINE_MAX */
};

/* Prints a line for each row on standard output. */
void cmdline_print(const struct cmdline *c);

/*
 * Reads the options of argv, which may be reordered; argv[*rest] is the first word that is none. -EINVAL with message,
 * or what a row's `read` returned.
 */
BIS_MUST_CHECK int cmdline_parse(const struct cmdline *c, int argc, char **argv, struct run_options *o, int *rest);

#endif
