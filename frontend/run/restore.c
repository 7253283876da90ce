/*
 * Making a machine like the one that a snapshot was taken of, and giving it the snapshot's state. The console's back
 * end is of this process: it is what --console says, whatever it was.
 */
#include "restore.h"

#include <string.h>

#include <biscuit/error.h>
#include <biscuit/snapshot.h>

#include "frontend/run/machine.h"

/* Is it a back end of the console? By its text: the class may not be there. */
static bool is_console(const char *spec)
{
	static const char option[] = ",chardev=";
	const char *name = strstr(spec, option);
	size_t len;

	if (strncmp(spec, "chardev-", 8) != 0)
		return false;
	if (!name)
		return true;
	name += sizeof(option) - 1;
	len = strcspn(name, ",");
	return len == strlen("console") && !strncmp(name, "console", len);
}

static int add_modules(struct bis_machine *m, const struct bis_snapshot *s)
{
	struct bis_module *mod;
	const char *spec;
	int err = 0;

	for (size_t i = 0; !err && (spec = bis_snapshot_module(s, i)); i++)
		if (!bis_snapshot_is_backend(s, i) || !is_console(spec))
			err = bis_machine_add(m, spec, &mod);
	return err;
}

/* What the snapshot says of the machine goes before the defaults. */
static int make(const struct run_options *o, const struct bis_snapshot *s, struct trace *trace,
		struct translations *translations, FILE *log, struct bis_machine **out, struct bis_module **console)
{
	const struct bis_snapshot_machine *was = bis_snapshot_machine(s);
	struct run_options as_then = *o;
	int err;

	as_then.memory = was->ram_size;
	as_then.harts = was->harts;
	as_then.clock = was->clock;
	err = machine_create(&as_then, was->isa, trace, translations, log, out);
	if (!err)
		err = machine_load_objects(*out, o);
	if (!err)
		err = machine_add_console(*out, o, console);
	return err ? err : add_modules(*out, s);
}

int restore_machine(const struct run_options *o, struct trace *trace, struct translations *translations, FILE *log,
		    struct bis_machine **out, struct bis_module **console)
{
	struct bis_snapshot *s;
	int err = bis_snapshot_open(o->restore, &s);

	if (err)
		return bis_fail_prefix(err, "--restore");
	err = make(o, s, trace, translations, log, out, console);
	if (!err)
		err = bis_snapshot_restore(s, *out);
	bis_snapshot_close(s);
	return err ? bis_fail_prefix(err, "--restore: %s", o->restore) : 0;
}
