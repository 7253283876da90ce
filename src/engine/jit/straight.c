/*
 * Long traces of integer code that run straight on: guest registers come into host registers and go as the code needs
 * them, those first that are needed last. Outside the trace the convention between blocks holds, as for loops (plan.c).
 * What holds what changes between guest instructions alone. Hart's thread.
 */
#include <string.h>

#include "src/engine/jit/lower_internal.h"

#define INSNS_MIN 32   /* before a way out: fewer do not make up for the moves there */
#define AT_END	  1000 /* a slot is needed in its place between blocks */
#define NEVER	  2000
#define FOLLOWED  64 /* slots */

/* What is done to slots, by instruction. */
struct use {
	uint64_t reads, writes;
	bool pure; /* nobody looks at the registers in the course of the instruction */
};

struct plan {
	struct lowering *l;
	struct use use[IR_MAX_INSNS];
};

static uint64_t bit_of(unsigned slot)
{
	return slot < FOLLOWED ? UINT64_C(1) << slot : 0;
}

static uint64_t bit(struct bis_val v)
{
	return v.kind == BIS_VAL_SLOT ? bit_of(v.slot) : 0;
}

/* False if that is not for here. */
static bool add_use(struct use *u, const struct ir_node *n)
{
	uint64_t d = n->d == BIS_DISCARD ? 0 : bit_of(n->d);

	switch ((enum ir_kind)n->kind) {
	case IR_OP1:
		u->pure &= n->op < BIS_IR_clz;
		u->reads |= bit(n->a) & ~u->writes;
		break;
	case IR_OP2:
		u->reads |= (bit(n->a) | bit(n->b)) & ~u->writes;
		break;
	case IR_LOAD:
		if (n->op == BIS_MEM_BOXED32)
			return false;
		u->pure = false;
		u->reads |= bit(n->a) & ~u->writes;
		break;
	case IR_STORE:
	case IR_LEAVE_IF:
		u->pure = false;
		u->reads |= (bit(n->a) | bit(n->b)) & ~u->writes;
		d = 0;
		break;
	case IR_TAKE_UNLESS:
		u->reads |= (bit(n->a) | bit(n->b) | bit(n->c) | d) & ~u->writes;
		break;
	case IR_FENCE:
	case IR_JUMP:
		d = 0;
		break;
	default:
		return false;
	}
	u->writes |= d;
	return true;
}

static bool find_uses(struct plan *p)
{
	const struct bis_ir *t = p->l->t;
	unsigned leaves = 0;

	for (unsigned i = 0; i < t->insns; i++) {
		p->use[i] = (struct use){.pure = true};
		if (p->l->is_target[i])
			return false;
	}
	for (unsigned i = 0; i < t->nodes; i++) {
		leaves += t->node[i].kind == IR_LEAVE_IF;
		if (!add_use(&p->use[t->node[i].insn], &t->node[i]))
			return false;
	}
	return leaves <= t->insns / INSNS_MIN && t->node[t->nodes - 1].kind == IR_JUMP;
}

/* The next instruction from `insn` on that has to do with the slot. */
static unsigned next_use(const struct plan *p, unsigned slot, unsigned insn)
{
	const struct lowering *l = p->l;

	for (unsigned i = insn; i < l->t->insns; i++)
		if ((p->use[i].reads | p->use[i].writes) & bit_of(slot))
			return i;
	return l->j->pin[slot] == JIT_NO_PIN ? NEVER : AT_END;
}

/* Gives a slot that `insn` has to do with a register, if one holds what is needed later. */
static void take_in(struct plan *p, unsigned slot, unsigned insn)
{
	struct lowering *l = p->l;
	struct jit_map *m = &l->map[insn];
	unsigned latest = next_use(p, slot, insn + 1), reg = JIT_NO_PIN;

	for (unsigned i = 0; i < JIT_POOL; i++) {
		unsigned holds = m->occupant[jit_pool[i]];
		unsigned next = holds == JIT_NO_PIN ? NEVER + 1 : next_use(p, holds, insn);

		if (holds == slot)
			return;
		if (next <= insn || next <= latest)
			continue;
		latest = next;
		reg = jit_pool[i];
	}
	if (reg == JIT_NO_PIN)
		return;
	m->occupant[reg] = (uint8_t)slot;
	if (!p->use[insn].pure || p->use[insn].reads & bit_of(slot))
		m->fills |= (uint16_t)(1u << reg);
}

