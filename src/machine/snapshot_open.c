/*
 * Opening snapshots, <biscuit/snapshot.h>: what the machine was, up to where its state begins. Nothing in the file is
 * believed: sizes are limited before memory is taken, and texts end where their record does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "src/machine/snapshot_internal.h"

#define RAM_MAX (UINT64_C(1) << 40)

/* --- Records --- */

int snapshot_damaged(const char *what)
{
	return bis_fail(EBADMSG, "the snapshot is damaged: %s", what);
}

int snapshot_read_head(struct bis_snapshot *s, struct snapshot_record *head, char name[SNAPSHOT_NAME_MAX + 1])
{
	int err = snapshot_read(s->reader, head, sizeof(*head));

	if (err)
		return err;
	if (head->tag == 0 || head->tag >= SNAPSHOT_TAGS || head->name_len > SNAPSHOT_NAME_MAX ||
	    head->len > SNAPSHOT_DATA_MAX)
		return snapshot_damaged("a record that means nothing");
	name[head->name_len] = '\0';
	return snapshot_read(s->reader, name, head->name_len);
}

int snapshot_read_data(struct bis_snapshot *s, const struct snapshot_record *head, const char *name,
		       struct snapshot_data *out)
{
	int err;

	*out = (struct snapshot_data){.tag = (enum snapshot_tag)head->tag, .len = (size_t)head->len};
	memcpy(out->name, name, sizeof(out->name));
	out->data = malloc(out->len + 1);
	if (!out->data)
		return bis_fail(ENOMEM, "no memory for a snapshot");
	err = snapshot_read(s->reader, out->data, out->len);
	if (err) {
		free(out->data);
		return err;
	}
	out->data[out->len] = 0;
	return 0;
}

const char *snapshot_text(const struct snapshot_data *r, size_t *at)
{
	const char *text;
	size_t len;

	if (!r->data || *at >= r->len)
		return NULL;
	text = (const char *)r->data + *at;
	len = strnlen(text, r->len - *at);
	if (len == r->len - *at)
		return NULL;
	*at += len + 1;
	return text;
}

/* Text and copy of it; NULL also without memory. */
static char *take_text(const struct snapshot_data *r, size_t *at)
{
	const char *text = snapshot_text(r, at);

	return text ? strdup(text) : NULL;
}

int snapshot_field(const struct snapshot_data *r, size_t *at, const struct bis_field *table, struct snapshot_field *out)
{
	size_t left = r->len - *at, name_len, head;
	const uint8_t *bytes = r->data + *at;
	char name[UINT8_MAX + 1];
	uint32_t count;

	name_len = left ? bytes[0] : 0;
	head = 2 + sizeof(count) + name_len;
	if (left < head)
		return snapshot_damaged("a field is cut off");
	memcpy(&count, bytes + 2, sizeof(count));
	memcpy(name, bytes + 2 + sizeof(count), name_len);
	name[name_len] = '\0';
	out->row = bis_field_find(table, name);
	if (!out->row || out->row->type != (enum bis_field_type)bytes[1] || out->row->count != count ||
	    out->row->flags & BIS_FIELD_DERIVED)
		return bis_fail(EBADMSG, "the snapshot is damaged: %s has no such field '%s'", r->name, name);
	out->size = count * bis_field_unit(out->row->type);
	out->bytes = bytes + head;
	if (left - head < out->size)
		return snapshot_damaged("a field is cut off");
	*at += head + out->size;
	return 0;
}

/* --- What the machine was --- */

