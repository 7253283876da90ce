/*
 * Reading snapshots, <biscuit/snapshot.h>. Nothing in the file is believed: sizes are limited before memory is taken,
 * names and types are looked up in the tables of the machine at hand. What fields hold is checked by their modules.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "src/cpu/hart_internal.h"
#include "src/machine/chardev_internal.h"
#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "src/machine/snapshot_stream.h"
#include "src/memory/memory_internal.h"

#define MODULES_MAX 256
#define RAM_MAX	    (UINT64_C(1) << 40)

/* One record, all of it; `data` has a NUL behind it, so that texts end. */
struct record {
	enum snapshot_tag tag;
	char name[SNAPSHOT_NAME_MAX + 1];
	uint8_t *data;
	size_t len;
};

struct described {
	char *name, *class, *spec;
	uint8_t version;
};

struct bis_snapshot {
	int fd;
	struct snapshot_reader *reader;
	struct snapshot_machine machine;
	struct bis_snapshot_machine shown;
	char *isa, *note;
	struct described modules[MODULES_MAX];
	size_t n_modules;
	bool used;
};

static int damaged(const char *what)
{
	return bis_fail(EBADMSG, "the snapshot is damaged: %s", what);
}

static int read_record(struct bis_snapshot *s, struct record *out)
{
	struct snapshot_record r;
	int err = snapshot_read(s->reader, &r, sizeof(r));

	if (err)
		return err;
	if (r.tag == 0 || r.tag >= SNAPSHOT_TAGS || r.name_len > SNAPSHOT_NAME_MAX || r.len > SNAPSHOT_DATA_MAX)
		return damaged("a record that means nothing");
	*out = (struct record){.tag = (enum snapshot_tag)r.tag, .len = (size_t)r.len};
	out->data = malloc(out->len + 1);
	if (!out->data)
		return bis_fail(ENOMEM, "no memory for a snapshot");
	err = snapshot_read(s->reader, out->name, r.name_len);
	if (!err)
		err = snapshot_read(s->reader, out->data, out->len);
	if (err) {
		free(out->data);
		return err;
	}
	out->name[r.name_len] = '\0';
	out->data[out->len] = 0;
	return 0;
}

/* --- Opening: what the machine was --- */

/* The text at `at`; moves it behind. NULL where none ends inside the data. */
static char *take_text(const struct record *r, size_t *at)
{
	const char *text = (const char *)r->data + *at;
	size_t len = *at < r->len ? strnlen(text, r->len - *at) : 0;

	if (*at >= r->len || len == r->len - *at)
		return NULL;
	*at += len + 1;
	return strdup(text);
}

static int take_machine(struct bis_snapshot *s, const struct record *r)
{
	size_t at = sizeof(s->machine);

	if (s->isa || r->len < at)
		return damaged("its first record is not that of a machine");
	memcpy(&s->machine, r->data, sizeof(s->machine));
	s->isa = take_text(r, &at);
	s->note = take_text(r, &at);
	if (!s->isa || !s->note || s->machine.harts < 1 || s->machine.harts > BIS_MAX_HARTS ||
	    s->machine.clock > BIS_CLOCK_VIRTUAL || s->machine.ram_size > RAM_MAX)
		return damaged("it describes no machine");
	s->shown = (struct bis_snapshot_machine){.isa = s->isa,
						 .harts = s->machine.harts,
						 .ram_size = s->machine.ram_size,
						 .clock = (enum bis_clock)s->machine.clock,
						 .note = s->note};
	return 0;
}

static int take_module(struct bis_snapshot *s, const struct record *r)
{
	struct described *d = &s->modules[s->n_modules];
	size_t at = 0;

	if (!s->isa || s->n_modules == MODULES_MAX)
		return damaged("too many modules");
	d->name = strdup(r->name);
	d->class = take_text(r, &at);
	d->version = at < r->len ? r->data[at++] : 0;
	d->spec = take_text(r, &at);
	s->n_modules++;
	return d->name && d->class && d->spec ? 0 : damaged("a module without a description");
}

/* Up to where state begins. */
static int read_description(struct bis_snapshot *s)
{
	struct record r;
	int err = 0;

	do {
		err = read_record(s, &r);
		if (err)
			return err;
		if (r.tag == SNAPSHOT_MACHINE)
			err = take_machine(s, &r);
		else if (r.tag == SNAPSHOT_MODULE)
			err = take_module(s, &r);
		else if (r.tag != SNAPSHOT_BEGIN || !s->isa)
			err = damaged("its records are out of order");
		free(r.data);
	} while (!err && r.tag != SNAPSHOT_BEGIN);
	return err;
}

