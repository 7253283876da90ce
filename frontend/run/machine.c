/* Putting a machine together. Runs on the main thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>

#include "frontend/run/machine.h"
#include "frontend/run/message.h"
#include "frontend/run/stdio.h"

#define MAX_CLASSES 128

int machine_create(const struct run_options *o, const char *isa, struct trace *trace, FILE *log,
		   struct bis_machine **out)
{
	const struct bis_module_class *classes[MAX_CLASSES] = {&stdio_class};
	struct bis_machine_config cfg = {
		.ram_size = o->memory,
		.harts = o->harts,
		.isa = isa,
		.engine = o->engine,
		.classes = classes,
		.log = message_log,
		.log_arg = log,
		.log_level = o->log_level,
		.allow_guest_modules = o->allow_guest_modules,
		.trace = trace ? trace_step : NULL,
		.trace_arg = trace,
	};

	for (size_t i = 0; bis_builtin_modules[i] && i < MAX_CLASSES - 2; i++)
		classes[i + 1] = bis_builtin_modules[i];
	return bis_machine_create(&cfg, out);
}

/* Adds an instance by printf-like specification. */
static int BIS_PRINTF(3, 4) add(struct bis_machine *m, struct bis_module **out, const char *fmt, ...)
{
	struct bis_module *mod;
	va_list ap;
	char *spec;
	int n, err;

	va_start(ap, fmt);
	n = vasprintf(&spec, fmt, ap);
	va_end(ap);
	if (n < 0)
		return bis_fail(ENOMEM, "out of memory for a module specification");
	err = bis_machine_add(m, spec, &mod);
	free(spec);
	if (!err && out)
		*out = mod;
	return err;
}

/* --- --module --- */

/* The length of the path in "PATH.so[,key=value]"; 0 where the specification names a class. */
static size_t object_path_length(const char *spec)
{
	size_t len = strcspn(spec, ",");

	if (memchr(spec, '/', len) || (len > 3 && !strncmp(spec + len - 3, ".so", 3)))
		return len;
	return 0;
}

/* Loads the object; *first is its first class. */
static int load_object(struct bis_machine *m, const char *spec, size_t len, const struct bis_module_class **first)
{
	size_t known = 0;
	char *path;
	int err;

	while (bis_machine_class(m, known))
		known++;
	if (asprintf(&path, "%s%.*s", memchr(spec, '/', len) ? "" : "./", (int)len, spec) < 0)
		return bis_fail(ENOMEM, "--module: out of memory");
	err = bis_machine_load_module(m, path);
	free(path);
	if (!err)
		*first = bis_machine_class(m, known);
	return err;
}

static int add_user_module(struct bis_machine *m, const char *spec)
{
	const struct bis_module_class *class;
	size_t len = object_path_length(spec);
	int err;

	if (!len)
		return add(m, NULL, "%s", spec);
	err = load_object(m, spec, len, &class);
	return err ? err : add(m, NULL, "%s%s", class->name, spec + len);
}

int machine_load_objects(struct bis_machine *m, const struct run_options *o)
{
	const struct bis_module_class *class;
	int err = 0;

	for (size_t i = 0; !err && i < o->module_count; i++) {
		size_t len = object_path_length(o->modules[i]);

		if (len)
			err = load_object(m, o->modules[i], len, &class);
	}
	return err;
}

int machine_add_modules(struct bis_machine *m, const struct run_options *o)
{
	int err = bis_board_virt(m);

	if (!err && o->drive)
		err = add(m, NULL, "block,slot=3,%s", o->drive);
	for (size_t i = 0; !err && i < o->module_count; i++)
		err = add_user_module(m, o->modules[i]);
	return err;
}

/* --- --console --- */

/* A pseudo-terminal says where it is. */
static void announce(const struct bis_module *mod)
{
	const struct bis_module_class *class = bis_module_class_of(mod);
	const struct bis_field *path = class->fields ? bis_field_find(class->fields, "path") : NULL;
	char text[128];

	if (strcmp(class->name, "chardev-pty") || !path)
		return;
	bis_field_format(path, bis_module_self(mod), text, sizeof(text));
	message("the console is %s", text);
}

int machine_add_console(struct bis_machine *m, const struct run_options *o, struct bis_module **out)
{
	size_t len = strcspn(o->console, ",=");
	const char *rest = o->console + len;
	int err = add(m, out, "chardev-%.*s%s%s", (int)len, o->console, *rest == '=' ? ",path" : "", rest);

	if (!err)
		announce(*out);
	return err;
}
