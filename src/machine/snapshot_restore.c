/*
 * Restoring the state of snapshots, <biscuit/snapshot.h>. Nothing in the file is believed: names and types are looked
 * up in the tables of the machine at hand, and what fields hold is checked by their modules. Control lock held, harts
 * parked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <biscuit/error.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/chardev_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "src/memory/memory_internal.h"

/* --- Fields --- */

/* Sets the fields that the data names, from `at` on. */
static int take_fields(const struct snapshot_data *r, size_t at, const struct bis_field *table, void *self)
{
	while (at < r->len) {
		struct snapshot_field f;
		uint8_t *to;
		int err = snapshot_field(r, &at, table, &f);

		if (!err && f.row->flags & BIS_FIELD_CONSTANT)
			err = snapshot_damaged("a constant among the fields");
		if (err)
			return err;
		to = (uint8_t *)self + f.row->offset;
		if (f.row->type == BIS_FIELD_BOOL) {
			for (size_t i = 0; i < f.size; i++)
				to[i] = f.bytes[i] != 0;
			continue;
		}
		memcpy(to, f.bytes, f.size);
		if (f.row->type == BIS_FIELD_TEXT && f.size)
			to[f.size - 1] = '\0';
	}
	return 0;
}

static int take_hart(struct bis_snapshot *s, struct bis_machine *m, const struct snapshot_data *r)
{
	unsigned long n = strtoul(r->name, NULL, 10);
	int err;

	if (n >= m->n_harts || s->hart_restored[n])
		return snapshot_damaged("a hart too many");
	s->hart_restored[n] = true;
	err = take_fields(r, 0, bis_hart_fields, m->harts[n]);
	if (!err)
		bis_hart_restored(m->harts[n]);
	return err;
}

/* --- Modules --- */

static struct snapshot_described *find_described(struct bis_snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->n_modules; i++)
		if (!strcmp(s->modules[i].name, name))
			return &s->modules[i];
	return NULL;
}

/* Levels of the lines, and fields. */
static int take_state(struct bis_module *mod, const struct snapshot_data *r)
{
	unsigned irqs = mod->class->irqs;
	int err;

	if (r->len < irqs)
		return snapshot_damaged("interrupt lines are missing");
	for (unsigned i = 0; i < irqs; i++) {
		mod->irqs[i].level = r->data[i] != 0;
		atomic_store(&mod->irqs[i].wanted, mod->irqs[i].level);
	}
	err = take_fields(r, irqs, mod->class->fields, mod->self);
	if (!err && mod->class->check)
		err = mod->class->check(mod->self);
	return err;
}

static int take_timers(struct bis_module *mod, const struct snapshot_data *r)
{
	for (size_t i = 0; i < r->len / sizeof(uint64_t); i++) {
		uint64_t when;

		memcpy(&when, r->data + i * sizeof(when), sizeof(when));
		if (!bis_devctl_set_timer(mod, i, when))
			return snapshot_damaged("a timer too many");
	}
	return 0;
}

static int take_own(struct bis_module *mod, const struct snapshot_data *r)
{
	if (!mod->class->restore)
		return snapshot_damaged("state of a module that has none");
	return mod->class->restore(mod->self, r->data, r->len);
}

/* A part of a module's state; of a back end that is not there, or is another one now, it is left out. */
static int take_module(struct bis_snapshot *s, struct bis_machine *m, const struct snapshot_data *r)
{
	struct snapshot_described *d = find_described(s, r->name);
	struct bis_module *mod = bis_machine_find(m, r->name);
	bool *seen;

	if (!d)
		return snapshot_damaged("state of a module that it does not have");
	if (r->tag != SNAPSHOT_FIELDS && !d->has_fields)
		return snapshot_damaged("a module's state is missing, or comes too late");
	seen = r->tag == SNAPSHOT_FIELDS ? &d->has_fields : r->tag == SNAPSHOT_OWN ? &d->has_own : NULL;
	if (seen && *seen)
		return snapshot_damaged("state of a module that came before");
	if (seen)
		*seen = true;
	if (!mod || strcmp(mod->class->name, d->class) || mod->class->version != d->at.version)
		return d->at.backend ? 0 : snapshot_damaged("state of a module that it does not have");
	if (r->tag == SNAPSHOT_FIELDS)
		return take_state(mod, r);
	return r->tag == SNAPSHOT_TIMERS ? take_timers(mod, r) : take_own(mod, r);
}

/* Were all harts and modules restored, and wholly? */
static int check_complete(const struct bis_snapshot *s, struct bis_machine *m)
{
	for (unsigned i = 0; i < m->n_harts; i++)
		if (!s->hart_restored[i])
			return snapshot_damaged("a hart's state is missing");
	for (size_t i = 0; i < s->n_modules; i++) {
		const struct snapshot_described *d = &s->modules[i];
		const struct bis_module *mod = bis_machine_find(m, d->name);

		if (!d->at.backend && (!d->has_fields || (mod && mod->class->save && !d->has_own)))
			return snapshot_damaged("a module's state is missing");
	}
	return 0;
}

