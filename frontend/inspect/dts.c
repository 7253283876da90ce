/*
 * A device tree blob as source text (Devicetree Specification 0.4, chapter 6 and appendix A). What a property holds is
 * not said in a blob: printable strings are shown as strings, whole cells as cells, the rest as bytes.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <libfdt.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

#define DEPTH_MAX 64

static void indent(struct inspect_text *out, int depth)
{
	for (int i = 0; i < depth; i++)
		inspect_put(out, "\t");
}

/* Strings one behind the other, none empty, each ended by NUL. */
static bool is_strings(const char *value, int len)
{
	bool empty = true;

	if (len < 2 || value[len - 1])
		return false;
	for (int i = 0; i < len; i++) {
		if (!value[i] && empty)
			return false;
		if (value[i] && !isprint((unsigned char)value[i]))
			return false;
		empty = !value[i];
	}
	return true;
}

static void put_strings(struct inspect_text *out, const char *value, int len)
{
	for (const char *s = value; s < value + len; s += strlen(s) + 1) {
		inspect_put(out, "%s", s == value ? "" : ", ");
		inspect_put_json(out, s);
	}
}

static void put_value(struct inspect_text *out, const char *value, int len)
{
	if (is_strings(value, len)) {
		put_strings(out, value, len);
	} else if (len % 4 == 0) {
		for (int i = 0; i < len; i += 4) {
			fdt32_t cell;

			memcpy(&cell, value + i, sizeof(cell));
			inspect_put(out, "%s0x%x", i ? " " : "<", fdt32_to_cpu(cell));
		}
		inspect_put(out, ">");
	} else {
		for (int i = 0; i < len; i++)
			inspect_put(out, "%s%02x", i ? " " : "[", (unsigned char)value[i]);
		inspect_put(out, "]");
	}
}

static void put_properties(struct inspect_text *out, const void *blob, int node, int depth)
{
	int at;

	fdt_for_each_property_offset(at, blob, node)
	{
		const char *name, *value;
		int len;

		value = fdt_getprop_by_offset(blob, at, &name, &len);
		if (!value)
			continue;
		indent(out, depth);
		inspect_put(out, "%s%s", name, len ? " = " : "");
		if (len)
			put_value(out, value, len);
		inspect_put(out, ";\n");
	}
}

int inspect_put_dts(struct inspect_text *out, const void *blob, size_t size)
{
	int depth = -1, open = 0, node;

	(void)size;
	inspect_put(out, "/dts-v1/;\n");
	for (node = fdt_next_node(blob, -1, &depth); node >= 0 && depth >= 0;
	     node = fdt_next_node(blob, node, &depth)) {
		const char *name = fdt_get_name(blob, node, NULL);

		if (depth >= DEPTH_MAX)
			return bis_fail(EINVAL, "the device tree is deeper than %d nodes", DEPTH_MAX);
		for (; open > depth; open--) {
			indent(out, open - 1);
			inspect_put(out, "};\n");
		}
		inspect_put(out, "\n");
		indent(out, depth);
		inspect_put(out, "%s {\n", name && *name ? name : "/");
		put_properties(out, blob, node, depth + 1);
		open = depth + 1;
	}
	for (; open > 0; open--) {
		indent(out, open - 1);
		inspect_put(out, "};\n");
	}
	return 0;
}
