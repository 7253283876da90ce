/*
 * The names in a directory, sorted: a linked list in pages of its own, so that it may be as long as memory allows.
 */
#include "names.h"
#include "directory.h"
#include "layout.h"
#include "pages.h"
#include <stdio.h>
#include <string.h>

#define COLUMNS 79

/* A new page begins with the address of the page before it. */
static void *allocate(struct names *n, size_t size)
{
	void *result;

	size = ROUND_UP(size, 8UL);
	if (!n->pages || size > PAGE_SIZE - n->used) {
		unsigned char *page = page_alloc();

		if (!page)
			return NULL;
		*(unsigned char **)(void *)page = n->pages;
		n->pages = page;
		n->used = 8;
	}
	result = n->pages + n->used;
	n->used += size;
	return result;
}

/* How many columns a name takes: the bytes of UTF-8 that continue a character take none. */
static size_t width_of(const struct name *name)
{
	size_t width = is_directory(&name->stat) || is_link(&name->stat);

	for (const char *c = name->text; *c; c++)
		width += (*c & 0xc0) != 0x80;
	return width;
}

/* Merges two sorted lists. */
static struct name *merge(struct name *a, struct name *b)
{
	struct name *first = NULL, **end = &first;

	while (a && b) {
		struct name **smaller = strcmp(a->text, b->text) <= 0 ? &a : &b;

		*end = *smaller;
		end = &(*smaller)->next;
		*smaller = *end;
	}
	*end = a ? a : b;
	return first;
}

/* Merge sort: the first `count` names of a list, whose rest is dropped. */
static struct name *sort(struct name *list, size_t count)
{
	struct name *second = list;

	if (count < 2) {
		if (list)
			list->next = NULL;
		return list;
	}
	for (size_t i = 0; i < count / 2; i++)
		second = second->next;
	second = sort(second, count - count / 2);
	return merge(sort(list, count / 2), second);
}

static int64_t add(struct names *n, const struct magicfs_entry *entry)
{
	struct name *name = allocate(n, sizeof(*name) + entry->name_len + 1);

	if (!name)
		return -MAGICFS_ENOMEM;
	name->stat = *magicfs_entry_stat(entry);
	strlcpy(name->text, magicfs_entry_name(entry), entry->name_len + 1U);
	name->next = n->first;
	n->first = name;
	n->count++;
	if (width_of(name) > n->longest)
		n->longest = width_of(name);
	return 0;
}

int64_t names_read(struct names *n, const char *path, bool hidden)
{
	const struct magicfs_entry *entry;
	struct directory d;
	int64_t error;

	*n = (struct names){0};
	error = directory_open(&d, path, MAGICFS_ATTRIBUTES);
	if (error)
		return error;
	while (!error && (entry = directory_next(&d)) != NULL) {
		if (hidden || magicfs_entry_name(entry)[0] != '.')
			error = add(n, entry);
	}
	directory_close(&d);
	n->first = sort(n->first, n->count);
	return error ? error : d.error;
}

void names_free(struct names *n)
{
	while (n->pages) {
		unsigned char *page = n->pages;

		n->pages = *(unsigned char **)(void *)page;
		page_free(page);
	}
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* For a person's eyes: a name must not do things to the terminal. */
static void print_padded(const struct name *name, size_t width)
{
	for (const char *c = name->text; *c; c++)
		putchar(is_control(*c) ? '?' : *c);
	if (is_directory(&name->stat))
		putchar('/');
	else if (is_link(&name->stat))
		putchar('@');
	for (size_t i = width_of(name); i < width; i++)
		putchar(' ');
}

size_t names_print_columns(const struct names *n, unsigned indent, size_t max_lines)
{
	size_t columns = (COLUMNS - indent + 2) / (n->longest + 2), printed = 0;
	const struct name *name = n->first;

	if (columns == 0)
		columns = 1;
	for (size_t line = 0; name && line < max_lines; line++) {
		printf("%*s", (int)indent, "");
		for (size_t i = 0; name && i < columns; i++, name = name->next) {
			print_padded(name, i + 1 < columns && name->next ? n->longest + 2 : 0);
			printed++;
		}
		printf("\n");
	}
	return printed;
}
