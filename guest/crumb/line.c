/*
 * The line editor: left, right, home, end, delete, backspace, history with up and down, Tab, and the usual control
 * keys.
 *
 * A character at the end of the line is simply printed; after any other key the whole line is drawn anew.
 */
#include "line.h"
#include "complete.h"
#include "console.h"
#include "keys.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HISTORY 16
#define COLUMNS 79

struct editor {
	const char *prompt;
	char *text; /* LINE_SIZE bytes, always a string */
	size_t len, cursor;
	unsigned shown; /* which line of the history is shown: 0 is the new one, 1 the last, ... */
};

/* The last lines, the newest first; entry 0 keeps the new line while older ones are looked at. */
static char history[HISTORY + 1][LINE_SIZE];
static unsigned history_count;

/* How many characters there is room for behind the prompt. */
static size_t room(const struct editor *e)
{
	return COLUMNS - strlen(e->prompt);
}

/* Of a line that is too long the part is shown that ends at the cursor. */
static void draw(const struct editor *e)
{
	size_t start = e->cursor > room(e) ? e->cursor - room(e) : 0;
	size_t shown = e->len - start < room(e) ? e->len - start : room(e);

	printf("\r%s%.*s\x1b[K", e->prompt, (int)shown, e->text + start);
	if (e->cursor < start + shown)
		printf("\x1b[%uD", (unsigned)(start + shown - e->cursor));
}

static void delete_characters(struct editor *e, size_t at, size_t count)
{
	memmove(e->text + at, e->text + at + count, e->len - at - count + 1);
	e->len -= count;
	e->cursor = at;
}

/* Draws what it changes. */
static void insert_character(struct editor *e, char c)
{
	if (e->len + 1 >= LINE_SIZE)
		return;
	memmove(e->text + e->cursor + 1, e->text + e->cursor, e->len - e->cursor + 1);
	e->text[e->cursor++] = c;
	e->len++;
	if (e->cursor == e->len && e->len <= room(e))
		putchar(c);
	else
		draw(e);
}

/* Tab: goes on as far as there is only one way, and else shows the ways. */
static void complete(struct editor *e)
{
	char more[64];

	if (!complete_word(e->text, e->cursor, more)) {
		printf("\n");
		complete_print(e->text, e->cursor);
	}
	for (const char *c = more; *c; c++)
		insert_character(e, *c);
}

static void show_history(struct editor *e, unsigned which)
{
	if (which > history_count)
		return;
	if (e->shown == 0)
		strlcpy(history[0], e->text, LINE_SIZE);
	e->shown = which;
	e->len = e->cursor = strlcpy(e->text, history[which], LINE_SIZE);
}

static void remember(const char *text)
{
	if (!*text || (history_count && strcmp(history[1], text) == 0))
		return;
	memmove(history[2], history[1], (HISTORY - 1) * sizeof(history[0]));
	strlcpy(history[1], text, LINE_SIZE);
	if (history_count < HISTORY)
		history_count++;
}

static void do_key(struct editor *e, int key)
{
	switch (key) {
	case KEY_LEFT:
		e->cursor -= e->cursor > 0;
		break;
	case KEY_RIGHT:
		e->cursor += e->cursor < e->len;
		break;
	case KEY_HOME:
		e->cursor = 0;
		break;
	case KEY_END:
		e->cursor = e->len;
		break;
	case KEY_UP:
		show_history(e, e->shown + 1);
		break;
	case KEY_DOWN:
		if (e->shown > 0)
			show_history(e, e->shown - 1);
		break;
	case BACKSPACE:
		if (e->cursor > 0)
			delete_characters(e, e->cursor - 1, 1);
		break;
	case KEY_DELETE:
	case KEY_CTRL('D'):
		if (e->cursor < e->len)
			delete_characters(e, e->cursor, 1);
		break;
	case KEY_CTRL('U'):
		delete_characters(e, 0, e->cursor);
		break;
	case KEY_CTRL('K'):
		delete_characters(e, e->cursor, e->len - e->cursor);
		break;
	case '\t':
		complete(e);
		break;
	case KEY_CTRL('L'):
		printf("\x1b[2J\x1b[H");
		break;
	default:
		return;
	}
	draw(e);
}

/* Ctrl-C starts again with an empty line; Ctrl-D on an empty line ends the input. */
static bool edit_line(struct editor *e)
{
	draw(e);
	for (;;) {
		int key = key_read(NULL);

		if (key == KEY_END_OF_INPUT || (key == KEY_CTRL('D') && e->len == 0))
			return false;
		if (key == '\r' || key == '\n')
			return true;
		if (key == KEY_CTRL('C')) {
			printf("^C\n");
			e->shown = 0;
			e->cursor = e->len;
			key = KEY_CTRL('U');
		}
		if (isprint(key))
			insert_character(e, (char)key);
		else
			do_key(e, key);
	}
}

/* The last line of a pipe may lack its end. */
static bool read_plain(const char *prompt, char line[LINE_SIZE])
{
	size_t len = 0;
	int c;

	printf("%s", prompt);
	while ((c = console_read()) != '\n' && c != CONSOLE_END) {
		if (len + 1 < LINE_SIZE && c != '\r')
			line[len++] = (char)c;
	}
	line[len] = '\0';
	return c != CONSOLE_END || len > 0;
}

bool line_read(const char *prompt, char line[LINE_SIZE])
{
	struct editor e = {.prompt = prompt, .text = line};
	bool more;

	line[0] = '\0';
	if (console_is_interactive()) {
		more = edit_line(&e);
		remember(line);
	} else {
		more = read_plain(prompt, line);
	}
	printf("\n");
	return more;
}
