/*
 * Option tables: parsing of "key=value,key=value" and typed access to the result, <biscuit/option.h>. Any thread; a
 * parsed set does not change and belongs to whoever parsed it. The table is borrowed and must outlive the set.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/option.h>

#include "src/base/parse_internal.h"

struct value {
	char *text;
	uint64_t number; /* U64, SIZE, and BOOL as 0 or 1 */
	bool given;
};

struct bis_options {
	const struct bis_option *table;
	size_t count;
	struct value values[];
};

static size_t table_length(const struct bis_option *table)
{
	size_t count = 0;

	while (table && table[count].name)
		count++;
	return count;
}

/* --- values --- */

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	case 'T':
	case 't':
		return 40;
	default:
		return 0;
	}
}

static bool parse_u64(const char *text, bool suffix, uint64_t *out)
{
	const char *end = text + strlen(text);
	unsigned shift = 0;
	uint64_t value;

	if (!bis_parse_number(&text, end, &value))
		return false;
	if (suffix && text < end) {
		shift = suffix_shift(*text);
		text += shift != 0;
	}
	if (text != end || value > UINT64_MAX >> shift)
		return false;
	*out = value << shift;
	return true;
}

int bis_parse_size(const char *text, uint64_t *out)
{
	if (!parse_u64(text, true, out))
		return bis_fail(EINVAL, "'%s' is not a size (a number, optionally with K, M, G or T)", text);
	return 0;
}

/* True if `word` is one of the words of "a|b|c". */
static bool is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	while (*choices) {
		size_t part = strcspn(choices, "|");

		if (part == len && memcmp(choices, word, len) == 0)
			return true;
		choices += part;
		choices += *choices == '|';
	}
	return false;
}

/* Sets a message without the owner: what is wrong with `text` as a value of `row`. */
static int value_error(const struct bis_option *row, const char *text)
{
	static const char *const expected[] = {
		[BIS_OPTION_TEXT] = "text",
		[BIS_OPTION_U64] = "a number, decimal or 0x…, below 2^64",
		[BIS_OPTION_SIZE] = "a size such as 128M or 0x1000, below 2^64",
		[BIS_OPTION_BOOL] = "on or off",
	};

	if (row->type == BIS_OPTION_ENUM)
		return bis_fail(EINVAL, "option '%s' is '%s', expected one of %s", row->name, text, row->choices);
	return bis_fail(EINVAL, "option '%s' is '%s', expected %s", row->name, text, expected[row->type]);
}

static int set_value(const struct bis_option *row, struct value *v, const char *text)
{
	bool on = false, fits = true;

	switch (row->type) {
	case BIS_OPTION_TEXT:
		break;
	case BIS_OPTION_U64:
	case BIS_OPTION_SIZE:
		fits = parse_u64(text, row->type == BIS_OPTION_SIZE, &v->number);
		break;
	case BIS_OPTION_BOOL:
		fits = bis_parse_bool(text, strlen(text), &on);
		v->number = on;
		break;
	case BIS_OPTION_ENUM:
		fits = row->choices && is_choice(row->choices, text);
		break;
	default:
		return bis_fail(EINVAL, "option '%s' has a type that does not exist", row->name);
	}
	if (!fits)
		return value_error(row, text);
	v->text = strdup(text);
	return v->text ? 0 : bis_fail(ENOMEM, "no memory for option '%s'", row->name);
}

/* --- parsing --- */

static int unknown_key(const struct bis_options *o, const char *key)
{
	const char *names[64];
	size_t count = o->count < BIS_ARRAY_SIZE(names) ? o->count : BIS_ARRAY_SIZE(names);
	const char *near;

	if (o->count == 0)
		return bis_fail(EINVAL, "unknown option '%s' (there are no options)", key);
	for (size_t i = 0; i < count; i++)
		names[i] = o->table[i].name;
	near = bis_nearest_name(key, names, count);
	if (near)
		return bis_fail(EINVAL, "unknown option '%s' (did you mean '%s'?)", key, near);
	return bis_fail(EINVAL, "unknown option '%s'", key);
}

