/* The gap buffer. Line ends are counted as they go from one side of the gap to the other. */
#include "text.h"
#include "../layout.h"
#include "../pages.h"
#include <string.h>

bool text_create(struct text *t, size_t room)
{
	unsigned long pages = ROUND_UP(room, PAGE_SIZE) / PAGE_SIZE;

	*t = (struct text){0};
	if (pages <= pages_free() / 2)
		t->memory = pages_take(pages);
	if (t->memory)
		t->size = t->gap_end = pages * PAGE_SIZE;
	return t->memory;
}

void text_destroy(struct text *t)
{
	if (t->memory)
		pages_give(t->memory, t->size / PAGE_SIZE);
	*t = (struct text){0};
}

int text_at(const struct text *t, size_t at)
{
	if (at >= text_length(t))
		return -1;
	return (unsigned char)t->memory[at < t->gap ? at : at + (t->gap_end - t->gap)];
}

static size_t count_lines(const char *bytes, size_t count)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i++)
		lines += bytes[i] == '\n';
	return lines;
}

void text_move(struct text *t, size_t to)
{
	size_t count;

	if (to > text_length(t))
		to = text_length(t);
	if (to < t->gap) {
		count = t->gap - to;
		t->line -= count_lines(t->memory + to, count);
		memmove(t->memory + t->gap_end - count, t->memory + to, count);
		t->gap_end -= count;
	} else {
		count = to - t->gap;
		t->line += count_lines(t->memory + t->gap_end, count);
		memmove(t->memory + t->gap, t->memory + t->gap_end, count);
		t->gap_end += count;
	}
	t->gap = to;
}

bool text_insert(struct text *t, const char *bytes, size_t count)
{
	size_t lines = count_lines(bytes, count);

	if (count > t->gap_end - t->gap)
		return false;
	memcpy(t->memory + t->gap, bytes, count);
	t->gap += count;
	t->line += lines;
	t->lines += lines;
	return true;
}

void text_delete(struct text *t, size_t count)
{
	size_t most = t->size - t->gap_end;

	if (count > most)
		count = most;
	t->lines -= count_lines(t->memory + t->gap_end, count);
	t->gap_end += count;
}

/* --- Lines --- */

size_t text_line_start(const struct text *t, size_t at)
{
	while (at > 0 && text_at(t, at - 1) != '\n')
		at--;
	return at;
}

size_t text_line_end(const struct text *t, size_t at)
{
	while (at < text_length(t) && text_at(t, at) != '\n')
		at++;
	return at;
}

size_t text_line(const struct text *t, size_t number)
{
	size_t at = 0;

	if (number > t->lines)
		number = t->lines;
	for (; number > 0; number--)
		at = text_line_end(t, at) + 1;
	return at;
}

/* --- Characters --- */

/* How long a UTF-8 sequence is that begins so; 1 for what is no beginning. */
static size_t length_of(int first)
{
	return first >= 0xf0 && first < 0xf5   ? 4
	       : first >= 0xe0 && first < 0xf0 ? 3
	       : first >= 0xc2 && first < 0xe0 ? 2
					       : 1;
}

size_t text_character(const struct text *t, size_t at)
{
	size_t length = length_of(text_at(t, at));

	if (at >= text_length(t))
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text_at(t, at + i) & ~0x3f) != 0x80)
			return 1;
	}
	return length;
}

size_t text_before(const struct text *t, size_t at)
{
	for (size_t back = 4; back > 1; back--) {
		if (back <= at && text_character(t, at - back) == back)
			return at - back;
	}
	return at > 0 ? at - 1 : 0;
}

/* --- Searching --- */

static bool is_here(const struct text *t, size_t at, const char *bytes)
{
	for (; *bytes; bytes++, at++) {
		if (text_at(t, at) != (unsigned char)*bytes)
			return false;
	}
	return true;
}

bool text_find(const struct text *t, size_t from, const char *bytes, size_t *found)
{
	size_t length = text_length(t);

	for (size_t i = 0; i < length; i++) {
		size_t at = from + i < length ? from + i : from + i - length;

		if (is_here(t, at, bytes)) {
			*found = at;
			return true;
		}
	}
	return false;
}
