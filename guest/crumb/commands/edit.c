/* edit: a text editor for the console. What its keys do. */
#include "../edit/editor.h"
#include "../files.h"
#include "../keys.h"
#include "../shell.h"
#include "../task.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP	    "Ctrl-S save  Ctrl-Q quit  Ctrl-W find  Ctrl-K cut  Ctrl-U put in  Ctrl-G line"
#define ANSWER_SIZE 128
#define NOWHERE	    ((size_t)-1)

static struct editor editor;
static size_t column_wanted; /* while the cursor goes up and down; NOWHERE: the one that it is in */
static bool cutting;	     /* the last key cut a line: the next one comes behind it */
static char find_last[ANSWER_SIZE];

static void say(const char *message)
{
	snprintf(editor.message, MESSAGE_SIZE, "%s", message);
}

/* --- Questions --- */

/* Reads a line in the last row; false: the user does not want to answer. */
static bool ask(const char *question, char answer[ANSWER_SIZE])
{
	size_t length = 0;

	answer[0] = '\0';
	for (;;) {
		unsigned numbers[2];
		int key;

		view_draw_question(&editor, question, answer);
		key = key_read(numbers);
		if (key == '\r' || key == '\n')
			return length > 0;
		if (key == KEY_CTRL('C') || key == KEY_CTRL('Q') || key == KEY_END_OF_INPUT)
			return false;
		if (key == KEY_PLACE)
			view_resize(&editor, numbers[0], numbers[1]);
		else if (key == BACKSPACE && length > 0)
			answer[--length] = '\0';
		else if (key >= ' ' && key < BACKSPACE && length + 1 < ANSWER_SIZE && length + 20 < editor.columns)
			answer[length++] = (char)key;
		answer[length] = '\0';
	}
}

/* Is it certain that the text is to be thrown away? */
static bool may_quit(void)
{
	char answer[ANSWER_SIZE];

	return !editor.changed || (ask("changes are not saved; quit? (yes) ", answer) && answer[0] == 'y');
}

static void save(void)
{
	char name[ANSWER_SIZE];

	if (!editor.path[0]) {
		if (!ask("name of the file: ", name))
			return;
		strlcpy(editor.path, name, sizeof(editor.path));
	}
	editor_save(&editor);
}

static void find(void)
{
	struct text *t = &editor.text;
	char wanted[ANSWER_SIZE], question[ANSWER_SIZE + 16];
	size_t found;

	snprintf(question, sizeof(question), find_last[0] ? "find (%.30s): " : "find: ", find_last);
	if (ask(question, wanted))
		strlcpy(find_last, wanted, sizeof(find_last));
	if (!find_last[0])
		return;
	if (text_find(t, text_cursor(t) + text_character(t, text_cursor(t)), find_last, &found))
		text_move(t, found);
	else
		say("it is nowhere");
}

static void go_to_line(void)
{
	char answer[ANSWER_SIZE];
	long line;

	if (!ask("line: ", answer))
		return;
	line = strtol(answer, NULL, 10);
	text_move(&editor.text, text_line(&editor.text, line > 0 ? (size_t)line - 1 : 0));
}

/* --- Changes --- */

static void insert(const char *bytes, size_t count)
{
	if (text_insert(&editor.text, bytes, count))
		editor.changed = true;
	else
		say("no room: save, and edit it again");
}

static void delete (size_t count)
{
	editor.changed |= count > 0;
	text_delete(&editor.text, count);
}

static void cut_line(void)
{
	struct text *t = &editor.text, *cut = &editor.cut;
	size_t end = text_line_end(t, text_cursor(t)), start = text_line_start(t, text_cursor(t));

	end += end < text_length(t);
	if (!cutting) {
		text_move(cut, 0);
		text_delete(cut, text_length(cut));
	}
	if (end - start > cut->gap_end - cut->gap) {
		say("too much to be cut at once");
		return;
	}
	text_move(t, start);
	text_insert(cut, t->memory + t->gap_end, end - start);
	delete (end - start);
}

static void put_in(void)
{
	insert(editor.cut.memory, editor.cut.gap);
}

/* --- The cursor --- */

