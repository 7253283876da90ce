/*
 * Devices: dev/NAME for each instance that the guest reaches, made from its field table: info, irq, state (all fields),
 * a file for each field, ctl, and the console where it has one. Registers are not read: that could change the device.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/module.h>

#include "frontend/inspect/inspect_internal.h"

/* What is asked of an instance at a safepoint. */
struct ask {
	struct inspect *in;
	const struct bis_field *field;
	struct inspect_text *out;
	const char *text;
};

/* --- info, irq --- */

static int describe(void *arg, struct bis_module *mod)
{
	const struct bis_module_class *class = bis_module_class_of(mod);
	struct inspect_text *out = ((struct ask *)arg)->out;
	uint64_t base, size;

	inspect_put(out, "class %s\nsummary %s\n", class->name, class->summary);
	for (size_t i = 0; !bis_module_window(mod, i, &base, &size); i++)
		inspect_put(out, "window 0x%016" PRIx64 " 0x%" PRIx64 "\n", base, size);
	if (bis_module_slot(mod) >= 0)
		inspect_put(out, "slot %d\n", bis_module_slot(mod));
	for (unsigned i = 0; i < class->irqs; i++)
		inspect_put(out, "irq %u\n", bis_module_irq_input(mod, i));
	return 0;
}

static int describe_irqs(void *arg, struct bis_module *mod)
{
	struct inspect_text *out = ((struct ask *)arg)->out;

	for (unsigned i = 0; i < bis_module_class_of(mod)->irqs; i++)
		inspect_put(out, "%u %s\n", bis_module_irq_input(mod, i),
			    bis_irq_level(bis_module_irq(mod, i)) ? "high" : "low");
	return 0;
}

static int put_state(void *arg, struct bis_module *mod)
{
	const struct bis_field *f = bis_module_class_of(mod)->fields;
	struct inspect_text *out = ((struct ask *)arg)->out;

	for (; f && f->name; f++) {
		inspect_put(out, "%s ", f->name);
		inspect_put_field(out, f, bis_module_self(mod));
		inspect_put(out, "\n");
	}
	return 0;
}

static int look(struct inspect *in, const struct inspect_node *n, struct inspect_text *out,
		int (*fn)(void *arg, struct bis_module *mod))
{
	struct ask ask = {.in = in, .out = out, .field = n->arg.row};

	return inspect_with_module(in, n->parent->name, fn, &ask);
}

static int generate_info(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return look(in, n, out, describe);
}

static int generate_irq(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return look(in, n, out, describe_irqs);
}

static int generate_state(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return look(in, n, out, put_state);
}

/* --- Fields --- */

/* The instance may be another one of the same name by now. */
static int check_field(const struct ask *a, struct bis_module *mod)
{
	for (const struct bis_field *f = bis_module_class_of(mod)->fields; f && f->name; f++)
		if (f == a->field)
			return 0;
	return bis_fail(ENODEV, "%s is another device now", bis_module_name(mod));
}

static int put_field(void *arg, struct bis_module *mod)
{
	struct ask *a = arg;
	int err = check_field(a, mod);

	if (err)
		return err;
	inspect_put_field(a->out, a->field, bis_module_self(mod));
	inspect_put(a->out, "\n");
	return 0;
}

/* The module may find that the value does not go with the others: it is as before then. */
static int set_field(void *arg, struct bis_module *mod)
{
	const struct bis_module_class *class = bis_module_class_of(mod);
	struct ask *a = arg;
	char *place;
	size_t size;
	void *old;
	int err = check_field(a, mod);

	if (!err)
		err = inspect_need_paused(a->in);
	if (err)
		return err;
	place = (char *)bis_module_self(mod) + a->field->offset;
	size = a->field->count * bis_field_unit(a->field->type);
	old = malloc(size);
	if (!old)
		return bis_fail(ENOMEM, "no memory for the field");
	memcpy(old, place, size);
	err = bis_field_parse(a->field, bis_module_self(mod), a->text);
	if (!err && class->check)
		err = class->check(bis_module_self(mod));
	if (err)
		memcpy(place, old, size);
	free(old);
	return err;
}

static int generate_field(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	return look(in, n, out, put_field);
}

static int accept_field(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct ask ask = {.in = in, .field = n->arg.row, .text = text};

	(void)reply;
	return inspect_with_module(in, n->parent->name, set_field, &ask);
}

