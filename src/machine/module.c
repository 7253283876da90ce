/*
 * Module classes and instances: the registry, placement, adding and removing. Control thread.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/machine/machine_internal.h"

#define NAME_SIZE 128 /* of an instance's name, with its end */

/* --- Classes --- */

void bis_machine_add_class(struct bis_machine *m, struct bis_known_class *known)
{
	known->next = NULL;
	if (m->last_class)
		m->last_class->next = known;
	else
		m->classes = known;
	m->last_class = known;
}

const struct bis_module_class *bis_machine_class(struct bis_machine *m, size_t index)
{
	const struct bis_known_class *k = m->classes;

	while (k && index--)
		k = k->next;
	return k ? k->class : NULL;
}

const struct bis_module_class *bis_machine_find_class(struct bis_machine *m, const char *name)
{
	for (const struct bis_known_class *k = m->classes; k; k = k->next)
		if (!strcmp(k->class->name, name))
			return k->class;
	return NULL;
}

static int unknown_class(struct bis_machine *m, const char *name)
{
	const char *names[256], *near;
	size_t n = 0;

	for (const struct bis_known_class *k = m->classes; k && n < BIS_ARRAY_SIZE(names); k = k->next)
		names[n++] = k->class->name;
	near = bis_nearest_name(name, names, n);
	if (near)
		return bis_fail(ENOENT, "unknown module '%s' (did you mean '%s'?)", name, near);
	return bis_fail(ENOENT, "unknown module '%s' (--list-modules shows them)", name);
}

/* --- Specification text: "class,key=value,…" --- */

/* What a specification says, taken apart. */
struct spec {
	char *text; /* a copy, cut into pieces */
	char *name; /* placement keys, NULL where absent */
	char *at, *irq, *slot;
	char *options; /* the rest, for the class's own table */
};

/* The end of the piece at p: a comma that is not doubled, or the end of the text. */
static char *piece_end(char *p)
{
	while (*p && !(p[0] == ',' && p[1] != ','))
		p += p[0] == ',' ? 2 : 1;
	return p;
}

static bool take_key(char *piece, const char *key, char **value)
{
	size_t len = strlen(key);

	if (strncmp(piece, key, len) != 0 || piece[len] != '=')
		return false;
	*value = piece + len + 1;
	return true;
}

static int parse_spec(const char *text, struct spec *s)
{
	char *p, *end;
	bool more;

	*s = (struct spec){.text = strdup(text), .options = calloc(1, strlen(text) + 1)};
	if (!s->text || !s->options)
		return bis_fail(ENOMEM, "no memory for '%s'", text);
	p = s->text + strcspn(s->text, ",");
	for (more = *p; more; p = end) {
		*p++ = '\0';
		end = piece_end(p);
		more = *end;
		*end = '\0';
		if (take_key(p, "name", &s->name) || take_key(p, "at", &s->at) || take_key(p, "irq", &s->irq) ||
		    take_key(p, "slot", &s->slot))
			continue;
		if (*s->options)
			strcat(s->options, ",");
		strcat(s->options, p);
	}
	return 0;
}

/* A class with an option `name` of its own hears what its instance is called. */
static void pass_name(struct spec *s, const struct bis_option *table)
{
	while (table && table->name && strcmp(table->name, "name") != 0)
		table++;
	if (!s->name || !table || !table->name)
		return;
	if (*s->options)
		strcat(s->options, ",");
	strcat(strcat(s->options, "name="), s->name);
}

static void free_spec(struct spec *s)
{
	free(s->text);
	free(s->options);
}

static int parse_number(const char *class_name, const char *key, const char *text, uint64_t limit, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno || text[0] < '0' || text[0] > '9' || *end || *out > limit)
		return bis_fail(EINVAL, "%s: %s=%s: expected a number from 0 to 0x%llx", class_name, key, text,
				(unsigned long long)limit);
	return 0;
}

