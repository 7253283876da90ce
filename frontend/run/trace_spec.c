/*
 * The value of --trace: items with commas between them,
 *     KIND[:FILTER]   lines of that kind, all or some; several of a kind add up
 *     file=PATH       where they go
 *     format=text|json
 * Runs on the main thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/run/spec.h"
#include "frontend/run/trace_internal.h"

#define EXPECTED "insn, trap, mmio, csr or fs, each with :FILTER if you like; file=PATH; format=text|json"

static const char *const kinds[TRACE_KINDS] = {"insn", "trap", "mmio", "csr", "fs"};
static const char *const formats[] = {"text", "json"};

const char *trace_kind_name(enum trace_kind kind)
{
	return kinds[kind];
}

int trace_spec_add(struct trace *t, enum trace_kind kind, char *filter)
{
	struct trace_filter *more = realloc(t->filters, (t->count + 1) * sizeof(*more));

	if (!more) {
		free(filter);
		return bis_fail(ENOMEM, "--trace: out of memory");
	}
	t->filters = more;
	t->filters[t->count++] = (struct trace_filter){.kind = kind, .text = filter, .slot = -1};
	t->kinds |= 1u << kind;
	return 0;
}

void trace_filters_free(struct trace *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->filters[i].text);
		free(t->filters[i].share);
	}
	free(t->filters);
	t->filters = NULL;
	t->count = 0;
}

static int unknown_kind(const char *word)
{
	const char *names[TRACE_KINDS + 2] = {"file=", "format="};

	if (strchr(word, '/'))
		return bis_fail(EINVAL, "--trace: unknown kind '%s' (a file is file=%s), expected " EXPECTED, word,
				word);
	memcpy(names + 2, kinds, sizeof(kinds));
	return spec_unknown("--trace: unknown kind", word, names, BIS_ARRAY_SIZE(names), EXPECTED);
}

static int read_kind(struct trace *t, const char *item)
{
	size_t len = strcspn(item, ":");
	char word[64];

	for (unsigned k = 0; k < TRACE_KINDS; k++) {
		char *filter = NULL;

		if (len != strlen(kinds[k]) || strncmp(item, kinds[k], len) != 0)
			continue;
		if (item[len] && !item[len + 1])
			return bis_fail(EINVAL, "--trace: '%s', expected a filter behind the ':'", item);
		if (item[len] && !(filter = strdup(item + len + 1)))
			return bis_fail(ENOMEM, "--trace: out of memory");
		return trace_spec_add(t, (enum trace_kind)k, filter);
	}
	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word)), item);
	return unknown_kind(word);
}

static int read_file(struct trace_target *target, const char *path)
{
	if (!*path)
		return bis_fail(EINVAL, "--trace: file= is empty, expected a path");
	if (target->path)
		return bis_fail(EINVAL, "--trace: file= is given twice, there is one trace");
	target->path = strdup(path);
	return target->path ? 0 : bis_fail(ENOMEM, "--trace: out of memory");
}

static int read_format(struct trace_target *target, const char *word)
{
	bool json = !strcmp(word, "json");

	if (!json && strcmp(word, "text") != 0)
		return spec_unknown("--trace: format is", word, formats, BIS_ARRAY_SIZE(formats), "text or json");
	if (target->format_given && target->json != json)
		return bis_fail(EINVAL, "--trace: format= is given twice, there is one trace");
	target->json = json;
	target->format_given = true;
	return 0;
}

static int read_item(const char *item, struct trace *t, struct trace_target *target)
{
	if (!strncmp(item, "file=", 5))
		return read_file(target, item + 5);
	if (!strncmp(item, "format=", 7))
		return read_format(target, item + 7);
	if (!*item)
		return bis_fail(EINVAL, "--trace: an empty item, expected " EXPECTED);
	return read_kind(t, item);
}

int trace_spec_read(const char *value, struct trace *t, struct trace_target *target)
{
	const char *rest = value;
	struct spec_item item;
	int err = *value ? 0 : bis_fail(EINVAL, "--trace: is empty, expected " EXPECTED);

	while (!err && spec_next(&rest, &item)) {
		const char *end = item.value ? item.value + item.value_length : item.key + item.key_length;
		char *text = spec_copy(item.key, (size_t)(end - item.key));

		err = text ? read_item(text, t, target) : bis_fail(ENOMEM, "--trace: out of memory");
		free(text);
	}
	return err;
}

int trace_check(const char *value)
{
	struct trace_target target = {0};
	struct trace t = {0};
	int err = trace_spec_read(value, &t, &target);

	trace_filters_free(&t);
	free(target.path);
	return err;
}
