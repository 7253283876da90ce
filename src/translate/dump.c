/* Translations as text: guest instructions and operations, for those who want to see what an engine makes of them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/machine.h>

#include "src/cpu/guest_access.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/translate/dump_internal.h"

static const char *const pure_names[] = {
#define IR_UNARY(name, help)		#name,
#define IR_BINARY(name, commutes, help) #name,
#include <biscuit/ir.def>
};
static const char *const mem_names[] = {"u8", "s8", "u16", "s16", "u32", "s32", "64", "boxed32"};
static const char *const cond_names[] = {"eq", "ne", "lts", "ges", "ltu", "geu"};

/* A text that is cut where its room ends. */
struct text {
	char *at;
	size_t room;
};

static void BIS_PRINTF(2, 3) put(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->at, t->room, format, ap);
	va_end(ap);
	if (n < 0 || !t->room)
		return;
	if ((size_t)n >= t->room)
		n = (int)t->room - 1;
	t->at += n;
	t->room -= (size_t)n;
}

static void put_slot(struct text *t, const struct bis_isa_family *family, unsigned slot)
{
	for (size_t i = 0; i < family->n_regs; i++) {
		if (family->regs[i].slot != slot)
			continue;
		put(t, "%s", family->regs[i].alias);
		return;
	}
	if (slot == BIS_DISCARD)
		put(t, "-");
	else if (slot == HART_ZERO_SLOT)
		put(t, "#0");
	else if (slot >= HART_STATE_SLOT)
		put(t, "csr%u", slot - HART_STATE_SLOT);
	else
		put(t, "t%u", slot - HART_TEMP_SLOT);
}

static void put_val(struct text *t, const struct bis_isa_family *family, struct bis_val v)
{
	if (v.kind == BIS_VAL_SLOT)
		put_slot(t, family, v.slot);
	else
		put(t, "%s#%lld", v.kind == BIS_VAL_PCREL ? "page+" : "", (long long)v.imm);
}

static void put_address(struct text *t, const struct bis_isa_family *family, const struct ir_node *n)
{
	put(t, "[");
	put_val(t, family, n->a);
	put(t, " + #%lld]", (long long)n->imm);
}

static void put_operands(struct text *t, const struct bis_isa_family *family, const struct ir_node *n, unsigned count)
{
	const struct bis_val v[] = {n->a, n->b, n->c};

	for (unsigned i = 0; i < count; i++) {
		put(t, i ? ", " : " ");
		put_val(t, family, v[i]);
	}
}

static void put_name(struct text *t, const struct ir_node *n)
{
	switch ((enum ir_kind)n->kind) {
	case IR_OP1:
	case IR_OP2:
		put(t, "%s", pure_names[n->op]);
		break;
	case IR_LOAD:
	case IR_STORE:
		put(t, "%s.%s", n->kind == IR_LOAD ? "load" : "store", mem_names[n->op]);
		break;
	case IR_LR:
	case IR_SC:
	case IR_AMO:
		put(t, "%s%u", n->kind == IR_LR ? "lr" : n->kind == IR_SC ? "sc" : "amo", n->bits);
		break;
	case IR_FENCE:
		put(t, n->op ? "fence" : "fence.order");
		break;
	case IR_FP:
		put(t, "fp%u.%u", n->bits, n->op);
		break;
	case IR_CALL:
		put(t, "call %s", n->helper->name);
		break;
	case IR_TAKE_UNLESS:
		put(t, "take unless %s", cond_names[n->op]);
		break;
	case IR_LEAVE_IF:
	case IR_BRANCH:
		put(t, "%s.%s", n->kind == IR_BRANCH ? "branch" : "leave", cond_names[n->op]);
		break;
	case IR_JUMP:
	case IR_JUMP_REG:
		put(t, "jump");
		break;
	case IR_TRAP:
		put(t, "trap %lld", (long long)n->imm);
		break;
	}
}

static void put_node(struct text *t, const struct bis_isa_family *family, const struct ir_node *n)
{
	static const uint8_t operands[] = {
		[IR_OP1] = 1,	      [IR_OP2] = 2,	 [IR_LR] = 1,	  [IR_SC] = 2,
		[IR_AMO] = 2,	      [IR_FP] = 3,	 [IR_CALL] = 2,	  [IR_TRAP] = 1,
		[IR_TAKE_UNLESS] = 3, [IR_LEAVE_IF] = 2, [IR_BRANCH] = 2, [IR_JUMP_REG] = 1,
	};

	put_name(t, n);
	if (n->kind < IR_LEAVE_IF && n->kind != IR_STORE && n->kind != IR_FENCE) {
		put(t, " ");
		put_slot(t, family, n->d);
		put(t, " =");
	}
	if (n->kind == IR_LOAD || n->kind == IR_STORE) {
		put(t, " ");
		put_address(t, family, n);
	}
	if (n->kind == IR_STORE) {
		put(t, " = ");
		put_val(t, family, n->b);
	} else if (n->kind < BIS_ARRAY_SIZE(operands)) {
		put_operands(t, family, n, operands[n->kind]);
	}
	if (n->kind == IR_LEAVE_IF || n->kind == IR_BRANCH || n->kind == IR_JUMP)
		put(t, " -> page+%lld", (long long)n->imm);
}

size_t bis_translation_insns(const struct bis_translation *t)
{
	return t->ir->insns;
}

int bis_translation_guest(const struct bis_translation *t, size_t index, uint64_t *pa, char *buf, size_t size)
{
	const uint8_t *at;
	uint32_t raw;

	if (index >= t->ir->insns)
		return bis_fail(ENOENT, "no more instructions");
	*pa = (t->pa & ~(uint64_t)(BIS_PAGE_SIZE - 1)) + t->ir->offset[index];
	at = t->page + t->ir->offset[index];
	raw = guest_load16(at);
	if (t->hart->machine->family->length((uint16_t)raw) == 4 && t->ir->offset[index] + 4u <= BIS_PAGE_SIZE)
		raw |= (uint32_t)guest_load16(at + 2) << 16;
	(void)bis_disassemble(t->hart->machine->decoder, raw, *pa, buf, size);
	return 0;
}

int bis_translation_operation(const struct bis_translation *t, size_t insn, size_t index, char *buf, size_t size)
{
	struct text text = {buf, size};

	for (unsigned i = 0; i < t->ir->nodes; i++) {
		const struct ir_node *n = &t->ir->node[i];

		if (n->insn != insn || index--)
			continue;
		put_node(&text, t->hart->machine->family, n);
		return 0;
	}
	return -ENOENT;
}

void bis_translation_code(const struct bis_translation *t, struct bis_translation_code *out)
{
	*out = (struct bis_translation_code){.pa = t->pa,
					     .trace = t->ir->trace,
					     .loop = t->ir->loop,
					     .code = t->code,
					     .size = t->code_size,
					     .address = (uintptr_t)t->code + (uintptr_t)t->hart->code_exec};
}
