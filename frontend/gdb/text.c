/* Numbers and bytes as the gdb remote protocol writes them. Any thread. */
#include "frontend/gdb/text.h"

#include <stdarg.h>
#include <stdio.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool gdb_take_hex(struct gdb_text *t, uint64_t *out)
{
	const char *p = t->at;
	uint64_t v = 0;

	while (p < t->end && hex_digit(*p) >= 0) {
		if (v >> 60)
			return false;
		v = v << 4 | (unsigned)hex_digit(*p++);
	}
	if (p == t->at)
		return false;
	t->at = p;
	*out = v;
	return true;
}

bool gdb_take_char(struct gdb_text *t, char c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

bool gdb_take_word(struct gdb_text *t, const char *word)
{
	size_t len = strlen(word);

	if (gdb_left(t) < len || memcmp(t->at, word, len) != 0)
		return false;
	t->at += len;
	return true;
}

bool gdb_take_bytes(struct gdb_text *t, void *buf, size_t len)
{
	uint8_t *to = buf;

	if (len > gdb_left(t) / 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(t->at[2 * i]), low = hex_digit(t->at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	t->at += 2 * len;
	return true;
}

static void put_char(struct gdb_out *o, char c)
{
	if (o->len < sizeof(o->data))
		o->data[o->len++] = c;
	else
		o->overflow = true;
}

void gdb_put(struct gdb_out *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		o->overflow = true;
	else
		for (int i = 0; i < n; i++)
			put_char(o, text[i]);
}

void gdb_put_bytes(struct gdb_out *o, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++) {
		put_char(o, digits[p[i] >> 4]);
		put_char(o, digits[p[i] & 15]);
	}
}

void gdb_put_value(struct gdb_out *o, uint64_t value, unsigned size)
{
	bis_le64 le = bis_le64_make(value);

	gdb_put_bytes(o, le.b, size);
}

void gdb_put_binary(struct gdb_out *o, const void *bytes, size_t len)
{
	const char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		if (p[i] && strchr("$#}*", p[i])) {
			put_char(o, '}');
			put_char(o, (char)(p[i] ^ 0x20));
		} else {
			put_char(o, p[i]);
		}
	}
}
