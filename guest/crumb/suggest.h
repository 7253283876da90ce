/* "Did you mean ...?" */
#ifndef SUGGEST_H
#define SUGGEST_H

/* The most similar name so far. Begins as {.wanted = what was typed}; "" in `nearest` means that none is similar. */
struct suggestion {
	const char *wanted;
	unsigned distance;
	char nearest[64];
};

/* Looks at one more name that there is. */
void suggest_consider(struct suggestion *s, const char *name);

/* Prints that `wanted` is no `kind` (such as "command"), and the most similar of the names that there are, if one is
 * similar; else `list`, the command that lists them. name_at(0), name_at(1), ... are the names, and NULL ends them. */
void suggest_print(const char *kind, const char *wanted, const char *(*name_at)(unsigned i), const char *list);

#endif
