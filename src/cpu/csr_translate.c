/*
 * CSR instructions in the intermediate representation, as the kinds of csr.def say: what only holds a value is a slot,
 * the rest a call of the accessors. What is known of the hart is what the block is keyed by: privilege and mstatus.FS.
 * Hart's thread.
 */
#include <biscuit/ir.h>

#include "src/cpu/breaks_internal.h"
#include "src/cpu/csr_internal.h"
#include "src/machine/machine_internal.h"
#include "src/translate/ir_internal.h"

/* --- Calls --- */

/* A helper's second argument. */
#define WHICH(address, op, row) ((address) | (uint64_t)(op) << 12 | (uint64_t)(row) << 16)

static unsigned address_in(uint64_t which)
{
	return which & 0xfff;
}

static enum bis_csr_op op_in(uint64_t which)
{
	return (enum bis_csr_op)(which >> 12 & 15);
}

static uint64_t access_any(struct bis_hart *h, uint64_t value, uint64_t which, uint64_t raw)
{
	return bis_hart_csr_access(h, address_in(which), op_in(which), value, (uint32_t)raw);
}

/* Where may_access has been found to hold. */
static uint64_t access_row(struct bis_hart *h, uint64_t value, uint64_t which, uint64_t raw)
{
	return bis_csr_core_access(h, bis_csr_core_row_at(which >> 16), address_in(which), op_in(which), value,
				   (uint32_t)raw);
}

enum after { STAYS, MAY_END, ENDS };
enum { ACCESS = BIS_CALL_TRAPS | BIS_CALL_SEES_COUNT };

static const struct bis_helper any[] = {
	[STAYS] = {"csr", access_any, ACCESS},
	[MAY_END] = {"csr", access_any, ACCESS | BIS_CALL_MAY_END},
	[ENDS] = {"csr", access_any, ACCESS | BIS_CALL_ENDS},
};
static const struct bis_helper of_row[] = {
	[STAYS] = {"csr", access_row, ACCESS},
	[MAY_END] = {"csr", access_row, ACCESS | BIS_CALL_MAY_END},
	[ENDS] = {"csr", access_row, ACCESS | BIS_CALL_ENDS},
};

/* How much of what follows in the block may depend on the access beyond its result. */
static enum after what_follows(const struct csr_row *row, enum bis_csr_op op)
{
	if (!row)
		return ENDS;
	if (op == BIS_CSR_READ || row->kind == CSR_WORD || row->kind == CSR_EPC)
		return STAYS;
	return row->kind == CSR_REST ? ENDS : MAY_END;
}

/* --- Slots --- */

/* Does somebody want to be told of accesses? */
static bool is_seen(const struct bis_machine *m)
{
	return m->cfg.observer.csr || (m->breaks.kinds & BREAK_BIT(BIS_BREAK_CSR));
}

static bool may_access(const struct bis_ir *t, unsigned address, enum bis_csr_op op)
{
	return t->hart && !is_seen(t->hart->machine) && bis_csr_core_find(t->hart, address) &&
	       t->hart->priv >= CSR_PRIV(address) && (op == BIS_CSR_READ || !CSR_READ_ONLY(address));
}

/* slot = the old value `view` changed as `op` says, as far as `mask` goes. */
static void write_slot(struct bis_ir *t, unsigned slot, uint64_t mask, enum bis_csr_op op, struct bis_val view,
		       struct bis_val value)
{
	struct bis_val next = bis_ir_temp(t);

	switch (op) {
	case BIS_CSR_READ:
		return;
	case BIS_CSR_SET:
		bis_ir_op2(t, BIS_IR_or, next.slot, view, value);
		break;
	case BIS_CSR_CLEAR:
		bis_ir_op2(t, BIS_IR_xor, next.slot, value, bis_const(-1));
		bis_ir_op2(t, BIS_IR_and, next.slot, next, view);
		break;
	default:
		next = value;
	}
	bis_ir_op2(t, BIS_IR_and, slot, next, bis_const((int64_t)mask));
}

static void access_word(struct bis_ir *t, const struct csr_row *row, enum bis_csr_op op, unsigned d,
			struct bis_val value)
{
	uint64_t readable = row->kind == CSR_EPC ? bis_csr_epc_mask(t->hart) : UINT64_MAX;
	struct bis_val view = bis_ir_temp(t); /* d may be what `value` is in */

	if (op == BIS_CSR_READ)
		view.slot = (uint8_t)d;
	if (op != BIS_CSR_WRITE)
		bis_ir_op2(t, BIS_IR_and, view.slot, bis_slot(row->slot), bis_const((int64_t)readable));
	write_slot(t, row->slot, row->kind == CSR_EPC ? ~UINT64_C(1) : UINT64_MAX, op, view, value);
	if (op != BIS_CSR_READ && op != BIS_CSR_WRITE)
		bis_ir_op1(t, BIS_IR_mov, d, view);
}

/* mstatus and sstatus: reading, and disabling interrupts. */
static bool access_status(struct bis_ir *t, const struct csr_row *row, enum bis_csr_op op, unsigned d,
			  struct bis_val value)
{
	bool machine = row->first == CSR_MSTATUS;
	uint64_t cleared =
		value.kind == BIS_VAL_CONST ? (uint64_t)value.imm & bis_csr_status_mask(machine) : UINT64_MAX;
	struct bis_val view = bis_ir_temp(t), mstatus = bis_slot(row->slot);

	if (op != BIS_CSR_READ && (op != BIS_CSR_CLEAR || (cleared & ~(MSTATUS_SIE | MSTATUS_MIE))))
		return false;
	t->asked_fs = true; /* the view has a summary of it */
	bis_ir_op2(t, BIS_IR_and, view.slot, mstatus, bis_const(machine ? -1 : (int64_t)bis_csr_status_mask(false)));
	bis_ir_op2(t, BIS_IR_or, d, view, bis_const((int64_t)(bis_csr_status_view(t->hart, machine) & t->hart->xmask)));
	if (op == BIS_CSR_CLEAR)
		bis_ir_op2(t, BIS_IR_and, row->slot, mstatus, bis_const((int64_t)~cleared));
	return true;
}

void bis_ir_csr(struct bis_ir *t, unsigned address, enum bis_csr_op op, unsigned d, struct bis_val value, uint32_t raw)
{
	const struct csr_row *row = bis_csr_core_row(address, t->isa->xlen);
	bool known = may_access(t, address, op);
	size_t index = known ? (size_t)(row - bis_csr_core_row_at(0)) : 0;

	if (known) {
		if (row->kind == CSR_WORD || row->kind == CSR_EPC) {
			access_word(t, row, op, d, value);
			return;
		}
		if (row->kind == CSR_STATUS && access_status(t, row, op, d, value))
			return;
	}
	bis_ir_call(t, known ? &of_row[what_follows(row, op)] : &any[what_follows(row, op)], d, value,
		    bis_const((int64_t)WHICH(address, op, index)), raw);
}
