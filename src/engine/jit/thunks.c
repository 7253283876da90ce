/* The thunks: entering and leaving generated code, and finding the next block. Written once a cache generation. */
#include <stdlib.h>
#include <string.h>

#include "src/engine/jit/gdb.h"
#include "src/engine/jit/jit_internal.h"
#include "src/machine/machine_internal.h"

/* What holds guest registers; the order is that of the family's most used slots. */
const uint8_t jit_pool[JIT_POOL] = {RBX, RSI, RDI, R8, R9, R10, R11, R12, R13, R14};

const uint8_t jit_saved[JIT_SAVED] = {RBX, RBP, R12, R13, R14, R15};

static void choose_pins(const struct bis_hart *h, struct jit *j)
{
	const struct bis_isa_family *family = h->machine->family;
	size_t n = family ? family->n_hot : 0;

	memset(j->pin, JIT_NO_PIN, sizeof(j->pin));
	for (size_t i = 0; i < n && i < JIT_POOL; i++)
		j->pin[family->hot[i]] = jit_pool[i];
}

static void spill(struct x86_asm *a, const struct jit *j)
{
	for (unsigned slot = 0; slot < HART_SLOTS; slot++)
		if (j->pin[slot] != JIT_NO_PIN)
			x86_op(a, X86_MOV_TO, true, j->pin[slot], jit_slot_at(slot));
	x86_op(a, X86_MOV_TO, true, JIT_BUDGET, JIT_MEMBER(budget));
}

static void reload(struct x86_asm *a, const struct jit *j)
{
	for (unsigned slot = 0; slot < HART_SLOTS; slot++)
		if (j->pin[slot] != JIT_NO_PIN)
			x86_op(a, X86_MOV, true, j->pin[slot], jit_slot_at(slot));
	x86_op(a, X86_MOV, true, JIT_BUDGET, JIT_MEMBER(budget));
}

static void call_c(struct x86_asm *a, uintptr_t function)
{
	x86_op(a, X86_MOV, true, RDI, x86_in(JIT_HART));
	x86_op(a, X86_MOV, true, RSI, x86_in(RAX));
	x86_const(a, RAX, function);
	x86_call_loc(a, x86_in(RAX));
}

/* void enter(hart, code) */
static void make_enter(struct x86_asm *a, struct jit *j)
{
	const uint8_t *here = x86_here(a);

	for (size_t i = 0; i < JIT_SAVED; i++)
		x86_push(a, jit_saved[i]);
	if (j->gdb)
		jit_gdb_keep_frame(j->gdb, a);
	x86_op(a, X86_MOV, true, JIT_HART, x86_in(RDI));
	x86_op(a, X86_MOV, true, RAX, x86_in(RSI));
	reload(a, j);
	x86_jmp_loc(a, x86_in(RAX));
	memcpy(&j->enter, &here, sizeof(here));
}

/* What enter returns through; the first also saves guest registers. */
static void make_leave(struct x86_asm *a, const struct jit *j, const uint8_t **spilling, const uint8_t **leave)
{
	*spilling = x86_here(a);
	spill(a, j);
	*leave = x86_here(a);
	for (size_t i = JIT_SAVED; i-- > 0;)
		x86_pop(a, jit_saved[i]);
	x86_ret(a);
}

/* Goes on at the code in RAX; NULL leaves. */
static void go_on(struct x86_asm *a, const struct jit *j, const uint8_t *leave)
{
	x86_op(a, X86_TEST, true, RAX, x86_in(RAX));
	x86_jcc(a, X86_E, leave);
	reload(a, j);
	x86_jmp_loc(a, x86_in(RAX));
}

static const uint8_t *make_out(struct x86_asm *a, const struct bis_hart *h, const uint8_t *leave)
{
	const uint8_t *here = x86_here(a);

	x86_op(a, X86_ADD, h->xlen == 64, RAX, JIT_MEMBER(pc_page));
	x86_op(a, X86_MOV_TO, true, RAX, JIT_MEMBER(pc));
	x86_jmp(a, leave);
	return here;
}

/* The budget does not suffice for a block: the charge is taken back. */
static const uint8_t *make_refuse(struct x86_asm *a, const struct jit *j)
{
	const uint8_t *here = x86_here(a);

	x86_pop(a, RCX);
	x86_op(a, X86_MOV, false, RAX, x86_at(RCX, 0));
	x86_op(a, X86_SUB, true, RCX, x86_in(RAX));
	x86_op(a, X86_MOVZX16, false, RAX, x86_at(RCX, offsetof(struct bis_block, insns)));
	x86_op(a, X86_ADD, true, JIT_BUDGET, x86_in(RAX));
	x86_op(a, X86_MOVZX16, false, RAX, x86_at(RCX, offsetof(struct bis_block, offset)));
	x86_jmp(a, j->out);
	return here;
}

