/*
 * Shared folders: exports, what is open, and counts of work, all from the field tables of the modules that have to do
 * with them.
 */
#include <string.h>

#include <biscuit/module.h>

#include "frontend/inspect/inspect_internal.h"

/* Counters that say what is there now, not what was done so far. */
static bool is_present(const struct bis_field *f)
{
	static const char *const names[] = {"handles", "nodes", "watches", "mappings"};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++)
		if (!strcmp(f->name, names[i]))
			return true;
	return false;
}

struct listing {
	struct inspect *in;
	struct inspect_text *out;
	bool exports, present;
};

static void put_export(struct inspect_text *out, const struct bis_field *f, const void *self)
{
	struct inspect_text value = {0};

	inspect_put_field(&value, f, self);
	inspect_put(out, " %s=", f->name);
	if (f->type == BIS_FIELD_TEXT)
		inspect_put_json(out, value.data ? value.data : "");
	else
		inspect_put(out, "%s", value.data ? value.data : "");
	inspect_text_free(&value);
}

static void list_fields(const struct listing *l, struct bis_module *mod)
{
	const struct bis_field *f = bis_module_class_of(mod)->fields;
	const void *self = bis_module_self(mod);

	if (l->exports)
		inspect_put(l->out, "%s", bis_module_name(mod));
	for (; f && f->name; f++) {
		bool counter = f->flags & BIS_FIELD_COUNTER;

		if (l->exports && !counter)
			put_export(l->out, f, self);
		if (l->exports || !counter || is_present(f) != l->present)
			continue;
		inspect_put(l->out, "%s %s ", bis_module_name(mod), f->name);
		inspect_put_field(l->out, f, self);
		inspect_put(l->out, "\n");
	}
	if (l->exports)
		inspect_put(l->out, "\n");
}

static int list(void *arg)
{
	static const char *const faces[] = {"share", "magicfs", "virtio-9p"};
	struct listing *l = arg;
	struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(l->in->machine, i)); i++)
		for (size_t k = 0; k < (l->exports ? 1 : BIS_ARRAY_SIZE(faces)); k++)
			if (!strcmp(bis_module_class_of(mod)->name, faces[k]))
				list_fields(l, mod);
	return 0;
}

static int generate(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct listing l = {
		.in = in, .out = out, .exports = !strcmp(n->name, "exports"), .present = !strcmp(n->name, "open")};

	return bis_machine_at_safepoint(in->machine, list, &l);
}

static const struct inspect_type list_type = {.kind = INSPECT_TEXT, .generate = generate};

static const struct inspect_row rows[] = {
	{"exports", &list_type, NULL},
	{"open", &list_type, NULL},
	{"stats", &list_type, NULL},
	{0},
};

const struct inspect_type inspect_magicfs_type = {.kind = INSPECT_DIR, .rows = rows};
