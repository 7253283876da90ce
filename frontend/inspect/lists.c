/*
 * What modules and CSRs a machine has, as names: lists that are made anew when a module comes or goes, so that a
 * directory is read without stopping anything. An instance is looked up again by its name at the safepoint where it is
 * used. in->lock guards the lists.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/module.h>

#include "frontend/inspect/inspect_internal.h"

#define CSR_NUMBERS 4096u

/* --- CSRs --- */

/* All harts have the same. */
static int list_csrs(struct inspect *in, struct inspect_csr **out, size_t *count)
{
	struct bis_hart *h = bis_machine_hart(in->machine, 0);
	struct inspect_csr *list = calloc(CSR_NUMBERS, sizeof(*list)), *fit;
	size_t n = 0;

	if (!list)
		return bis_fail(ENOMEM, "no memory for the list of CSRs");
	for (unsigned number = 0; number < CSR_NUMBERS; number++) {
		int len = bis_hart_csr_name(h, number, list[n].name, sizeof(list[n].name));

		if (len <= 0 || (size_t)len >= sizeof(list[n].name) || strchr(list[n].name, '/'))
			continue;
		list[n].described = bis_csr_field(list[n].name, inspect_xlen(in), 0) != NULL;
		list[n++].number = number;
	}
	fit = realloc(list, (n + 1) * sizeof(*list));
	*out = fit ? fit : list;
	*count = n;
	return 0;
}

/* --- Modules --- */

static bool is_device(const struct bis_module *mod)
{
	uint64_t base, size;

	return bis_module_class_of(mod)->irqs || bis_module_slot(mod) >= 0 || !bis_module_window(mod, 0, &base, &size);
}

char *inspect_spec_value(const char *spec, const char *name)
{
	size_t name_len = strlen(name);
	const char *at = spec;
	char *value, *to;

	/* Items are separated by commas; two commas are one that belongs to the value. */
	while ((at = strchr(at, ','))) {
		if (at[1] == ',') {
			at += 2;
			continue;
		}
		at++;
		if (strncmp(at, name, name_len) || (at[name_len] != '=' && at[name_len] != ',' && at[name_len]))
			continue;
		if (at[name_len] != '=')
			return strdup("on");
		at += name_len + 1;
		value = to = malloc(strlen(at) + 1);
		if (!value)
			return NULL;
		while (*at && (*at != ',' || at[1] == ',')) {
			at += *at == ',';
			*to++ = *at++;
		}
		*to = '\0';
		return value;
	}
	return NULL;
}

static char *chardev_of(const struct bis_module *mod)
{
	const struct bis_option *o = bis_module_class_of(mod)->options;
	char *value;

	while (o && o->name && strcmp(o->name, "chardev") != 0)
		o++;
	if (!o || !o->name)
		return NULL;
	value = inspect_spec_value(bis_module_spec(mod), "chardev");
	return value ? value : strdup(o->def ? o->def : "console");
}

static void free_modules(struct inspect_module *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(list[i].name);
		free(list[i].chardev);
	}
	free(list);
}

static bool is_listed(const struct bis_module *mod)
{
	const char *name = bis_module_name(mod);

	return strlen(name) < INSPECT_NAME_MAX && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/');
}

static int list_modules(struct inspect *in, struct inspect_module **out, size_t *count)
{
	struct inspect_module *list;
	struct bis_module *mod;
	size_t n = 0, total = 0;

	while (bis_machine_module(in->machine, total))
		total++;
	list = calloc(total + 1, sizeof(*list));
	if (!list)
		return bis_fail(ENOMEM, "no memory for the list of modules");
	for (size_t i = 0; (mod = bis_machine_module(in->machine, i)); i++) {
		if (!is_listed(mod))
			continue;
		list[n].name = strdup(bis_module_name(mod));
		list[n].device = is_device(mod);
		list[n].class = bis_module_class_of(mod);
		list[n].chardev = chardev_of(mod);
		if (!list[n++].name) {
			free_modules(list, n);
			return bis_fail(ENOMEM, "no memory for the list of modules");
		}
	}
	*out = list;
	*count = n;
	return 0;
}

