/* What the parts of lowering share: the block being lowered, and where values are. */
#ifndef BISCUIT_ENGINE_JIT_LOWER_INTERNAL_H
#define BISCUIT_ENGINE_JIT_LOWER_INTERNAL_H

#include "src/engine/jit/jit_internal.h"

struct lowering;

/* What is known of the upper halves of slots, by bit (halves.c). */
struct jit_halves {
	uint64_t known; /* the slot's value is its lower half, sign-extended */
	uint64_t half;	/* so it is, but the register's upper half may hold anything */
};

/* Code behind the block's end, for what is rare: `from` jumps there, and it comes back to `to`. */
struct jit_stub {
	struct x86_patch from, also; /* `also`.at may be NULL */
	const uint8_t *to, *back;    /* behind the operation; behind its look at a window */
	const struct ir_node *node;
	struct jit_site *site;
	void (*write)(struct lowering *l, const struct jit_stub *s);
	uint8_t reg;  /* where the result goes, or comes from */
	uint8_t base; /* of an access: its address is this register's value */
	int32_t off;  /* and this */
	uint8_t kept; /* slot that RAX still holds behind it, or HART_SLOTS */
	int inside;   /* instruction that a jump leads to */
	struct jit_halves now;
};

#define JIT_STUBS_MAX 2048
#define JIT_CALLS_MAX 4096

/*
 * A window of a trace: the page that accesses through one base register are in. Where a leading access has found its
 * place to be in the window, those that follow need no look.
 */
#define JIT_WINDOWS    8
#define JIT_SPREAD_MAX 1024 /* bytes between the accesses that one look covers */
struct jit_window {
	bool stretch; /* not a page, but the hart's stretch of loads, or of stores (hart_internal.h) */
	uint8_t base; /* slot; JIT_NO_PIN: of all accesses that lead nobody and whose page may be any */
	bool stays;   /* keeps its page from one turn of the loop to the next */
	bool guesses; /* keeps its addend, which most pages of a large mapping have in common */
	bool reads, writes;
	uint32_t span;	  /* the most that a leading access covers */
	uint8_t negative; /* register of: minus the page's address; JIT_NO_PIN: in memory */
	uint8_t addend;	  /* the same for: host address minus guest address */
};

/* The values of a window; how many offsets from the page's start it has, 0 while it shows none, is always in memory. */
enum jit_window_value { JIT_WINDOW_NEGATIVE, JIT_WINDOW_ADDEND, JIT_WINDOW_LIMIT, JIT_WINDOW_VALUES };

/* What a node has to do with a window. */
struct jit_share {
	uint8_t window; /* its index + 1, or 0 */
	bool leads, leads_others;
	bool open;     /* windows hold for accesses behind this node which do not look again */
	int32_t low;   /* of the accesses that it leads, from the base */
	uint32_t span; /* their extent */
};

/* What host registers hold during a guest instruction of a straight trace, and, by bit, what is moved before it. */
struct jit_map {
	uint8_t occupant[16];
	uint16_t spills, fills;
	uint16_t stale; /* behind it, memory does not have what these hold */
};

struct lowering {
	struct x86_asm a;
	const struct bis_hart *h; /* what never changes of it */
	const struct jit *j;
	const struct bis_ir *t;
	const struct ir_node *end;
	struct bis_block *b;
	bool wide;			   /* 64-bit guest */
	const struct bis_stretch *stretch; /* of the hart, that accesses look at first: of loads, of stores; or NULL */
	bool near;     /* the stretches' addend is the following, and fits into an instruction beside an offset */
	bool is_whole; /* the stretch of loads, if there is one, is the RAM from `first` on */
	int64_t addend, first;

	uint8_t pin[HART_SLOTS]; /* register of a slot here */
	/* In a loop with registers of its own: what each holds, a slot or JIT_NO_PIN for anything else. */
	bool local;
	uint8_t occupant[16], resident[16]; /* here; by the convention between blocks */
	bool occupied[16];		    /* by a window's value */
	bool straight;			    /* what they hold changes from instruction to instruction */
	uint16_t stale;			    /* of the map in use; without one, all */
	struct jit_map map[IR_MAX_INSNS];
	/* Instructions that jumps inside the trace lead to, and where their code begins. */
	bool is_target[IR_MAX_INSNS], is_head[IR_MAX_INSNS]; /* the second: jumps back */
	const uint8_t *label[IR_MAX_INSNS];
	unsigned n_labels; /* instructions whose code has begun */
	/* In a loop: the SSE registers of floats (loop_floats.c), which memory has, too. */
	bool floats;
	uint8_t xmm[HART_SLOTS]; /* 0: none */
	unsigned n_windows, n_exits, n_calls;
	struct jit_window window[JIT_WINDOWS];
	struct jit_share share[IR_MAX_NODES];
	struct {
		struct x86_patch at;
		enum jit_thunk thunk;
		uint8_t insn;  /* of a straight trace */
	} call[JIT_CALLS_MAX]; /* of thunks with these registers, which are written last */

