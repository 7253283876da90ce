/* Text that grows. Whose it is says the caller. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/run/trace_internal.h"

/* Room for `more` bytes and a NUL. */
static bool reserve(struct trace_text *t, size_t more)
{
	size_t size = t->size ? t->size : 256;
	char *data;

	if (t->size - t->len > more)
		return true;
	while (size - t->len <= more)
		size *= 2;
	data = realloc(t->data, size);
	if (!data)
		return false;
	t->data = data;
	t->size = size;
	return true;
}

void trace_put_bytes(struct trace_text *t, const char *bytes, size_t len)
{
	if (!reserve(t, len))
		return;
	memcpy(t->data + t->len, bytes, len);
	t->len += len;
}

void trace_put(struct trace_text *t, const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		trace_put_bytes(t, buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

void trace_put_plain(struct trace_text *t, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '\\')
			trace_put(t, "\\x%02x", c);
		else
			trace_put_bytes(t, text, 1);
	}
}

/* The length of the UTF-8 character at s, 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return len;
}

void trace_put_json(struct trace_text *t, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	trace_put_bytes(t, "\"", 1);
	while (*s) {
		size_t len = utf8_length(s);

		if (!len)
			trace_put_bytes(t, "\\ufffd", 6);
		else if (*s == '"' || *s == '\\')
			trace_put(t, "\\%c", *s);
		else if (*s < 0x20)
			trace_put(t, "\\u%04x", *s);
		else
			trace_put_bytes(t, (const char *)s, len);
		s += len ? len : 1;
	}
	trace_put_bytes(t, "\"", 1);
}