/* --- The rest --- */

static int take_chardev(struct bis_machine *m, const struct snapshot_data *r)
{
	struct bis_chardev *c = bis_chardev_find(m, r->name);

	/* One that only a back end had. */
	if (!c)
		return 0;
	return bis_chardev_restore(c, r->data, r->len) ? snapshot_damaged("a character device's queue is too long") : 0;
}

/* Has the host give all pages at once, where it can: that is quicker than one after the other when they are written. */
static void have_pages(const struct bis_ram *ram, uint64_t from, uint64_t len)
{
#ifdef MADV_POPULATE_WRITE
	uint64_t in_page = from & BIS_PAGE_MASK;

	(void)madvise(ram->host + (from - in_page), len + in_page, MADV_POPULATE_WRITE);
#else
	(void)ram;
	(void)from;
	(void)len;
#endif
}

/* Pages go straight into RAM. */
static int take_ram(struct bis_snapshot *s, struct bis_machine *m, uint64_t len)
{
	const struct bis_ram *ram;
	uint64_t pa;
	int err;

	if (len < sizeof(pa))
		return snapshot_damaged("memory without an address");
	err = snapshot_read(s->reader, &pa, sizeof(pa));
	if (err)
		return err;
	len -= sizeof(pa);
	ram = bis_mem_find(m->memory, pa);
	if (!ram || len > ram->size - (pa - ram->base))
		return snapshot_damaged("memory beyond RAM");
	have_pages(ram, pa - ram->base, len);
	err = snapshot_read(s->reader, ram->host + (pa - ram->base), len);
	bis_mem_touched(m->memory, pa, len);
	return err;
}

static int take(struct bis_snapshot *s, struct bis_machine *m, const struct snapshot_data *r)
{
	switch (r->tag) {
	case SNAPSHOT_HART:
		return take_hart(s, m, r);
	case SNAPSHOT_FIELDS:
	case SNAPSHOT_TIMERS:
	case SNAPSHOT_OWN:
		return take_module(s, m, r);
	case SNAPSHOT_CHARDEV:
		return take_chardev(m, r);
	case SNAPSHOT_END:
		return check_complete(s, m);
	default:
		return snapshot_damaged("its records are out of order");
	}
}

/* What somebody has put into RAM already is none of the guest's. */
static int clear_ram(struct bis_machine *m)
{
	const struct bis_ram_table *t = atomic_load(&m->memory->table);
	int err = 0;

	for (size_t i = 0; i < t->count && !err; i++)
		err = bis_mem_discard(m->memory, (bis_gpa){t->regions[i]->base}, t->regions[i]->size);
	return err;
}

/* RAM, then harts, modules, character devices: what comes later relies on what came before. */
static bool is_in_order(uint32_t before, uint32_t tag)
{
	return before <= (tag == SNAPSHOT_FIELDS || tag == SNAPSHOT_TIMERS ? SNAPSHOT_OWN : tag);
}

static int read_state(struct bis_snapshot *s, struct bis_machine *m)
{
	char name[SNAPSHOT_NAME_MAX + 1];
	struct snapshot_record head;
	uint32_t before = SNAPSHOT_RAM;
	int err = clear_ram(m);

	do {
		struct snapshot_data r;

		if (!err)
			err = snapshot_read_head(s, &head, name);
		if (!err && !is_in_order(before, head.tag))
			err = snapshot_damaged("its records are out of order");
		if (err)
			return err;
		before = head.tag;
		if (head.tag == SNAPSHOT_RAM) {
			err = take_ram(s, m, head.len);
			continue;
		}
		err = snapshot_read_data(s, &head, name, &r);
		if (err)
			return err;
		err = take(s, m, &r);
		free(r.data);
	} while (!err && head.tag != SNAPSHOT_END);
	return err ? err : snapshot_reader_finish(s->reader);
}

static int restore(struct bis_snapshot *s, struct bis_machine *m)
{
	int err;

	if (bis_machine_state(m) != BIS_CREATED || s->used)
		return bis_fail(EINVAL, "a snapshot is restored once, into a machine that has not started");
	bis_machine_lock_devices(m);
	err = snapshot_compare(s, m);
	bis_machine_unlock_devices(m);
	if (err)
		return err;
	s->used = true;
	bis_machine_set_entry(m, s->machine.entry_pc, s->machine.entry_a1, s->machine.entry_a2);
	err = bis_machine_start_paused(m);
	if (err)
		return err;
	bis_machine_lock_devices(m);
	bis_clock_set(m, s->machine.now);
	err = read_state(s, m);
	bis_machine_unlock_devices(m);
	return err;
}

int bis_snapshot_restore(struct bis_snapshot *s, struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = restore(s, m);
	bis_machine_unlock_control(m);
	return err;
}
