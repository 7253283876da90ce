/* Completing a word: the first of a line is a command, the others are names of files. */
#include "complete.h"
#include "names.h"
#include "shell.h"
#include <stdio.h>
#include <string.h>

/* What the word at the cursor has to go on from. */
struct word {
	bool is_command;
	char directory[PATH_SIZE]; /* "" for the current one */
	char begin[64];		   /* of the name that is looked for */
};

/* False: it is too long. */
static bool find_word(const char *text, size_t cursor, struct word *w)
{
	size_t start = cursor, name;

	while (start > 0 && !strchr(" \t>\"'", text[start - 1]))
		start--;
	for (name = cursor; name > start && text[name - 1] != '/'; name--)
		;
	w->is_command = true;
	for (size_t i = 0; i < start; i++)
		w->is_command &= text[i] == ' ' || text[i] == '\t';
	if (cursor - name >= sizeof(w->begin) || name - start >= sizeof(w->directory))
		return false;
	strlcpy(w->directory, text + start, name - start + 1);
	strlcpy(w->begin, text + name, cursor - name + 1);
	return true;
}

static bool fits(const char *begin, const char *name)
{
	return strncmp(begin, name, strlen(begin)) == 0;
}

/* What the names have in common that begin so. */
struct candidates {
	unsigned count;
	char common[128];
};

static void consider(struct candidates *c, const char *begin, const char *name)
{
	size_t same = 0;

	if (!fits(begin, name))
		return;
	if (c->count++ == 0)
		strlcpy(c->common, name, sizeof(c->common));
	while (c->common[same] && c->common[same] == name[same])
		same++;
	c->common[same] = '\0';
}

bool complete_word(const char *text, size_t cursor, char more[64])
{
	struct candidates c = {0};
	const char *end = " ";
	struct names names;
	struct word w;

	more[0] = '\0';
	if (!find_word(text, cursor, &w))
		return true;
	for (unsigned i = 0; w.is_command && i < command_count; i++)
		consider(&c, w.begin, commands[i].name);
	if (!w.is_command) {
		names_read(&names, w.directory, w.begin[0] == '.');
		for (const struct name *name = names.first; name; name = name->next) {
			if (fits(w.begin, name->text) && is_directory(&name->stat))
				end = "/";
			consider(&c, w.begin, name->text);
		}
		names_free(&names);
	}
	if (c.count)
		snprintf(more, 64, "%s%s", c.common + strlen(w.begin), c.count == 1 ? end : "");
	return c.count <= 1 || more[0];
}

void complete_print(const char *text, size_t cursor)
{
	struct names names;
	struct word w;

	if (!find_word(text, cursor, &w))
		return;
	if (w.is_command) {
		for (unsigned i = 0; i < command_count; i++) {
			if (fits(w.begin, commands[i].name))
				printf("%s  ", commands[i].name);
		}
		printf("\n");
		return;
	}
	names_read(&names, w.directory, w.begin[0] == '.');
	for (struct name **at = &names.first; *at;) {
		if (fits(w.begin, (*at)->text))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
	names_print_columns(&names, 0, 12);
	names_free(&names);
}
