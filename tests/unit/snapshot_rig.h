/*
 * Snapshots in tests: a machine moved through a file into a new one, and snapshots taken apart, changed and put
 * together again with a checksum that is right.
 *
 *     m = snap_move(m);                   the machine goes on in another one, which is paused
 *
 *     struct snap s = snap_take(m);       the plain records
 *     *snap_field(&s, "uart0", "loop_count") = 17;
 *     assert_fails(snap_try(&s), -EINVAL, "17 bytes");
 *     snap_free(&s);
 */
#ifndef BISCUIT_UNIT_SNAPSHOT_RIG_H
#define BISCUIT_UNIT_SNAPSHOT_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "tests/unit/rig.h"

/* A file of this process in the working folder. */
static inline const char *snap_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "snapshot.%d.snap", (int)getpid());
	return path;
}

/* --- Machines --- */

/* The machine that the snapshot describes, not started. NULL with the error's message where that cannot be. */
static inline struct bis_machine *snap_make(const struct bis_snapshot *s)
{
	const struct bis_snapshot_machine *was = bis_snapshot_machine(s);
	struct bis_machine_config cfg = {.ram_size = was->ram_size,
					 .harts = was->harts,
					 .isa = was->isa,
					 .classes = bis_builtin_modules,
					 .clock = was->clock};
	struct bis_machine *m = NULL;
	struct bis_module *mod;
	const char *spec;
	int err = bis_machine_create(&cfg, &m);

	for (size_t i = 0; !err && (spec = bis_snapshot_module(s, i)); i++)
		err = bis_machine_add(m, spec, &mod);
	if (!err)
		return m;
	bis_machine_destroy(m);
	return NULL;
}

static inline void snap_pause(struct bis_machine *m)
{
	if (bis_machine_state(m) == BIS_CREATED)
		rig_start_paused(m);
	else if (bis_machine_state(m) == BIS_RUNNING)
		assert_ok(bis_machine_pause(m));
}

/* The machine of the snapshot in the file, restored. */
static inline struct bis_machine *snap_restore(void)
{
	struct bis_snapshot *s;
	struct bis_machine *m;

	assert_ok(bis_snapshot_open(snap_path(), &s));
	m = snap_make(s);
	if (!m)
		fail_msg("%s", bis_error_message());
	assert_ok(bis_snapshot_restore(s, m));
	bis_snapshot_close(s);
	assert_int_equal(unlink(snap_path()), 0);
	return m;
}

static inline struct bis_machine *snap_move(struct bis_machine *m)
{
	snap_pause(m);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	bis_machine_destroy(m);
	return snap_restore();
}

/* --- Records --- */

struct snap {
	uint8_t *data;
	size_t len;
};

static inline struct snap snap_read(const char *path)
{
	struct snap s = {.data = malloc(1 << 26)};
	struct snapshot_reader *reader;
	struct snapshot_record r;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0 && s.data);
	assert_true(lseek(fd, (off_t)SNAPSHOT_MAGIC_SIZE + 4, SEEK_SET) > 0);
	assert_ok(snapshot_reader_create(fd, &reader));
	do {
		assert_ok(snapshot_read(reader, s.data + s.len, sizeof(r)));
		memcpy(&r, s.data + s.len, sizeof(r));
		s.len += sizeof(r);
		assert_ok(snapshot_read(reader, s.data + s.len, r.name_len + r.len));
		s.len += r.name_len + r.len;
	} while (r.tag != SNAPSHOT_END);
	assert_ok(snapshot_reader_finish(reader));
	snapshot_reader_destroy(reader);
	close(fd);
	return s;
}

static inline struct snap snap_take(struct bis_machine *m)
{
	struct snap s;

	snap_pause(m);
	assert_ok(bis_snapshot_save(m, snap_path(), NULL));
	s = snap_read(snap_path());
	unlink(snap_path());
	return s;
}