static bool field_writable(struct inspect *in, const struct inspect_node *n)
{
	const struct bis_field *f = n->arg.row;

	(void)in;
	return !(f->flags & BIS_FIELD_READONLY);
}

/* --- ctl --- */

static int carry_out(void *arg, struct bis_module *mod)
{
	const struct bis_module_class *class = bis_module_class_of(mod);
	char reply[4096] = "";
	struct ask *a = arg;
	int err;

	if (!class->ctl)
		return bis_fail(EINVAL, "%s knows no verbs", bis_module_name(mod));
	err = class->ctl(bis_module_self(mod), a->text, reply, sizeof(reply));
	inspect_put(a->out, "%s", reply);
	if (*reply && reply[strlen(reply) - 1] != '\n')
		inspect_put(a->out, "\n");
	return err;
}

static int accept_ctl(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct ask ask = {.in = in, .text = text, .out = reply};

	return inspect_with_module(in, n->parent->name, carry_out, &ask);
}

static int generate_nothing(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)in;
	(void)n;
	(void)out;
	return 0;
}

static bool has_verbs(struct inspect *in, const struct inspect_node *n)
{
	const struct bis_module_class *class = inspect_module_class(in, n->parent->name);

	return class && class->ctl;
}

const struct inspect_type inspect_module_ctl_type = {.kind = INSPECT_TEXT,
						     .fleeting = true,
						     .generate = generate_nothing,
						     .accept = accept_ctl,
						     .lines = true,
						     .writable = has_verbs};

/* --- The directories --- */

static const struct inspect_type info_type = {.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_info};
static const struct inspect_type irq_type = {.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_irq};
static const struct inspect_type state_type = {.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_state};
static const struct inspect_type field_type = {.kind = INSPECT_TEXT,
					       .fleeting = true,
					       .generate = generate_field,
					       .accept = accept_field,
					       .writable = field_writable};

static const struct inspect_row rows[] = {
	{"info", &info_type, NULL},
	{"irq", &irq_type, NULL},
	{"state", &state_type, NULL},
	{"ctl", &inspect_module_ctl_type, NULL},
	{0},
};

static const struct inspect_row console_rows[] = {
	{"in", &inspect_console_in_type, NULL},
	{"out", &inspect_console_out_type, NULL},
	{"log", &inspect_console_log_type, NULL},
};

/* Would a field's file have the name of another? The field is then only in `state`. */
static bool is_taken(const char *name, bool console)
{
	for (const struct inspect_row *r = rows; r->name; r++)
		if (!strcmp(r->name, name))
			return true;
	for (size_t i = 0; console && i < BIS_ARRAY_SIZE(console_rows); i++)
		if (!strcmp(console_rows[i].name, name))
			return true;
	return strchr(name, '/') || strlen(name) >= INSPECT_NAME_MAX;
}

/* The console and the picture first, then fields. */
static bool device_part(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	const struct inspect_row *display = inspect_display_row(in, dir->name);
	const struct bis_module_class *class = inspect_module_class(in, dir->name);
	char *chardev = inspect_module_chardev(in, dir->name);
	size_t consoles = chardev ? BIS_ARRAY_SIZE(console_rows) : 0;

	free(chardev);
	if (index < consoles) {
		snprintf(out->name, sizeof(out->name), "%s", console_rows[index].name);
		out->type = console_rows[index].type;
		return true;
	}
	index -= consoles;
	if (display && !index--) {
		snprintf(out->name, sizeof(out->name), "%s", display->name);
		out->type = display->type;
		return true;
	}
	for (const struct bis_field *f = class ? class->fields : NULL; f && f->name; f++) {
		if (is_taken(f->name, consoles) || index--)
			continue;
		snprintf(out->name, sizeof(out->name), "%s", f->name);
		out->type = &field_type;
		out->arg.row = f;
		return true;
	}
	return false;
}

static const struct inspect_type device_type = {
	.kind = INSPECT_DIR, .fleeting = true, .rows = rows, .child = device_part};

/* Devices, then displays. */
static bool device_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	size_t devices = 0;

	(void)dir;
	out->type = &device_type;
	if (inspect_module_name(in, true, index, out->name))
		return true;
	while (devices < index && inspect_module_name(in, true, devices, out->name))
		devices++;
	return inspect_display_child(in, index - devices, out);
}

const struct inspect_type inspect_devices_type = {.kind = INSPECT_DIR, .child = device_child};
