/*
 * Is a machine like the one that a snapshot was taken of? Everything that differs is listed, so that it can be put
 * right at once. Control lock and device lock held; the machine has not been started.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "src/memory/memory_internal.h"

#define VALUE_SIZE 160 /* of a field in a message */

struct differences {
	char text[1800]; /* what a message holds */
	size_t len;
	unsigned left_out; /* for want of room */
};

static void differ(struct differences *d, const char *fmt, ...) BIS_PRINTF(2, 3);
static void differ(struct differences *d, const char *fmt, ...)
{
	const char *separator = d->len ? "; " : "";
	char text[sizeof(d->text)];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len + strlen(separator) >= sizeof(d->text) - d->len) {
		d->left_out++;
		return;
	}
	d->len += (size_t)snprintf(d->text + d->len, sizeof(d->text) - d->len, "%s%s", separator, text);
}

/* --- Where a module is --- */

static void compare_place(const struct snapshot_module *then, const struct bis_module *mod, struct differences *d)
{
	uint32_t irq = mod->has_irq ? mod->irq_input : 0;

	if (mod->has_base != then->placed || (then->placed && mod->base != then->base))
		differ(d, "%s is at 0x%llx, and was at 0x%llx", mod->name,
		       mod->has_base ? (unsigned long long)mod->base : 0,
		       then->placed ? (unsigned long long)then->base : 0);
	if (irq != then->irq)
		differ(d, "%s has irq %u, and had %u", mod->name, irq, then->irq);
	if (mod->slot != then->slot)
		differ(d, "%s is in slot %d, and was in %d", mod->name, mod->slot, then->slot);
}

/* --- What its options have made of it --- */

/* The value of a field that lies at `bytes`, with its name. */
static void show(const struct bis_field *row, const uint8_t *bytes, char text[VALUE_SIZE])
{
	struct bis_field here = *row;

	here.offset = 0;
	bis_field_format(&here, bytes, text, VALUE_SIZE);
}

static int compare_constants(const struct snapshot_described *then, const struct bis_module *mod, struct differences *d)
{
	char was[VALUE_SIZE], is[VALUE_SIZE];
	struct snapshot_field f;
	int err = 0;

	for (size_t at = 0; at < then->constants.len && !err;) {
		const uint8_t *now;

		err = snapshot_field(&then->constants, &at, mod->class->fields, &f);
		if (!err && !(f.row->flags & BIS_FIELD_CONSTANT))
			err = snapshot_damaged("a constant that is none");
		if (err)
			break;
		now = (const uint8_t *)mod->self + f.row->offset;
		if (!memcmp(now, f.bytes, f.size))
			continue;
		show(f.row, now, is);
		show(f.row, f.bytes, was);
		differ(d, "%s of %s is %s, and was %s", f.row->name, mod->name, is, was);
	}
	return err;
}

/* --- What of the host it hangs on --- */

struct outside {
	const struct snapshot_described *then;
	const struct bis_module *mod;
	struct differences *d;
	unsigned told; /* of what there was, a bit each, how much is still there */
};

/* The next of the things that there were; false at the end. */
static bool next_thing(const struct snapshot_data *r, size_t *at, struct bis_outside *out)
{
	out->what = snapshot_text(r, at);
	out->name = snapshot_text(r, at);
	out->state = snapshot_text(r, at);
	return out->what && out->name && out->state;
}

/* Something that is there now: was it the same then? */
static void compare_thing(void *arg, const struct bis_outside *now)
{
	struct outside *o = arg;
	struct bis_outside then;
	unsigned index = 0;

	for (size_t at = 0; next_thing(&o->then->outside, &at, &then); index++) {
		if (strcmp(then.what, now->what))
			continue;
		o->told |= 1u << index % 32;
		if (strcmp(then.state, now->state))
			differ(o->d, "the %s of %s, '%s', is now: %s; it was: %s", now->what, o->mod->name, now->name,
			       now->state, then.state);
		return;
	}
	differ(o->d, "%s had no %s", o->mod->name, now->what);
}

static int compare_outside(const struct bis_snapshot *s, const struct snapshot_described *was,
			   const struct bis_module *mod, struct differences *d)
{
	struct outside o = {.then = was, .mod = mod, .d = d};
	struct bis_outside then;
	unsigned index = 0;
	int err;

	if (s->changes_allowed)
		return 0;
	err = mod->class->outside ? mod->class->outside(mod->self, compare_thing, &o) : 0;
	for (size_t at = 0; !err && next_thing(&was->outside, &at, &then); index++)
		if (!(o.told >> index % 32 & 1))
			differ(d, "%s had the %s '%s'", mod->name, then.what, then.name);
	return err;
}

/* --- All of it --- */

static int compare_module(const struct bis_snapshot *s, const struct snapshot_described *then, struct bis_machine *m,
			  struct differences *d)
{
	const struct bis_module *mod = bis_machine_find(m, then->name);
	int err;

	if (mod && !strcmp(mod->class->name, then->class) && mod->class->backend != then->at.backend)
		return snapshot_damaged("a device passes for a back end, or a back end for a device");
	if (then->at.backend)
		return 0;
	if (!mod) {
		differ(d, "there is no %s (%s)", then->name, then->spec);
		return 0;
	}
	if (strcmp(mod->class->name, then->class)) {
		differ(d, "%s is a %s, and was a %s", then->name, mod->class->name, then->class);
		return 0;
	}
	if (mod->class->version != then->at.version) {
		differ(d, "%s is of version %u, and was of version %u", then->name, mod->class->version,
		       then->at.version);
		return 0;
	}
	if (!mod->class->migratable)
		differ(d, "the state of %s cannot be restored", then->name);
	compare_place(&then->at, mod, d);
	err = compare_constants(then, mod, d);
	return err ? err : compare_outside(s, then, mod, d);
}

static void compare_machine(const struct bis_snapshot *s, struct bis_machine *m, struct differences *d)
{
	char isa[256];

	bis_isa_format(&m->isa, isa, sizeof(isa));
	if (strcmp(isa, s->isa))
		differ(d, "the harts are %s, and were %s", isa, s->isa);
	if (m->n_harts != s->machine.harts)
		differ(d, "there are %u harts, and were %u", m->n_harts, s->machine.harts);
	if (m->cfg.ram_size != s->machine.ram_size)
		differ(d, "RAM has %llu bytes, and had %llu", (unsigned long long)m->cfg.ram_size,
		       (unsigned long long)s->machine.ram_size);
	if ((uint32_t)m->cfg.clock != s->machine.clock)
		differ(d, "the clock is another one");
}

static int say(const struct differences *d)
{
	if (!d->len && !d->left_out)
		return 0;
	if (d->left_out)
		return bis_fail(EINVAL, "the machine is not like that of the snapshot: %s; and %u more", d->text,
				d->left_out);
	return bis_fail(EINVAL, "the machine is not like that of the snapshot: %s", d->text);
}

int snapshot_compare(const struct bis_snapshot *s, struct bis_machine *m)
{
	struct differences d = {.len = 0};
	int err = 0;

	compare_machine(s, m, &d);
	for (size_t i = 0; i < s->n_modules && !err; i++)
		err = compare_module(s, &s->modules[i], m, &d);
	if (err)
		return err;
	for (const struct bis_module *mod = m->modules; mod; mod = mod->next) {
		size_t i = 0;

		while (i < s->n_modules && strcmp(s->modules[i].name, mod->name))
			i++;
		if (i == s->n_modules && !mod->class->backend)
			differ(&d, "%s is new", mod->name);
	}
	return say(&d);
}
