/*
 * Floats of a loop in SSE registers. What is written goes to memory as well, so that exits and ways through C have
 * nothing to save, and what comes back from C loads them again. Hart's thread.
 */
#include <string.h>

#include "src/engine/jit/lower_internal.h"

#define FIRST_XMM 3u /* those before it are the operations' own */
#define LAST_XMM  15u

/* As what a loop uses a slot. */
enum { USE_DOUBLE = 1, USE_SINGLE = 2 };

struct uses {
	uint8_t as[HART_TEMP_SLOT];
	uint32_t weight[HART_TEMP_SLOT];
};

static void note(struct uses *u, unsigned slot, unsigned bits, uint32_t turns)
{
	if (slot >= HART_TEMP_SLOT || slot == HART_ZERO_SLOT)
		return;
	u->as[slot] |= bits == 64 ? USE_DOUBLE : USE_SINGLE;
	u->weight[slot] += turns;
}

static bool takes_float(const struct ir_node *n)
{
	return n->op < BIS_FP_FROM_S32 || n->op > BIS_FP_FROM_U64;
}

static bool gives_float(const struct ir_node *n)
{
	return !(n->op >= BIS_FP_EQ && n->op <= BIS_FP_LE) && !(n->op >= BIS_FP_CLASS && n->op <= BIS_FP_TO_U64);
}

/* Of its result, which conversions between the formats change. */
static unsigned result_bits(const struct ir_node *n)
{
	return n->op == BIS_FP_TO_F32 ? 32 : n->op == BIS_FP_TO_F64 ? 64 : n->bits;
}

static void look(struct uses *u, const struct ir_node *n, uint32_t turns)
{
	const struct bis_val v[] = {n->a, n->b, n->c};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(v) && takes_float(n); i++)
		if (v[i].kind == BIS_VAL_SLOT)
			note(u, v[i].slot, n->bits, turns);
	if (gives_float(n))
		note(u, n->d, result_bits(n), turns);
}

void jit_floats_plan(struct lowering *l, const uint32_t *turns)
{
	struct uses u = {0};

	for (unsigned i = 0; i < l->t->nodes; i++) {
		const struct ir_node *n = &l->t->node[i];

		if (n->kind == IR_FP)
			look(&u, n, turns[n->insn]);
		else if (n->kind == IR_LOAD && n->op == BIS_MEM_BOXED32 && n->d < HART_TEMP_SLOT)
			u.as[n->d] |= USE_SINGLE;
	}
	memset(l->xmm, 0, sizeof(l->xmm));
	for (unsigned xmm = FIRST_XMM; xmm <= LAST_XMM; xmm++) {
		unsigned most = 0;

		for (unsigned slot = 1; slot < HART_TEMP_SLOT; slot++)
			if (u.weight[slot] > u.weight[most] && u.as[slot] != (USE_DOUBLE | USE_SINGLE) &&
			    l->pin[slot] == JIT_NO_PIN)
				most = slot;
		if (!u.weight[most])
			return;
		u.weight[most] = 0;
		l->xmm[most] = (uint8_t)xmm;
		l->floats = true;
	}
}

void jit_floats_load(struct lowering *l)
{
	for (unsigned slot = 0; slot < HART_TEMP_SLOT && l->floats; slot++)
		jit_float_stored(l, slot);
}

void jit_float_written(struct lowering *l, unsigned slot, enum x86_reg reg)
{
	if (l->floats && l->xmm[slot])
		x86_sse(&l->a, X86_MOVQ_TO_XMM, true, l->xmm[slot], x86_in(reg));
}

void jit_float_stored(struct lowering *l, unsigned slot)
{
	if (l->floats && l->xmm[slot])
		x86_sse(&l->a, X86_MOVSD, false, l->xmm[slot], jit_slot_at(slot));
}
