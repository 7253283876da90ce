/*
 * What generated code calls: slow ways of memory accesses, helpers, traps, and finding blocks; and the engine's run
 * function. Hart's thread, with guest registers and budget in the hart.
 */
#include <cpuid.h>
#include <errno.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "src/engine/atomics.h"
#include "src/engine/flow.h"
#include "src/engine/fp.h"
#include "src/engine/jit/gdb.h"
#include "src/engine/jit/jit.h"
#include "src/engine/jit/jit_internal.h"
#include "src/machine/machine_internal.h"

/* --- Floating-point flags: what the host's register has gathered belongs to the hart --- */

static void collect_flags(struct bis_hart *h)
{
	unsigned state, now;

	if ((h->mstatus & MSTATUS_FS) !=
	    MSTATUS_FS) /* what raises flags makes it dirty, and C may have changed it since */
		return;
	state = _mm_getcsr();
	now = state & _MM_EXCEPT_MASK;
	if (!now)
		return;
	h->fp.flags |=
		(uint8_t)((now & _MM_EXCEPT_INVALID ? BIS_FP_NV : 0) | (now & _MM_EXCEPT_DIV_ZERO ? BIS_FP_DZ : 0) |
			  (now & _MM_EXCEPT_OVERFLOW ? BIS_FP_OF : 0) | (now & _MM_EXCEPT_UNDERFLOW ? BIS_FP_UF : 0) |
			  (now & _MM_EXCEPT_INEXACT ? BIS_FP_NX : 0));
	_mm_setcsr(state & ~(unsigned)_MM_EXCEPT_MASK);
}

/* --- Where to go on --- */

static struct jit_answer value(uint64_t v)
{
	return (struct jit_answer){.value = v};
}

static struct jit_answer away_to(const void *code)
{
	return (struct jit_answer){.value = (uintptr_t)code, .away = 1};
}

/* Goes on at h->pc. */
static struct jit_answer away(const struct bis_hart *h)
{
	return away_to(((const struct jit *)h->engine_state)->resume);
}

static struct jit_answer raised_at(struct bis_hart *h, const struct bis_block *b, unsigned insn)
{
	collect_flags(h);
	engine_raise(h, b, insn);
	return away(h);
}

static struct jit_answer raised(struct bis_hart *h, const struct jit_site *s)
{
	return raised_at(h, jit_block_of(s), s->insn);
}

/*
 * Lets the run end with the present block where somebody, perhaps this very access, has asked for something: what is
 * left of the budget was never given.
 */
static void heed_requests(struct bis_hart *h)
{
	if (BIS_LIKELY(!atomic_load_explicit(&h->requests, memory_order_relaxed)))
		return;
	h->slice -= (uint64_t)h->budget;
	h->budget = 0;
}

/* --- Memory --- */

/* For whoever looks at the hart from a device, pc and the instruction count are exact. Where the host refuses an access
 * its signal takes the flags away that the host's register has gathered. */
static void begin_access(struct bis_hart *h, const struct bis_block *b, unsigned insn)
{
	collect_flags(h);
	h->pc = engine_insn_pc(h, b, insn);
	h->ahead = b->insns - insn;
}

struct jit_answer jit_load(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	uint64_t v;
	bool done;

	(void)b;
	begin_access(h, jit_block_of(s), s->insn);
	done = bis_mmu_load(h, a, s->size, &v);
	h->ahead = 0;
	if (!done)
		return raised(h, s);
	heed_requests(h);
	return value(v);
}

/* A store is done. The run ends right behind one that had somebody ask for something, be it an interrupt: at `behind`,
 * from the page start, if nothing of the instruction follows. */
static struct jit_answer stored(struct bis_hart *h, const struct bis_block *b, unsigned insn, int64_t behind,
				uint64_t v)
{
	if (BIS_LIKELY(!atomic_load_explicit(&h->requests, memory_order_relaxed)))
		return value(v);
	if (behind == JIT_NOWHERE) {
		heed_requests(h);
		return value(v);
	}
	h->pc = (h->pc_page + (uint64_t)behind) & h->xmask;
	h->budget += b->insns - (insn + 1);
	return away_to(NULL);
}

struct jit_answer jit_store(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	bool done;

	begin_access(h, jit_block_of(s), s->insn);
	done = bis_mmu_store(h, a, s->size, b);
	h->ahead = 0;
	return done ? stored(h, jit_block_of(s), s->insn, s->imm, 0) : raised(h, s);
}

/* --- Accesses with a note --- */

static struct bis_block *block_of_note(const struct jit_note *n)
{
	return (struct bis_block *)((uintptr_t)n - n->distance);
}

