/*
 * What an instance has attached, one by one, for display, <biscuit/debug.h>. Control thread, harts parked.
 */
#include <string.h>

#include <biscuit/debug.h>

#include "src/machine/direct_internal.h"
#include "src/machine/machine_internal.h"

/* Attachment number `left` from here on is looked for. */
struct search {
	size_t left;
	bool found;
	struct bis_attachment *out;
};

static void offer(struct search *s, enum bis_attachment_kind kind, uint64_t first, uint64_t last, const char *text)
{
	if (s->found || s->left--)
		return;
	s->found = true;
	*s->out = (struct bis_attachment){.kind = kind, .first = first, .last = last, .text = text};
}

static void offer_windows(struct search *s, const struct bis_module *mod)
{
	uint64_t base, size;

	for (size_t i = 0; !bis_module_window(mod, i, &base, &size); i++)
		offer(s, BIS_ATTACHED_WINDOW, base, base + (size - 1), NULL);
	for (size_t i = 0; bis_direct_window(mod, i, &base, &size); i++)
		offer(s, BIS_ATTACHED_DIRECT, base, base + (size - 1), NULL);
}

static void offer_lines(struct search *s, const struct bis_module *mod)
{
	for (unsigned i = 0; mod->irqs && i < mod->class->irqs; i++)
		offer(s, BIS_ATTACHED_IRQ, i, mod->irqs[i].input, mod->irqs[i].chip ? mod->irqs[i].chip_kind : NULL);
	for (const struct bis_irqchip *c = mod->machine->chips; c; c = c->next)
		if (c->module == mod)
			offer(s, BIS_ATTACHED_IRQCHIP, 1, c->ops->inputs, c->kind);
}

/* Rows of numbers that follow each other are one attachment. */
static void offer_csrs(struct search *s, const struct bis_module *mod)
{
	const struct bis_csr_attachment *all = mod->machine->csrs;
	unsigned last;

	for (unsigned a = 0; all && a < 4096; a = last + 1) {
		last = a;
		if (all[a].module != mod)
			continue;
		while (last + 1 < 4096 && all[last + 1].module == mod)
			last++;
		offer(s, BIS_ATTACHED_CSRS, a, last, all[a].row->name);
	}
}

static void offer_hart_parts(struct search *s, const struct bis_module *mod)
{
	const struct bis_machine *m = mod->machine;

	for (const struct bis_isa_attachment *a = m->isas; a; a = a->next)
		if (a->module == mod)
			offer(s, BIS_ATTACHED_ISA, 0, a->table.count, a->family ? a->family->name : NULL);
	for (const struct bis_paging_attachment *p = m->pagings; p; p = p->next)
		if (p->module == mod)
			offer(s, BIS_ATTACHED_PAGING, p->scheme->mode, p->scheme->xlen, p->scheme->name);
	for (const struct bis_trap_attachment *t = m->traps; t; t = t->next)
		if (t->module == mod)
			offer(s, BIS_ATTACHED_TRAP, t->causes, 0, NULL);
	for (const struct bis_boot_attachment *b = m->boots; b; b = b->next)
		if (b->module == mod)
			offer(s, BIS_ATTACHED_BOOT, 0, 0, NULL);
	if (mod->processor)
		offer(s, BIS_ATTACHED_PROCESSOR, 0, 0, NULL);
}

int bis_module_attachment(const struct bis_module *mod, size_t index, struct bis_attachment *out)
{
	struct search s = {.left = index, .out = out};

	offer_windows(&s, mod);
	if (mod->devcsr)
		offer(&s, BIS_ATTACHED_SLOT, (uint64_t)mod->slot, 0, NULL);
	offer_lines(&s, mod);
	offer_csrs(&s, mod);
	offer_hart_parts(&s, mod);
	return s.found ? 0 : -ENOENT;
}