/* RCX leads to the jump entry of the address in RAX. */
static void find_jump(struct x86_asm *a)
{
	_Static_assert(sizeof(struct bis_jump_entry) == 32, "an entry is found by a shift");
	x86_op(a, X86_MOV, false, RCX, x86_in(RAX));
	x86_group(a, X86_G_AND, false, x86_in(RCX), (JUMP_ENTRIES - 1) << 1);
	x86_shift(a, X86_SHL, false, x86_in(RCX), 4);
}

static int32_t jump_at(size_t member)
{
	return (int32_t)(offsetof(struct bis_hart, jumps) + member);
}

/* What jit_write_jump copies: with blanks for where no entry leads. */
static void make_jump(struct jit_jump *jump)
{
	struct x86_asm a = {.at = jump->code, .end = jump->code + sizeof(jump->code)};
	struct x86_patch other_va, other_context;

	find_jump(&a);
	x86_op_index(&a, X86_CMP, true, RAX, JIT_HART, RCX, 0, jump_at(offsetof(struct bis_jump_entry, va)));
	other_va = x86_jcc_later(&a, X86_NE);
	x86_op_index(&a, X86_MOV, true, RDX, JIT_HART, RCX, 0, jump_at(offsetof(struct bis_jump_entry, context)));
	x86_op(&a, X86_CMP, true, RDX, JIT_MEMBER(jump_context));
	other_context = x86_jcc_later(&a, X86_NE);
	x86_group(&a, X86_G_AND, true, x86_in(RAX), -(int32_t)BIS_PAGE_SIZE);
	x86_op(&a, X86_MOV_TO, true, RAX, JIT_MEMBER(pc_page));
	x86_op_index(&a, X86_MOV, true, RCX, JIT_HART, RCX, 0, jump_at(offsetof(struct bis_jump_entry, code)));
	x86_jmp_loc(&a, x86_in(RCX));
	if (a.at > a.end)
		abort(); /* it has become longer than its place */
	jump->size = (size_t)(a.at - jump->code);
	jump->blank[0] = (size_t)(other_va.at - jump->code);
	jump->blank[1] = (size_t)(other_context.at - jump->code);
}

void jit_write_jump(struct x86_asm *a, const struct jit *j)
{
	uint8_t *at = x86_copy(a, j->jump.code, j->jump.size);

	for (unsigned i = 0; at && i < BIS_ARRAY_SIZE(j->jump.blank); i++)
		x86_retarget(at + j->jump.blank[i], a->exec, j->dispatch);
}

/* Goes on at the code of the place in RDX, found for the address in the hart's pc, and remembers it. */
static void remember_jump(struct x86_asm *a)
{
	x86_op(a, X86_MOV, true, RAX, JIT_MEMBER(pc));
	find_jump(a);
	x86_op_index(a, X86_MOV_TO, true, RAX, JIT_HART, RCX, 0, jump_at(offsetof(struct bis_jump_entry, va)));
	x86_op(a, X86_MOV, true, RAX, JIT_MEMBER(jump_context));
	x86_op_index(a, X86_MOV_TO, true, RAX, JIT_HART, RCX, 0, jump_at(offsetof(struct bis_jump_entry, context)));
	x86_op(a, X86_MOV, true, RAX, x86_at(RDX, offsetof(struct bis_jump_place, code)));
	x86_op_index(a, X86_MOV_TO, true, RAX, JIT_HART, RCX, 0, jump_at(offsetof(struct bis_jump_entry, code)));
	x86_jmp_loc(a, x86_in(RAX));
}

