/*
 * Writing snapshots, <biscuit/snapshot.h>, in the format of snapshot_internal.h. The machine is paused, the control
 * lock and the device lock are held.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/chardev_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "src/memory/memory_internal.h"

/* A record's data while it is gathered. */
struct gathered {
	uint8_t *data;
	size_t len, room;
	int err;
};

static void add(struct gathered *g, const void *data, size_t len)
{
	if (!g->err && len > g->room - g->len) {
		size_t room = (g->len + len) * 2;
		uint8_t *more = realloc(g->data, room);

		if (more) {
			g->data = more;
			g->room = room;
		} else {
			g->err = bis_fail(ENOMEM, "no memory for a snapshot");
		}
	}
	if (g->err || !len)
		return;
	memcpy(g->data + g->len, data, len);
	g->len += len;
}

static void add_text(struct gathered *g, const char *text)
{
	add(g, text, strlen(text) + 1);
}

static int write_header(struct snapshot_writer *w, enum snapshot_tag tag, const char *name, uint64_t len)
{
	struct snapshot_record r = {.tag = tag, .name_len = (uint32_t)strlen(name), .len = len};
	int err = snapshot_write(w, &r, sizeof(r));

	return err ? err : snapshot_write(w, name, r.name_len);
}

/* Writes the record and frees what was gathered. */
static int put(struct snapshot_writer *w, enum snapshot_tag tag, const char *name, struct gathered *g)
{
	int err = g->err;

	if (!err && g->len > SNAPSHOT_DATA_MAX)
		err = bis_fail(EFBIG, "%s has more state than a snapshot takes", name);
	if (!err)
		err = write_header(w, tag, name, g->len);
	if (!err)
		err = snapshot_write(w, g->data, g->len);
	free(g->data);
	*g = (struct gathered){0};
	return err;
}

/* --- What the machine is --- */

static int put_machine(struct snapshot_writer *w, struct bis_machine *m, const char *note)
{
	struct snapshot_machine s = {.now = bis_machine_now(m),
				     .ram_size = m->cfg.ram_size,
				     .entry_pc = m->entry_pc,
				     .entry_a1 = m->entry_a1,
				     .entry_a2 = m->entry_a2,
				     .harts = m->n_harts,
				     .clock = (uint32_t)m->cfg.clock};
	struct gathered g = {0};
	char isa[256];

	bis_isa_format(&m->isa, isa, sizeof(isa));
	add(&g, &s, sizeof(s));
	add_text(&g, isa);
	add_text(&g, note ? note : "");
	return put(w, SNAPSHOT_MACHINE, "", &g);
}

static void add_field(struct gathered *g, const struct bis_field *f, const void *self)
{
	uint8_t name_len = (uint8_t)strlen(f->name), type = (uint8_t)f->type;

	add(g, &name_len, 1);
	add(g, &type, 1);
	add(g, &f->count, sizeof(f->count));
	add(g, f->name, name_len);
	add(g, (const uint8_t *)self + f->offset, f->count * bis_field_unit(f->type));
}

/* The fields that have `wanted` of the flags CONSTANT and DERIVED. */
static void add_fields(struct gathered *g, const struct bis_field *fields, uint32_t wanted, const void *self)
{
	for (const struct bis_field *f = fields; f && f->name; f++)
		if ((f->flags & (BIS_FIELD_CONSTANT | BIS_FIELD_DERIVED)) == wanted)
			add_field(g, f, self);
}

static void add_thing(void *arg, const struct bis_outside *thing)
{
	add_text(arg, thing->what);
	add_text(arg, thing->name);
	add_text(arg, thing->state);
}

static int put_outside(struct snapshot_writer *w, const struct bis_module *mod)
{
	struct gathered g = {0};
	int err = mod->class->outside ? mod->class->outside(mod->self, add_thing, &g) : 0;

	if (err || (!g.len && !g.err)) {
		free(g.data);
		return err;
	}
	return put(w, SNAPSHOT_OUTSIDE, mod->name, &g);
}

