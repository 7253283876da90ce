/*
 * Debugging a machine from outside: breakpoints and watchpoints, what happens to a machine as events, address
 * translation in steps. What frontends such as a gdb server or the inspection files stand on.
 */
#ifndef BISCUIT_DEBUG_H
#define BISCUIT_DEBUG_H

#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/paging.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Breakpoints --- */

/*
 * Where a hart stops: always before the instruction that does it, so that the state is the one before; when it goes on
 * from there, the same breakpoint does not hold it again at that instruction.
 */
enum bis_break_kind {
	BIS_BREAK_PC,	  /* at virtual address `address` */
	BIS_BREAK_READ,	  /* before a load from a virtual address in [address, address+length) */
	BIS_BREAK_WRITE,  /* before a store, SC or AMO there */
	BIS_BREAK_ACCESS, /* before either */
	BIS_BREAK_CSR,	  /* before a CSR instruction gives CSR number `address` another value */
	BIS_BREAK_TRAP, /* before the exception with cause `address` is delivered, at the instruction that raises it */
	BIS_BREAK_INTERRUPT, /* before the interrupt with cause `address` is taken */
	BIS_BREAK_INSTRET,   /* when the hart has retired `address` instructions since reset */
	BIS_BREAK_KINDS
};

#define BIS_BREAKS_MAX		 64
#define BIS_BREAK_CONDITIONS_MAX 4

enum bis_compare { BIS_EQUAL, BIS_NOT_EQUAL, BIS_BELOW, BIS_BELOW_OR_EQUAL, BIS_ABOVE, BIS_ABOVE_OR_EQUAL };

/* A register compared with a value, unsigned. */
struct bis_condition {
	bool is_csr;
	uint16_t where; /* register slot, or CSR number */
	enum bis_compare compare;
	uint64_t value;
};

struct bis_break {
	enum bis_break_kind kind;
	uint32_t harts; /* bit i: hart i; 0: all */
	uint64_t address, length;
	struct bis_condition conditions[BIS_BREAK_CONDITIONS_MAX]; /* all must hold */
	unsigned n_conditions;
	bool once;	 /* gone after it was hit */
	bool until_rest; /* gone when the machine comes to rest, whatever brings it there */
	uint64_t hits;	 /* so far; bis_break_add sets 0 */
};

/* These take the control lock: any thread, but a hart's or one that holds the device lock. While none of a kind is set,
 * it costs nothing. */
/* *id is above 0. -EINVAL (kind, an empty or wrapping range, a condition on what does not exist), -ENOSPC. */
BIS_MUST_CHECK int bis_break_add(struct bis_machine *m, const struct bis_break *b, unsigned *id);
/* -ENOENT. */
BIS_MUST_CHECK int bis_break_remove(struct bis_machine *m, unsigned id);
/* Breakpoint `index` in order of addition; -ENOENT beyond the last. */
BIS_MUST_CHECK int bis_break_get(struct bis_machine *m, size_t index, unsigned *id, struct bis_break *out);
/* "pc", "read", …; NULL for none. */
const char *bis_break_kind_name(enum bis_break_kind kind);

/* --- Events --- */

enum bis_event_kind {
	BIS_EVENT_STARTED,
	BIS_EVENT_PAUSED, /* by somebody's wish */
	BIS_EVENT_RESUMED,
	BIS_EVENT_STEPPED, /* value: instructions asked for */
	BIS_EVENT_BREAK,   /* hart, id, value: paused because of a breakpoint; value: the address accessed, or pc */
	BIS_EVENT_RESET,
	BIS_EVENT_STOPPED, /* value: exit status */
	BIS_EVENT_MODULE_ADDED,
	BIS_EVENT_MODULE_REMOVED, /* text: the instance's name, for both */
	BIS_EVENT_KINDS
};

struct bis_event {
	enum bis_event_kind kind;
	unsigned hart;
	unsigned id;
	uint64_t value;
	uint64_t pc;	  /* of hart `hart`, with BREAK */
	uint64_t time;	  /* machine time, ns */
	const char *text; /* valid during the call; "" where there is none */
};

/* "started", "paused", … */
const char *bis_event_kind_name(enum bis_event_kind kind);

struct bis_listener;
/*
 * Calls fn(arg, event) after each event, on the thread that brought it about, with the control lock held: it may look
 * at the machine, but not change its run state. -ENOMEM.
 */
BIS_MUST_CHECK int bis_listener_create(struct bis_machine *m, void (*fn)(void *arg, const struct bis_event *event),
				       void *arg, struct bis_listener **out);
/* No call is under way or follows. Not from inside one. */
void bis_listener_destroy(struct bis_machine *m, struct bis_listener *l);

/* --- Address translation, in steps --- */

/* A page-table entry that was looked at. */
struct bis_walk_step {
	unsigned level;
	uint64_t pte_address, pte; /* physical address, and what lies there */
};