static inline void snap_write(const struct snap *s, const char *path)
{
	static const uint32_t version = BIS_SNAPSHOT_VERSION;
	struct snapshot_writer *w;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_SIZE), SNAPSHOT_MAGIC_SIZE);
	assert_int_equal(write(fd, &version, sizeof(version)), sizeof(version));
	assert_ok(snapshot_writer_create(fd, &w));
	assert_ok(snapshot_write(w, s->data, s->len));
	assert_ok(snapshot_writer_finish(w));
	snapshot_writer_destroy(w);
	close(fd);
}

/* What comes of restoring it: 0 or -errno. */
static inline int snap_try(const struct snap *s)
{
	struct bis_machine *m = NULL;
	struct bis_snapshot *open;
	int err;

	snap_write(s, snap_path());
	err = bis_snapshot_open(snap_path(), &open);
	if (!err) {
		m = snap_make(open);
		assert_non_null(m);
		err = bis_snapshot_restore(open, m);
		bis_snapshot_close(open);
	}
	bis_machine_destroy(m);
	unlink(snap_path());
	return err;
}

static inline void snap_free(struct snap *s)
{
	free(s->data);
	s->data = NULL;
}

/* The record with that tag and name: its data, with *len, and where it begins, with *at (NULL: of no interest). */
static inline uint8_t *snap_record(const struct snap *s, uint32_t tag, const char *name, size_t *len, size_t *at)
{
	struct snapshot_record r;

	for (size_t i = 0; i < s->len; i += sizeof(r) + r.name_len + (size_t)r.len) {
		memcpy(&r, s->data + i, sizeof(r));
		if (r.tag != tag || r.name_len != strlen(name) || memcmp(s->data + i + sizeof(r), name, r.name_len))
			continue;
		if (len)
			*len = (size_t)r.len;
		if (at)
			*at = i;
		return s->data + i + sizeof(r) + r.name_len;
	}
	fail_msg("no record %u of '%s'", tag, name);
	return NULL;
}

/* Takes the record out. */
static inline void snap_drop(struct snap *s, uint32_t tag, const char *name)
{
	size_t at = 0, len = 0;
	const uint8_t *data = snap_record(s, tag, name, &len, &at);
	size_t size = (size_t)(data - (s->data + at)) + len;

	memmove(s->data + at, s->data + at + size, s->len - at - size);
	s->len -= size;
}

/* Puts the record in once more, behind itself. */
static inline void snap_double(struct snap *s, uint32_t tag, const char *name)
{
	size_t at = 0, len = 0;
	const uint8_t *data = snap_record(s, tag, name, &len, &at);
	size_t size = (size_t)(data - (s->data + at)) + len;

	memmove(s->data + at + size, s->data + at, s->len - at);
	s->len += size;
}

/* Puts the record in once more, in front of the one with `tag_before`. */
static inline void snap_copy(struct snap *s, uint32_t tag, const char *name, uint32_t tag_before,
			     const char *name_before)
{
	size_t at = 0, len = 0, to = 0;
	const uint8_t *data = snap_record(s, tag, name, &len, &at);
	size_t size = (size_t)(data - (s->data + at)) + len;
	uint8_t *copy = malloc(size);

	assert_non_null(copy);
	memcpy(copy, s->data + at, size);
	snap_record(s, tag_before, name_before, NULL, &to);
	memmove(s->data + to + size, s->data + to, s->len - to);
	memcpy(s->data + to, copy, size);
	s->len += size;
	free(copy);
}

/* The bytes of a field of a module's state. */
static inline uint8_t *snap_field(const struct snap *s, const char *module, const char *field)
{
	size_t len = 0;
	uint8_t *data = snap_record(s, SNAPSHOT_FIELDS, module, &len, NULL);

	for (size_t i = 0; i + 6 + strlen(field) < len; i++)
		if (data[i] == strlen(field) && !memcmp(data + i + 6, field, strlen(field)))
			return data + i + 6 + strlen(field);
	fail_msg("%s has no field '%s'", module, field);
	return NULL;
}

#endif
