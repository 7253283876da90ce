/*
 * CSR instructions: who may access what, and in which order reading and writing happen. Unprivileged specification,
 * chapter 9; privileged specification 1.12, chapter 2. The registers themselves are in csr_access.c; those of modules
 * and of native devices are found through the machine. Hart's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cpu/breaks_internal.h"
#include "src/cpu/csr_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/observe.h"

enum csr_home { KIND_NONE, KIND_CORE, KIND_MODULE, KIND_DEVICE };

/* Where a CSR is implemented. */
struct csr_place {
	enum csr_home kind;
	const struct csr_row *core;
	const struct bis_csr_attachment *module;
	unsigned slot, reg;
};

bool bis_csr_native(unsigned address, unsigned *slot, unsigned *reg)
{
	if ((address & ~0x3fu) == 0x5c0)
		*slot = (address & 0x3f) >> 3;
	else if ((address & ~0x3fu) == 0x9c0)
		*slot = 8 + ((address & 0x3f) >> 3);
	else
		return false;
	*reg = address & 7;
	return true;
}

/* Registers that exist only with an extension or a width. */
static bool core_exists(const struct bis_hart *h, unsigned address)
{
	if (address >= 0x001 && address <= 0x003)
		return h->has_f;
	if (address == 0x14d || address == 0x15d)
		return h->has_sstc;
	if (address >= 0x3a0 && address <= 0x3af && h->xlen == 64)
		return !(address & 1);
	if (address >= 0xc00 && address <= 0xc9f)
		return bis_isa_has(&h->isa, (address & 0x1f) > 2 ? "zihpm" : "zicntr");
	return true;
}

static struct csr_place find(const struct bis_hart *h, unsigned address)
{
	struct csr_place p = {.kind = KIND_NONE};

	p.core = bis_csr_core_row(address, h->xlen);
	if (p.core && core_exists(h, address)) {
		p.kind = KIND_CORE;
		return p;
	}
	if (bis_csr_native(address, &p.slot, &p.reg)) {
		p.kind = KIND_DEVICE;
		return p;
	}
	p.module = bis_machine_csr(h->machine, address);
	if (p.module)
		p.kind = KIND_MODULE;
	return p;
}

static bool counter_enabled(const struct bis_hart *h, unsigned bit)
{
	uint32_t mask = UINT32_C(1) << bit;

	if (h->priv < BIS_PRIV_M && !(h->mcounteren & mask))
		return false;
	return h->priv > BIS_PRIV_U || (h->scounteren & mask);
}

/* Access rules of single registers beyond privilege level and read-only encoding. */
static bool allowed(const struct bis_hart *h, unsigned address)
{
	if (address >= 0x001 && address <= 0x003)
		return h->mstatus & MSTATUS_FS;
	if (address == 0x180)
		return h->priv != BIS_PRIV_S || !(h->mstatus & MSTATUS_TVM);
	if (address == 0x14d || address == 0x15d)
		return h->priv == BIS_PRIV_M || ((h->menvcfg & MENVCFG_STCE) && (h->mcounteren & 2));
	if (address >= 0xc00 && address <= 0xc9f)
		return counter_enabled(h, address & 0x1f);
	return true;
}

static uint64_t read_place(struct bis_hart *h, const struct csr_place *p, unsigned address)
{
	uint64_t value;

	switch (p->kind) {
	case KIND_CORE:
		return p->core->get(h, address) & h->xmask;
	case KIND_MODULE:
		bis_hart_go_outside(h);
		value = p->module->row->read(p->module->self, h, (uint16_t)address) & h->xmask;
		bis_hart_come_back(h);
		return value;
	default:
		bis_hart_go_outside(h);
		if (BIS_UNLIKELY(h->machine->cfg.observer.mmio))
			value = bis_observe_native_read(h, address, p->slot, p->reg);
		else
			value = bis_devctl_read(h->machine, p->slot, p->reg) & h->xmask;
		bis_hart_come_back(h);
		return value;
	}
}

static void write_place(struct bis_hart *h, const struct csr_place *p, unsigned address, uint64_t value)
{
	switch (p->kind) {
	case KIND_CORE:
		if (p->core->set)
			p->core->set(h, address, value & h->xmask);
		break;
	case KIND_MODULE:
		if (!p->module->row->write)
			break;
		bis_hart_go_outside(h);
		p->module->row->write(p->module->self, h, (uint16_t)address, value & h->xmask);
		bis_hart_come_back(h);
		break;
	default:
		bis_hart_go_outside(h);
		if (BIS_UNLIKELY(h->machine->cfg.observer.mmio))
			bis_observe_native_write(h, address, p->slot, p->reg, value & h->xmask);
		else
			bis_devctl_write(h->machine, p->slot, p->reg, value & h->xmask);
		bis_hart_come_back(h);
	}
}

/*
 * Set and clear on mip and sip change the bits they name, of what software wrote: not what interrupt lines show
 * (section 3.1.9), nor a bit that another hart is setting.
 */
static void modify_place(struct bis_hart *h, const struct csr_place *p, unsigned address, uint64_t old, uint64_t set,
			 uint64_t clear)
{
	if (address == CSR_MIP || address == CSR_SIP)
		bis_csr_change_ip(h, address, set, clear);
	else
		write_place(h, p, address, (old | set) & ~clear);
}

/* Would this instruction write another value than there is? Registers of devices are not read to find out. */
static bool changes(struct bis_hart *h, const struct csr_place *p, unsigned address, enum bis_csr_op op, uint64_t value)
{
	uint64_t old;

	if (op == BIS_CSR_READ || p->kind == KIND_DEVICE)
		return op != BIS_CSR_READ;
	old = read_place(h, p, address);
	if (op == BIS_CSR_SET)
		return (old | value) != old;
	if (op == BIS_CSR_CLEAR)
		return (old & ~value) != old;
	return (value & h->xmask) != old;
}

