/*
 * A hart from the inside: what src/cpu, src/translate and the engines share.
 *
 * Threads: everything is touched by the hart's own thread only (or by the control thread while the hart is parked),
 * except the members grouped under "any thread".
 */
#ifndef BISCUIT_CPU_HART_INTERNAL_H
#define BISCUIT_CPU_HART_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/paging.h>

#include "src/memory/memory_internal.h"
#include "src/translate/hot.h"

#define HART_SLOTS	192 /* guest registers, temporaries, the constant zero, CSRs */
#define HART_TEMP_SLOT	128 /* first temporary */
#define HART_ZERO_SLOT	160 /* never written */
#define HART_SINK_SLOT	161 /* takes results that nobody wants */
#define HART_STATE_SLOT 162 /* first CSR */

/* Does the slot live until the end of an instruction only? */
static inline bool hart_is_temp(unsigned slot)
{
	return slot >= HART_TEMP_SLOT && slot < HART_ZERO_SLOT;
}

#define BIS_LIKELY(x)	__builtin_expect(!!(x), 1)
#define BIS_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* --- Translation look-aside buffer --- */

#define TLB_ENTRIES    1024
#define TLB_GROUP      (TLB_ENTRIES / 64) /* entries that are forgotten together */
#define DIRECT_ENTRIES 32
#define FETCHED_BITS   16384
#define TLB_INVALID    16 /* no page address has this bit, nor does the misalignment of an access */

/* The entry for a page, of data or code, in its context. */
static inline unsigned bis_tlb_index(uint64_t va)
{
	return va >> BIS_PAGE_SHIFT & (TLB_ENTRIES - 1);
}

/* Data entry: an access of `size` bytes at va hits if the page of va+size-1 equals the tag; then host = addend + va. */
struct bis_tlb_entry {
	uint64_t rtag;
	uint64_t wtag; /* set only while no one watches the page's first write */
	uintptr_t addend;
	uint64_t host_page; /* host address of the page, for invalidation by page */
};

/*
 * RAM that loads, or stores, reach without a look at the TLB: an access at va whose distance va + negative is below
 * `limit` goes to addend + va. What it covers in the context TLB_M is what TLB entries could cover, in the others what
 * they do cover (stretch.c).
 */
struct bis_stretch {
	uint64_t negative; /* minus its first address */
	uintptr_t addend;
	uint64_t limit;	     /* for accesses of up to 8 bytes */
	uint64_t wide_limit; /* for several that span up to STRETCH_SPAN bytes */
};
#define STRETCH_SPAN 1024

/* Where a stretch leads: to where M-mode finds the same addresses in the first RAM, or anywhere else. */
enum bis_stretch_kind { STRETCH_OWN, STRETCH_MOVED, STRETCH_KINDS };

struct bis_fetch_entry {
	uint64_t tag;
	uint64_t pa; /* of the page */
};

/* Data contexts: which permissions apply. Fetch contexts are the first three without SUM: indexed by enum bis_priv. */
enum bis_tlb_context { TLB_U, TLB_S, TLB_S_SUM, TLB_M, TLB_CONTEXTS };
enum { FETCH_CONTEXTS = 4 };

/* --- PMP, decoded --- */

#define PMP_ENTRIES 16
struct bis_pmp_range {
	uint64_t lo, hi; /* inclusive */
	uint8_t cfg;	 /* 0 = off */
};

/* --- Requests to a running hart: bits of `requests` --- */

enum bis_request {
	REQ_PARK = 1,	      /* pause or stop: leave the run loop's inner part */
	REQ_IRQ = 2,	      /* look at pending interrupts and timers */
	REQ_DROP_PAGES = 4,   /* code pages were written: see `drop` */
	REQ_FLUSH_WRITES = 8, /* forget write entries of the TLB */
	REQ_FENCE = 16,	      /* forget the whole TLB */
	REQ_SAMPLE = 32	      /* call `sample` */
};

enum bis_hart_state {
	HART_PARKED, /* executes nothing; requests are carried out before it runs again */
	HART_RUNNING,
	HART_OUTSIDE /* in a device or other host code that touches no guest memory through the TLB */
};

#define HART_DROP_MAX 32

/* fcsr.frm, mstatus.FS, privilege and what else keys a block, placed above the physical address (bis_hart_update_key).
 */
#define BLOCK_KEY_SHIFT	 56
#define BLOCK_KEY_FS	 (UINT64_C(3) << BLOCK_KEY_SHIFT)
#define BLOCK_KEY_ANY_FS (UINT64_C(1) << BLOCK_KEY_SHIFT) /* in place of FS: the block does not depend on it */