static int read_magic(const struct bis_snapshot *s, const char *path)
{
	char magic[SNAPSHOT_MAGIC_SIZE];
	uint32_t version;

	if (read(s->fd, magic, sizeof(magic)) != sizeof(magic) || memcmp(magic, SNAPSHOT_MAGIC, sizeof(magic)))
		return bis_fail(EINVAL, "%s is not a snapshot", path);
	if (read(s->fd, &version, sizeof(version)) != sizeof(version))
		return bis_fail(EBADMSG, "%s is cut off", path);
	if (version != BIS_SNAPSHOT_VERSION)
		return bis_fail(EPROTONOSUPPORT, "%s is a snapshot of version %u, this Biscuit reads version %d", path,
				version, BIS_SNAPSHOT_VERSION);
	return 0;
}

int bis_snapshot_open(const char *path, struct bis_snapshot **out)
{
	struct bis_snapshot *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return bis_fail(ENOMEM, "no memory for a snapshot");
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	err = s->fd < 0 ? bis_fail(errno, "%s: %s", path, strerror(errno)) : read_magic(s, path);
	if (!err)
		err = snapshot_reader_create(s->fd, &s->reader);
	if (!err) {
		err = read_description(s);
		if (err)
			(void)bis_fail_prefix(err, path);
	}
	if (err) {
		bis_snapshot_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void bis_snapshot_close(struct bis_snapshot *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_modules; i++) {
		free(s->modules[i].name);
		free(s->modules[i].class);
		free(s->modules[i].spec);
	}
	snapshot_reader_destroy(s->reader);
	if (s->fd >= 0)
		close(s->fd);
	free(s->isa);
	free(s->note);
	free(s);
}

const struct bis_snapshot_machine *bis_snapshot_machine(const struct bis_snapshot *s)
{
	return &s->shown;
}

const char *bis_snapshot_module(const struct bis_snapshot *s, size_t index)
{
	return index < s->n_modules ? s->modules[index].spec : NULL;
}

/* --- Comparing with the machine at hand --- */

struct differences {
	char text[1024];
	size_t len;
};

static void differ(struct differences *d, const char *fmt, ...) BIS_PRINTF(2, 3);
static void differ(struct differences *d, const char *fmt, ...)
{
	va_list args;
	int len;

	if (d->len && d->len + 2 < sizeof(d->text))
		d->len += (size_t)snprintf(d->text + d->len, sizeof(d->text) - d->len, "; ");
	va_start(args, fmt);
	len = vsnprintf(d->text + d->len, sizeof(d->text) - d->len, fmt, args);
	va_end(args);
	if (len > 0)
		d->len = d->len + (size_t)len < sizeof(d->text) ? d->len + (size_t)len : sizeof(d->text) - 1;
}

static void compare_module(const struct described *then, struct bis_machine *m, struct differences *d)
{
	const struct bis_module *mod = bis_machine_find(m, then->name);

	if (!mod)
		differ(d, "there is no %s (%s)", then->name, then->spec);
	else if (strcmp(mod->class->name, then->class))
		differ(d, "%s is a %s, and was a %s", then->name, mod->class->name, then->class);
	else if (mod->class->version != then->version)
		differ(d, "%s is of version %u, and was of version %u", then->name, mod->class->version, then->version);
}

static int compare_machine(const struct bis_snapshot *s, struct bis_machine *m)
{
	struct differences d = {.len = 0};
	struct bis_mem_region ram = {0};
	char isa[256];

	bis_isa_format(&m->isa, isa, sizeof(isa));
	if (strcmp(isa, s->isa))
		differ(&d, "the harts are %s, and were %s", isa, s->isa);
	if (m->n_harts != s->machine.harts)
		differ(&d, "there are %u harts, and were %u", m->n_harts, s->machine.harts);
	if (bis_mem_region(m->memory, 0, &ram) || ram.size != s->machine.ram_size)
		differ(&d, "RAM has %llu bytes, and had %llu", (unsigned long long)ram.size,
		       (unsigned long long)s->machine.ram_size);
	if ((uint32_t)m->cfg.clock != s->machine.clock)
		differ(&d, "the clock is another one");
	for (size_t i = 0; i < s->n_modules; i++)
		compare_module(&s->modules[i], m, &d);
	for (const struct bis_module *mod = m->modules; mod; mod = mod->next) {
		size_t i = 0;

		while (i < s->n_modules && strcmp(s->modules[i].name, mod->name))
			i++;
		if (i == s->n_modules)
			differ(&d, "%s is new", mod->name);
	}
	return d.len ? bis_fail(EINVAL, "the machine is not like that of the snapshot: %s", d.text) : 0;
}

/* --- State --- */

/* Sets the fields that the data names, from `at` on. */
static int take_fields(const struct record *r, size_t at, const struct bis_field *table, void *self)
{
	while (at < r->len) {
		char name[256];
		uint8_t name_len = r->data[at], type;
		const struct bis_field *f;
		uint32_t count;
		size_t size;

		if (r->len - at < 6u + name_len)
			return damaged("a field is cut off");
		type = r->data[at + 1];
		memcpy(&count, r->data + at + 2, sizeof(count));
		memcpy(name, r->data + at + 6, name_len);
		name[name_len] = '\0';
		at += 6u + name_len;
		f = bis_field_find(table, name);
		if (!f || f->type != (enum bis_field_type)type || f->count != count)
			return bis_fail(EBADMSG, "the snapshot is damaged: %s has no such field '%s'", r->name, name);
		size = count * bis_field_unit(f->type);
		if (r->len - at < size)
			return damaged("a field is cut off");
		memcpy((uint8_t *)self + f->offset, r->data + at, size);
		if (f->type == BIS_FIELD_TEXT)
			((char *)self)[f->offset + size - 1] = '\0';
		if (f->type == BIS_FIELD_BOOL)
			for (size_t i = 0; i < size; i++)
				((uint8_t *)self)[f->offset + i] = r->data[at + i] != 0;
		at += size;
	}
	return 0;
}

static int take_hart(struct bis_machine *m, const struct record *r)
{
	unsigned long n = strtoul(r->name, NULL, 10);
	int err;

	if (n >= m->n_harts)
		return damaged("a hart too many");
	err = take_fields(r, 0, bis_hart_fields, m->harts[n]);
	if (!err)
		bis_hart_restored(m->harts[n]);
	return err;
}

static int take_state(struct bis_module *mod, const struct record *r)
{
	unsigned irqs = mod->class->irqs;
	int err;

	if (r->len < irqs)
		return damaged("interrupt lines are missing");
	for (unsigned i = 0; i < irqs; i++) {
		mod->irqs[i].level = r->data[i] != 0;
		atomic_store(&mod->irqs[i].wanted, mod->irqs[i].level);
	}
	err = take_fields(r, irqs, mod->class->fields, mod->self);
	if (!err && mod->class->check)
		err = mod->class->check(mod->self);
	return err;
}

static int take_timers(struct bis_module *mod, const struct record *r)
{
	for (size_t i = 0; i < r->len / sizeof(uint64_t); i++) {
		uint64_t when;

		memcpy(&when, r->data + i * sizeof(when), sizeof(when));
		if (!bis_devctl_set_timer(mod, i, when))
			return damaged("a timer too many");
	}
	return 0;
}

static int take_ram(struct bis_machine *m, const struct record *r)
{
	uint64_t pa;

	if (r->len < sizeof(pa))
		return damaged("memory without an address");
	memcpy(&pa, r->data, sizeof(pa));
	if (bis_mem_write(m->memory, (bis_gpa){pa}, r->data + sizeof(pa), r->len - sizeof(pa)))
		return damaged("memory beyond RAM");
	return 0;
}

static int take_chardev(struct bis_machine *m, const struct record *r)
{
	struct bis_chardev *c = bis_chardev_find(m, r->name);

	if (!c)
		return bis_fail(EINVAL, "there is no character device '%s'", r->name);
	return bis_chardev_restore(c, r->data, r->len) ? damaged("a character device's queue is too long") : 0;
}

static int take(struct bis_machine *m, const struct record *r)
{
	struct bis_module *mod = bis_machine_find(m, r->name);
	bool of_module = r->tag == SNAPSHOT_FIELDS || r->tag == SNAPSHOT_TIMERS || r->tag == SNAPSHOT_OWN;

	if (of_module && !mod)
		return damaged("state of a module that it does not have");
	switch (r->tag) {
	case SNAPSHOT_HART:
		return take_hart(m, r);
	case SNAPSHOT_FIELDS:
		return take_state(mod, r);
	case SNAPSHOT_TIMERS:
		return take_timers(mod, r);
	case SNAPSHOT_OWN:
		return mod->class->restore ? mod->class->restore(mod->self, r->data, r->len)
					   : damaged("state of a module that has none");
	case SNAPSHOT_CHARDEV:
		return take_chardev(m, r);
	case SNAPSHOT_RAM:
		return take_ram(m, r);
	case SNAPSHOT_END:
		return 0;
	default:
		return damaged("its records are out of order");
	}
}

static int read_state(struct bis_snapshot *s, struct bis_machine *m)
{
	struct record r;
	int err;

	do {
		err = read_record(s, &r);
		if (err)
			return err;
		err = take(m, &r);
		free(r.data);
	} while (!err && r.tag != SNAPSHOT_END);
	return err ? err : snapshot_reader_finish(s->reader);
}

int bis_snapshot_restore(struct bis_snapshot *s, struct bis_machine *m)
{
	int err;

	bis_machine_lock_control(m);
	err = bis_machine_state(m) == BIS_CREATED && !s->used ? 0
							      : bis_fail(EINVAL, "a snapshot is restored once, into a "
										 "machine that has not started");
	if (!err)
		err = compare_machine(s, m);
	if (!err) {
		s->used = true;
		err = bis_machine_start_paused(m);
	}
	if (!err) {
		bis_machine_lock_devices(m);
		err = read_state(s, m);
		bis_machine_unlock_devices(m);
		bis_clock_set(m, s->machine.now);
	}
	bis_machine_unlock_control(m);
	return err;
}
