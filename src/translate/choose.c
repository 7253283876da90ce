/*
 * Short conditional jumps inside a trace, over a few pure instructions: these are carried out in any case and their
 * results taken or not, as branches that are hard to foresee cost more than that. Hart's thread.
 */
#include <string.h>

#include "src/cpu/hart_internal.h"
#include "src/translate/ir_internal.h"

#define SKIP_MAX  3
#define TAKES_MAX 2
#define LAST_TEMP (HART_ZERO_SLOT - 1) /* instructions number theirs from the first on */

struct skip {
	struct bis_ir *t;
	unsigned leave, first, end; /* nodes: the jump; those that it skips */
	unsigned insns;		    /* skipped */
	unsigned takes;
	uint8_t slot[TAKES_MAX], temp[TAKES_MAX];
};

static bool leads_into(const struct bis_ir *t, unsigned first, unsigned last)
{
	for (unsigned i = 0; i < t->nodes; i++)
		for (unsigned k = first; k <= last; k++)
			if ((t->node[i].kind == IR_LEAVE_IF || t->node[i].kind == IR_JUMP) &&
			    t->node[i].imm == t->offset[k])
				return true;
	return false;
}

static bool reads_slot(struct bis_val v, unsigned slot)
{
	return v.kind == BIS_VAL_SLOT && v.slot == slot;
}

/* Notes that the skipped instructions write the slot. */
static bool note_take(struct skip *s, unsigned slot)
{
	if (slot >= HART_STATE_SLOT)
		return false;
	if (slot >= HART_TEMP_SLOT)
		return slot < LAST_TEMP - TAKES_MAX;
	for (unsigned i = 0; i < s->takes; i++)
		if (s->slot[i] == slot)
			return true;
	if (s->takes == TAKES_MAX)
		return false;
	s->slot[s->takes] = (uint8_t)slot;
	s->temp[s->takes] = (uint8_t)(LAST_TEMP - s->takes);
	s->takes++;
	return true;
}

/* Is node `leave` a jump over a few pure instructions? */
static bool find_skip(struct skip *s, struct bis_ir *t, unsigned leave)
{
	const struct ir_node *n = &t->node[leave];
	unsigned from = n->insn + 1u, to = from;

	while (to < t->insns && (t->offset[to] != n->imm || t->chosen[to]) && to - from <= SKIP_MAX)
		to++;
	if (to >= t->insns || to == from || to - from > SKIP_MAX || leads_into(t, from, to - 1))
		return false;
	*s = (struct skip){.t = t, .leave = leave, .first = leave + 1, .end = leave + 1, .insns = to - from};
	for (; s->end < t->nodes && t->node[s->end].insn < to; s->end++) {
		const struct ir_node *p = &t->node[s->end];

		if ((p->kind != IR_OP1 && p->kind != IR_OP2) || !note_take(s, p->d))
			return false;
	}
	/* The condition must stay what it is until the last is taken or not. */
	if (s->takes == 2 && (reads_slot(n->a, s->slot[0]) || reads_slot(n->b, s->slot[0]))) {
		uint8_t slot = s->slot[0];

		s->slot[0] = s->slot[1];
		s->slot[1] = slot;
		if (reads_slot(n->a, s->slot[0]) || reads_slot(n->b, s->slot[0]))
			return false;
	}
	return s->takes && t->nodes + s->takes <= IR_MAX_NODES;
}

static void rename_value(const struct skip *s, struct bis_val *v, unsigned defined)
{
	for (unsigned i = 0; i < s->takes; i++)
		if (reads_slot(*v, s->slot[i]) && (defined >> i & 1))
			v->slot = s->temp[i];
}

static void convert(struct skip *s)
{
	struct bis_ir *t = s->t;
	struct ir_node leave = t->node[s->leave];
	unsigned last = leave.insn + s->insns, defined = 0, at = s->leave;

	for (unsigned i = leave.insn + 1u; i <= last; i++)
		t->chosen[i] = true;
	for (unsigned i = s->first; i < s->end; i++) {
		struct ir_node n = t->node[i];

		rename_value(s, &n.a, defined);
		rename_value(s, &n.b, defined);
		for (unsigned k = 0; k < s->takes; k++) {
			if (n.d != s->slot[k])
				continue;
			n.d = s->temp[k];
			defined |= 1u << k;
			break;
		}
		n.insn = (uint8_t)last;
		t->node[at++] = n;
	}
	if (s->takes > 1) {
		memmove(&t->node[s->end + s->takes - 1], &t->node[s->end], (t->nodes - s->end) * sizeof(t->node[0]));
		t->nodes += s->takes - 1;
	}
	for (unsigned k = 0; k < s->takes; k++, at++) {
		t->node[at] = leave;
		t->node[at].kind = IR_TAKE_UNLESS;
		t->node[at].d = s->slot[k];
		t->node[at].c = bis_slot(s->temp[k]);
		t->node[at].insn = (uint8_t)last;
		t->node[at].imm = k + 1 == s->takes ? (int64_t)s->insns : 0;
	}
}

void bis_ir_choose(struct bis_ir *t)
{
	struct skip s;

	for (unsigned i = 0; i < t->nodes; i++)
		if (t->node[i].kind == IR_LEAVE_IF && find_skip(&s, t, i))
			convert(&s);
}