/* Virtual addresses lo to hi, inclusive; lo > hi: none. */
struct bis_va_range {
	uint64_t lo, hi;
};

/* Where a halted hart goes on. */
struct bis_launch {
	uint64_t pc, a1;
	uint8_t priv;
};

struct bis_block;
struct bis_block_cache;

/*
 * Where an engine has lately gone on from virtual addresses: as long as `context` is the hart's, the code at va is
 * `code`.
 */
#define JUMP_ENTRIES 4096
struct bis_jump_entry {
	uint64_t va, context;
	const void *code;
	uint64_t unused;
};

/* Where the code of blocks is, by their tags; a tag that no block has for an empty place. */
struct bis_jump_place {
	uint64_t tag;
	const void *code;
};

struct bis_hart {
	/* Hot: touched by every block. */
	union {
		uint64_t slots[HART_SLOTS];
		struct { /* CSRs that translated code reads and writes; names as in the privileged specification */
			uint64_t below[HART_STATE_SLOT];
			uint64_t mstatus, mscratch, mepc, mcause, mtval, sscratch, sepc, scause, stval;
		};
	};
	struct bis_jump_entry jumps[JUMP_ENTRIES];
	uint64_t engine_words[24]; /* the engine's own, beside its slots */
	/* Of loads, of stores: those of a kind have the same addend. */
	struct bis_stretch stretch[TLB_CONTEXTS][STRETCH_KINDS][2];
	int64_t budget;				 /* instructions and traps left in this slice */
	_Atomic uint32_t requests;		 /* any thread sets bits; the hart clears them */
	uint64_t pc_page;			 /* virtual address of its page */
	struct bis_tlb_entry *dtlb;		 /* the data context in force */
	struct bis_fetch_entry *ftlb;		 /* the fetch context in force */
	uint64_t block_key;			 /* key bits, already shifted */
	const struct bis_jump_place *jump_cache; /* by hash of tag */
	unsigned unasked;			 /* pages that the TLB was lately to be filled with unasked */
	uint64_t jump_context; /* of valid jump entries: privilege, block key, and how often all became invalid */

	/* Control state. */
	uint64_t pc;		    /* of the current instruction whenever a helper or the control thread can see it */
	uint64_t next_pc;	    /* where a block-ending helper continues */
	struct bis_va_range big[2]; /* where pages larger than 4 KiB lie that the TLB holds pieces of, by half */
	bool exception;		    /* bis_hart_raise was called */
	bool sleeping;		    /* executed WFI */
	uint8_t priv;
	uint64_t exc_cause, exc_tval;

	bool exact;	  /* the slice must end where it is meant to, and not a little before */
	uint64_t slice;	  /* budget at the slice's start */
	uint64_t retired; /* instructions retired before this slice */
	uint32_t ahead;	  /* instructions of the current block that are charged but not yet retired */

	struct bis_fp_env fp;
	uint64_t res_addr, res_value; /* reservation: address (or RES_NONE) and the value that LR read */
	uint8_t res_size;

	/* Other machine and supervisor CSRs. */
	uint64_t medeleg, mideleg, mie, mtvec, menvcfg, stvec, satp, senvcfg, stimecmp;
	uint64_t mip_soft; /* the bits of mip that software set, without SSIP, which is in `lines` */
	bool stimer;	   /* stimecmp drives STIP: Sstc is on, or firmware has set it */
	uint32_t mcounteren, scounteren, mcountinhibit;
	uint64_t mcycle_offset, minstret_offset; /* added to the retired count */
	uint64_t pmpaddr[PMP_ENTRIES];
	uint8_t pmpcfg[PMP_ENTRIES];
	struct bis_pmp_range pmp[PMP_ENTRIES];
	unsigned pmp_active; /* number of leading entries that may match */

	const struct bis_paging_scheme *paging; /* NULL: bare */

	/* Constant after creation. */
	unsigned id;
	unsigned xlen;
	uint64_t xmask; /* all ones of xlen */
	struct bis_machine *machine;
	struct bis_memory *memory;
	const struct bis_ram *stretch_ram; /* that stretches lie in; or NULL */
	struct bis_isa_spec isa;
	bool has_f, has_sstc; /* of isa, asked often */
	struct bis_block_cache *cache;
	const struct bis_engine *engine;
	void *engine_state;  /* the engine's own */
	ptrdiff_t code_exec; /* from where translated code is written to where it runs */

