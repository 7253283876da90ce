/* What the files of --trace share. */
#ifndef BISCUIT_RUN_TRACE_INTERNAL_H
#define BISCUIT_RUN_TRACE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <biscuit/trace.h>

#include "frontend/debug/debug.h"
#include "frontend/run/trace.h"

enum { TRACE_SLOTS = 64 }; /* integer and floating-point registers */

enum trace_kind { TRACE_INSN, TRACE_TRAP, TRACE_MMIO, TRACE_CSR, TRACE_FS, TRACE_KINDS };

/* A kind of line that is wanted: all of them, or those that the filter lets through. */
struct trace_filter {
	enum trace_kind kind;
	char *text; /* as the user wrote it; NULL: all */
	/* Filled by trace_filter_resolve. */
	bool interrupts, exceptions; /* trap: these, of number low to high */
	uint64_t low, high;	     /* insn: pc; csr: number; mmio: physical address; both included */
	const char *module;	     /* mmio: of that instance; NULL: any */
	int slot;		     /* mmio: of that native slot; -1: any */
	char *share;		     /* fs: NULL: of any */
	const char *path;	     /* fs: "" for all; without a slash at its end */
};

/* Text that grows. Once there is no memory for it the rest is left out. */
struct trace_text {
	char *data;
	size_t len, size;
};

/* Where lines go. Written by many threads, each line or group of lines in one piece; flushed soon by a thread. */
struct trace_file {
	FILE *file;
	char *path; /* NULL: standard error, nothing is buffered */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t wake;
	bool dirty, quit;
	int err; /* the first failure, 0: none */
};

/* What waits for the end of a hart's instruction. Hart's thread. */
struct trace_hart {
	bool open; /* an instruction is in `line`, that is not complete before its end */
	uint64_t pc;
	uint64_t regs[TRACE_SLOTS]; /* before it */
	struct trace_text line;
	struct trace_text behind; /* whole lines of what it did */
};

struct trace {
	bool json;
	unsigned kinds; /* bit k: kind k is wanted */
	struct trace_filter *filters;
	size_t count;
	struct trace_file out;
	struct bis_machine *m;
	const struct debug *debug; /* NULL before trace_start */
	atomic_bool started;
	struct trace_hart harts[BIS_MAX_HARTS];
};

/* --- trace_spec.c: the option's value --- */

/* Where it goes, and how; the first that is given counts, another one is an error. */
struct trace_target {
	char *path; /* NULL: standard error */
	bool json, format_given;
};
/* Adds what the value asks for to the filters of `t`. -EINVAL, -ENOMEM. */
BIS_MUST_CHECK int trace_spec_read(const char *value, struct trace *t, struct trace_target *target);
/* Adds one filter; its text (NULL: all of the kind) is taken over. -ENOMEM. */
BIS_MUST_CHECK int trace_spec_add(struct trace *t, enum trace_kind kind, char *filter);
const char *trace_kind_name(enum trace_kind kind);
void trace_filters_free(struct trace *t);

/* --- trace_filter.c --- */

/* Finds what a filter names. -EINVAL, -ENOENT with the nearest name. */
BIS_MUST_CHECK int trace_filter_resolve(struct trace *t, struct trace_filter *f);
bool trace_wants_insn(const struct trace *t, uint64_t pc);
bool trace_wants_trap(const struct trace *t, const struct bis_trap_seen *seen);
bool trace_wants_csr(const struct trace *t, const struct bis_csr_seen *seen);
bool trace_wants_mmio(const struct trace *t, const struct bis_mmio_seen *seen);
bool trace_wants_fs(const struct trace *t, const struct bis_fs_seen *seen);

/* --- trace_line.c: a line of each kind, ended by a newline but for that of an instruction --- */

void trace_begin_insn(const struct trace *t, struct trace_text *to, struct bis_hart *h);
/* The registers that it has changed, where it lies, and the newline. `h` NULL: the hart is gone. */
void trace_end_insn(const struct trace *t, struct trace_hart *line, const struct bis_hart *h);
void trace_put_trap(const struct trace *t, struct trace_text *to, struct bis_hart *h, const struct bis_trap_seen *seen);
void trace_put_csr(const struct trace *t, struct trace_text *to, struct bis_hart *h, const struct bis_csr_seen *seen);
void trace_put_mmio(const struct trace *t, struct trace_text *to, struct bis_hart *h, const struct bis_mmio_seen *seen);
void trace_put_fs(const struct trace *t, struct trace_text *to, const struct bis_fs_seen *seen);

/* "ecall-u", "m-timer", or "exception-24", "interrupt-20". */
void trace_trap_name(bool interrupt, uint64_t cause, char *buf, size_t size);

/* --- trace_text.c --- */

void trace_put(struct trace_text *t, const char *fmt, ...) BIS_PRINTF(2, 3);
void trace_put_bytes(struct trace_text *t, const char *bytes, size_t len);
/* Text from a guest: what is not printable becomes \xNN. */
void trace_put_plain(struct trace_text *t, const char *text);
/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
void trace_put_json(struct trace_text *t, const char *text);

/* --- trace_file.c --- */

/* `path` is taken over, also when it fails. -errno with message. */
BIS_MUST_CHECK int trace_file_open(struct trace_file *f, char *path);
void trace_file_write(struct trace_file *f, const char *text, size_t len);
/* Says so if something could not be written. */
void trace_file_close(struct trace_file *f);

#endif