static int take_machine(struct bis_snapshot *s, const struct snapshot_data *r)
{
	size_t at = sizeof(s->machine);

	if (s->isa || r->len < at)
		return snapshot_damaged("its first record is not that of a machine");
	memcpy(&s->machine, r->data, sizeof(s->machine));
	s->isa = take_text(r, &at);
	s->note = take_text(r, &at);
	if (!s->isa || !s->note || s->machine.harts < 1 || s->machine.harts > BIS_MAX_HARTS ||
	    s->machine.clock > BIS_CLOCK_VIRTUAL || s->machine.ram_size > RAM_MAX || s->machine.now > SNAPSHOT_TIME_MAX)
		return snapshot_damaged("it describes no machine");
	s->shown = (struct bis_snapshot_machine){.isa = s->isa,
						 .harts = s->machine.harts,
						 .ram_size = s->machine.ram_size,
						 .clock = (enum bis_clock)s->machine.clock,
						 .note = s->note};
	return 0;
}

/* Keeps the record; its data from `at` on is the module's constant fields. */
static int take_module(struct bis_snapshot *s, struct snapshot_data *r)
{
	struct snapshot_described *d = &s->modules[s->n_modules];
	size_t at = sizeof(d->at);

	if (!s->isa)
		return snapshot_damaged("its records are out of order");
	if (s->n_modules == SNAPSHOT_MODULES)
		return snapshot_damaged("too many modules");
	if (r->len < at)
		return snapshot_damaged("a module without a description");
	memcpy(&d->at, r->data, sizeof(d->at));
	d->name = strdup(r->name);
	d->class = take_text(r, &at);
	d->spec = take_text(r, &at);
	s->n_modules++;
	if (!d->name || !d->class || !d->spec)
		return snapshot_damaged("a module without a description");
	memmove(r->data, r->data + at, r->len - at);
	r->len -= at;
	d->constants = *r;
	r->data = NULL;
	return 0;
}

/* Of the module that was described last. */
static int take_outside(struct bis_snapshot *s, struct snapshot_data *r)
{
	struct snapshot_described *d = s->n_modules ? &s->modules[s->n_modules - 1] : NULL;

	if (!d || d->outside.data || strcmp(d->name, r->name))
		return snapshot_damaged("its records are out of order");
	d->outside = *r;
	r->data = NULL;
	return 0;
}

/* Up to where state begins. */
static int read_description(struct bis_snapshot *s)
{
	char name[SNAPSHOT_NAME_MAX + 1];
	struct snapshot_record head;
	struct snapshot_data r;
	int err = 0;

	do {
		err = snapshot_read_head(s, &head, name);
		if (!err)
			err = snapshot_read_data(s, &head, name, &r);
		if (err)
			return err;
		if (r.tag == SNAPSHOT_MACHINE)
			err = take_machine(s, &r);
		else if (r.tag == SNAPSHOT_MODULE)
			err = take_module(s, &r);
		else if (r.tag == SNAPSHOT_OUTSIDE)
			err = take_outside(s, &r);
		else if (r.tag != SNAPSHOT_BEGIN || !s->isa)
			err = snapshot_damaged("its records are out of order");
		free(r.data);
	} while (!err && r.tag != SNAPSHOT_BEGIN);
	return err;
}

/* --- The file --- */

static int read_magic(const struct bis_snapshot *s, const char *path)
{
	char magic[SNAPSHOT_MAGIC_SIZE];
	uint32_t version = 0;
	size_t got;
	int err = snapshot_read_plain(s->fd, magic, sizeof(magic), &got);

	if (!err && (got < sizeof(magic) || memcmp(magic, SNAPSHOT_MAGIC, sizeof(magic))))
		return bis_fail(EINVAL, "%s is not a snapshot", path);
	if (!err)
		err = snapshot_read_plain(s->fd, &version, sizeof(version), &got);
	if (err)
		return bis_fail_prefix(err, "%s", path);
	if (got < sizeof(version))
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
			(void)bis_fail_prefix(err, "%s", path);
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
		free(s->modules[i].constants.data);
		free(s->modules[i].outside.data);
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

bool bis_snapshot_is_backend(const struct bis_snapshot *s, size_t index)
{
	return index < s->n_modules && s->modules[index].at.backend;
}

void bis_snapshot_allow_changes(struct bis_snapshot *s)
{
	s->changes_allowed = true;
}
