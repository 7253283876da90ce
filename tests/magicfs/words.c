/* The words on the line between driver and guest. Runs in all of the programs: bare guest, Linux guest and host. */
#include "words.h"

#include <string.h>

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void pattern_fill(uint8_t *to, size_t len, uint64_t seed, uint64_t offset)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++, offset++) {
		if (i == 0 || offset % 8 == 0)
			word = mix(mix(seed + 1) + offset / 8);
		to[i] = (uint8_t)(word >> (offset % 8 * 8));
	}
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len--)
		hash = (hash ^ *at++) * 0x100000001b3u;
	return hash;
}

uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return mix(hash ^ number) + hash;
}

int64_t word_number(const char **at)
{
	bool negative = **at == '-';
	uint64_t value = 0;

	*at += negative;
	while (**at >= '0' && **at <= '9')
		value = value * 10 + (uint64_t)(*(*at)++ - '0');
	return negative ? -(int64_t)value : (int64_t)value;
}

static unsigned digit(char c)
{
	return c >= 'a' ? (unsigned)(c - 'a' + 10) : (unsigned)(c - '0');
}

/* One 'BYTES, which ends at a space, the line's end, or a mark. */
static bool plain_piece(const char **at, uint8_t *to, size_t room, size_t *len)
{
	size_t used = 0;

	for ((*at)++; **at && !strchr(" '~*;", **at); used++) {
		if (used >= room)
			return false;
		if (**at == '%') {
			to[used] = (uint8_t)(digit((*at)[1]) << 4 | digit((*at)[2]));
			*at += 3;
		} else {
			to[used] = (uint8_t) * (*at)++;
		}
	}
	*len = used;
	return true;
}

static bool repeated_piece(const char **at, uint8_t *to, size_t room, size_t *len)
{
	size_t one, times;

	if (!plain_piece(at, to, room, &one))
		return false;
	*len = one;
	if (**at != '*')
		return true;
	(*at)++;
	times = (size_t)word_number(at);
	if (one && times > room / one)
		return false;
	for (size_t i = 1; i < times; i++)
		memcpy(to + i * one, to, one);
	*len = one * times;
	return true;
}

static bool pattern_piece(const char **at, uint8_t *to, size_t room, size_t *len)
{
	uint64_t seed;

	(*at)++;
	seed = (uint64_t)word_number(at);
	(*at)++;
	*len = (size_t)word_number(at);
	if (*len > room)
		return false;
	pattern_fill(to, *len, seed, 0);
	return true;
}

bool word_text(const char **at, uint8_t *to, size_t room, size_t *len)
{
	size_t used = 0, piece;

	if (**at != '\'' && **at != '~')
		return false;
	while (**at == '\'' || **at == '~') {
		if (!(**at == '~' ? pattern_piece : repeated_piece)(at, to + used, room - 1 - used, &piece))
			return false;
		used += piece;
	}
	to[used] = 0;
	*len = used;
	return true;
}

size_t word_put(char *to, size_t room, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;
	size_t used = 0;

	if (len > (room - 1) / 3)
		return 0;
	to[used++] = '\'';
	for (size_t i = 0; i < len; i++) {
		if (from[i] > ' ' && from[i] < 0x7f && !strchr("'~*;%", from[i])) {
			to[used++] = (char)from[i];
		} else {
			to[used++] = '%';
			to[used++] = digits[from[i] >> 4];
			to[used++] = digits[from[i] & 15];
		}
	}
	return used;
}