	/*
	 * The slot whose value is in RAX; none: HART_SLOTS. `pending`: it is nowhere else yet. Operations take it with
	 * jit_loc and leave their own with jit_put.
	 */
	unsigned acc;
	bool pending;

	bool halves;				 /* this pass leaves halves as they are */
	struct jit_halves now, at[IR_MAX_INSNS]; /* here; at labels */
	uint64_t guarded;			 /* slots that are known where the loop begins */

	uint64_t boxed[4]; /* slots that are known to hold a boxed 32-bit float */
	struct jit_site *sites, *sites_end;
	unsigned n_stubs;
	struct jit_stub stubs[JIT_STUBS_MAX];
};

/* --- Values --- */
static inline bool jit_fits32(int64_t v)
{
	return v == (int32_t)v;
}

/* Where a slot's value is. */
static inline struct x86_loc jit_loc(const struct lowering *l, unsigned slot)
{
	if (slot == l->acc)
		return x86_in(RAX);
	return l->pin[slot] == JIT_NO_PIN ? jit_slot_at(slot) : x86_in(l->pin[slot]);
}

/* Is v in that register? */
static inline bool jit_is_in(const struct lowering *l, struct bis_val v, enum x86_reg reg)
{
	struct x86_loc at;

	if (v.kind != BIS_VAL_SLOT)
		return false;
	at = jit_loc(l, v.slot);
	return !at.memory && at.reg == reg;
}

/* A register that holds v, which is not to be changed: its own, or `scratch`. */
enum x86_reg jit_read(struct lowering *l, struct bis_val v, enum x86_reg scratch);
/* reg = v. */
void jit_copy(struct lowering *l, struct bis_val v, enum x86_reg reg);
/* A place that holds v as right operand: a slot's own, or `scratch`. */
struct x86_loc jit_operand(struct lowering *l, struct bis_val v, enum x86_reg scratch);
/* The register in which the result of n is best made: its own, or RAX. */
static inline enum x86_reg jit_target(const struct lowering *l, unsigned slot)
{
	return l->pin[slot] == JIT_NO_PIN ? RAX : (enum x86_reg)l->pin[slot];
}
/* Puts what is in RAX where it belongs, so that RAX is free for good. */
void jit_free_acc(struct lowering *l);
/* The same, but v may stay there. */
void jit_free_acc_but(struct lowering *l, struct bis_val v);
/* Is it known that the slot holds a boxed 32-bit float? */
bool jit_is_boxed(const struct lowering *l, unsigned slot);
static inline void jit_set_boxed(struct lowering *l, unsigned slot, bool boxed)
{
	uint64_t bit = UINT64_C(1) << slot % 64;

	if (boxed)
		l->boxed[slot / 64] |= bit;
	else
		l->boxed[slot / 64] &= ~bit;
}

void jit_put_elsewhere(struct lowering *l, unsigned slot, enum x86_reg reg);
/* The result for slot, or BIS_DISCARD, is in reg. */
static inline void jit_put(struct lowering *l, unsigned slot, enum x86_reg reg)
{
	l->acc = HART_SLOTS;
	l->pending = false;
	if (slot != BIS_DISCARD && l->pin[slot] == reg)
		jit_set_boxed(l, slot, false);
	else
		jit_put_elsewhere(l, slot, reg);
}

struct jit_site *jit_new_site(struct lowering *l, const struct ir_node *n);
/* Where the hart goes on behind n, from the page start, if its instruction is done with it; or JIT_NOWHERE. */
int64_t jit_behind(const struct lowering *l, const struct ir_node *n);
/* Calls a thunk: a in RAX, b in RDX; the site goes to RCX. */
/* RCX tells which site it is. */
void jit_name_site(struct lowering *l, const struct jit_site *s);
void jit_call_thunk(struct lowering *l, enum jit_thunk thunk, const struct jit_site *s);
/* Calls a thunk with a note, whose distance is filled in, and, where it comes back to `to`, the way there. */
void jit_call_noted(struct lowering *l, enum jit_thunk thunk, struct jit_note note, const uint8_t *to);
struct jit_stub *jit_new_stub(struct lowering *l, const struct ir_node *n,
			      void (*write)(struct lowering *l, const struct jit_stub *s));

