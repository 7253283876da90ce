/*
 * Character back end that leads nowhere: output is dropped, input never comes and never ends. Runs with the device lock
 * held.
 */
#include <errno.h>
#include <stdlib.h>

#include <biscuit/chardev.h>
#include <biscuit/module.h>

#include "modules/modules.h"

struct null_end {
	struct bis_chardev *chardev;
	uint64_t dropped;
};

static const struct bis_field null_fields[] = {
	BIS_FIELD(struct null_end, dropped, U64, BIS_FIELD_COUNTER | BIS_FIELD_READONLY, "bytes of output dropped"),
	BIS_FIELD_END,
};

static const struct bis_option null_options[] = {
	{"chardev", BIS_OPTION_TEXT, "console", NULL, "name of the character device to plug into"},
	{0},
};

static size_t null_write(void *self, const uint8_t *buf, size_t len)
{
	struct null_end *n = self;

	(void)buf;
	n->dropped += len;
	return len;
}

static int null_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	static const struct bis_chardev_ops ops = {.write = null_write, .destroy = free};
	struct null_end *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	err = bis_chardev_create(bis_module_machine(mod), bis_option_text(options, "chardev"), &ops, n, &n->chardev);
	if (err) {
		free(n);
		return bis_fail_prefix(err, "%s", bis_module_name(mod));
	}
	*self = n;
	return 0;
}

static void null_destroy(void *self)
{
	struct null_end *n = self;

	bis_chardev_destroy(n->chardev);
}

const struct bis_module_class bis_chardev_null_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "chardev-null",
	.summary = "character back end: nothing",
	.options = null_options,
	.fields = null_fields,
	.create = null_create,
	.destroy = null_destroy,
};
