/*
 * --drive file=PATH[,readonly][,overlay=PATH][,serial=TEXT][,if=virtio|native]: `if` chooses the device, everything
 * else is for it to read. Runs on the main thread.
 */
#include "drive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>
#include <biscuit/error.h>

#include "frontend/run/spec.h"

#define EXPECTED "file=PATH[,readonly][,overlay=PATH][,serial=TEXT][,if=virtio|native]"

static const char *const kinds[] = {"virtio", "native"};

static int read_kind(const struct spec_item *item, bool *native)
{
	char word[32];

	snprintf(word, sizeof(word), "%.*s", item->value_length, item->value ? item->value : "");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(kinds); i++) {
		if (strcmp(word, kinds[i]))
			continue;
		*native = i == 1;
		return 0;
	}
	return spec_unknown("--drive: if is", word, kinds, BIS_ARRAY_SIZE(kinds), "virtio or native");
}

int drive_check(const char *value, bool *native)
{
	const char *rest = value;
	struct spec_item item;
	bool file = false;
	int err = 0;

	*native = false;
	while (!err && spec_next(&rest, &item)) {
		file |= spec_is(&item, "file") && item.value_length;
		if (spec_is(&item, "if"))
			err = read_kind(&item, native);
	}
	if (!err && !file)
		err = bis_fail(EINVAL, "--drive: '%s', expected %s", value, EXPECTED);
	return err;
}

/* The module's specification: the value without `if`. To be freed; NULL: out of memory. */
static char *module_spec(const char *value, bool native)
{
	const char *rest = value;
	struct spec_item item;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fputs(native ? "block,slot=3" : "virtio-blk", f);
	while (spec_next(&rest, &item)) {
		if (spec_is(&item, "if"))
			continue;
		fprintf(f, ",%.*s", item.key_length, item.key);
		if (item.value)
			fprintf(f, "=%.*s", item.value_length, item.value);
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

int drive_add(struct bis_machine *m, const char *value)
{
	struct bis_module *mod;
	bool native;
	char *spec;
	int err = drive_check(value, &native);

	if (err)
		return err;
	spec = module_spec(value, native);
	if (!spec)
		return bis_fail(ENOMEM, "--drive: out of memory");
	err = native ? bis_machine_add(m, spec, &mod) : bis_board_virtio(m, spec, &mod);
	free(spec);
	return err ? bis_fail_prefix(err, "--drive") : 0;
}
