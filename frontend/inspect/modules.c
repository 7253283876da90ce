/* Modules: modules/NAME/{info,options,attach,ctl} for each instance, whether the guest sees it or not. */
#include <inttypes.h>
#include <stdlib.h>

#include <biscuit/debug.h>
#include <biscuit/module.h>

#include "frontend/inspect/inspect_internal.h"

static int put_info(void *arg, struct bis_module *mod)
{
	const struct bis_module_class *class = bis_module_class_of(mod);
	struct inspect_text *out = arg;

	inspect_put(out, "class %s\nversion %u\nsummary %s\nmigratable %s\nspec %s\n", class->name, class->version,
		    class->summary, class->migratable ? "yes" : "no", bis_module_spec(mod));
	return 0;
}

static int put_options(void *arg, struct bis_module *mod)
{
	const struct bis_option *o = bis_module_class_of(mod)->options;
	struct inspect_text *out = arg;

	for (; o && o->name; o++) {
		char *given = inspect_spec_value(bis_module_spec(mod), o->name);

		inspect_put(out, "%s=%s", o->name, given ? given : o->def ? o->def : "");
		inspect_put(out, "%s\n", given ? "" : " (default)");
		free(given);
	}
	return 0;
}

static void put_traps(struct inspect_text *out, uint64_t causes)
{
	inspect_put(out, "trap%s", causes == UINT64_MAX ? " all" : "");
	for (unsigned i = 0; i < 64 && causes != UINT64_MAX; i++) {
		const char *name = debug_trap_name(i);

		if (!(causes >> i & 1))
			continue;
		if (name)
			inspect_put(out, " %s", name);
		else
			inspect_put(out, " %u", i);
	}
	inspect_put(out, "\n");
}

static void put_attachment(struct inspect_text *out, const struct bis_attachment *a)
{
	switch (a->kind) {
	case BIS_ATTACHED_WINDOW:
	case BIS_ATTACHED_DIRECT:
		inspect_put(out, "%s 0x%016" PRIx64 "-0x%016" PRIx64 "\n",
			    a->kind == BIS_ATTACHED_WINDOW ? "window" : "direct", a->first, a->last);
		break;
	case BIS_ATTACHED_SLOT:
		inspect_put(out, "slot %" PRIu64 "\n", a->first);
		break;
	case BIS_ATTACHED_IRQ:
		if (a->text)
			inspect_put(out, "irq %s %" PRIu64 "\n", a->text, a->last);
		else
			inspect_put(out, "irq none\n");
		break;
	case BIS_ATTACHED_IRQCHIP:
		inspect_put(out, "irqchip %s %" PRIu64 "-%" PRIu64 "\n", a->text, a->first, a->last);
		break;
	case BIS_ATTACHED_CSRS:
		inspect_put(out, "csr 0x%03" PRIx64 "-0x%03" PRIx64 " %s\n", a->first, a->last, a->text);
		break;
	case BIS_ATTACHED_ISA:
		inspect_put(out, "isa %s%s%" PRIu64 " instructions\n", a->text ? a->text : "", a->text ? " " : "",
			    a->last);
		break;
	case BIS_ATTACHED_PAGING:
		inspect_put(out, "paging %s mode %" PRIu64 " rv%" PRIu64 "\n", a->text, a->first, a->last);
		break;
	case BIS_ATTACHED_TRAP:
		put_traps(out, a->first);
		break;
	case BIS_ATTACHED_BOOT:
		inspect_put(out, "boot\n");
		break;
	default:
		inspect_put(out, "processor\n");
	}
}

static int put_attachments(void *arg, struct bis_module *mod)
{
	struct bis_attachment a;

	for (size_t i = 0; !bis_module_attachment(mod, i, &a); i++)
		put_attachment(arg, &a);
	return 0;
}

static int generate_info(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return inspect_with_module(in, n->parent->name, put_info, out);
}

static int generate_options(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return inspect_with_module(in, n->parent->name, put_options, out);
}

static int generate_attach(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return inspect_with_module(in, n->parent->name, put_attachments, out);
}

static const struct inspect_type info_type = {.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_info};
static const struct inspect_type options_type = {.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_options};
static const struct inspect_type attach_type = {.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_attach};

static const struct inspect_row rows[] = {
	{"info", &info_type, NULL},
	{"options", &options_type, NULL},
	{"attach", &attach_type, NULL},
	{"ctl", &inspect_module_ctl_type, NULL},
	{0},
};

static const struct inspect_type module_type = {.kind = INSPECT_DIR, .fleeting = true, .rows = rows};

static bool module_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	(void)dir;
	out->type = &module_type;
	return inspect_module_name(in, false, index, out->name);
}

const struct inspect_type inspect_modules_type = {.kind = INSPECT_DIR, .child = module_child};
