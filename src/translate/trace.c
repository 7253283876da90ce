/*
 * Traces: hot code of one page translated along the way it takes, several blocks as one, a loop with its branches.
 * Hart's thread only.
 */
#include <string.h>

#include "src/cpu/hart_internal.h"
#include "src/translate/block_internal.h"
#include "src/translate/ir_internal.h"
#include "src/translate/translate_internal.h"

static bool is_in_trace(const struct bis_ir *t, int64_t off)
{
	for (unsigned i = 0; i < t->insns; i++)
		if (t->offset[i] == off && !t->chosen[i])
			return true;
	return false;
}

static bool can_follow(const struct bis_ir *t, int64_t off)
{
	return off >= 0 && off < (int64_t)BIS_PAGE_SIZE && !is_in_trace(t, off);
}

/* Does the branch that ends the run of instructions from `run` on rather jump, as far as its own block has shown? */
static bool prefers_jump(const struct bis_hart *h, const struct bis_code *s, unsigned run, const struct ir_node *n,
			 unsigned behind)
{
	const struct bis_block *b = bis_block_find(h, PAGE_OF(s->pa) + run);

	if (b && !b->trace && b->ends[0].linked != b->ends[1].linked)
		return b->ends[1].linked;
	return n->imm < (int64_t)behind;
}

/* The branch n becomes an exit to `target`, on its condition or its opposite. */
static void leave_by(struct ir_node *n, bool opposite, int64_t target)
{
	n->kind = IR_LEAVE_IF;
	n->op = (uint8_t)(n->op ^ opposite);
	n->imm = target;
}

/* Appends a jump from the last instruction to `target`. */
static void jump_to(struct bis_ir *t, int64_t target)
{
	bis_ir_jump(t, target - t->offset[t->insns - 1]);
}

/*
 * The end of a block at `*off`: does the path go on behind or beyond it? Then *off is where, and *run where the run of
 * instructions begins that goes on there.
 */
static bool goes_on(const struct bis_hart *h, const struct bis_code *s, struct bis_ir *t, unsigned *off, unsigned *run)
{
	struct ir_node *n = &t->node[t->nodes - 1];
	int64_t start = t->offset[0], behind = *off, target = n->imm;
	bool jumps = true;

	if (n->kind == IR_JUMP && can_follow(t, target)) {
		t->nodes--;
	} else if (n->kind != IR_BRANCH) {
		return false;
	} else if (target != start && (can_follow(t, target) || can_follow(t, behind))) {
		jumps = can_follow(t, target) && (prefers_jump(h, s, *run, n, *off) || !can_follow(t, behind));
		leave_by(n, jumps, jumps ? behind : target);
	} else {
		jumps = target == start;
		leave_by(n, jumps, jumps ? behind : target);
		jump_to(t, jumps ? target : behind);
		return false;
	}
	t->ended = false;
	*off = *run = (unsigned)(jumps ? target : behind);
	return true;
}

static bool ends_oddly(const struct bis_ir *t)
{
	return t->ended && t->node[t->nodes - 1].kind != IR_BRANCH && t->node[t->nodes - 1].kind != IR_JUMP;
}

/* Takes the last instruction back: a jump leads there instead. */
static void end_before_last(struct bis_ir *t)
{
	t->insns--;
	while (t->nodes && t->node[t->nodes - 1].insn == t->insns)
		t->nodes--;
	jump_to(t, t->offset[t->insns]);
}

/*
 * Appends the path from `off` on, until it comes upon instructions that t has, or to an end. False if it cannot be.
 */
static bool append_path(struct bis_hart *h, struct bis_code *s, struct bis_ir *t, unsigned off)
{
	unsigned run = off, len;
	enum bis_step step;

	t->ended = false;
	do {
		step = bis_translate_insn(h, s, t, off, &len);
		if (step == STEP_FAULT || s->second_page != BLOCK_DEAD)
			return false;
		if (step == STEP_NOT_THIS)
			break;
		off += len;
		if (t->ended && !goes_on(h, s, t, &off, &run))
			return true;
	} while (!is_in_trace(t, off) && bis_ir_has_room(t) && off < BIS_PAGE_SIZE);
	jump_to(t, off);
	return true;
}

