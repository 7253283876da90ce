/* The editor: what its parts have in common. The shell's task. */
#ifndef EDITOR_H
#define EDITOR_H

#include "../paths.h"
#include "text.h"
#include <stdint.h>

#define ROWS_MAX     256
#define COLUMNS_MAX  512
#define MESSAGE_SIZE 128

struct editor {
	struct text text, cut; /* `cut`: what was cut out, to be put in somewhere else */
	char path[PATH_SIZE];  /* "": it has none yet */
	bool changed;	       /* since it was loaded or saved */
	uint64_t version;      /* of the file, then; 0: there was none */
	bool warned;	       /* that the file is another by now */

	/* What is to be seen of it. */
	unsigned rows, columns; /* of the terminal */
	size_t top;		/* where the first line begins that is shown */
	size_t left;		/* the first column that is shown */
	char message[MESSAGE_SIZE];
	uint32_t drawn[ROWS_MAX]; /* what is on each row, as a number made from it */
};

/* --- Its file (file.c) --- */

/* Makes the texts, and gets the file's content; a file that is not there is an empty text. 0, or an error and no text.
 */
int64_t editor_load(struct editor *e);
/* Writes the text to the file; the message says how that went. */
void editor_save(struct editor *e);

/* --- What is seen (view.c) --- */

/* Takes the terminal over, and gives it back. */
void view_begin(struct editor *e);
void view_end(void);
/* The terminal has this size; everything is drawn anew. */
void view_resize(struct editor *e, unsigned rows, unsigned columns);
/* Asks the terminal for its size: the answer is a KEY_PLACE. */
void view_ask_size(void);
/* Shows what has changed, with the cursor in sight. */
void view_draw(struct editor *e);
/* Shows a question in the last row, and what has been typed so far. */
void view_draw_question(struct editor *e, const char *question, const char *answer);

/* How many lines of the text are shown. */
static inline unsigned view_lines(const struct editor *e)
{
	return e->rows - 2;
}

/* The column of a place in its line; the place in a line (by its beginning) that is in a column, or its end. */
size_t view_column(const struct text *t, size_t at);
size_t view_place(const struct text *t, size_t line_start, size_t column);

#endif