static int place(struct bis_module *mod, const struct spec *s)
{
	const char *class_name = mod->class->name;
	uint64_t v;
	int err;

	mod->slot = -1;
	if (s->at) {
		err = parse_number(class_name, "at", s->at, UINT64_MAX, &mod->base);
		if (err)
			return err;
		mod->has_base = true;
	}
	if (s->irq) {
		err = parse_number(class_name, "irq", s->irq, 1023, &v);
		if (err)
			return err;
		mod->irq_input = (unsigned)v;
		mod->has_irq = v != 0;
	}
	if (s->slot) {
		err = parse_number(class_name, "slot", s->slot, BIS_DEVCSR_SLOTS - 1, &v);
		if (err)
			return err;
		mod->slot = (int)v;
	}
	return 0;
}

/* --- Instances --- */

struct bis_module *bis_machine_module(struct bis_machine *m, size_t index)
{
	struct bis_module *mod = m->modules;

	while (mod && index--)
		mod = mod->next;
	return mod;
}

struct bis_module *bis_machine_find(struct bis_machine *m, const char *name)
{
	struct bis_module *mod = m->modules;

	while (mod && strcmp(mod->name, name) != 0)
		mod = mod->next;
	return mod;
}

/* The asked-for name, or class, class1, class2, … as free; with a dash behind a digit, as in uart16550-1. */
static int choose_name(struct bis_machine *m, struct bis_module *mod, const char *asked)
{
	const char *dash = isdigit((unsigned char)mod->class->name[strlen(mod->class->name) - 1]) ? "-" : "";
	char name[NAME_SIZE];

	if (asked && (!*asked || strlen(asked) >= sizeof(name) || strchr(asked, '/')))
		return bis_fail(EINVAL, "%s: name=%s: expected 1 to 127 characters without '/'", mod->class->name,
				asked);
	snprintf(name, sizeof(name), "%s", asked ? asked : mod->class->name);
	if (asked && bis_machine_find(m, name))
		return bis_fail(EEXIST, "%s: there is a module named '%s' already", mod->class->name, name);
	for (unsigned i = 1; bis_machine_find(m, name); i++)
		snprintf(name, sizeof(name), "%.100s%s%u", mod->class->name, dash, i);
	mod->name = strdup(name);
	return mod->name ? 0 : bis_fail(ENOMEM, "no memory for module '%s'", name);
}

static int make_lines(struct bis_module *mod)
{
	if (!mod->class->irqs)
		return 0;
	mod->irqs = calloc(mod->class->irqs, sizeof(*mod->irqs));
	if (!mod->irqs)
		return bis_fail(ENOMEM, "%s: no memory for interrupt lines", mod->name);
	for (unsigned i = 0; i < mod->class->irqs; i++) {
		mod->irqs[i].module = mod;
		if (mod->has_irq) {
			mod->irqs[i].chip_kind = "plic";
			mod->irqs[i].input = mod->irq_input + i;
		} else if (mod->slot > 0) {
			mod->irqs[i].chip_kind = "native";
			mod->irqs[i].input = (unsigned)mod->slot;
		}
	}
	return 0;
}

/* Inputs that do not exist or belong to another module's line; a controller may still come later. */
static int check_lines(struct bis_machine *m, const struct bis_module *mod)
{
	for (unsigned i = 0; i < mod->class->irqs && mod->has_irq; i++) {
		unsigned input = mod->irqs[i].input;

		for (const struct bis_irqchip *chip = m->chips; chip; chip = chip->next)
			if (!strcmp(chip->kind, mod->irqs[i].chip_kind) && input > chip->ops->inputs)
				return bis_fail(EINVAL, "%s: irq=%u: %s has inputs 1 to %u", mod->name, input,
						chip->module->name, chip->ops->inputs);
		for (const struct bis_module *other = m->modules; other; other = other->next)
			if (other != mod && other->has_irq && input >= other->irq_input &&
			    input - other->irq_input < other->class->irqs)
				return bis_fail(EEXIST, "%s: irq=%u is taken by %s", mod->name, input, other->name);
	}
	return 0;
}

static void link_module(struct bis_machine *m, struct bis_module *mod)
{
	if (m->last_module)
		m->last_module->next = mod;
	else
		m->modules = mod;
	m->last_module = mod;
}