	uint64_t virtual_base; /* virtual clock: this hart's time less that of its instructions, ns */

	/* Any thread. */
	_Atomic uint64_t deadline; /* virtual clock: until when it sleeps, ticks */
	bool idle;		   /* virtual clock: it sleeps; guarded by the machine's idle_lock */
	_Atomic uint64_t lines;	   /* interrupt inputs by enum bis_hart_line */
	_Atomic uint64_t mtimecmp;
	_Atomic uint64_t retired_public;
	_Atomic uint8_t state;	  /* enum bis_hart_state */
	_Atomic uint64_t flushed; /* value of the machine's flush_epoch at the last flush of write entries */
	_Atomic uint8_t sleeping_public;
	_Atomic bool halted;			       /* executes nothing until it is launched */
	_Atomic bool launching;			       /* `launch` is to be carried out */
	struct bis_launch launch;		       /* guarded by `lock` */
	void (*sample)(void *arg, struct bis_hart *h); /* this and its argument are guarded by `lock` */
	void *sample_arg;
	pthread_mutex_t lock; /* guards wake-up, `launch`, `sample` and `drop` */
	pthread_cond_t wake;
	bool may_run;		      /* set by the control thread; false asks the hart to park */
	uint64_t drop[HART_DROP_MAX]; /* physical pages whose code was written */
	unsigned drops;		      /* more than HART_DROP_MAX: everything */
	pthread_t thread;
	bool thread_started;
	uint64_t step_limit; /* instructions left to step; UINT64_MAX when running freely */
	bool step_once;	     /* a trap or an interrupt ends the step, too */
	bool passing;	     /* the next instruction is one that a breakpoint has stopped before */
	uint64_t fruitless;  /* traps in a row without an instruction between them */

	/* Statistics: counted by the hart's thread (bis_count), read by any. */
	_Atomic uint64_t traps[64], interrupts[64], tlb_fills; /* the first two taken, by cause */
	struct bis_hot hot;

	_Alignas(64) struct bis_tlb_entry tlb[TLB_CONTEXTS][TLB_ENTRIES]; /* no entry lies in two cache lines */
	/* Pages of direct windows, for the slow path alone. */
	struct bis_tlb_entry direct[TLB_CONTEXTS][DIRECT_ENTRIES];
	_Alignas(64) struct bis_fetch_entry fetch[FETCH_CONTEXTS][TLB_ENTRIES];
	/* Which groups of both may hold entries, a bit each: all others are empty. */
	uint64_t tlb_used[TLB_CONTEXTS], fetch_used[FETCH_CONTEXTS];
	unsigned tlb_pages[TLB_CONTEXTS];    /* entries that loads may use */
	bool direct_used;		     /* direct[] may hold pages */
	uint64_t fetched[FETCHED_BITS / 64]; /* by hash: pages that code was fetched from since all was forgotten */
};

#define RES_NONE UINT64_MAX

