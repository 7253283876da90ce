/*
 * Attachments: what modules add to the machine, resolved into tables at once. Control thread with every hart parked and
 * the device lock held; the look-up functions run on harts' threads.
 */
#include <stdlib.h>
#include <string.h>

#include "src/cpu/csr_internal.h"
#include "src/cpu/hart_internal.h"
#include "src/machine/direct_internal.h"
#include "src/machine/machine_internal.h"
#include "src/memory/bus_internal.h"
#include "src/translate/block_internal.h"

static int check_attaching(const struct bis_module *mod, const char *what)
{
	if (mod->attaching)
		return 0;
	return bis_fail(EPERM, "%s: %s can be attached only inside attach()", mod->name, what);
}

static uint64_t window_base(const struct bis_module *mod, uint64_t size)
{
	const struct bis_window *last;
	uint64_t end;

	if (!mod->n_windows)
		return mod->base;
	last = &mod->windows[mod->n_windows - 1];
	end = last->base + last->ops->size;
	return (end + size - 1) / size * size;
}

int bis_attach_mmio(struct bis_module *mod, const struct bis_mmio_ops *ops)
{
	struct bis_window *w;
	int err = check_attaching(mod, "a register window");

	if (err)
		return err;
	if (!mod->has_base)
		return bis_fail(EINVAL, "%s: needs at=ADDRESS, the place of its registers", mod->name);
	if (mod->n_windows == MAX_WINDOWS || !ops->size)
		return bis_fail(EINVAL, "%s: at most %d register windows, each with a size", mod->name, MAX_WINDOWS);
	w = &mod->windows[mod->n_windows];
	*w = (struct bis_window){.base = window_base(mod, ops->size), .ops = ops};
	err = bis_bus_map(mod->machine->bus, mod->name, w->base, ops, mod->self);
	if (err)
		return err;
	w->mapped = true;
	mod->n_windows++;
	return 0;
}

int bis_attach_devcsr(struct bis_module *mod, const struct bis_devcsr_ops *ops)
{
	struct bis_machine *m = mod->machine;
	int err = check_attaching(mod, "a native slot");

	if (err)
		return err;
	if (mod->slot < 0)
		return bis_fail(EINVAL, "%s: needs slot=0..%d, the place of its control registers", mod->name,
				BIS_DEVCSR_SLOTS - 1);
	if (m->slots[mod->slot])
		return bis_fail(EEXIST, "%s: slot %d is taken by %s", mod->name, mod->slot, m->slots[mod->slot]->name);
	mod->devcsr = ops;
	m->slots[mod->slot] = mod;
	return 0;
}

int bis_attach_irqchip(struct bis_module *mod, const char *kind, const struct bis_irqchip_ops *ops)
{
	struct bis_machine *m = mod->machine;
	struct bis_irqchip *chip;
	int err = check_attaching(mod, "an interrupt controller");

	if (err)
		return err;
	for (chip = m->chips; chip; chip = chip->next)
		if (!strcmp(chip->kind, kind))
			return bis_fail(EEXIST, "%s: there is an interrupt controller of kind '%s' already: %s",
					mod->name, kind, chip->module->name);
	chip = malloc(sizeof(*chip));
	if (!chip)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	*chip = (struct bis_irqchip){.module = mod, .kind = kind, .ops = ops, .next = m->chips};
	m->chips = chip;
	return 0;
}

int bis_attach_csrs(struct bis_module *mod, const struct bis_csr_row *rows, size_t count)
{
	struct bis_machine *m = mod->machine;
	unsigned slot, reg;
	int err = check_attaching(mod, "a CSR");

	if (err)
		return err;
	if (!m->csrs)
		m->csrs = calloc(4096, sizeof(*m->csrs));
	if (!m->csrs)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	for (size_t i = 0; i < count; i++) {
		unsigned a = rows[i].address & 0xfff;

		if (bis_csr_native(a, &slot, &reg))
			return bis_fail(EINVAL, "%s: CSR 0x%03x (%s) belongs to the native slots", mod->name, a,
					rows[i].name);
		if (!rows[i].read)
			return bis_fail(EINVAL, "%s: CSR 0x%03x (%s) has no read function", mod->name, a, rows[i].name);
		if (m->csrs[a].row || bis_csr_core_row(a, m->isa.xlen))
			return bis_fail(EEXIST, "%s: CSR 0x%03x (%s) is taken", mod->name, a, rows[i].name);
		m->csrs[a] = (struct bis_csr_attachment){.row = &rows[i], .self = mod->self, .module = mod};
	}
	return 0;
}

