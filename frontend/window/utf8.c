/* UTF-8; see utf8.h. */
#include "frontend/window/utf8.h"

#include <stdbool.h>

#define REPLACEMENT 0xfffdu

static bool is_character(uint32_t c)
{
	return c < 0x110000 && (c & 0xfffff800) != 0xd800;
}

uint32_t utf8_next(const char **at, const char *end)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)*at;
	unsigned len = *s < 0x80 ? 1 : *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf8 ? 4 : 0;
	uint32_t c;

	(*at)++;
	if (len < 2)
		return len ? *s : REPLACEMENT;
	if ((size_t)(end - (const char *)s) < len)
		return REPLACEMENT;
	c = *s & (0x7fu >> len);
	for (unsigned i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[len] || !is_character(c))
		return REPLACEMENT;
	*at += len - 1;
	return c;
}

size_t utf8_put(uint32_t character, char *to)
{
	uint32_t c = is_character(character) ? character : REPLACEMENT;
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (len == 1) {
		to[0] = (char)c;
		return 1;
	}
	for (size_t i = len - 1; i; i--) {
		to[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	to[0] = (char)((0xf00u >> len & 0xf0) | c);
	return len;
}