static uint64_t address_of(const struct bis_hart *h, const struct jit_note *n, uint64_t rax)
{
	return ((n->base == BIS_DISCARD ? rax : h->slots[n->base]) + (uint64_t)(int64_t)n->imm) & h->xmask;
}

/* What a load of that kind makes of the bytes v. */
static uint64_t extended(enum bis_mem_kind kind, uint64_t v)
{
	switch (kind) {
	case BIS_MEM_S8:
		return (uint64_t)(int8_t)v;
	case BIS_MEM_S16:
		return (uint64_t)(int16_t)v;
	case BIS_MEM_S32:
		return (uint64_t)(int32_t)v;
	case BIS_MEM_BOXED32:
		return v | UINT64_C(0xffffffff00000000);
	default:
		return v;
	}
}

static unsigned size_of(enum bis_mem_kind kind)
{
	static const uint8_t sizes[] = {
		[BIS_MEM_U8] = 1,  [BIS_MEM_S8] = 1,  [BIS_MEM_U16] = 2, [BIS_MEM_S16] = 2,
		[BIS_MEM_U32] = 4, [BIS_MEM_S32] = 4, [BIS_MEM_64] = 8,	 [BIS_MEM_BOXED32] = 4,
	};

	return sizes[kind];
}

struct jit_answer jit_noted_load(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n)
{
	enum bis_mem_kind kind = (enum bis_mem_kind)n->kind;
	uint64_t v;
	bool done;

	(void)b;
	begin_access(h, block_of_note(n), n->insn);
	done = bis_mmu_load(h, address_of(h, n, a), size_of(kind), &v);
	h->ahead = 0;
	if (!done)
		return raised_at(h, block_of_note(n), n->insn);
	heed_requests(h);
	v = extended(kind, v);
	if (n->slot != BIS_DISCARD)
		h->slots[n->slot] = v;
	return value(v);
}

struct jit_answer jit_noted_store(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n)
{
	const struct bis_block *block = block_of_note(n);
	uint64_t v = n->slot == BIS_DISCARD ? b : h->slots[n->slot];
	bool done;

	begin_access(h, block, n->insn);
	done = bis_mmu_store(h, address_of(h, n, a), size_of((enum bis_mem_kind)n->kind), v);
	h->ahead = 0;
	if (!done)
		return raised_at(h, block, n->insn);
	return stored(h, block, n->insn, n->done ? block->offset[n->insn + 1u] : JIT_NOWHERE, a);
}

struct jit_answer jit_atomic(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	unsigned size = s->bits / 8u;
	uint64_t v = 0;
	bool done;

	begin_access(h, jit_block_of(s), s->insn);
	if (s->imm == IR_LR)
		done = engine_lr(h, a, size, &v);
	else if (s->imm == IR_SC)
		done = engine_sc(h, a, size, b, &v);
	else
		done = engine_amo(h, (enum bis_amo)s->op, a, size, b, &v);
	h->ahead = 0;
	if (!done)
		return raised(h, s);
	heed_requests(h);
	return value(v);
}

/* --- Helpers --- */

static const struct bis_helper *helper_of(const struct jit_site *s)
{
	const struct bis_helper *helper;

	memcpy(&helper, s + 1, sizeof(helper));
	return helper;
}

struct jit_answer jit_call(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	collect_flags(h);
	return value(helper_of(s)->fn(h, a, b, (uint32_t)s->imm));
}

/* Runs the helper with pc and the instruction count exact. */
static uint64_t call_precise(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	uint64_t v;

	collect_flags(h);
	h->pc = engine_insn_pc(h, jit_block_of(s), s->insn);
	h->ahead = jit_block_of(s)->insns - s->insn;
	v = helper_of(s)->fn(h, a, b, (uint32_t)s->imm);
	h->ahead = 0;
	return v;
}

struct jit_answer jit_call_traps(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	uint64_t v = call_precise(h, a, b, s);

	if (BIS_UNLIKELY(h->exception))
		return raised(h, s);
	heed_requests(h);
	return value(v);
}

struct jit_answer jit_call_ends(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	uint64_t v;

	h->next_pc = engine_insn_pc(h, jit_block_of(s), s->insn + 1u);
	v = call_precise(h, a, b, s);
	if (BIS_UNLIKELY(h->exception))
		return raised(h, s);
	if (s->slot != BIS_DISCARD)
		h->slots[s->slot] = v;
	h->pc = h->next_pc;
	return away(h);
}

struct jit_answer jit_call_may_end(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	uint64_t key = h->block_key, v = call_precise(h, a, b, s);

	if (BIS_UNLIKELY(h->exception))
		return raised(h, s);
	if (h->block_key == key && !atomic_load_explicit(&h->requests, memory_order_relaxed))
		return value(v);
	if (s->slot != BIS_DISCARD)
		h->slots[s->slot] = v;
	h->pc = (h->pc_page + s->behind) & h->xmask;
	h->budget += jit_block_of(s)->insns - (s->insn + 1);
	return away(h);
}

