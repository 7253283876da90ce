/*
 * Field tables: text form of a module's state, both ways, <biscuit/field.h>. Runs on any thread; the caller holds the
 * lock that guards the instance. Values are copied with memcpy, since an offset need not be aligned.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/field.h>

#include "src/base/parse_internal.h"

size_t bis_field_unit(enum bis_field_type type)
{
	switch (type) {
	case BIS_FIELD_U16:
		return sizeof(uint16_t);
	case BIS_FIELD_U32:
		return sizeof(uint32_t);
	case BIS_FIELD_U64:
		return sizeof(uint64_t);
	case BIS_FIELD_BOOL:
		return sizeof(bool);
	case BIS_FIELD_U8:
	case BIS_FIELD_BYTES:
	case BIS_FIELD_TEXT:
	default:
		return 1;
	}
}

const struct bis_field *bis_field_find(const struct bis_field *table, const char *name)
{
	for (const struct bis_field *f = table; f && f->name; f++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

static uint64_t load(enum bis_field_type type, const uint8_t *at)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (type) {
	case BIS_FIELD_U16:
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case BIS_FIELD_U32:
		memcpy(&u32, at, sizeof(u32));
		return u32;
	case BIS_FIELD_U64:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	case BIS_FIELD_BOOL:
		return *at != 0;
	default:
		return *at;
	}
}

static void store(enum bis_field_type type, uint8_t *at, uint64_t value)
{
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;
	bool flag = value != 0;

	switch (type) {
	case BIS_FIELD_U16:
		memcpy(at, &u16, sizeof(u16));
		break;
	case BIS_FIELD_U32:
		memcpy(at, &u32, sizeof(u32));
		break;
	case BIS_FIELD_U64:
		memcpy(at, &value, sizeof(value));
		break;
	case BIS_FIELD_BOOL:
		memcpy(at, &flag, sizeof(flag));
		break;
	default:
		*at = (uint8_t)value;
	}
}

/* --- formatting --- */

/* Text that counts on when it no longer fits, as snprintf does. */
struct output {
	char *buf;
	size_t size, len;
};

static void put(struct output *o, const char *text)
{
	for (; *text; text++, o->len++) {
		if (o->len + 1 < o->size)
			o->buf[o->len] = *text;
	}
}

/* A backslash and whatever is not printable ASCII or UTF-8 becomes \\ or \xHH, so that the value is one line. */
static void put_text(struct output *o, const uint8_t *at, uint32_t count)
{
	char piece[8];

	for (uint32_t i = 0; i < count && at[i]; i++) {
		if (at[i] == '\\')
			snprintf(piece, sizeof(piece), "\\\\");
		else if (at[i] < 0x20 || at[i] == 0x7f)
			snprintf(piece, sizeof(piece), "\\x%02x", at[i]);
		else
			snprintf(piece, sizeof(piece), "%c", at[i]);
		put(o, piece);
	}
}

static void put_numbers(struct output *o, const struct bis_field *f, const uint8_t *at)
{
	size_t unit = bis_field_unit(f->type);
	char piece[32];

	for (uint32_t i = 0; i < f->count; i++) {
		uint64_t value = load(f->type, at + i * unit);

		if (i > 0)
			put(o, " ");
		if ((f->flags & BIS_FIELD_HEX) && f->type != BIS_FIELD_BOOL)
			snprintf(piece, sizeof(piece), "0x%0*" PRIx64, (int)(2 * unit), value);
		else
			snprintf(piece, sizeof(piece), "%" PRIu64, value);
		put(o, piece);
	}
}

int bis_field_format(const struct bis_field *f, const void *self, char *buf, size_t size)
{
	const uint8_t *at = (const uint8_t *)self + f->offset;
	struct output o = {buf, size, 0};
	char piece[4];

	if (f->type == BIS_FIELD_TEXT) {
		put_text(&o, at, f->count);
	} else if (f->type == BIS_FIELD_BYTES) {
		for (uint32_t i = 0; i < f->count; i++) {
			snprintf(piece, sizeof(piece), "%02x", at[i]);
			put(&o, piece);
		}
	} else {
		put_numbers(&o, f, at);
	}
	if (size > 0)
		buf[o.len < size ? o.len : size - 1] = '\0';
	if (o.len > INT_MAX)
		return bis_fail(EOVERFLOW, "field '%s' is too long to be shown as text", f->name);
	return (int)o.len;
}