/* Through the fetch TLB and the jump cache, as the interpreter does; otherwise C finds the block. */
static const uint8_t *make_dispatch(struct x86_asm *a, const struct jit *j, const uint8_t *leave)
{
	const uint8_t *here = x86_here(a);
	struct x86_patch other_page, other_block;
	uintptr_t find;
	const void *(*function)(struct bis_hart *, uint64_t) = jit_find;

	memcpy(&find, &function, sizeof(find));
	x86_op(a, X86_MOV_TO, true, RAX, JIT_MEMBER(pc));
	x86_op(a, X86_MOV, true, RDX, x86_in(RAX));
	x86_group(a, X86_G_AND, true, x86_in(RDX), -(int32_t)BIS_PAGE_SIZE);
	_Static_assert(sizeof(struct bis_fetch_entry) == 16, "an entry is found by a shift");
	x86_op(a, X86_MOV, false, RCX, x86_in(RAX));
	x86_shift(a, X86_SHR, false, x86_in(RCX), BIS_PAGE_SHIFT - 4);
	x86_group(a, X86_G_AND, false, x86_in(RCX), (TLB_ENTRIES - 1) << 4);
	x86_op(a, X86_ADD, true, RCX, JIT_MEMBER(ftlb));
	x86_op(a, X86_CMP, true, RDX, x86_at(RCX, offsetof(struct bis_fetch_entry, tag)));
	other_page = x86_jcc_later(a, X86_NE);
	x86_op(a, X86_MOV_TO, true, RDX, JIT_MEMBER(pc_page));
	x86_group(a, X86_G_AND, false, x86_in(RAX), BIS_PAGE_SIZE - 1);
	x86_op(a, X86_OR, true, RAX, x86_at(RCX, offsetof(struct bis_fetch_entry, pa)));
	x86_op(a, X86_OR, true, RAX, JIT_MEMBER(block_key));
	x86_op(a, X86_MOV, true, RCX, x86_in(RAX));
	x86_op(a, X86_MOV, true, RDX, x86_in(RAX));
	x86_shift(a, X86_SHR, true, x86_in(RCX), 1);
	x86_shift(a, X86_SHR, true, x86_in(RDX), 13);
	x86_op(a, X86_XOR, false, RCX, x86_in(RDX));
	x86_group(a, X86_G_AND, false, x86_in(RCX), (1 << JUMP_CACHE_BITS) - 1);
	_Static_assert(sizeof(struct bis_jump_place) == 16, "a place is found by a shift");
	x86_shift(a, X86_SHL, false, x86_in(RCX), 4);
	x86_op(a, X86_MOV, true, RDX, JIT_MEMBER(jump_cache));
	x86_op(a, X86_ADD, true, RDX, x86_in(RCX));
	x86_op(a, X86_CMP, true, RAX, x86_at(RDX, offsetof(struct bis_jump_place, tag)));
	other_block = x86_jcc_later(a, X86_NE);
	remember_jump(a);
	x86_bind(a, other_page);
	x86_bind(a, other_block);
	spill(a, j);
	x86_op(a, X86_MOV, true, RAX, JIT_MEMBER(pc));
	x86_group(a, X86_G_SUB, true, x86_in(RSP), 8);
	call_c(a, find);
	x86_group(a, X86_G_ADD, true, x86_in(RSP), 8);
	go_on(a, j, leave);
	return here;
}

static const uint8_t *make_to_page(struct x86_asm *a, const struct jit *j, const struct bis_hart *h)
{
	const uint8_t *here = x86_here(a);

	x86_op(a, X86_ADD, h->xlen == 64, RAX, JIT_MEMBER(pc_page));
	jit_write_jump(a, j);
	return here;
}

static const uint8_t *make_resume(struct x86_asm *a, const struct jit *j, const uint8_t *leave)
{
	const uint8_t *here = x86_here(a);

	x86_group(a, X86_G_CMP, false, JIT_MEMBER(requests), 0);
	x86_jcc(a, X86_NE, leave);
	x86_op(a, X86_MOV, true, RAX, JIT_MEMBER(pc));
	jit_write_jump(a, j);
	return here;
}

static const jit_function functions[JIT_CALLS] = {
	[JIT_LOAD] = jit_load,
	[JIT_STORE] = jit_store,
	[JIT_ATOMIC] = jit_atomic,
	[JIT_CALL] = jit_call,
	[JIT_CALL_TRAPS] = jit_call_traps,
	[JIT_CALL_ENDS] = jit_call_ends,
	[JIT_CALL_MAY_END] = jit_call_may_end,
	[JIT_FP] = jit_fp,
	[JIT_PURE] = jit_pure,
	[JIT_TRAP] = jit_trap,
};

static const jit_noted noted[JIT_THUNKS - JIT_CALLS] = {
	[JIT_EXIT - JIT_CALLS] = jit_exit,
	[JIT_NOTED_LOAD - JIT_CALLS] = jit_noted_load,
	[JIT_NOTED_STORE - JIT_CALLS] = jit_noted_store,
};