static int put_module(struct snapshot_writer *w, const struct bis_module *mod)
{
	struct snapshot_module s = {.base = mod->has_base ? mod->base : 0,
				    .irq = mod->has_irq ? mod->irq_input : 0,
				    .slot = mod->slot,
				    .version = mod->class->version,
				    .placed = mod->has_base,
				    .backend = mod->class->backend};
	struct gathered g = {0};
	int err;

	if (!mod->class->migratable)
		return bis_fail(EBUSY, "%s cannot be in a snapshot: its class does not describe its state", mod->name);
	add(&g, &s, sizeof(s));
	add_text(&g, mod->class->name);
	add_text(&g, mod->spec);
	add_fields(&g, mod->class->fields, BIS_FIELD_CONSTANT, mod->self);
	err = put(w, SNAPSHOT_MODULE, mod->name, &g);
	return err ? err : put_outside(w, mod);
}

/* --- State --- */

static void add_own(void *arg, const void *data, size_t len)
{
	add(arg, data, len);
}

static int put_state(struct snapshot_writer *w, struct bis_module *mod)
{
	struct gathered g = {0};
	uint64_t when;
	int err;

	for (unsigned i = 0; i < mod->class->irqs; i++) {
		uint8_t level = mod->irqs[i].level;

		add(&g, &level, 1);
	}
	add_fields(&g, mod->class->fields, 0, mod->self);
	err = put(w, SNAPSHOT_FIELDS, mod->name, &g);
	for (size_t i = 0; !err && bis_devctl_timer(mod, i, &when); i++)
		add(&g, &when, sizeof(when));
	if (!err && (g.len || g.err))
		err = put(w, SNAPSHOT_TIMERS, mod->name, &g);
	if (err || !mod->class->save)
		return err;
	err = mod->class->save(mod->self, add_own, &g);
	if (err) {
		free(g.data);
		return err;
	}
	return put(w, SNAPSHOT_OWN, mod->name, &g);
}

static int put_harts(struct snapshot_writer *w, struct bis_machine *m)
{
	int err = 0;

	for (unsigned i = 0; i < m->n_harts && !err; i++) {
		struct gathered g = {0};
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		add_fields(&g, bis_hart_fields, 0, m->harts[i]);
		err = put(w, SNAPSHOT_HART, name, &g);
	}
	return err;
}

static int put_chardevs(struct snapshot_writer *w, struct bis_machine *m)
{
	int err = 0;

	for (struct bis_chardev *c = *bis_machine_chardevs(m); c && !err; c = bis_chardev_next(c)) {
		struct gathered g = {0};

		bis_chardev_save(c, add_own, &g);
		err = put(w, SNAPSHOT_CHARDEV, bis_chardev_name(c), &g);
	}
	return err;
}

/* --- RAM --- */

static bool is_zero(const uint8_t *page)
{
	const uint64_t *word = (const uint64_t *)(const void *)page;

	for (size_t i = 0; i < BIS_PAGE_SIZE / sizeof(*word); i += 4)
		if (word[i] | word[i + 1] | word[i + 2] | word[i + 3])
			return false;
	return true;
}

static int put_run(struct snapshot_writer *w, const struct bis_ram *ram, uint64_t from, uint64_t to)
{
	uint64_t pa = ram->base + from;
	int err = write_header(w, SNAPSHOT_RAM, "", sizeof(pa) + (to - from));

	if (!err)
		err = snapshot_write(w, &pa, sizeof(pa));
	return err ? err : snapshot_write(w, ram->host + from, to - from);
}

/* Runs of pages that are not all zeros, of [from, to). */
static int put_pages(struct snapshot_writer *w, const struct bis_ram *ram, uint64_t from, uint64_t to)
{
	int err = 0;

	for (uint64_t at = from; at < to && !err;) {
		uint64_t end = at;

		while (end < to && end - at < SNAPSHOT_RAM_RUN && !is_zero(ram->host + end))
			end += BIS_PAGE_SIZE;
		if (end > at)
			err = put_run(w, ram, at, end);
		at = end > at ? end : at + BIS_PAGE_SIZE;
	}
	return err;
}

