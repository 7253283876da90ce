/* The names in a directory, sorted. */
#ifndef NAMES_H
#define NAMES_H

#include "files.h"

struct name {
	struct name *next;
	struct magicfs_stat stat; /* of the name itself, if it is a link */
	char text[];
};

struct names {
	struct name *first;
	size_t count, longest; /* longest: columns that the longest name takes, with its mark */
	unsigned char *pages;  /* the memory of the list */
	size_t used;	       /* of its newest page */
};

/* Reads a directory; without `hidden`, names that begin with '.' are left out. 0 or an error; either way names_free()
 * follows. */
int64_t names_read(struct names *n, const char *path, bool hidden);
void names_free(struct names *n);

/* Prints names side by side, directories marked with '/' and links with '@', `max_lines` lines at most; returns how
 * many names were printed. */
size_t names_print_columns(const struct names *n, unsigned indent, size_t max_lines);

#endif
