/* Texts of the form "key=value,key=value", as options and modules take them. */
#ifndef BISCUIT_RUN_SPEC_H
#define BISCUIT_RUN_SPEC_H

#include <biscuit/types.h>

/* A piece of such a text. A comma in it is still written twice, so that it can go into another text as it is. */
struct spec_item {
	const char *key, *value; /* not terminated; value NULL: there is no '=' */
	int key_length, value_length;
};

/* Takes the next item off *rest; false when nothing is left. */
bool spec_next(const char **rest, struct spec_item *out);
bool spec_is(const struct spec_item *item, const char *key);
/* A piece of such a text with its commas single again. To be freed; NULL: out of memory. */
char *spec_copy(const char *text, size_t len);

/* Fails with "WHAT 'WORD' (did you mean 'NEAR'?), expected EXPECTED". Always -EINVAL. */
int spec_unknown(const char *what, const char *word, const char *const *names, size_t count, const char *expected);

#endif