/* Where the stretch of loads, or of stores, is in the hart. */
size_t jit_stretch_at(const struct lowering *l, bool writes);
/* May a look at the stretch of loads be at a distance from its beginning that is part of an instruction? */
bool jit_is_near_first(const struct lowering *l, int64_t off);

/* --- halves.c: loops that compute on 32 bits --- */
/* Decides on l->halves, and what holds at labels. */
void jit_halves_plan(struct lowering *l);
/* From before n to behind it: the slots that are to be extended before it, which *s takes for granted. */
uint64_t jit_halves_step(const struct lowering *l, struct jit_halves *s, const struct ir_node *n);
/* Extends slots in their registers. */
void jit_extend(struct lowering *l, uint64_t slots);
/* The slot's register is whole again. */
void jit_forget_half(struct lowering *l, unsigned slot);
/* The same, and it is still known to be the extension of a half. */
void jit_known_half(struct lowering *l, unsigned slot);
bool jit_is_half_of(const struct jit_halves *s, unsigned slot);
bool jit_is_half(const struct lowering *l, struct bis_val v);
/* Do the lower halves of n's operands compare like the whole, one of which is not there? */
bool jit_compares_halves(const struct lowering *l, const struct ir_node *n);
/* Looks whether a loop begins with what it takes for granted. Returns how many jumps fail, at most JIT_GUARDS_MAX. */
#define JIT_GUARDS_MAX 8
unsigned jit_guard(struct lowering *l, struct x86_patch *fails);

/* --- plan.c: traces --- */
/* Chooses windows and registers. */
void jit_plan(struct lowering *l);
/* Fills in l->resident. */
void jit_find_residents(struct lowering *l);
/* Between the registers of other blocks and those of a loop. */
void jit_enter_local(struct lowering *l);
void jit_leave_local(struct lowering *l);
/* Writes the thunks that were called. */
void jit_write_local_thunks(struct lowering *l);
/* Where a window keeps a value while that has no register. */
struct x86_loc jit_window_home(const struct lowering *l, unsigned window, enum jit_window_value value);

/* The instruction inside the trace that a jump behind instruction `from` to `target` may go to directly, or -1. */
int jit_target_inside(const struct bis_ir *t, unsigned from, int64_t target);
/* Leaves the trace before instruction `insn` and goes on at `target`. */
void jit_leave(struct lowering *l, unsigned insn, int64_t target);

/* --- loop_floats.c: floats of a loop in SSE registers --- */
/* Chooses those that get one; p->turns as in plan.c. Behind the choice of other registers. */
void jit_floats_plan(struct lowering *l, const uint32_t *turns);
/* Loads all of them. */
void jit_floats_load(struct lowering *l);
/* Where a float's value is. */
static inline struct x86_loc jit_float_at(const struct lowering *l, unsigned slot)
{
	return l->floats && l->xmm[slot] ? x86_in(l->xmm[slot]) : jit_slot_at(slot);
}
/* The slot has been written, with the value of a general register, or with what is in memory only. */
void jit_float_written(struct lowering *l, unsigned slot, enum x86_reg reg);
void jit_float_stored(struct lowering *l, unsigned slot);

/* --- straight.c: long traces that are no loops --- */
/* Decides on l->straight, and what registers hold. */
void jit_straight_plan(struct lowering *l);
/* Behind the instruction before it: moves what `insn` wants moved. */
void jit_straight_begin(struct lowering *l, unsigned insn);
/* Registers hold what they do during that instruction. True if that is not what they held. */
bool jit_straight_use(struct lowering *l, unsigned insn);

/* --- One function a kind of operation --- */
void jit_op1(struct lowering *l, const struct ir_node *n);
void jit_op2(struct lowering *l, const struct ir_node *n);
void jit_access(struct lowering *l, const struct ir_node *n);
/* RAX = base + offset, as wide as the guest. */
void jit_address(struct lowering *l, const struct ir_node *n);
/* Where from the hart a member of the first TLB entry is. */
int32_t jit_entry_at(const struct lowering *l, size_t member);
void jit_atomic_access(struct lowering *l, const struct ir_node *n);
void jit_fence(struct lowering *l, const struct ir_node *n);
void jit_float(struct lowering *l, const struct ir_node *n);
void jit_take(struct lowering *l, const struct ir_node *n);
void jit_leave_if(struct lowering *l, const struct ir_node *n);
void jit_branch(struct lowering *l, const struct ir_node *n);
void jit_jump(struct lowering *l, const struct ir_node *n);
void jit_jump_reg(struct lowering *l, const struct ir_node *n);

#endif
