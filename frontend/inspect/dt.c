/* The device tree the guest was given, or would be: dt/dtb as a blob, dt/dts as source text. */
#include <stdlib.h>

#include <biscuit/loader.h>

#include "frontend/inspect/inspect_internal.h"

static int get_blob(struct inspect *in, void **blob, size_t *size)
{
	struct bis_dt_config config = {0};
	int err;

	if (in->options.device_tree)
		return in->options.device_tree(in->options.device_tree_arg, blob, size);
	bis_machine_lock_control(in->machine);
	err = bis_build_dtb(in->machine, &config, blob, size);
	bis_machine_unlock_control(in->machine);
	return err;
}

static int generate_dtb(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	size_t size;
	void *blob;
	int err = get_blob(in, &blob, &size);

	(void)n;
	if (err)
		return err;
	inspect_put_bytes(out, blob, size);
	free(blob);
	return 0;
}

static int generate_dts(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	size_t size;
	void *blob;
	int err = get_blob(in, &blob, &size);

	(void)n;
	if (err)
		return err;
	err = bis_check_dtb(blob, size);
	if (!err)
		err = inspect_put_dts(out, blob, size);
	free(blob);
	return err;
}

static const struct inspect_type dtb_type = {.kind = INSPECT_TEXT, .generate = generate_dtb};
static const struct inspect_type dts_type = {.kind = INSPECT_TEXT, .generate = generate_dts};

static const struct inspect_row rows[] = {
	{"dtb", &dtb_type, NULL},
	{"dts", &dts_type, NULL},
	{0},
};

const struct inspect_type inspect_dt_type = {.kind = INSPECT_DIR, .rows = rows};