/* The same beside the path that t has. It ends in jumps alone; where it would be nothing else, it is left out. */
static bool append_side_path(struct bis_hart *h, struct bis_code *s, struct bis_ir *t, unsigned off)
{
	unsigned before = t->insns;

	if (!append_path(h, s, t, off))
		return false;
	if (!ends_oddly(t))
		return true;
	if (t->insns - before > 1) {
		end_before_last(t);
		return true;
	}
	t->insns--;
	while (t->node[t->nodes - 1].insn == t->insns)
		t->nodes--;
	return true;
}

/* Does n leave for somewhere in the page where this hart has been, which t does not have yet? */
static bool leads_aside(const struct bis_hart *h, const struct bis_code *s, const struct bis_ir *t,
			const struct ir_node *n)
{
	return (n->kind == IR_LEAVE_IF || n->kind == IR_JUMP) && can_follow(t, n->imm) &&
	       n->imm <= (int64_t)BIS_PAGE_SIZE - 4 && bis_block_find(h, PAGE_OF(s->pa) + (uint64_t)n->imm);
}

static bool returns_to_start(const struct bis_ir *t)
{
	for (unsigned i = 0; i < t->nodes; i++)
		if ((t->node[i].kind == IR_LEAVE_IF || t->node[i].kind == IR_JUMP) && t->node[i].imm == t->offset[0])
			return true;
	return false;
}

#define UNROLLED_INSNS 32
#define UNROLLED_TURNS 4

/* A short loop with one way out is laid out several turns long. */
static void unroll(struct bis_ir *t)
{
	unsigned insns = t->insns, nodes = t->nodes, turns = UNROLLED_INSNS / insns;
	unsigned leaves = 0;
	struct ir_node jump = t->node[nodes - 1];

	for (unsigned i = 0; i < nodes; i++)
		leaves += t->node[i].kind == IR_LEAVE_IF;
	if (jump.kind != IR_JUMP || jump.imm != t->offset[0] || leaves > 1)
		return;
	if (turns > UNROLLED_TURNS)
		turns = UNROLLED_TURNS;
	for (unsigned turn = 1; turn < turns && t->nodes + nodes <= IR_MAX_NODES; turn++) {
		t->nodes--; /* the jump back */
		for (unsigned i = 0; i < nodes - 1; i++) {
			t->node[t->nodes] = t->node[i];
			t->node[t->nodes++].insn = (uint8_t)(t->node[i].insn + t->insns);
		}
		t->node[t->nodes] = jump;
		t->node[t->nodes++].insn = (uint8_t)(jump.insn + t->insns);
		memcpy(&t->offset[t->insns], t->offset, insns * sizeof(t->offset[0]));
		memcpy(&t->chosen[t->insns], t->chosen, insns * sizeof(t->chosen[0]));
		t->insns += insns;
	}
}

bool bis_translate_trace(struct bis_hart *h, struct bis_code *s, struct bis_ir *t)
{
	bis_ir_begin_for(t, h);
	t->trace = true;
	if (!append_path(h, s, t, PAGE_OFFSET(s->va)))
		return false;
	t->loop = returns_to_start(t);
	if (t->loop && ends_oddly(t))
		end_before_last(t);
	if (t->loop) {
		bis_ir_choose(t);
		unroll(t);
	}
	for (unsigned i = 0; t->loop && i < t->nodes && t->insns < IR_MAX_INSNS / 2; i++)
		if (leads_aside(h, s, t, &t->node[i]) && !append_side_path(h, s, t, (unsigned)t->node[i].imm))
			return false;
	bis_ir_choose(t);
	return true;
}
