/* Starting and ending what looks at the machine from outside. */
#include "frontends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/gdb/gdb.h"
#include "frontend/inspect/inspect.h"
#include "frontend/run/message.h"

/* A file without symbols does not keep the guest from running. */
static void load_symbols(struct debug *d, const char *path)
{
	int err = path ? debug_symbols_load(d, path) : 0;

	if (err && err != -ENOMSG)
		message("warning: %s", bis_error_message());
}

/* The device tree that was given to the guest. Any thread. */
static int device_tree(void *arg, void **blob, size_t *size)
{
	struct frontends *f = arg;
	int err;

	bis_machine_lock_control(f->machine);
	err = guest_copy_device_tree(f->guest, f->machine, blob, size);
	bis_machine_unlock_control(f->machine);
	return err;
}

static int start_mount(struct frontends *f, const struct run_options *o)
{
	const struct inspect_options options = {.allow_other = o->mount_allow_other,
						.readonly = o->mount_readonly,
						.version = BISCUIT_VERSION,
						.device_tree = device_tree,
						.device_tree_arg = f};

	return inspect_mount(f->debug, o->mount, &options, &f->inspect);
}

static int start_gdb(struct frontends *f, const struct run_options *o)
{
	struct bis_break first = {.kind = BIS_BREAK_INSTRET, .once = true};
	unsigned id;
	int err = gdb_start(f->debug, o->gdb, &f->gdb);

	if (err)
		return err;
	if (!o->gdb_nowait)
		err = bis_break_add(f->machine, &first, &id);
	if (!err)
		message("gdb: target remote %s%s", gdb_address(f->gdb),
			o->gdb_nowait ? "" : " (the guest waits for it)");
	return err;
}

int frontends_start(struct frontends *f, const struct run_options *o, struct bis_machine *m, struct guest *g,
		    struct trace *trace)
{
	int err = 0;

	*f = (struct frontends){.machine = m, .guest = g};
	if (!o->mount && !o->gdb && !trace && !o->profile && !o->window && !o->vnc)
		return 0;
	err = debug_create(m, &f->debug);
	if (err)
		return err;
	load_symbols(f->debug, g->firmware);
	load_symbols(f->debug, g->kernel);
	if (trace)
		err = trace_start(trace, m, f->debug);
	if (!err && o->mount)
		err = start_mount(f, o);
	if (!err && o->gdb)
		err = start_gdb(f, o);
	if (!err && o->profile)
		err = profile_start(o->profile_value, m, f->debug, &f->profile);
	if (!err)
		err = screen_start(&f->screen, o, f->debug, g);
	return err;
}

void frontends_stop(struct frontends *f)
{
	screen_stop(&f->screen);
	gdb_stop(f->gdb);
	inspect_unmount(f->inspect);
	profile_stop(f->profile);
	*f = (struct frontends){.debug = f->debug};
}

void frontends_free(struct frontends *f)
{
	debug_destroy(f->debug);
	*f = (struct frontends){0};
}
