/* Putting a machine together. Runs on the main thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>

#include "frontend/run/drive.h"
#include "frontend/run/machine.h"
#include "frontend/run/message.h"
#include "frontend/run/net.h"
#include "frontend/run/share.h"
#include "frontend/run/spec.h"
#include "frontend/run/stdio.h"

#define MAX_CLASSES 128

int machine_create(const struct run_options *o, const char *isa, struct trace *trace, struct translations *translations,
		   FILE *log, struct bis_machine **out)
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
		.clock = o->clock,
		.code_cache = o->code_cache,
		.background = o->background,
		.debug_engine = o->jit_gdb,
		.observer = trace_observer(trace),
		.translated = translations ? translations_tell : NULL,
		.translated_arg = translations,
	};

	for (size_t i = 0; bis_builtin_modules[i] && i < MAX_CLASSES - 2; i++)
		classes[i + 1] = bis_builtin_modules[i];
	return bis_machine_create(&cfg, out);
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

/* Virtio devices without an address of their own go where the board has room for them. */
static bool wants_virtio_slot(const char *spec)
{
	const char *rest = spec;
	struct spec_item item;
	bool placed = false;

	while (spec_next(&rest, &item))
		placed |= spec_is(&item, "at");
	return !strncmp(spec, "virtio-", 7) && !placed;
}

static int add_user_module(struct bis_machine *m, const char *spec)
{
	const struct bis_module_class *class;
	struct bis_module *mod;
	size_t len = object_path_length(spec);
	char *text;
	int err;

	if (len) {
		err = load_object(m, spec, len, &class);
		if (err)
			return err;
		if (asprintf(&text, "%s%s", class->name, spec + len) < 0)
			return bis_fail(ENOMEM, "--module: out of memory");
	} else {
		text = strdup(spec);
		if (!text)
			return bis_fail(ENOMEM, "--module: out of memory");
	}
	err = wants_virtio_slot(text) ? bis_board_virtio(m, text, &mod) : bis_machine_add(m, text, &mod);
	free(text);
	return err;
}

int machine_load_objects(struct bis_machine *m, const struct run_options *o)
{
	const struct bis_module_class *class;
	int err = 0;

	for (size_t i = 0; !err && i < o->modules.count; i++) {
		size_t len = object_path_length(o->modules.at[i]);

		err = len ? load_object(m, o->modules.at[i], len, &class)
			  : bis_fail(EINVAL, "--module: '%s', expected PATH.so: the modules are those of the snapshot",
				     o->modules.at[i]);
	}
	return err;
}

/* --- The whole machine --- */

static bool has_instance(struct bis_machine *m, const char *class)
{
	struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(m, i)); i++)
		if (!strcmp(bis_module_class_of(mod)->name, class))
			return true;
	return false;
}

/* What a Linux guest makes use of by itself: left out where there is no such class, or no room. */
static int add_linux_devices(struct bis_machine *m, const struct run_options *o)
{
	static const struct {
		const char *class;
		const char *repeatable; /* what does the same in each run; NULL: nothing of the kind */
		bool screen;
	} devices[] = {
		{"virtio-gpu", "virtio-gpu", true},	  {"virtio-keyboard", "virtio-keyboard", true},
		{"virtio-tablet", "virtio-tablet", true}, {"virtio-rng", "virtio-rng,seed=1", false},
		{"virtio-balloon", NULL, false},
	};
	struct bis_module *mod;
	int err = 0;

	for (size_t i = 0; !err && i < BIS_ARRAY_SIZE(devices); i++) {
		const char *spec = o->repeatable ? devices[i].repeatable : devices[i].class;

		if (!spec || (devices[i].screen && !o->window && !o->vnc) || has_instance(m, devices[i].class) ||
		    !bis_machine_find_class(m, devices[i].class))
			continue;
		err = bis_board_virtio(m, spec, &mod);
		if (err == -ENOSPC)
			err = 0;
	}
	return err;
}

int machine_add_modules(struct bis_machine *m, const struct run_options *o, const struct guest *g)
{
	struct bis_module *mod;
	int err = bis_board_virt(m);

	if (!err && g->sbi)
		err = bis_machine_add(m, "sbi", &mod);
	for (size_t i = 0; !err && i < o->drives.count; i++)
		err = drive_add(m, o->drives.at[i]);
	for (size_t i = 0; !err && i < o->nets.count; i++)
		err = net_add(m, i, o->nets.at[i]);
	if (!err)
		err = share_add_all(m, o);
	for (size_t i = 0; !err && i < o->modules.count; i++)
		err = add_user_module(m, o->modules.at[i]);
	if (!err)
		err = share_add_native(m, o);
	if (!err && g->is_linux)
		err = add_linux_devices(m, o);
	return err ? err : bis_board_virtio_done(m);
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
	char *spec;
	int err;

	if (asprintf(&spec, "chardev-%.*s%s%s", (int)len, o->console, *rest == '=' ? ",path" : "", rest) < 0)
		return bis_fail(ENOMEM, "--console: out of memory");
	err = bis_machine_add(m, spec, out);
	free(spec);
	if (!err)
		announce(*out);
	return err;
}
