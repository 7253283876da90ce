/* The nearest name, by edit distance: how many letters to add, drop or change to get from one word to the other. */
#include "suggest.h"
#include <stdio.h>
#include <string.h>

#define MAX_LENGTH 31U

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* row[j] is the distance between the first i letters of a and the first j of b; i grows with each round. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned row[MAX_LENGTH + 1];
	size_t width = strnlen(b, MAX_LENGTH);

	for (unsigned j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= width; j++) {
			unsigned above = row[j];

			row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[width];
}

void suggest_consider(struct suggestion *s, const char *name)
{
	unsigned distance = edit_distance(s->wanted, name);
	unsigned best = s->nearest[0] ? s->distance : 3; /* more than two slips are another word */

	if (distance < best && distance < strlen(name) && distance < strlen(s->wanted)) {
		s->distance = distance;
		strlcpy(s->nearest, name, sizeof(s->nearest));
	}
}

void suggest_print(const char *kind, const char *wanted, const char *(*name_at)(unsigned i), const char *list)
{
	struct suggestion s = {.wanted = wanted};
	const char *name;

	for (unsigned i = 0; (name = name_at(i)) != NULL; i++)
		suggest_consider(&s, name);
	if (s.nearest[0])
		printf("no %s \"%s\": did you mean \"%s\"?\n", kind, wanted, s.nearest);
	else
		printf("no %s \"%s\": try \"%s\"\n", kind, wanted, list);
}