/* One more, of what a single thread counts and others look at. */
static inline void bis_count(_Atomic uint64_t *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* --- hart.c --- */
BIS_MUST_CHECK int bis_hart_create(struct bis_machine *m, unsigned id, const struct bis_isa_spec *isa,
				   struct bis_hart **out);
void bis_hart_destroy(struct bis_hart *h);
/* Architectural reset: M-mode, pc, a1 and a2 as given, a0 = hart id, caches empty. */
void bis_hart_reset(struct bis_hart *h, uint64_t pc, uint64_t a1, uint64_t a2);
/* Recomputes what depends on priv, mstatus and satp: TLB contexts, block key. */
void bis_hart_update_mode(struct bis_hart *h);
/* Translations or blocks have gone: no jump entry holds any more. Hart's thread, or parked. */
void bis_hart_forget_jumps(struct bis_hart *h);
/* Sets request bits and wakes the hart. Any thread. */
void bis_hart_request(struct bis_hart *h, uint32_t bits);
/* Instructions retired up to but not including the current one. */
uint64_t bis_hart_retired(const struct bis_hart *h);

/* --- run.c: the thread --- */
BIS_MUST_CHECK int bis_hart_start_thread(struct bis_hart *h);
void bis_hart_join_thread(struct bis_hart *h);
/* Queues the dropping of translated code of a physical page. Any thread. */
void bis_hart_drop_page(struct bis_hart *h, uint64_t pa_page);
/* Lets the hart run / asks it to park / waits until it is parked. Control thread. */
void bis_hart_release(struct bis_hart *h);
void bis_hart_ask_park(struct bis_hart *h);
void bis_hart_wait_parked(struct bis_hart *h);
/* Compares time with mtimecmp and stimecmp and sets MTIP and STIP accordingly. Hart's thread. */
void bis_hart_update_timers(struct bis_hart *h);
/* The hart's own timer registers have changed. Hart's thread. */
void bis_hart_timer_changed(struct bis_hart *h);
/*
 * Marks the hart as outside while it runs device or module code, so that nobody waits for it while it waits for the
 * device lock; guest memory is then reached through bis_mem_* only. Coming back forgets write entries if that was asked
 * meanwhile.
 */
void bis_hart_go_outside(struct bis_hart *h);
void bis_hart_come_back(struct bis_hart *h);
/* Carries out REQ_DROP_PAGES, REQ_FLUSH_WRITES and REQ_FENCE if set. Hart's thread, between blocks or in a helper that
 * ends one.
 */
void bis_hart_serve(struct bis_hart *h);
/*
 * Asks every hart but `self` to forget its write entries. `self` (may be NULL) is the caller's own hart, which has
 * forgotten by itself those that matter.
 */
void bis_harts_ask_flush_writes(struct bis_machine *m, struct bis_hart *self);
/* Has every hart but `self` done what all calls before this one have asked, or will it before it touches memory? */
bool bis_harts_have_flushed(struct bis_machine *m, const struct bis_hart *self);
/*
 * Makes every hart forget its whole TLB: on return each has, or is outside and will before it touches memory. Not on
 * the thread of a hart that is inside guest code.
 */
void bis_harts_fence(struct bis_machine *m);
/* Makes every hart forget its write entries, and waits until each has. Not on a hart's thread. */
void bis_harts_flush_writes(struct bis_machine *m);

/* --- src/machine/clock.c --- */
/* Machine time in ticks, exact for this hart at its current instruction. Hart's thread. */
uint64_t bis_hart_ticks(struct bis_hart *h);
/*
 * How many instructions the hart may execute until `ticks`; without limit with the host clock. Wakes whoever waits for
 * a time that has come. Hart's thread, between slices.
 */
uint64_t bis_clock_insns_until(struct bis_hart *h, uint64_t ticks);
/* The hart falls asleep until `deadline`: answers until when to wait (UINT64_MAX: until it is woken). Hart's thread. */
uint64_t bis_clock_sleep(struct bis_hart *h, uint64_t deadline);
/* It is awake again; `timed_out`: because the time it waited for has come. */
void bis_clock_wake(struct bis_hart *h, uint64_t waited_for, bool timed_out);

/* --- firmware.c --- */
/* Carries out a launch. Hart's thread. */
void bis_hart_serve_launch(struct bis_hart *h);

/* --- trap.c --- */
/*
 * Delivers the marked exception (h->exception): TRAP attachments first, then the architectural trap. Sets pc. The
 * budget is above zero, as the instruction itself is not charged any more, and one less afterwards.
 */
void bis_trap_deliver(struct bis_hart *h);
/* Takes the highest-priority enabled interrupt if there is one; wakes from WFI. True if one was taken. */
bool bis_trap_interrupt(struct bis_hart *h);
/* Pending and locally enabled interrupts, regardless of the global enables (what ends WFI). */
uint64_t bis_trap_pending(const struct bis_hart *h);
/* Asks the run loop for a look if an interrupt could be taken now. */
void bis_trap_poll(struct bis_hart *h);
/* The value of mip. */
uint64_t bis_trap_mip(const struct bis_hart *h);
/* Sets and clears interrupt-pending bits as software does; the caller has masked what it may. Hart's thread. */
void bis_trap_change_mip(struct bis_hart *h, uint64_t set, uint64_t clear);

/* --- stretch.c --- */
struct bis_mem_page;
struct bis_ram;
/* The hart forgets both stretches, or that of stores. */
void bis_stretch_forget(struct bis_hart *h);
void bis_stretch_forget_writes(struct bis_hart *h);
/* A page of a stretch of stores, by its host address, leaves it, with what lies on its shorter side. */
void bis_stretch_protect(struct bis_hart *h, const uint8_t *host_page);
/* The page at va leaves the context's stretches in the same way. Not for TLB_M. */
void bis_stretch_cut(struct bis_hart *h, size_t context, uint64_t va_page);
/* The data TLB has got an entry: the stretches take it in, with what lies around it, where they may. */
void bis_stretch_note(struct bis_hart *h, const struct bis_tlb_entry *e, uint64_t va_page, uint64_t pa_page);
/* The stretches, of loads and of stores, that have most of what the TLB has of the context in force; or NULL. */
const struct bis_stretch *bis_stretch_choose(const struct bis_hart *h);

/* --- tlb.c --- */
void bis_tlb_create(struct bis_hart *h);
void bis_tlb_flush(struct bis_hart *h);
void bis_tlb_flush_va(struct bis_hart *h, uint64_t va);
void bis_tlb_flush_writes(struct bis_hart *h);
/* Forgets write entries that lead to the host page. */
void bis_tlb_protect(struct bis_hart *h, const uint8_t *host_page);
void bis_tlb_clear(struct bis_tlb_entry *e);
/* The data context in force, by its number. */
size_t bis_tlb_context(const struct bis_hart *h);
/* The TLB gets a piece of this mapping: larger pages are noted, as flushing an address of theirs means all pieces. */
void bis_tlb_note_size(struct bis_hart *h, uint64_t va, uint64_t page_size);
/* The same, and the entry for it, which is empty: that of the data context in force. */
struct bis_tlb_entry *bis_tlb_take(struct bis_hart *h, uint64_t va, uint64_t page_size);
/* The same for fetches: it is the caller who knows the entry. */
void bis_tlb_take_fetch(struct bis_hart *h, uint64_t va, uint64_t page_size);

/* --- mmu.c --- */
/* Slow paths of guest accesses: false if an exception was raised. Any alignment; splits over pages. */
bool bis_mmu_load(struct bis_hart *h, uint64_t va, unsigned size, uint64_t *out);
bool bis_mmu_store(struct bis_hart *h, uint64_t va, unsigned size, uint64_t value);
/* Host address of an aligned `size`-byte RAM location for an atomic; NULL if an exception was raised. `write`: it will
 * be written, and bis_mmu_atomic_done must follow. */
void *bis_mmu_atomic(struct bis_hart *h, uint64_t va, unsigned size, bool write, struct bis_mem_page *page,
		     uint64_t *pa);
void bis_mmu_atomic_done(struct bis_hart *h, struct bis_mem_page *page, uint64_t pa);
/* Fills the fetch entry of va's page; *pa gets the physical address. False if an exception was raised. */
bool bis_mmu_fetch(struct bis_hart *h, uint64_t va, uint64_t *pa);

/* --- pmp.c --- */
void bis_pmp_update(struct bis_hart *h);
enum bis_pmp_answer { PMP_DENY, PMP_ALLOW, PMP_PARTIAL };
/* Is the access to all of [pa, pa+len) allowed? PARTIAL: the range is not uniform (an access then fails). */
enum bis_pmp_answer bis_pmp_check(const struct bis_hart *h, uint64_t pa, uint64_t len, enum bis_access access,
				  unsigned priv);

/* --- csr.c --- */
void bis_csr_reset(struct bis_hart *h);

/* mstatus fields. */
#define MSTATUS_SIE	  (UINT64_C(1) << 1)
#define MSTATUS_MIE	  (UINT64_C(1) << 3)
#define MSTATUS_SPIE	  (UINT64_C(1) << 5)
#define MSTATUS_MPIE	  (UINT64_C(1) << 7)
#define MSTATUS_SPP	  (UINT64_C(1) << 8)
#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_MPP	  (UINT64_C(3) << MSTATUS_MPP_SHIFT)
#define MSTATUS_FS_SHIFT  13
#define MSTATUS_FS	  (UINT64_C(3) << MSTATUS_FS_SHIFT)
#define MSTATUS_MPRV	  (UINT64_C(1) << 17)
#define MSTATUS_SUM	  (UINT64_C(1) << 18)
#define MSTATUS_MXR	  (UINT64_C(1) << 19)
#define MSTATUS_TVM	  (UINT64_C(1) << 20)
#define MSTATUS_TW	  (UINT64_C(1) << 21)
#define MSTATUS_TSR	  (UINT64_C(1) << 22)

#define MENVCFG_FIOM (UINT64_C(1) << 0)
#define MENVCFG_ADUE (UINT64_C(1) << 61)
#define MENVCFG_STCE (UINT64_C(1) << 63)

#define INTERRUPT_BIT(n) (UINT64_C(1) << (n))

/* The privilege that loads and stores have. MPRV is set in M-mode alone, as every way out of there clears it. */
static inline unsigned bis_hart_data_priv(const struct bis_hart *h)
{
	if (h->priv == BIS_PRIV_M && (h->mstatus & MSTATUS_MPRV))
		return (unsigned)(h->mstatus >> MSTATUS_MPP_SHIFT) & 3;
	return h->priv;
}

#endif
