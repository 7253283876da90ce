/* Breakpoints, <biscuit/debug.h>: what the paths of execution ask before they do something that could be stopped. */
#ifndef BISCUIT_BREAKS_INTERNAL_H
#define BISCUIT_BREAKS_INTERNAL_H

#include <biscuit/debug.h>

struct bis_breaks_entry {
	unsigned id;
	struct bis_break b;
};

/* Of one machine. Changed with every hart parked, and so read by harts without a lock. */
struct bis_breaks {
	unsigned kinds; /* bit k: there are some of kind k */
	unsigned count, last_id;
	struct bis_breaks_entry at[BIS_BREAKS_MAX];
};

#define BREAK_BIT(kind) (1u << (kind))
#define BREAKS_ON_DATA	(BREAK_BIT(BIS_BREAK_READ) | BREAK_BIT(BIS_BREAK_WRITE) | BREAK_BIT(BIS_BREAK_ACCESS))
#define BREAKS_IN_CODE	(BREAK_BIT(BIS_BREAK_PC) | BREAK_BIT(BIS_BREAK_CSR))

/* What stops a hart instead of a trap: raised like an exception, delivered to nobody. */
#define CAUSE_STOP UINT64_MAX

struct bis_helper;
/* Called at the start of an instruction whose page offset is that of a breakpoint. */
extern const struct bis_helper bis_break_helper;
/* Has a breakpoint on pc this page offset? */
bool bis_breaks_at_offset(const struct bis_breaks *b, unsigned offset);
/* Does a watchpoint touch the page at va_page? It must not enter the TLB then. */
bool bis_breaks_watch_page(const struct bis_breaks *b, uint64_t va_page);
/*
 * Is a breakpoint reached? Then the hart is marked to stop at its current instruction (an exception that no one takes)
 * and the control thread is told. Hart's thread, at a point where an exception may be raised, or between instructions.
 */
bool bis_break_reached(struct bis_hart *h, enum bis_break_kind kind, uint64_t address);
bool bis_break_access(struct bis_hart *h, uint64_t va, unsigned size, enum bis_access access);
/* Instructions until the next count to stop at; UINT64_MAX if there is none. */
uint64_t bis_breaks_insns_left(const struct bis_hart *h);

#endif
