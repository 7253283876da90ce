/*
 * The nearest valid name to a mistyped one, for error messages: optimal string alignment distance (insertion, deletion,
 * substitution and the exchange of two neighbours each cost one). Pure functions, any thread, nothing allocated.
 */
#include <string.h>

#include <biscuit/error.h>

#define MAX_WORD 63 /* longer names are never proposed and never corrected */

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][MAX_WORD + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = smaller(row[j], smaller(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smaller(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b_len];
}

/* A slip changes at most a third of the word, rounded up, and never all of it. */
const char *bis_nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t len = strlen(word);
	unsigned limit = (unsigned)((len + 2) / 3) + 1;
	const char *best = NULL;

	if (len == 0 || len > MAX_WORD)
		return NULL;
	if (limit > len)
		limit = (unsigned)len;
	for (size_t i = 0; i < count; i++) {
		size_t name_len = strlen(names[i]);
		unsigned d;

		if (name_len > MAX_WORD)
			continue;
		d = distance(word, len, names[i], name_len);
		if (d < limit) {
			limit = d;
			best = names[i];
		}
	}
	return best;
}