static void follow_consoles(struct inspect *in, const struct inspect_module *list, size_t count)
{
	bis_machine_lock_devices(in->machine);
	for (size_t i = 0; i < count; i++)
		if (list[i].device && list[i].chardev)
			(void)inspect_console_of(in, list[i].chardev); /* without memory it has no log */
	bis_machine_unlock_devices(in->machine);
}

int inspect_list(struct inspect *in)
{
	struct inspect_module *modules = NULL, *old_modules;
	struct inspect_csr *csrs = NULL, *old_csrs;
	size_t n_modules = 0, n_csrs = 0, n_old;
	int err = list_modules(in, &modules, &n_modules);

	if (err)
		return err;
	err = list_csrs(in, &csrs, &n_csrs);
	if (err) {
		free_modules(modules, n_modules);
		return err;
	}
	follow_consoles(in, modules, n_modules);
	pthread_mutex_lock(&in->lock);
	old_modules = in->modules;
	n_old = in->n_modules;
	old_csrs = in->csrs;
	in->modules = modules;
	in->n_modules = n_modules;
	in->csrs = csrs;
	in->n_csrs = n_csrs;
	pthread_mutex_unlock(&in->lock);
	free_modules(old_modules, n_old);
	free(old_csrs);
	return 0;
}

void inspect_lists_free(struct inspect *in)
{
	free_modules(in->modules, in->n_modules);
	free(in->csrs);
}

bool inspect_module_name(struct inspect *in, bool devices, size_t index, char name[INSPECT_NAME_MAX])
{
	bool found = false;

	pthread_mutex_lock(&in->lock);
	for (size_t i = 0; i < in->n_modules && !found; i++) {
		if ((devices && !in->modules[i].device) || index--)
			continue;
		snprintf(name, INSPECT_NAME_MAX, "%s", in->modules[i].name);
		found = true;
	}
	pthread_mutex_unlock(&in->lock);
	return found;
}

char *inspect_module_chardev(struct inspect *in, const char *instance)
{
	char *name = NULL;

	pthread_mutex_lock(&in->lock);
	for (size_t i = 0; i < in->n_modules && !name; i++)
		if (!strcmp(in->modules[i].name, instance) && in->modules[i].chardev)
			name = strdup(in->modules[i].chardev);
	pthread_mutex_unlock(&in->lock);
	return name;
}

const struct bis_module_class *inspect_module_class(struct inspect *in, const char *instance)
{
	const struct bis_module_class *class = NULL;

	pthread_mutex_lock(&in->lock);
	for (size_t i = 0; i < in->n_modules && !class; i++)
		if (!strcmp(in->modules[i].name, instance))
			class = in->modules[i].class;
	pthread_mutex_unlock(&in->lock);
	return class;
}

struct with_module {
	struct inspect *in;
	const char *instance;
	int (*fn)(void *arg, struct bis_module *mod);
	void *arg;
};

static int call_with_module(void *arg)
{
	struct with_module *w = arg;
	struct bis_module *mod = bis_machine_find(w->in->machine, w->instance);

	return mod ? w->fn(w->arg, mod) : bis_fail(ENODEV, "the module '%s' is gone", w->instance);
}

int inspect_with_module(struct inspect *in, const char *instance, int (*fn)(void *arg, struct bis_module *mod),
			void *arg)
{
	struct with_module w = {.in = in, .instance = instance, .fn = fn, .arg = arg};

	return bis_machine_at_safepoint(in->machine, call_with_module, &w);
}

void inspect_put_field(struct inspect_text *out, const struct bis_field *f, const void *self)
{
	char small[256], *large;
	int len = bis_field_format(f, self, small, sizeof(small));

	if (len < 0 || (size_t)len < sizeof(small)) {
		inspect_put_bytes(out, small, len < 0 ? 0 : (size_t)len);
		return;
	}
	large = malloc((size_t)len + 1);
	if (!large) {
		out->failed = true;
		return;
	}
	bis_field_format(f, self, large, (size_t)len + 1);
	inspect_put_bytes(out, large, (size_t)len);
	free(large);
}