/* Counters go on counting: what was written is read back by the next instruction alone. */
static bool is_counter(unsigned address)
{
	return (address & ~0x9fu) == 0xb00;
}

/* Tells the observer of an access that has been carried out. */
static void tell(struct bis_hart *h, const struct csr_place *p, unsigned address, enum bis_csr_op op, uint64_t old,
		 uint64_t value)
{
	const struct bis_observer *o = &h->machine->cfg.observer;
	struct bis_csr_seen seen = {
		.pc = h->pc,
		.number = (uint16_t)address,
		.written = op != BIS_CSR_READ,
		.old_known = op != BIS_CSR_WRITE || p->kind == KIND_CORE,
		.old = old,
	};

	if (op == BIS_CSR_SET)
		value |= old;
	else if (op == BIS_CSR_CLEAR)
		value = old & ~value;
	if (seen.written)
		seen.value =
			p->kind == KIND_CORE && !is_counter(address) ? read_place(h, p, address) : value & h->xmask;
	o->csr(o->arg, h, &seen);
}

static void write_as(struct bis_hart *h, const struct csr_place *p, unsigned address, enum bis_csr_op op, uint64_t old,
		     uint64_t value)
{
	switch (op) {
	case BIS_CSR_READ:
		break;
	case BIS_CSR_SET:
		modify_place(h, p, address, old, value, 0);
		break;
	case BIS_CSR_CLEAR:
		modify_place(h, p, address, old, 0, value);
		break;
	default:
		write_place(h, p, address, value);
	}
}

const struct csr_row *bis_csr_core_find(const struct bis_hart *h, unsigned address)
{
	return core_exists(h, address) ? bis_csr_core_row(address, h->xlen) : NULL;
}

uint64_t bis_csr_core_access(struct bis_hart *h, const struct csr_row *row, unsigned address, enum bis_csr_op op,
			     uint64_t value, uint32_t raw)
{
	const struct csr_place p = {.kind = KIND_CORE, .core = row};
	uint64_t old;

	if (!allowed(h, address)) {
		bis_hart_raise(h, BIS_CAUSE_ILLEGAL, raw);
		return 0;
	}
	old = op == BIS_CSR_WRITE ? 0 : read_place(h, &p, address);
	write_as(h, &p, address, op, old, value);
	return old;
}

uint64_t bis_hart_csr_access(struct bis_hart *h, unsigned address, enum bis_csr_op op, uint64_t value, uint32_t raw)
{
	bool observed = h->machine->cfg.observer.csr != NULL;
	struct csr_place p = find(h, address);
	uint64_t old = 0;

	if (p.kind == KIND_NONE || h->priv < CSR_PRIV(address) || (op != BIS_CSR_READ && CSR_READ_ONLY(address)) ||
	    !allowed(h, address)) {
		bis_hart_raise(h, BIS_CAUSE_ILLEGAL, raw);
		return 0;
	}
	if (op != BIS_CSR_WRITE || (observed && p.kind == KIND_CORE))
		old = read_place(h, &p, address);
	if ((h->machine->breaks.kinds & BREAK_BIT(BIS_BREAK_CSR)) && changes(h, &p, address, op, value) &&
	    bis_break_reached(h, BIS_BREAK_CSR, address)) {
		bis_hart_raise(h, CAUSE_STOP, 0);
		return 0;
	}
	write_as(h, &p, address, op, old, value);
	if (BIS_UNLIKELY(observed))
		tell(h, &p, address, op, old, value);
	return old;
}

int bis_hart_csr_get(struct bis_hart *h, unsigned address, uint64_t *out)
{
	struct csr_place p = find(h, address);

	if (p.kind == KIND_NONE || p.kind == KIND_DEVICE)
		return bis_fail(ENOENT, "hart %u has no CSR 0x%03x", h->id, address);
	*out = read_place(h, &p, address);
	return 0;
}

int bis_hart_csr_set(struct bis_hart *h, unsigned address, uint64_t value)
{
	struct csr_place p = find(h, address);

	if (p.kind == KIND_NONE || p.kind == KIND_DEVICE)
		return bis_fail(ENOENT, "hart %u has no CSR 0x%03x", h->id, address);
	if (CSR_READ_ONLY(address))
		return bis_fail(EACCES, "CSR 0x%03x is read-only", address);
	write_place(h, &p, address, value);
	return 0;
}

int bis_csr_name(unsigned address, unsigned xlen, char *buf, size_t size)
{
	const struct csr_row *row = bis_csr_core_row(address, xlen);

	if (!row)
		return -ENOENT;
	if (row->first == row->last)
		return snprintf(buf, size, "%s", row->name);
	return snprintf(buf, size, "%s%u", row->name, row->from + address - row->first);
}

int bis_hart_csr_name(const struct bis_hart *h, unsigned address, char *buf, size_t size)
{
	const struct bis_csr_attachment *a;

	if (bis_csr_core_row(address, h->xlen) && core_exists(h, address))
		return bis_csr_name(address, h->xlen, buf, size);
	a = bis_machine_csr(h->machine, address);
	return a ? snprintf(buf, size, "%s", a->row->name) : -ENOENT;
}

int bis_hart_csr_number(const struct bis_hart *h, const char *name)
{
	char have[32];

	for (unsigned address = 0; address < 0x1000; address++)
		if (bis_hart_csr_name(h, address, have, sizeof(have)) > 0 && !strcmp(have, name))
			return (int)address;
	return bis_fail(ENOENT, "unknown CSR '%s'", name);
}