/* C's answer: behind the call, or away from it by `depth` return addresses. */
static const uint8_t *make_away(struct x86_asm *a, const struct jit *j, const uint8_t *leave, unsigned depth)
{
	const uint8_t *here = x86_here(a);

	x86_group(a, X86_G_ADD, true, x86_in(RSP), 8 * (int32_t)depth);
	go_on(a, j, leave);
	return here;
}

static void call_function(struct x86_asm *a, const struct jit *j, jit_function function)
{
	uintptr_t address;

	memcpy(&address, &function, sizeof(address));
	x86_const(a, RDI, (uintptr_t)j->origin);
	x86_op(a, X86_ADD, true, RCX, x86_in(RDI));
	call_c(a, address);
}

static const uint8_t *make_call(struct x86_asm *a, const struct jit *j, jit_function function, const uint8_t *away)
{
	const uint8_t *here = x86_here(a);

	spill(a, j);
	call_function(a, j, function);
	x86_op(a, X86_TEST, false, RDX, x86_in(RDX));
	x86_jcc(a, X86_NE, away);
	reload(a, j);
	x86_ret(a);
	return here;
}

/* The return address is where the note is executed, which C reads as it was written. */
static const uint8_t *make_noted(struct x86_asm *a, const struct jit *j, jit_noted function, const uint8_t *away)
{
	const uint8_t *here = x86_here(a);
	uintptr_t address;

	memcpy(&address, &function, sizeof(address));
	spill(a, j);
	x86_const(a, RCX, -(uint64_t)a->exec);
	x86_op(a, X86_ADD, true, RCX, x86_at(RSP, 0));
	call_c(a, address);
	x86_op(a, X86_TEST, false, RDX, x86_in(RDX));
	x86_jcc(a, X86_NE, away);
	reload(a, j);
	x86_op(a, X86_MOV, true, RCX, x86_at(RSP, 0));
	x86_op(a, X86_MOVSXD, true, RDX, x86_at(RCX, offsetof(struct jit_note, to)));
	x86_op(a, X86_ADD, true, RCX, x86_in(RDX));
	x86_op(a, X86_MOV_TO, true, RCX, x86_at(RSP, 0));
	x86_ret(a);
	return here;
}

/* For thunks with registers of their own. C may have made a new generation of the cache, where they were: it comes back
 * to here, which is the same in all. */
static const uint8_t *make_inner(struct x86_asm *a, const struct jit *j, jit_function function, const uint8_t *away)
{
	const uint8_t *here = x86_here(a);

	x86_group(a, X86_G_SUB, true, x86_in(RSP), 8);
	call_function(a, j, function);
	x86_group(a, X86_G_ADD, true, x86_in(RSP), 8);
	x86_op(a, X86_TEST, false, RDX, x86_in(RDX));
	x86_jcc(a, X86_NE, away);
	x86_ret(a);
	return here;
}

size_t jit_make_thunks(struct bis_hart *h, uint8_t *at, size_t room)
{
	struct x86_asm a = {.at = at, .end = at + room, .exec = h->code_exec};
	const uint8_t *spilling, *leave, *away;
	struct jit *j = h->engine_state;

	if (j->thunks_size && !j->gdb && j->family == h->machine->family)
		return j->thunks_size; /* they are there, and perhaps another thread is looking at them */
	j->family = h->machine->family;
	j->origin = at;
	choose_pins(h, j);
	make_jump(&j->jump);
	make_enter(&a, j);
	make_leave(&a, j, &spilling, &leave);
	j->out = make_out(&a, h, spilling);
	j->refuse = make_refuse(&a, j);
	j->dispatch = make_dispatch(&a, j, leave);
	j->to_page = make_to_page(&a, j, h);
	j->resume = make_resume(&a, j, spilling);
	away = make_away(&a, j, leave, 1);
	for (unsigned i = 0; i < JIT_CALLS; i++)
		j->thunk[i] = make_call(&a, j, functions[i], away);
	for (unsigned i = JIT_CALLS; i < JIT_THUNKS; i++)
		j->thunk[i] = make_noted(&a, j, noted[i - JIT_CALLS], away);
	away = make_away(&a, j, leave, 2);
	for (unsigned i = 0; i < JIT_CALLS; i++)
		j->inner[i] = make_inner(&a, j, functions[i], away);
	j->thunks_size = (size_t)(a.at - at);
	if (j->gdb)
		jit_gdb_begin(j->gdb, j, x86_here(&a), a.end + a.exec);
	return j->thunks_size;
}