struct jit_answer jit_fp(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	return value(engine_fp(h, (enum bis_fp_op)s->op, s->bits, s->rm, a, b, h->slots[s->slot]));
}

struct jit_answer jit_pure(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	(void)h;
	return value(bis_ir_eval((enum bis_ir_op)s->op, a, b));
}

struct jit_answer jit_trap(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_site *s)
{
	(void)b;
	bis_hart_raise(h, (uint64_t)s->imm, a);
	return raised(h, s);
}

/* --- Exits --- */

struct jit_answer jit_exit(struct bis_hart *h, uint64_t a, uint64_t b, const struct jit_note *n)
{
	(void)a;
	(void)b;
	collect_flags(h);
	h->pc = (h->pc_page + (uint64_t)(int64_t)n->imm) & h->xmask;
	if (h->budget <= 0 || atomic_load_explicit(&h->requests, memory_order_relaxed))
		return away_to(NULL);
	return away_to(engine_follow(h, block_of_note(n), (unsigned)n->to, h->pc));
}

const void *jit_find(struct bis_hart *h, uint64_t va)
{
	collect_flags(h);
	return engine_find(h, va);
}

/* --- The engine --- */

static void enter(struct bis_hart *h, const void *code)
{
	const struct jit *j = h->engine_state;
	unsigned state = _mm_getcsr();

	_mm_setcsr(_MM_MASK_MASK);
	j->enter(h, code);
	collect_flags(h);
	_mm_setcsr(state);
}

/* Runs what is left of a budget smaller than the next block, in one block of that many instructions at most. */
static void run_short(struct bis_hart *h)
{
	const struct bis_block *b = bis_block_get_short(h, h->pc, (unsigned)h->budget);

	if (b)
		enter(h, b->code);
	else
		bis_trap_deliver(h);
}

static void jit_run(struct bis_hart *h)
{
	const void *code;
	int64_t before;

	while (h->budget > 0 && !atomic_load_explicit(&h->requests, memory_order_acquire)) {
		before = h->budget;
		code = engine_find(h, h->pc);
		if (!code)
			return;
		enter(h, code);
		if (h->budget < IR_MAX_INSNS)
			bis_block_heat(h, h->pc);
		if (h->budget < IR_MAX_INSNS && !h->exact) { /* what is left was never given */
			h->slice -= (uint64_t)h->budget;
			h->budget = 0;
		}
		if (h->budget == before && h->budget > 0 && h->budget < IR_MAX_INSNS &&
		    !atomic_load_explicit(&h->requests, memory_order_acquire))
			run_short(h);
	}
}

/* Not every compiler's __builtin_cpu_supports knows it. */
static bool has_lzcnt(void)
{
	unsigned eax, ebx, ecx = 0, edx;

	return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & bit_LZCNT);
}

static int jit_create(struct bis_hart *h)
{
	struct jit *j = calloc(1, sizeof(*j));

	if (j)
		j->lowering = jit_lowering_create();
	if (!j || !j->lowering) {
		free(j);
		return bis_fail(ENOMEM, "no memory for hart %u's translator", h->id);
	}
	j->host = (struct jit_host){.lzcnt = has_lzcnt(),
				    .tzcnt = __builtin_cpu_supports("bmi"),
				    .popcnt = __builtin_cpu_supports("popcnt"),
				    .fma = __builtin_cpu_supports("fma")};
	if (h->machine->cfg.debug_engine)
		j->gdb = jit_gdb_create();
	h->engine_state = j;
	return 0;
}

static void jit_destroy(struct bis_hart *h)
{
	struct jit *j = h->engine_state;

	jit_gdb_destroy(j->gdb);
	free(j->lowering);
	free(j);
	h->engine_state = NULL;
}

static void jit_link(const struct bis_hart *h, const struct bis_link *l, const void *target)
{
	x86_retarget((uint8_t *)bis_near(l, l->site), h->code_exec, target);
}

static void *jit_work_create(void)
{
	return jit_lowering_create();
}

/* The processor forgets what it has fetched ahead, as manuals ask for where another has written code. */
static void jit_written_aside(void)
{
	unsigned eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	(void)eax;
	(void)ebx;
	(void)ecx;
	(void)edx;
}

const struct bis_engine bis_engine_jit = {
	.name = "jit",
	.summary = "translates to x86-64 machine code",
	.machine_code = true,
	.create = jit_create,
	.destroy = jit_destroy,
	.begin = jit_make_thunks,
	.room = jit_room,
	.lower = jit_lower,
	.work_create = jit_work_create,
	.written_aside = jit_written_aside,
	.link = jit_link,
	.run = jit_run,
};