static int set_item(struct bis_options *o, char *item)
{
	char *value = strchr(item, '=');
	struct value *v;
	size_t i;

	if (value)
		*value++ = '\0';
	if (*item == '\0')
		return bis_fail(EINVAL, "an option without a name, expected key=value");
	for (i = 0; i < o->count && strcmp(o->table[i].name, item) != 0; i++)
		;
	if (i == o->count)
		return unknown_key(o, item);
	v = &o->values[i];
	if (v->given)
		return bis_fail(EINVAL, "option '%s' is given twice", item);
	if (!value && o->table[i].type != BIS_OPTION_BOOL)
		return bis_fail(EINVAL, "option '%s' needs a value, expected %s=…", item, item);
	v->given = true;
	return set_value(&o->table[i], v, value ? value : "on");
}

/* Cuts the next item off *rest in place, turning ",," into a comma; NULL when nothing is left. */
static char *next_item(char **rest)
{
	char *item = *rest, *from = item, *to = item;

	if (!item)
		return NULL;
	while (*from && !(from[0] == ',' && from[1] != ',')) {
		if (*from == ',')
			from++;
		*to++ = *from++;
	}
	*rest = *from ? from + 1 : NULL;
	*to = '\0';
	return item;
}

static int set_items(struct bis_options *o, const char *text)
{
	char *copy, *rest, *item;
	int err = 0;

	if (!text || !*text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return bis_fail(ENOMEM, "no memory for the options");
	rest = copy;
	while (!err && (item = next_item(&rest)))
		err = set_item(o, item);
	free(copy);
	return err;
}

static int set_defaults(struct bis_options *o)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct bis_option *row = &o->table[i];
		int err;

		if (o->values[i].given)
			continue;
		if (!row->def)
			return bis_fail(EINVAL, "option '%s' is required (%s)", row->name,
					row->help ? row->help : "no help");
		if (!*row->def)
			continue;
		err = set_value(row, &o->values[i], row->def);
		if (err)
			return err;
	}
	return 0;
}

int bis_options_parse(const char *owner, const struct bis_option *table, const char *text, struct bis_options **out)
{
	size_t count = table_length(table);
	struct bis_options *o = calloc(1, sizeof(*o) + count * sizeof(o->values[0]));
	int err;

	if (!o)
		return bis_fail(ENOMEM, "%s: no memory for the options", owner);
	o->table = table;
	o->count = count;
	err = set_items(o, text);
	if (!err)
		err = set_defaults(o);
	if (err) {
		bis_options_free(o);
		return bis_fail_prefix(err, "%s", owner);
	}
	*out = o;
	return 0;
}

void bis_options_free(struct bis_options *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->count; i++)
		free(o->values[i].text);
	free(o);
}

/* --- access --- */

/* The value of `name` if its row has one of two types, else NULL. */
static const struct value *find(const struct bis_options *o, const char *name, enum bis_option_type a,
				enum bis_option_type b)
{
	for (size_t i = 0; i < o->count; i++) {
		if (strcmp(o->table[i].name, name) == 0)
			return o->table[i].type == a || o->table[i].type == b ? &o->values[i] : NULL;
	}
	return NULL;
}

const char *bis_option_text(const struct bis_options *o, const char *name)
{
	const struct value *v = find(o, name, BIS_OPTION_TEXT, BIS_OPTION_ENUM);

	if (!v)
		return NULL;
	return v->text ? v->text : "";
}

uint64_t bis_option_u64(const struct bis_options *o, const char *name)
{
	const struct value *v = find(o, name, BIS_OPTION_U64, BIS_OPTION_SIZE);

	return v ? v->number : 0;
}

bool bis_option_bool(const struct bis_options *o, const char *name)
{
	const struct value *v = find(o, name, BIS_OPTION_BOOL, BIS_OPTION_BOOL);

	return v && v->number;
}

bool bis_option_given(const struct bis_options *o, const char *name)
{
	for (size_t i = 0; i < o->count; i++) {
		if (strcmp(o->table[i].name, name) == 0)
			return o->values[i].given;
	}
	return false;
}
