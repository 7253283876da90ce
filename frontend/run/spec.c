/* Texts of the form "key=value,key=value". Any thread. */
#include "spec.h"

#include <errno.h>
#include <string.h>

#include <biscuit/error.h>

/* The length of an item that ends at a single comma or the end. */
static size_t item_length(const char *text)
{
	const char *at = text;

	while (*at && (at[0] != ',' || at[1] == ','))
		at += at[0] == ',' ? 2 : 1;
	return (size_t)(at - text);
}

bool spec_next(const char **rest, struct spec_item *out)
{
	const char *text = *rest, *sign;
	size_t len;

	if (!*text)
		return false;
	len = item_length(text);
	sign = memchr(text, '=', len);
	*out = (struct spec_item){.key = text, .key_length = (int)(sign ? (size_t)(sign - text) : len)};
	if (sign) {
		out->value = sign + 1;
		out->value_length = (int)(text + len - out->value);
	}
	*rest = text + len + (text[len] == ',');
	return true;
}

bool spec_is(const struct spec_item *item, const char *key)
{
	return (size_t)item->key_length == strlen(key) && !memcmp(item->key, key, strlen(key));
}

char *spec_copy(const char *text, size_t len)
{
	char *copy = strndup(text, len), *to = copy;

	for (const char *from = copy; from && *from; from++) {
		*to++ = *from;
		from += from[0] == ',';
	}
	if (copy)
		*to = '\0';
	return copy;
}

int spec_unknown(const char *what, const char *word, const char *const *names, size_t count, const char *expected)
{
	const char *near = bis_nearest_name(word, names, count);

	return bis_fail(EINVAL, "%s '%s'%s%s%s, expected %s", what, word, near ? " (did you mean '" : "",
			near ? near : "", near ? "'?)" : "", expected);
}
