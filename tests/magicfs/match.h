/* Is an answer what a case expects (table.h)? */
#ifndef MAGICFS_MATCH_H
#define MAGICFS_MATCH_H

#include "link.h"
#include "table.h"

enum { KEPT_MAX = 32 };

/* Values that a case has kept: :x. */
struct kept {
	struct {
		char *name, *value;
	} values[KEPT_MAX];
	size_t count;
};

bool match(const struct answer *answer, const struct word *expected, struct kept *kept);
void kept_free(struct kept *kept);
/* The name of an error; NULL if it has none here. */
const char *error_name(long long error);

#endif
