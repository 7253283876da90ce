/* The command line of biscuit-run. */
#ifndef BISCUIT_RUN_OPTIONS_H
#define BISCUIT_RUN_OPTIONS_H

#include <biscuit/log.h>
#include <biscuit/machine.h>
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

/* The values of an option that may be given several times. */
struct run_words {
	const char **at;
	size_t count;
};

/* What the user asked for. Texts point into argv, or are kept. */
struct run_options {
	enum run_action action;
	const char *subject;
	const char *kernel;	/* NULL: crumb, or what the firmware brings along */
	const char *firmware;	/* "none", "sbi" or a path; NULL: by the kernel */
	const char *linux_name; /* of a folder with a Linux guest, or its path */
	uint64_t memory;	/* 0: the default */
	unsigned harts;		/* 0: the default */
	const char *isa;	/* NULL: by the kernel */
	const char *engine;	/* NULL: the default */
	enum bis_clock clock;
	bool clock_given;
	struct run_words modules, drives, nets, shares;
	const char *console; /* NULL until all options are read: the default */
	const char *dtb, *initrd, *append;
	enum bis_log_level log_level;
	const char *log_file; /* NULL: standard error */
	struct run_words traces;
	bool profile;
	const char *profile_value; /* NULL: all defaults */
	const char *mount;	   /* NULL: no files of the machine */
	bool mount_allow_other, mount_readonly;
	const char *gdb; /* NULL: no server */
	bool gdb_nowait;
	bool window, window_fullscreen;
	unsigned window_width, window_height; /* 0: as the guest's picture */
	double window_scale;		      /* 0: what fits */
	const char *vnc, *vnc_password_file;  /* NULL: none */
	const char *restore;		      /* a snapshot; NULL: the machine starts anew */
	uint64_t code_cache;		      /* bytes; 0: the default */
	const char *jit_dump;		      /* NULL: none */
	bool jit_gdb, jit_perf, jit_stats;
	enum bis_background background;
	int timeout_ms; /* -1: none */
	bool allow_guest_modules;
	bool repeatable;   /* what a Linux guest gets by itself does the same in each run: no device that takes its time
			    */
	bool native_drive; /* one of `drives` is the native block device */
	char **kept;
	size_t kept_count;
};

/*
 * Reads the command line. -EINVAL or -ENOMEM with message; what was filled so far can be freed in any case.
 */
BIS_MUST_CHECK int run_options_parse(int argc, char **argv, struct run_options *out);
void run_options_free(struct run_options *o);

/* Keeps an allocated text until run_options_free. NULL if there is no memory for that; the text is gone then. */
const char *run_options_keep(struct run_options *o, char *text);

/* Prints --help. */
void run_help(void);

#endif
