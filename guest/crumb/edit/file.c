/*
 * The editor's file. It is written in place: it stays the same file, with all its names, owner and permissions, and is
 * made shorter only when all has been written.
 */
#include "../files.h"
#include "editor.h"
#include <stdio.h>
#include <string.h>

#define ROOM	 (256UL << 10) /* to type in, beyond what is there */
#define CUT_ROOM (64UL << 10)
#define PART	 (64UL << 10) /* bytes that go over at once */
#define FILE_MAX (64UL << 20)

/* The content is read behind the cursor, so that this stays at the beginning. */
static int64_t read_all(struct text *t, uint32_t handle, size_t size)
{
	char *to = t->memory + t->size - size;
	size_t done = 0;

	while (done < size) {
		int64_t got = magicfs_read(handle, to + done, size - done < PART ? size - done : PART, done);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	/* It may have become shorter meanwhile. */
	t->gap_end = t->size - done;
	memmove(t->memory + t->gap_end, to, done);
	for (size_t i = t->gap_end; i < t->size; i++)
		t->lines += t->memory[i] == '\n';
	return 0;
}

static int64_t load_from(struct editor *e, uint32_t handle)
{
	struct magicfs_stat stat;
	int64_t error = magicfs_stat(handle, "", 0, &stat);

	if (error < 0)
		return error;
	if (is_directory(&stat))
		return -MAGICFS_EISDIR;
	if (stat.size > FILE_MAX)
		return -MAGICFS_EFBIG;
	if (!text_create(&e->text, (size_t)stat.size + ROOM))
		return -MAGICFS_ENOMEM;
	e->version = stat.version;
	return read_all(&e->text, handle, (size_t)stat.size);
}

/* Without shares there is nothing to load, and nothing to save: all the same, somebody may want to see the editor. */
static int64_t load(struct editor *e)
{
	int64_t handle = e->path[0] ? files_open(e->path, MAGICFS_O_READ, 0) : -MAGICFS_ENOENT, error;

	if (handle == -MAGICFS_ENOENT || handle == -MAGICFS_ENODEV) {
		if (handle == -MAGICFS_ENODEV)
			snprintf(e->message, MESSAGE_SIZE, "%s", files_describe(handle));
		return text_create(&e->text, ROOM) ? 0 : -MAGICFS_ENOMEM;
	}
	if (handle < 0)
		return handle;
	error = load_from(e, (uint32_t)handle);
	magicfs_close((uint32_t)handle);
	return error;
}

int64_t editor_load(struct editor *e)
{
	int64_t error = text_create(&e->cut, CUT_ROOM) ? load(e) : -MAGICFS_ENOMEM;

	if (error) {
		text_destroy(&e->text);
		text_destroy(&e->cut);
	}
	return error;
}

/* Both sides of the gap, one after the other. */
static int64_t write_side(uint32_t handle, const char *from, size_t count, uint64_t *offset)
{
	while (count > 0) {
		int64_t done = magicfs_write(handle, from, count < PART ? count : PART, *offset);

		if (done <= 0)
			return done < 0 ? done : -MAGICFS_EIO;
		from += done;
		count -= (size_t)done;
		*offset += (uint64_t)done;
	}
	return 0;
}

static int64_t write_all(struct editor *e, uint32_t handle)
{
	const struct text *t = &e->text;
	struct magicfs_stat stat;
	uint64_t offset = 0;
	int64_t error = write_side(handle, t->memory, t->gap, &offset);

	if (!error)
		error = write_side(handle, t->memory + t->gap_end, t->size - t->gap_end, &offset);
	if (!error)
		error = magicfs_truncate(handle, "", offset);
	if (error >= 0)
		error = magicfs_stat(handle, "", 0, &stat);
	if (error < 0)
		return error;
	e->version = stat.version;
	return 0;
}

/* Has somebody else changed the file, or made one of that name? They are asked for once. */
static bool is_another(struct editor *e, uint32_t handle)
{
	struct magicfs_stat stat;

	if (e->warned || magicfs_stat(handle, "", 0, &stat) < 0 || stat.version == e->version)
		return false;
	return e->version || stat.size;
}

void editor_save(struct editor *e)
{
	int64_t handle = files_open(e->path, MAGICFS_O_WRITE | MAGICFS_O_CREATE, 0644), error = handle;

	if (handle >= 0 && is_another(e, (uint32_t)handle)) {
		e->warned = true;
		magicfs_close((uint32_t)handle);
		snprintf(e->message, MESSAGE_SIZE,
			 "not saved: the file has been changed elsewhere; Ctrl-S again: do it");
		return;
	}
	if (handle >= 0) {
		error = write_all(e, (uint32_t)handle);
		magicfs_close((uint32_t)handle);
	}
	e->warned = false;
	if (error < 0) {
		snprintf(e->message, MESSAGE_SIZE, "not saved: %s", files_describe(error));
		return;
	}
	e->changed = false;
	snprintf(e->message, MESSAGE_SIZE, "saved: %lu bytes", (unsigned long)text_length(&e->text));
}