/* Lines up are negative. */
static void move_lines(long count)
{
	struct text *t = &editor.text;
	size_t at = text_line_start(t, text_cursor(t));

	if (column_wanted == NOWHERE)
		column_wanted = view_column(t, text_cursor(t));
	for (; count < 0 && at > 0; count++)
		at = text_line_start(t, at - 1);
	for (; count > 0 && text_line_end(t, at) < text_length(t); count--)
		at = text_line_end(t, at) + 1;
	text_move(t, view_place(t, at, column_wanted));
}

static bool move(int key)
{
	struct text *t = &editor.text;
	size_t at = text_cursor(t);
	long page = (long)view_lines(&editor) - 1;

	switch (key) {
	case KEY_UP:
		move_lines(-1);
		return true;
	case KEY_DOWN:
		move_lines(1);
		return true;
	case KEY_PAGE_UP:
		move_lines(-page);
		return true;
	case KEY_PAGE_DOWN:
		move_lines(page);
		return true;
	case KEY_LEFT:
		text_move(t, text_before(t, at));
		break;
	case KEY_RIGHT:
		text_move(t, at + text_character(t, at));
		break;
	case KEY_HOME:
		text_move(t, text_line_start(t, at));
		break;
	case KEY_END:
		text_move(t, text_line_end(t, at));
		break;
	default:
		return false;
	}
	column_wanted = NOWHERE;
	return true;
}

/* --- Keys --- */

static void do_order(int key)
{
	struct text *t = &editor.text;
	size_t at = text_cursor(t);

	switch (key) {
	case BACKSPACE:
		text_move(t, text_before(t, at));
		delete (at - text_cursor(t));
		break;
	case KEY_DELETE:
	case KEY_CTRL('D'):
		delete (text_character(t, at));
		break;
	case KEY_CTRL('K'):
		cut_line();
		break;
	case KEY_CTRL('U'):
		put_in();
		break;
	case KEY_CTRL('S'):
		save();
		break;
	case KEY_CTRL('W'):
		find();
		break;
	case KEY_CTRL('G'):
		go_to_line();
		break;
	case KEY_CTRL('C'):
		say("Ctrl-Q ends the editor");
		break;
	case KEY_CTRL('L'):
		view_ask_size();
		break;
	}
}

static void do_key(int key)
{
	char byte = key == '\r' ? '\n' : (char)key;

	if (move(key)) {
		cutting = false;
		return;
	}
	column_wanted = NOWHERE;
	if (key == '\r' || key == '\n' || key == '\t' || (key >= ' ' && key < 256 && key != BACKSPACE))
		insert(&byte, 1);
	else
		do_order(key);
	cutting = key == KEY_CTRL('K');
}

static void edit(void)
{
	bool going = true;

	view_begin(&editor);
	if (!editor.message[0])
		say(HELP);
	while (going) {
		unsigned numbers[2];
		int key;

		/* What is pasted is shown when all of it is there. */
		if (!console_has_input())
			view_draw(&editor);
		key = key_read(numbers);
		if (key == KEY_PLACE) {
			view_resize(&editor, numbers[0], numbers[1]);
			continue;
		}
		say(HELP);
		if (key == KEY_CTRL('Q') || key == KEY_CTRL('X'))
			going = !may_quit();
		else if (key == KEY_END_OF_INPUT)
			going = false;
		else
			do_key(key);
	}
	view_end();
}

void command_edit(int argc, char **argv)
{
	int64_t error;

	if (argc > 2) {
		shell_usage("edit");
		return;
	}
	if (!console_is_interactive() || current->output) {
		printf("edit: somebody has to sit at the console\n");
		return;
	}
	memset(&editor, 0, sizeof(editor));
	column_wanted = NOWHERE;
	cutting = false;
	if (argc == 2 && strlcpy(editor.path, argv[1], sizeof(editor.path)) >= sizeof(editor.path))
		error = -MAGICFS_ENAMETOOLONG;
	else
		error = editor_load(&editor);
	if (error) {
		files_complain("edit", argc == 2 ? argv[1] : "", error);
		return;
	}
	console_set_foreground(NULL); /* Ctrl-C is a key like others */
	edit();
	console_set_foreground(current);
	text_destroy(&editor.text);
	text_destroy(&editor.cut);
}