/* --- parsing: each parser fills `out` (count * unit bytes, zeroed), the instance is touched only on success --- */

static const char *skip_spaces(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static int parse_text(const struct bis_field *f, const char *text, uint8_t *out)
{
	size_t len = strlen(text), used = 0;
	const char *end = text + len;

	if (len > 0 && end[-1] == '\n')
		end--;
	while (text < end) {
		int c = (unsigned char)*text++;

		if (c == '\\' && end - text >= 1 && *text == '\\') {
			text++;
		} else if (c == '\\' && end - text >= 3 && text[0] == 'x' && bis_hex_digit(text[1]) >= 0 &&
			   bis_hex_digit(text[2]) >= 0) {
			c = bis_hex_digit(text[1]) << 4 | bis_hex_digit(text[2]);
			text += 3;
		} else if (c == '\\') {
			return bis_fail(EINVAL, "field '%s': a backslash must be followed by another or by xHH",
					f->name);
		}
		if (c == 0)
			return bis_fail(EINVAL, "field '%s': the text cannot contain a NUL byte", f->name);
		if (used + 1 >= f->count)
			return bis_fail(EINVAL, "field '%s' holds at most %u bytes of text", f->name,
					f->count ? f->count - 1 : 0);
		out[used++] = (uint8_t)c;
	}
	return 0;
}

static int parse_bytes(const struct bis_field *f, const char *text, uint8_t *out)
{
	for (uint32_t i = 0; i < f->count; i++) {
		int high, low;

		text = skip_spaces(text);
		high = bis_hex_digit(text[0]);
		low = high < 0 ? -1 : bis_hex_digit(text[1]);
		if (low < 0)
			return bis_fail(EINVAL, "field '%s' expects %u bytes as hexadecimal digits, found %u", f->name,
					f->count, i);
		out[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*skip_spaces(text))
		return bis_fail(EINVAL, "field '%s' expects %u bytes as hexadecimal digits, found more", f->name,
				f->count);
	return 0;
}

/* One number or boolean word in [text, end). */
static bool parse_one(enum bis_field_type type, const char *text, const char *end, uint64_t *out)
{
	size_t bits = 8 * bis_field_unit(type);
	bool flag;

	if (type == BIS_FIELD_BOOL) {
		if (!bis_parse_bool(text, (size_t)(end - text), &flag))
			return false;
		*out = flag;
		return true;
	}
	return bis_parse_number(&text, end, out) && text == end && (bits == 64 || *out >> bits == 0);
}

static int parse_numbers(const struct bis_field *f, const char *text, uint8_t *out)
{
	size_t unit = bis_field_unit(f->type);
	uint64_t value;

	for (uint32_t i = 0; i < f->count; i++) {
		const char *start = skip_spaces(text);

		for (text = start; *text && !isspace((unsigned char)*text); text++)
			;
		if (start == text)
			return bis_fail(EINVAL, "field '%s' expects %u values, found %u", f->name, f->count, i);
		if (!parse_one(f->type, start, text, &value))
			return bis_fail(EINVAL, "field '%s': '%.*s' is not %s", f->name, (int)(text - start), start,
					f->type == BIS_FIELD_BOOL ? "0 or 1" : "a number of its width, decimal or 0x…");
		store(f->type, out + i * unit, value);
	}
	if (*skip_spaces(text))
		return bis_fail(EINVAL, "field '%s' expects %u values, found more", f->name, f->count);
	return 0;
}

int bis_field_parse(const struct bis_field *f, void *self, const char *text)
{
	size_t size = f->count * bis_field_unit(f->type);
	uint8_t *values;
	int err;

	if (f->flags & BIS_FIELD_READONLY)
		return bis_fail(EPERM, "field '%s' is read-only", f->name);
	values = calloc(1, size ? size : 1);
	if (!values)
		return bis_fail(ENOMEM, "no memory to parse field '%s'", f->name);
	if (f->type == BIS_FIELD_TEXT)
		err = parse_text(f, text, values);
	else if (f->type == BIS_FIELD_BYTES)
		err = parse_bytes(f, text, values);
	else
		err = parse_numbers(f, text, values);
	if (!err)
		memcpy((uint8_t *)self + f->offset, values, size);
	free(values);
	return err;
}
