/*
 * Small text parsers shared by option and field tables. Pure functions, any thread.
 */
#include <string.h>

#include "src/base/parse_internal.h"

int bis_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool bis_parse_number(const char **text, const char *end, uint64_t *out)
{
	const char *p = *text, *digits;
	unsigned base = 10;
	uint64_t value = 0;

	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	for (digits = p; p < end; p++) {
		int digit = bis_hex_digit(*p);

		if (digit < 0 || (unsigned)digit >= base)
			break;
		if (value > (UINT64_MAX - (unsigned)digit) / base)
			return false;
		value = value * base + (unsigned)digit;
	}
	if (p == digits)
		return false;
	*text = p;
	*out = value;
	return true;
}

bool bis_parse_bool(const char *text, size_t len, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"on", true},	{"off", false},	  {"yes", true}, {"no", false},
		{"true", true}, {"false", false}, {"1", true},	 {"0", false},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) == len && memcmp(words[i].word, text, len) == 0) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}