/* Behind `before`: what is stored, and what memory does not have then. */
static void find_stale(const struct plan *p, unsigned insn, const uint8_t *before, uint16_t stale)
{
	struct jit_map *m = &p->l->map[insn];
	uint16_t leaves = 0, written = 0;

	for (unsigned reg = 0; reg < 16; reg++) {
		if (before[reg] != m->occupant[reg])
			leaves |= (uint16_t)(1u << reg);
		if (m->occupant[reg] != JIT_NO_PIN && p->use[insn].writes & bit_of(m->occupant[reg]))
			written |= (uint16_t)(1u << reg);
	}
	m->spills = leaves & stale;
	m->stale = (uint16_t)((stale & ~leaves) | written);
}

static void plan_maps(struct plan *p)
{
	struct lowering *l = p->l;
	const uint8_t *before = l->resident;
	uint16_t stale = UINT16_MAX;

	for (unsigned i = 0; i < l->t->insns; i++) {
		struct jit_map *m = &l->map[i];
		uint64_t slots = p->use[i].reads | p->use[i].writes;

		m->fills = 0;
		memcpy(m->occupant, before, sizeof(m->occupant));
		for (unsigned slot = 0; slots; slot++, slots >>= 1)
			if (slots & 1)
				take_in(p, slot, i);
		find_stale(p, i, before, stale);
		before = m->occupant;
		stale = m->stale;
	}
}

void jit_straight_plan(struct lowering *l)
{
	struct plan p = {.l = l};

	if (l->t->insns < INSNS_MIN || !find_uses(&p))
		return;
	jit_find_residents(l);
	memcpy(l->occupant, l->resident, sizeof(l->occupant));
	plan_maps(&p);
	l->local = l->straight = true;
	l->halves = l->wide;
	l->guarded = 0;
}

bool jit_straight_use(struct lowering *l, unsigned insn)
{
	if (l->stale == l->map[insn].stale && !memcmp(l->occupant, l->map[insn].occupant, sizeof(l->occupant)))
		return false;
	l->stale = l->map[insn].stale;
	memcpy(l->occupant, l->map[insn].occupant, sizeof(l->occupant));
	memset(l->pin, JIT_NO_PIN, sizeof(l->pin));
	for (unsigned reg = 0; reg < 16; reg++)
		if (l->occupant[reg] != JIT_NO_PIN)
			l->pin[l->occupant[reg]] = (uint8_t)reg;
	return true;
}

void jit_straight_begin(struct lowering *l, unsigned insn)
{
	const struct jit_map *m = &l->map[insn];

	for (unsigned reg = 0; reg < 16; reg++) {
		unsigned out = l->occupant[reg];

		if (out == m->occupant[reg] || out == JIT_NO_PIN)
			continue;
		if (jit_is_half_of(&l->now, out))
			x86_op(&l->a, X86_MOVSXD, true, reg, x86_in(reg));
		jit_known_half(l, out);
		if (m->spills >> reg & 1)
			x86_op(&l->a, X86_MOV_TO, true, reg, jit_slot_at(out));
	}
	for (unsigned reg = 0; reg < 16; reg++)
		if (m->fills >> reg & 1)
			x86_op(&l->a, X86_MOV, true, reg, jit_slot_at(m->occupant[reg]));
	jit_straight_use(l, insn);
	if (l->acc < HART_TEMP_SLOT && l->pin[l->acc] != JIT_NO_PIN)
		l->acc = HART_SLOTS;
}
