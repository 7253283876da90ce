/* The command line of biscuit-run. */
#ifndef BISCUIT_RUN_OPTIONS_H
#define BISCUIT_RUN_OPTIONS_H

#include <biscuit/log.h>
#include <biscuit/types.h>

enum run_action {
	RUN_GUEST,
	RUN_HELP,
	RUN_VERSION,
	RUN_LIST_MODULES,
	RUN_HELP_MODULE, /* of `subject` */
	RUN_DISASSEMBLE, /* `subject` */
	RUN_DUMP_DTB,	 /* to `subject` */
};

/* What the user asked for. Texts point into argv. */
struct run_options {
	enum run_action action;
	const char *subject;
	const char *kernel; /* NULL: crumb */
	uint64_t memory;    /* 0: the default */
	unsigned harts;	    /* 0: the default */
	const char *isa;    /* NULL: by the kernel */
	const char *engine; /* NULL: the default */
	const char **modules;
	size_t module_count;
	const char *console;
	const char *drive;
	const char *dtb, *initrd, *append;
	enum bis_log_level log_level;
	const char *log_file; /* NULL: standard error */
	bool trace;
	const char *trace_file; /* NULL: standard error */
	int timeout_ms;		/* -1: none */
	bool allow_guest_modules;
};

/*
 * Reads the command line. -EINVAL or -ENOMEM with message; what was filled so far can be freed in any case.
 */
BIS_MUST_CHECK int run_options_parse(int argc, char **argv, struct run_options *out);
void run_options_free(struct run_options *o);

/* Prints --help. */
void run_help(void);

#endif