static void unlink_module(struct bis_machine *m, const struct bis_module *mod)
{
	struct bis_module **at = &m->modules, *last = NULL;

	while (*at && *at != mod) {
		last = *at;
		at = &last->next;
	}
	if (!*at)
		return;
	*at = mod->next;
	if (m->last_module == mod)
		m->last_module = last;
}

/* Frees the instance, which has no state and is attached to nothing. */
static void free_module(struct bis_module *mod)
{
	free(mod->irqs);
	free(mod->name);
	free(mod->spec);
	free(mod);
}

void bis_module_destroy(struct bis_module *mod)
{
	struct bis_machine *m = mod->machine;

	bis_processor_stop(mod);
	bis_machine_lock_devices(m);
	if (mod->started && mod->class->stop)
		mod->class->stop(mod->self);
	bis_detach_all(mod);
	unlink_module(m, mod);
	if (mod->self)
		mod->class->destroy(mod->self);
	bis_devctl_forget(m->devctl, mod); /* lines that its workers set until they ended */
	bis_devctl_drop_callbacks(m->devctl, mod);
	free_module(mod);
	bis_machine_unlock_devices(m);
}

void bis_modules_destroy_all(struct bis_machine *m)
{
	while (m->last_module)
		bis_module_destroy(m->last_module);
}

/* Creates the state and attaches it; mod is linked already, so that lines and names are found. */
static int bring_up(struct bis_module *mod, const char *option_text)
{
	struct bis_machine *m = mod->machine;
	struct bis_options *options = NULL;
	int err;

	err = bis_options_parse(mod->class->name, mod->class->options, option_text, &options);
	if (err)
		return err;
	err = mod->class->create(mod, options, &mod->self);
	bis_options_free(options);
	if (err)
		return err;
	if (mod->class->attach) {
		mod->attaching = true;
		err = mod->class->attach(mod, mod->self);
		mod->attaching = false;
		if (err)
			return err;
	}
	bis_machine_wire_irqs(m);
	if (bis_machine_state(m) != BIS_CREATED && mod->class->start) {
		err = mod->class->start(mod->self);
		if (err)
			return err;
	}
	mod->started = bis_machine_state(m) != BIS_CREATED;
	return 0;
}

static int add_parked(struct bis_machine *m, const struct bis_module_class *class, const struct spec *s,
		      struct bis_module **out)
{
	struct bis_module *mod = calloc(1, sizeof(*mod));
	int err;

	if (!mod)
		return bis_fail(ENOMEM, "no memory for module '%s'", class->name);
	mod->machine = m;
	mod->class = class;
	err = place(mod, s);
	if (err)
		goto free_module;
	err = choose_name(m, mod, s->name);
	if (err)
		goto free_module;
	err = make_lines(mod);
	if (err)
		goto free_module;
	err = check_lines(m, mod);
	if (err)
		goto free_module;
	bis_machine_lock_devices(m);
	link_module(m, mod);
	err = bring_up(mod, s->options);
	bis_machine_unlock_devices(m);
	if (err) {
		bis_module_destroy(mod);
		return err;
	}
	if (out)
		*out = mod;
	return 0;
free_module:
	free_module(mod);
	return err;
}

static void tell(struct bis_machine *m, enum bis_event_kind kind, const char *name)
{
	struct bis_event event = {.kind = kind, .text = name};

	bis_machine_tell(m, &event);
}

/* The text that adds the instance again, under the same name. */
static int keep_spec(struct bis_module *mod, const char *spec, const char *name)
{
	int len = name ? asprintf(&mod->spec, "%s", spec) : asprintf(&mod->spec, "%s,name=%s", spec, mod->name);

	if (len >= 0)
		return 0;
	mod->spec = NULL;
	bis_module_destroy(mod);
	return bis_fail(ENOMEM, "no memory for a module");
}

