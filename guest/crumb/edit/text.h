/*
 * A text that is being edited: bytes in one piece of memory, with a gap at the cursor, so that typing moves nothing.
 * Places are counted in bytes from the beginning, as if there were no gap. One task at a time.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *memory; /* `size` bytes */
	size_t size;
	size_t gap, gap_end; /* the gap begins at the cursor */
	size_t lines, line;  /* how many line ends there are; how many of them come before the cursor */
};

/* An empty text with room for so many bytes; false: there is no memory. */
bool text_create(struct text *t, size_t room);
void text_destroy(struct text *t);

static inline size_t text_length(const struct text *t)
{
	return t->size - (t->gap_end - t->gap);
}

static inline size_t text_cursor(const struct text *t)
{
	return t->gap;
}

/* The byte at a place, or -1 at the end. */
int text_at(const struct text *t, size_t at);

/* Moves the cursor. */
void text_move(struct text *t, size_t to);
/* Puts bytes before the cursor; false: there is no room for them. */
bool text_insert(struct text *t, const char *bytes, size_t count);
/* Takes away what comes behind the cursor. */
void text_delete(struct text *t, size_t count);

/* The line that a place is in: where it begins, and where its end is. */
size_t text_line_start(const struct text *t, size_t at);
size_t text_line_end(const struct text *t, size_t at);
/* Where the line with this number begins, from 0; the last one's beginning, if there are fewer. */
size_t text_line(const struct text *t, size_t number);

/* How many bytes the character at a place has: that of a UTF-8 sequence, and 1 for what is none. 0 at the end. */
size_t text_character(const struct text *t, size_t at);
/* The character's place that comes before this one. */
size_t text_before(const struct text *t, size_t at);

/* Where these bytes come next, from a place on and then from the beginning; false: nowhere. */
bool text_find(const struct text *t, size_t from, const char *bytes, size_t *found);

#endif