int bis_attach_trap(struct bis_module *mod, uint64_t causes, bis_trap_fn handle)
{
	struct bis_trap_attachment *t, **at = &mod->machine->traps;
	int err = check_attaching(mod, "a trap handler");

	if (err)
		return err;
	t = malloc(sizeof(*t));
	if (!t)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	*t = (struct bis_trap_attachment){.causes = causes, .handle = handle, .module = mod};
	while (*at)
		at = &(*at)->next;
	*at = t;
	mod->machine->trap_causes |= causes;
	return 0;
}

int bis_attach_boot(struct bis_module *mod, bis_boot_fn boot)
{
	struct bis_boot_attachment *b, **at = &mod->machine->boots;
	int err = check_attaching(mod, "a boot function");

	if (err)
		return err;
	b = malloc(sizeof(*b));
	if (!b)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	*b = (struct bis_boot_attachment){.boot = boot, .module = mod};
	while (*at)
		at = &(*at)->next;
	*at = b;
	return 0;
}

int bis_attach_paging(struct bis_module *mod, const struct bis_paging_scheme *scheme)
{
	struct bis_machine *m = mod->machine;
	struct bis_paging_attachment *p;
	int err = check_attaching(mod, "a paging scheme");

	if (err)
		return err;
	if (scheme->mode == 0 || scheme->mode > (scheme->xlen == 64 ? 15u : 1u))
		return bis_fail(EINVAL, "%s: satp mode %u does not exist on rv%u", mod->name, scheme->mode,
				scheme->xlen);
	if (bis_machine_paging(m, scheme->xlen, scheme->mode))
		return bis_fail(EEXIST, "%s: satp mode %u on rv%u is taken", mod->name, scheme->mode, scheme->xlen);
	p = malloc(sizeof(*p));
	if (!p)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	*p = (struct bis_paging_attachment){.scheme = scheme, .module = mod, .next = m->pagings};
	m->pagings = p;
	return 0;
}

int bis_attach_isa(struct bis_module *mod, const struct bis_isa_family *family, const struct bis_insn_row *rows,
		   size_t count)
{
	struct bis_machine *m = mod->machine;
	struct bis_isa_attachment *a, **at = &m->isas;
	int err = check_attaching(mod, "an instruction set");

	if (err)
		return err;
	if (family && m->family)
		return bis_fail(EEXIST, "%s: the harts have an instruction set already: %s", mod->name,
				m->family->name);
	if (!family && !m->family)
		return bis_fail(ENOENT, "%s: adds instructions, but there is no instruction set to add to", mod->name);
	for (size_t i = 0; i < count; i++)
		if (!rows[i].translate)
			return bis_fail(EINVAL, "%s: instruction %s has no translator", mod->name, rows[i].name);
	a = malloc(sizeof(*a));
	if (!a)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	*a = (struct bis_isa_attachment){.family = family, .table = {rows, count}, .module = mod};
	while (*at)
		at = &(*at)->next;
	*at = a;
	if (family)
		m->family = family;
	return bis_machine_rebuild_decoder(m);
}

int bis_machine_rebuild_decoder(struct bis_machine *m)
{
	struct bis_row_table tables[64];
	struct bis_decoder *decoder = NULL;
	size_t n = 0;
	int err;

	for (struct bis_isa_attachment *a = m->isas; a; a = a->next) {
		if (n == BIS_ARRAY_SIZE(tables))
			return bis_fail(ENOSPC, "%s: at most %zu modules can bring instructions", a->module->name, n);
		tables[n++] = a->table;
	}
	if (m->family) {
		err = bis_decoder_create(m->family, tables, n, &m->isa, &decoder);
		if (err)
			return err;
	}
	bis_decoder_destroy(m->decoder);
	m->decoder = decoder;
	for (unsigned i = 0; i < m->n_harts; i++)
		bis_block_cache_flush(m->harts[i]->cache);
	return 0;
}

int bis_attach_processor(struct bis_module *mod, const struct bis_processor_ops *ops)
{
	int err = check_attaching(mod, "a processor");

	if (err)
		return err;
	if (mod->processor)
		return bis_fail(EEXIST, "%s: has a processor already", mod->name);
	mod->processor = calloc(1, sizeof(*mod->processor));
	if (!mod->processor)
		return bis_fail(ENOMEM, "%s: no memory", mod->name);
	mod->processor->ops = ops;
	return 0;
}

/* --- Look-up --- */