int bis_machine_add(struct bis_machine *m, const char *spec, struct bis_module **out)
{
	const struct bis_module_class *class;
	struct bis_module *mod = NULL;
	struct spec s;
	bool running;
	int err;

	bis_machine_lock_control(m);
	running = bis_machine_state(m) == BIS_RUNNING;
	err = parse_spec(spec, &s);
	if (err)
		goto done;
	class = bis_machine_find_class(m, s.text);
	if (!class) {
		err = unknown_class(m, s.text);
		goto done;
	}
	pass_name(&s, class->options);
	if (running)
		bis_machine_park(m);
	err = add_parked(m, class, &s, &mod);
	if (!err)
		err = keep_spec(mod, spec, s.name);
	if (!err && out)
		*out = mod;
	if (!err)
		tell(m, BIS_EVENT_MODULE_ADDED, mod->name);
	if (running)
		bis_machine_release(m);
done:
	free_spec(&s);
	bis_machine_unlock_control(m);
	return err;
}

static const struct bis_module *user_of_chip(struct bis_machine *m, const struct bis_module *chip_module)
{
	for (struct bis_module *mod = m->modules; mod; mod = mod->next)
		for (unsigned i = 0; mod->irqs && i < mod->class->irqs; i++)
			if (mod != chip_module && mod->irqs[i].chip && mod->irqs[i].chip->module == chip_module)
				return mod;
	return NULL;
}

/* 0 if the module can go. Harts parked. */
static int check_removable(struct bis_machine *m, const struct bis_module *mod)
{
	const struct bis_module *user = user_of_chip(m, mod);
	bool waits;

	pthread_mutex_lock(&m->request_lock);
	waits = m->add_asked && m->add_arg == mod->self;
	pthread_mutex_unlock(&m->request_lock);
	if (waits)
		return bis_fail(EBUSY, "%s is in use: it waits for a module the guest has asked for", mod->name);
	if (user)
		return bis_fail(EBUSY, "%s is in use: the interrupt line of %s is wired to it", mod->name, user->name);
	for (const struct bis_isa_attachment *a = m->isas; a; a = a->next)
		if (a->module == mod && a->family && bis_machine_state(m) != BIS_CREATED)
			return bis_fail(EBUSY, "%s is in use: the harts execute its instructions", mod->name);
	return 0;
}

int bis_machine_remove(struct bis_machine *m, struct bis_module *mod)
{
	char name[NAME_SIZE];
	bool running;
	int err;

	bis_machine_lock_control(m);
	running = bis_machine_state(m) == BIS_RUNNING;
	if (running)
		bis_machine_park(m);
	err = check_removable(m, mod);
	if (!err) {
		snprintf(name, sizeof(name), "%s", mod->name);
		bis_module_destroy(mod);
		tell(m, BIS_EVENT_MODULE_REMOVED, name);
	}
	if (running)
		bis_machine_release(m);
	bis_machine_unlock_control(m);
	return err;
}

/* --- Accessors --- */

struct bis_machine *bis_module_machine(const struct bis_module *mod)
{
	return mod->machine;
}

struct bis_memory *bis_module_memory(const struct bis_module *mod)
{
	return mod->machine->memory;
}

const char *bis_module_name(const struct bis_module *mod)
{
	return mod->name;
}

const struct bis_module_class *bis_module_class_of(const struct bis_module *mod)
{
	return mod->class;
}

void *bis_module_self(const struct bis_module *mod)
{
	return mod->self;
}

struct bis_irq *bis_module_irq(const struct bis_module *mod, unsigned index)
{
	return index < mod->class->irqs ? &mod->irqs[index] : NULL;
}

int bis_module_window(const struct bis_module *mod, size_t index, uint64_t *base, uint64_t *size)
{
	if (index >= mod->n_windows)
		return -ENOENT;
	*base = mod->windows[index].base;
	*size = mod->windows[index].ops->size;
	return 0;
}

const char *bis_module_spec(const struct bis_module *mod)
{
	return mod->spec;
}

int bis_module_slot(const struct bis_module *mod)
{
	return mod->slot;
}

bool bis_module_has_place(const struct bis_module *mod)
{
	return mod->has_base;
}

unsigned bis_module_irq_input(const struct bis_module *mod, unsigned index)
{
	return mod->has_irq && index < mod->class->irqs ? mod->irq_input + index : 0;
}
