/* Text that grows, and numbers in it. Pure functions, any thread. */
#include "frontend/inspect/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

void inspect_text_free(struct inspect_text *t)
{
	free(t->data);
	*t = (struct inspect_text){0};
}

void inspect_text_clear(struct inspect_text *t)
{
	t->len = 0;
	t->failed = false;
	if (t->data)
		t->data[0] = '\0';
}

/* Room for `more` bytes and the NUL behind them. */
static bool reserve(struct inspect_text *t, size_t more)
{
	size_t capacity = t->capacity ? t->capacity : 512;
	char *data;

	if (t->failed)
		return false;
	while (capacity - t->len <= more) {
		if (capacity > SIZE_MAX / 2) {
			t->failed = true;
			return false;
		}
		capacity *= 2;
	}
	if (capacity == t->capacity)
		return true;
	data = realloc(t->data, capacity);
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->capacity = capacity;
	return true;
}

void inspect_put_bytes(struct inspect_text *t, const void *data, size_t len)
{
	if (!reserve(t, len))
		return;
	if (len)
		memcpy(t->data + t->len, data, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void inspect_put(struct inspect_text *t, const char *fmt, ...)
{
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len >= 0 && reserve(t, (size_t)len)) {
		vsnprintf(t->data + t->len, (size_t)len + 1, fmt, again);
		t->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void inspect_put_hex(struct inspect_text *t, uint64_t value, unsigned bits)
{
	inspect_put(t, "0x%0*" PRIx64, (int)(bits + 3) / 4, value);
}

void inspect_put_json(struct inspect_text *t, const char *text)
{
	inspect_put_bytes(t, "\"", 1);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			inspect_put(t, "\\%c", c);
		else if (c < 0x20)
			inspect_put(t, "\\u%04x", c);
		else
			inspect_put_bytes(t, text, 1);
	}
	inspect_put_bytes(t, "\"", 1);
}

int inspect_text_result(const struct inspect_text *t)
{
	return t->failed ? bis_fail(ENOMEM, "no memory for what is in the file") : 0;
}

FILE *inspect_text_open(struct inspect_text_stream *s, struct inspect_text *t)
{
	*s = (struct inspect_text_stream){.text = t};
	s->file = open_memstream(&s->data, &s->len);
	if (!s->file)
		t->failed = true;
	return s->file;
}

void inspect_text_close(struct inspect_text_stream *s)
{
	if (!s->file)
		return;
	if (fclose(s->file))
		s->text->failed = true;
	else
		inspect_put_bytes(s->text, s->data, s->len);
	free(s->data);
}

char *inspect_trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

int inspect_parse_number(const char *text, unsigned bits, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;
	char *end;

	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return bis_fail(EINVAL, "'%.64s' is no number: expected decimal digits, or 0x and hexadecimal ones",
				text);
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (*end)
		return bis_fail(EINVAL, "'%.64s' is no number: '%.32s' does not belong there", text, end);
	if (errno || (bits < 64 && value >> bits))
		return bis_fail(EINVAL, "%.64s does not fit in %u bits", text, bits);
	*out = value;
	return 0;
}