const struct bis_paging_scheme *bis_machine_paging(const struct bis_machine *m, unsigned xlen, unsigned mode)
{
	for (const struct bis_paging_attachment *p = m->pagings; p; p = p->next)
		if (p->scheme->xlen == xlen && p->scheme->mode == mode)
			return p->scheme;
	return NULL;
}

const struct bis_csr_attachment *bis_machine_csr(const struct bis_machine *m, unsigned address)
{
	return m->csrs && address < 4096 && m->csrs[address].row ? &m->csrs[address] : NULL;
}

bool bis_machine_offer_trap(struct bis_machine *m, struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	for (const struct bis_trap_attachment *t = m->traps; t; t = t->next)
		if ((t->causes >> cause & 1) && t->handle(t->module->self, h, cause, tval))
			return true;
	return false;
}

void bis_machine_boot_hart(struct bis_machine *m, struct bis_hart *h)
{
	for (const struct bis_boot_attachment *b = m->boots; b; b = b->next)
		b->boot(b->module->self, h);
}

/* --- Detaching --- */

static void detach_isa(struct bis_module *mod)
{
	struct bis_machine *m = mod->machine;
	struct bis_isa_attachment **at = &m->isas;
	bool changed = false;

	while (*at) {
		struct bis_isa_attachment *a = *at;

		if (a->module != mod) {
			at = &a->next;
			continue;
		}
		if (a->family)
			m->family = NULL;
		*at = a->next;
		free(a);
		changed = true;
	}
	/* Fewer rows cannot clash; without memory the old decoder would name rows that are gone, so there is none then.
	 */
	if (changed && bis_machine_rebuild_decoder(m)) {
		bis_decoder_destroy(m->decoder);
		m->decoder = NULL;
		m->family = NULL;
	}
}

static void detach_paging(struct bis_module *mod)
{
	struct bis_machine *m = mod->machine;
	struct bis_paging_attachment **at = &m->pagings;

	while (*at) {
		struct bis_paging_attachment *p = *at;

		if (p->module != mod) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		for (unsigned i = 0; i < m->n_harts; i++) {
			if (m->harts[i]->paging != p->scheme)
				continue;
			m->harts[i]->paging = NULL;
			m->harts[i]->satp = 0;
			bis_tlb_flush(m->harts[i]);
		}
		free(p);
	}
}

static void detach_traps(struct bis_module *mod)
{
	struct bis_trap_attachment **at = &mod->machine->traps;

	while (*at) {
		struct bis_trap_attachment *t = *at;

		if (t->module != mod) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
	}
	mod->machine->trap_causes = 0;
	for (const struct bis_trap_attachment *t = mod->machine->traps; t; t = t->next)
		mod->machine->trap_causes |= t->causes;
}

static void detach_boots(struct bis_module *mod)
{
	struct bis_boot_attachment **at = &mod->machine->boots;

	while (*at) {
		struct bis_boot_attachment *b = *at;

		if (b->module != mod) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
	}
}

static void detach_chips(struct bis_module *mod)
{
	struct bis_irqchip **at = &mod->machine->chips;

	while (*at) {
		struct bis_irqchip *chip = *at;

		if (chip->module != mod) {
			at = &chip->next;
			continue;
		}
		*at = chip->next;
		bis_machine_wire_irqs(mod->machine);
		free(chip);
	}
}

void bis_detach_all(struct bis_module *mod)
{
	struct bis_machine *m = mod->machine;

	for (unsigned i = 0; i < mod->n_windows; i++)
		if (mod->windows[i].mapped && bis_bus_unmap(m->bus, mod->windows[i].base))
			bis_log(m, BIS_LOG_ERROR, mod->name, "%s", bis_error_message());
	mod->n_windows = 0;
	for (unsigned i = 0; i < mod->class->irqs && mod->irqs; i++)
		bis_irq_set(&mod->irqs[i], false);
	bis_direct_detach(mod);
	bis_devctl_forget(m->devctl, mod);
	if (mod->slot >= 0 && m->slots[mod->slot] == mod)
		m->slots[mod->slot] = NULL;
	mod->devcsr = NULL;
	for (unsigned a = 0; m->csrs && a < 4096; a++)
		if (m->csrs[a].module == mod)
			m->csrs[a] = (struct bis_csr_attachment){0};
	detach_traps(mod);
	detach_boots(mod);
	detach_paging(mod);
	detach_isa(mod);
	detach_chips(mod);
	free(mod->processor);
	mod->processor = NULL;
}