/*
 * Translates as hart h would for that access at its current privilege, without changing or raising anything; `step`
 * (may be NULL) hears of each entry. OK with *out; the fault that the hart would take otherwise. *scheme is the paging
 * scheme's name, or "bare". Control thread, harts parked.
 */
enum bis_walk_result bis_hart_walk(struct bis_hart *h, uint64_t va, enum bis_access access,
				   void (*step)(void *arg, const struct bis_walk_step *step), void *arg,
				   struct bis_mapping *out, const char **scheme);

/* What a TLB of the hart holds at present, for display; `index` counts valid entries. False beyond the last. */
struct bis_tlb_view {
	const char *context;	  /* "u", "s", "s+sum", "m" */
	uint64_t va, pa;	  /* of the page; pa 0 with `direct` */
	bool read, write, direct; /* direct: of a direct window */
};
bool bis_hart_tlb(const struct bis_hart *h, size_t index, struct bis_tlb_view *out);

/* --- What an instance of a module has attached --- */

enum bis_attachment_kind {
	BIS_ATTACHED_WINDOW,	/* registers at physical addresses `first` to `last` */
	BIS_ATTACHED_DIRECT,	/* a direct window there */
	BIS_ATTACHED_SLOT,	/* native slot `first` */
	BIS_ATTACHED_IRQ,	/* line `first` is wired to input `last` of the controller `text`; NULL: to none */
	BIS_ATTACHED_IRQCHIP,	/* a controller of kind `text`, inputs `first` to `last` */
	BIS_ATTACHED_CSRS,	/* CSRs `first` to `last`; text: the first one's name */
	BIS_ATTACHED_ISA,	/* `last` rows of instructions; text: the family, NULL: rows for one that is there */
	BIS_ATTACHED_PAGING,	/* the scheme `text`: satp.MODE `first`, for XLEN `last` */
	BIS_ATTACHED_TRAP,	/* is asked about the exceptions whose causes are the bits of `first` */
	BIS_ATTACHED_BOOT,	/* prepares harts that have been reset */
	BIS_ATTACHED_PROCESSOR, /* a processor beside the harts */
	BIS_ATTACHMENT_KINDS
};

struct bis_attachment {
	enum bis_attachment_kind kind;
	uint64_t first, last;
	const char *text; /* valid as long as the instance */
};

/* Attachment `index` of an instance; -ENOENT beyond the last. At a safepoint, or with the control lock. */
BIS_MUST_CHECK int bis_module_attachment(const struct bis_module *mod, size_t index, struct bis_attachment *out);

/* --- Registers --- */

/* Row `index` of the register table of the hart's instruction set; NULL beyond the last. Constant data. */
const struct bis_reg_desc *bis_hart_reg_desc(const struct bis_hart *h, size_t index);

/* --- Fields of CSRs --- */

struct bis_csr_field {
	const char *csr, *name;	   /* "mstatus", "MPP" */
	uint8_t low, width, xlens; /* bits; enum bis_xlens */
	const char *help;
};
/* Field `index` of that CSR on harts of that width, in order; NULL beyond the last. Constant data. */
const struct bis_csr_field *bis_csr_field(const char *csr, unsigned xlen, size_t index);

/* --- Counters --- */

struct bis_hart_counters {
	uint64_t instret;
	uint64_t traps[64], interrupts[64]; /* taken, by cause */
	uint64_t tlb_fills, blocks_translated;
	uint64_t traces_translated, blocks_dropped; /* of the former */
	uint64_t code_flushes, code_bytes;	    /* how often the code cache was full; what it holds */
};
/* Any thread; a running hart's may be a little behind. */
void bis_hart_counters(const struct bis_hart *h, struct bis_hart_counters *out);

/* What guest code is translated as: straight to a jump, along a path through several blocks, or with a loop. */
enum bis_block_kind { BIS_BLOCK_PLAIN, BIS_BLOCK_TRACE, BIS_BLOCK_LOOP, BIS_BLOCK_KINDS };
/* "block", "trace", "loop" */
const char *bis_block_kind_name(enum bis_block_kind kind);

/* A block that the hart has been met in, every 50000 instructions. */
struct bis_hot_block {
	uint64_t va, pa; /* of its first instruction, as it was met last */
	uint64_t samples;
	enum bis_block_kind kind;
	unsigned insns; /* guest instructions */
	size_t bytes;	/* of the engine's code */
};
/*
 * The `max` blocks with the most samples, the hottest first, out of some hundreds that are kept; how many. *samples: of
 * all blocks. Any thread, also while the hart runs.
 */
size_t bis_hart_hot_blocks(const struct bis_hart *h, struct bis_hot_block *out, size_t max, uint64_t *samples);

#ifdef __cplusplus
}
#endif
#endif
