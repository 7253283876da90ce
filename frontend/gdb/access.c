/*
 * Memory, breakpoints and watchpoints over the gdb remote protocol. Breakpoints are the core's: code is never changed,
 * so that it does not matter what is loaded where when, nor whether paging is on yet.
 */
#include <errno.h>
#include <stdlib.h>

#include "frontend/gdb/session.h"

/* --- Memory --- */

struct transfer {
	struct gdb_session *s;
	uint64_t address, len;
	uint8_t *bytes;
	size_t done;
};

/* Reads page by page, up to the first that is not there. */
static int read_pages(void *arg)
{
	struct transfer *t = arg;
	int err = 0;

	while (!err && t->done < t->len) {
		uint64_t at = t->address + t->done;
		size_t left = BIS_PAGE_SIZE - (size_t)(at & (BIS_PAGE_SIZE - 1)), want = (size_t)t->len - t->done;
		size_t part = want < left ? want : left;

		err = debug_read(gdb_hart(t->s), at, t->s->physical, t->bytes + t->done, part);
		t->done += err ? 0 : part;
	}
	return t->done ? 0 : err;
}

static int write_pages(void *arg)
{
	struct transfer *t = arg;

	return debug_write(gdb_hart(t->s), t->address, t->s->physical, t->bytes, (size_t)t->len);
}

static bool take_range(struct gdb_text *t, uint64_t *address, uint64_t *len)
{
	return gdb_take_hex(t, address) && gdb_take_char(t, ',') && gdb_take_hex(t, len);
}

void gdb_read_memory(struct gdb_session *s, struct gdb_text *text)
{
	uint8_t bytes[GDB_PACKET_MAX / 2];
	struct transfer t = {.s = s, .bytes = bytes};
	int err = -EINVAL;

	if (take_range(text, &t.address, &t.len) && gdb_at_end(text)) {
		t.len = t.len < sizeof(bytes) ? t.len : sizeof(bytes);
		err = bis_machine_at_safepoint(s->m, read_pages, &t);
	}
	if (err) {
		gdb_error(s, err);
		return;
	}
	gdb_put_bytes(gdb_answer(s), bytes, t.done);
	gdb_send(s);
}

void gdb_write_memory(struct gdb_session *s, struct gdb_text *text, bool binary)
{
	uint8_t bytes[GDB_PACKET_MAX];
	struct transfer t = {.s = s, .bytes = bytes};
	int err = -EINVAL;

	if (!take_range(text, &t.address, &t.len) || !gdb_take_char(text, ':') || t.len > sizeof(bytes)) {
		gdb_error(s, err);
		return;
	}
	if (!binary && gdb_take_bytes(text, bytes, (size_t)t.len) && gdb_at_end(text)) {
		err = 0;
	} else if (binary && gdb_left(text) == t.len) {
		memcpy(bytes, text->at, (size_t)t.len);
		err = 0;
	}
	if (!err)
		err = bis_machine_at_safepoint(s->m, write_pages, &t);
	if (err)
		gdb_error(s, err);
	else
		gdb_ok(s);
}

/* --- Breakpoints --- */

enum { SOFTWARE, HARDWARE, WATCH_WRITE, WATCH_READ, WATCH_ACCESS, POINT_TYPES };

static struct gdb_point *find_point(struct gdb_session *s, const struct gdb_point *like)
{
	for (unsigned i = 0; i < s->n_points; i++) {
		struct gdb_point *p = &s->points[i];

		if (p->type == like->type && p->address == like->address && p->length == like->length)
			return p;
	}
	return NULL;
}

static int insert_point(struct gdb_session *s, struct gdb_point p)
{
	static const enum bis_break_kind kinds[] = {BIS_BREAK_PC, BIS_BREAK_PC, BIS_BREAK_WRITE, BIS_BREAK_READ,
						    BIS_BREAK_ACCESS};
	struct bis_break b = {.kind = kinds[p.type], .address = p.address};
	int err;

	if (find_point(s, &p))
		return 0;
	if (s->n_points == BIS_ARRAY_SIZE(s->points))
		return -ENOSPC;
	if (p.type >= WATCH_WRITE)
		b.length = p.length;
	err = bis_break_add(s->m, &b, &p.id);
	if (!err)
		s->points[s->n_points++] = p;
	return err;
}

/* One that is gone already, as somebody else removed it, is no failure. */
static int remove_point(struct gdb_session *s, const struct gdb_point *like)
{
	struct gdb_point *p = find_point(s, like);
	int err;

	if (!p)
		return 0;
	err = bis_break_remove(s->m, p->id);
	*p = s->points[--s->n_points];
	return err == -ENOENT ? 0 : err;
}

void gdb_set_point(struct gdb_session *s, struct gdb_text *t, bool insert)
{
	struct gdb_point p = {0};
	uint64_t type;
	int err;

	if (!gdb_take_hex(t, &type) || type >= POINT_TYPES)
		return; /* an empty answer: there is no such type */
	p.type = (unsigned)type;
	if (!gdb_take_char(t, ',') || !take_range(t, &p.address, &p.length) || !gdb_at_end(t))
		err = -EINVAL;
	else
		err = insert ? insert_point(s, p) : remove_point(s, &p);
	if (err)
		gdb_error(s, err);
	else
		gdb_ok(s);
}

void gdb_remove_points(struct gdb_session *s)
{
	while (s->n_points) {
		struct gdb_point p = s->points[0];

		if (remove_point(s, &p))
			continue; /* it is out of the list all the same */
	}
}