/* What was never written takes no memory on the host, and is not looked at. */
static int put_ram(struct snapshot_writer *w, const struct bis_ram *ram)
{
	off_t at = 0, data, hole;
	int err = 0;

	while (!err && (data = lseek(ram->fd, at, SEEK_DATA)) >= 0) {
		hole = lseek(ram->fd, data, SEEK_HOLE);
		if (hole < 0)
			return bis_fail(errno, "cannot look at RAM: %s", strerror(errno));
		err = put_pages(w, ram, (uint64_t)data & ~BIS_PAGE_MASK,
				((uint64_t)hole + BIS_PAGE_MASK) & ~BIS_PAGE_MASK);
		at = hole;
	}
	if (!err && errno != ENXIO)
		err = bis_fail(errno, "cannot look at RAM: %s", strerror(errno));
	return err;
}

/* --- All of it --- */

static int put_modules(struct snapshot_writer *w, struct bis_machine *m)
{
	size_t count = 0;
	int err = 0;

	for (struct bis_module *mod = m->modules; mod && !err; mod = mod->next)
		err = count++ < SNAPSHOT_MODULES
			      ? put_module(w, mod)
			      : bis_fail(EFBIG, "more modules than the %d of a snapshot", SNAPSHOT_MODULES);
	return err;
}

static int put_all(struct snapshot_writer *w, struct bis_machine *m, const char *note)
{
	const struct bis_ram_table *t = atomic_load(&m->memory->table);
	struct gathered none = {0};
	int err = put_machine(w, m, note);

	/* A level that its controller knows nothing of would never reach it. */
	bis_irq_deliver_all(m);
	if (!err)
		err = put_modules(w, m);
	if (!err)
		err = put(w, SNAPSHOT_BEGIN, "", &none);
	for (size_t i = 0; i < t->count && !err; i++)
		err = put_ram(w, t->regions[i]);
	if (!err)
		err = put_harts(w, m);
	for (struct bis_module *mod = m->modules; mod && !err; mod = mod->next)
		err = put_state(w, mod);
	if (!err)
		err = put_chardevs(w, m);
	return err ? err : put(w, SNAPSHOT_END, "", &none);
}

static int write_paused(struct bis_machine *m, int fd, const char *note)
{
	static const uint32_t version = BIS_SNAPSHOT_VERSION;
	struct snapshot_writer *w;
	int err = snapshot_writer_create(fd, &w);

	if (err)
		return err;
	err = snapshot_write_plain(fd, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_SIZE);
	if (!err)
		err = snapshot_write_plain(fd, &version, sizeof(version));
	if (!err)
		err = put_all(w, m, note);
	if (!err)
		err = snapshot_writer_finish(w);
	snapshot_writer_destroy(w);
	return err;
}

int bis_snapshot_write(struct bis_machine *m, int fd, const char *note)
{
	bool running;
	int err = 0;

	bis_machine_lock_control(m);
	running = bis_machine_hold(m);
	if (!running && bis_machine_state(m) != BIS_PAUSED)
		err = bis_fail(EINVAL, "a snapshot needs a machine that has started and not stopped");
	if (!err) {
		bis_machine_lock_devices(m);
		err = write_paused(m, fd, note);
		bis_machine_unlock_devices(m);
	}
	if (running)
		bis_machine_let_go(m);
	bis_machine_unlock_control(m);
	return err;
}

/* Has the name reach the disk as its contents have, where the file system and the rights to the directory let it. */
static void sync_name(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

int bis_snapshot_save(struct bis_machine *m, const char *path, const char *note)
{
	struct stat st;
	char *temporary;
	int fd, err;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return bis_fail(EINVAL, "%s: a snapshot replaces only a regular file", path);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return bis_fail(ENOMEM, "no memory for a snapshot");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = bis_fail(errno, "%s: %s", path, strerror(errno));
		free(temporary);
		return err;
	}
	err = bis_snapshot_write(m, fd, note);
	if (!err && (fsync(fd) || rename(temporary, path)))
		err = bis_fail(errno, "%s: %s", path, strerror(errno));
	if (err)
		unlink(temporary);
	else
		sync_name(path);
	close(fd);
	free(temporary);
	return err;
}
