/*
 * What the frontends that look into a machine have in common (inspection files, gdb server, monitor commands): symbols,
 * verbs, breakpoints as text, backtraces. One struct debug a machine. Any thread that may take the machine's control
 * lock; everything here takes it where it needs it. Failures are negative errno with bis_error_message.
 */
#ifndef BISCUIT_FRONTEND_DEBUG_H
#define BISCUIT_FRONTEND_DEBUG_H

#include <stdio.h>

#include <biscuit/debug.h>
#include <biscuit/machine.h>

struct debug;

BIS_MUST_CHECK int debug_create(struct bis_machine *m, struct debug **out);
void debug_destroy(struct debug *d); /* NULL is allowed */
struct bis_machine *debug_machine(const struct debug *d);

/* --- Symbols of the guest: from ELF files, several at a time --- */

/* Adds the symbols of an ELF file; those of a file loaded again are replaced. */
BIS_MUST_CHECK int debug_symbols_load(struct debug *d, const char *path);
/* Path `index` of those loaded, with its number of symbols; NULL beyond the last. */
const char *debug_symbols_file(const struct debug *d, size_t index, size_t *symbols);
/* The symbol that `address` lies in, and how far behind its start; NULL: none. Valid as long as d. */
const char *debug_symbol_at(const struct debug *d, uint64_t address, uint64_t *offset);
BIS_MUST_CHECK int debug_symbol_find(const struct debug *d, const char *name, uint64_t *address);
/* The addresses of a symbol: [*start, *end), the end being that of its size, else where the next one starts. -ENOENT.
 */
BIS_MUST_CHECK int debug_symbol_range(const struct debug *d, const char *name, uint64_t *start, uint64_t *end);
/* "0x80001234 <main+0x14>" or only the number, padded to the machine's width. As snprintf. */
int debug_format_address(const struct debug *d, uint64_t address, char *buf, size_t size);
/* A number, a symbol, or symbol+offset: -EINVAL with the nearest symbol's name. */
BIS_MUST_CHECK int debug_parse_address(const struct debug *d, const char *text, uint64_t *out);

/* --- Names --- */

/* "ecall-u", "load-page", … and "m-timer", "s-external", …; NULL where a cause has no name. */
const char *debug_trap_name(uint64_t cause);
const char *debug_interrupt_name(uint64_t cause);

/* --- Verbs: what is written to `ctl`, and gdb's `monitor` commands --- */

/*
 * Carries out one line: pause, resume, step [N], until ADDRESS, reset, stop [STATUS], snapshot PATH, help; or
 * "MODULE VERB…" for a module's own. What there is to say goes to `reply`. -EINVAL for an unknown verb (with the
 * nearest), -EBUSY where the machine must be paused.
 */
BIS_MUST_CHECK int debug_verb(struct debug *d, const char *line, FILE *reply);
/* The verbs with a line of help each; false beyond the last. */
bool debug_verb_help(size_t index, const char **verb, const char **arguments, const char **help);
/* What a verb that resets or ends the machine is told to the program by: bis_machine_request_reset and _stop. */

/* --- Breakpoints as text --- */

/*
 * "pc ADDRESS", "read ADDRESS[+LENGTH]", "write …", "access …", "csr NAME", "trap NUMBER|NAME", "interrupt
 * NUMBER|NAME", "instret N", each followed by any of "hart N", "once", and "if REGISTER COMPARISON VALUE" with "and"
 * between several (comparisons == != < <= > >=; registers by ABI name, CSRs by name). Strict: every slip is -EINVAL
 * with what was expected.
 */
BIS_MUST_CHECK int debug_break_parse(const struct debug *d, const char *text, struct bis_break *out);
/* The same text back, with symbol names. As snprintf. */
int debug_break_format(const struct debug *d, const struct bis_break *b, char *buf, size_t size);

/* --- Looking at a hart. Called at a safepoint (bis_machine_at_safepoint) or while the machine is paused --- */

struct debug_frame {
	uint64_t pc, cfa; /* cfa: 0 where it is not known */
};
/*
 * The hart's call frames, innermost first, at most `max`: by .eh_frame where the loaded files have it, else by frame
 * pointer (s0), else only pc and ra. Guest memory is read through the hart's address translation, and not believed:
 * frames go one way and end. The number of frames.
 */
size_t debug_backtrace(const struct debug *d, struct bis_hart *h, struct debug_frame *frames, size_t max);
/* `count` instructions around pc, one a line, the current one marked, with symbols. */
void debug_disassemble(const struct debug *d, struct bis_hart *h, uint64_t address, unsigned before, unsigned count,
		       FILE *out);
/* Guest virtual memory by the hart's translation (`physical`: not translated): 0, or -EFAULT. */
BIS_MUST_CHECK int debug_read(struct bis_hart *h, uint64_t address, bool physical, void *buf, size_t len);
BIS_MUST_CHECK int debug_write(struct bis_hart *h, uint64_t address, bool physical, const void *buf, size_t len);

#endif
