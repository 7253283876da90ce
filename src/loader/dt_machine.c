/*
 * What the device tree says of a machine: collects its modules, paging and memory for the writer. Runs on the control
 * thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "src/loader/dt_internal.h"
#include "src/machine/machine_internal.h"

static const char *widest_paging(const struct bis_machine *m)
{
	const struct bis_paging_scheme *best = NULL;

	for (const struct bis_paging_attachment *p = m->pagings; p; p = p->next)
		if (p->scheme->xlen == m->isa.xlen && (!best || p->scheme->va_bits > best->va_bits))
			best = p->scheme;
	return best ? best->name : NULL;
}

/* The controller that the interrupts of device nodes name. */
static const struct bis_module *platform_controller(const struct bis_machine *m)
{
	for (const struct bis_irqchip *c = m->chips; c; c = c->next)
		if (!strcmp(c->kind, "plic"))
			return c->module;
	return NULL;
}

static void describe_module(struct bis_module *mod, const struct bis_module *controller, struct bis_dt_node *out)
{
	*out = (struct bis_dt_node){
		.name = mod->class->dt_name ? mod->class->dt_name : mod->class->name,
		.instance = mod->name,
		.controller = mod == controller,
		.write = mod->class->dt,
		.self = mod->self,
	};
	while (out->n_windows < BIS_DT_WINDOWS &&
	       !bis_module_window(mod, out->n_windows, &out->windows[out->n_windows].base,
				  &out->windows[out->n_windows].size))
		out->n_windows++;
	out->has_address = mod->class->dt_address != NULL;
	if (out->has_address)
		out->address = mod->class->dt_address(mod->self);
	for (unsigned i = 0; i < mod->class->irqs && out->n_irqs < BIS_DT_IRQS; i++)
		if (mod->irqs[i].chip && mod->irqs[i].chip->module == controller)
			out->irqs[out->n_irqs++] = mod->irqs[i].input;
}

int bis_build_dtb(struct bis_machine *m, const struct bis_dt_config *cfg, void **blob, size_t *size)
{
	const struct bis_module *controller = platform_controller(m);
	struct bis_dt_machine desc = {
		.harts = m->n_harts, .isa = &m->isa, .paging = widest_paging(m), .memory = m->memory};
	struct bis_dt_node *nodes;
	size_t count = 0;
	int err;

	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		count += mod->class->dt != NULL;
	nodes = calloc(count ? count : 1, sizeof(*nodes));
	if (!nodes)
		return bis_fail(ENOMEM, "device tree: out of memory");
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		if (mod->class->dt)
			describe_module(mod, controller, &nodes[desc.count++]);
	desc.nodes = nodes;
	err = bis_dt_generate(&desc, cfg, blob, size);
	free(nodes);
	return err;
}
