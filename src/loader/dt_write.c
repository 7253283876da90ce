/*
 * Writing a flattened device tree (Devicetree Specification, chapters "Flattened Devicetree Format" and "Devicetree
 * Basics") with libfdt's sequential calls: the functions that device modules use. Runs on the control thread.
 */
#include "dt_internal.h"

#include <libfdt.h>
#include <limits.h>
#include <string.h>

static void keep_error(struct bis_dt *dt, int result)
{
	if (!dt->error && result < 0)
		dt->error = result;
}

static void keep_fault(struct bis_dt *dt, const char *fault)
{
	if (!dt->fault)
		dt->fault = fault;
}

static bool may_write(const struct bis_dt *dt)
{
	return !dt->error && !dt->fault;
}

void bis_dt_bytes(struct bis_dt *dt, const char *name, const void *data, size_t size)
{
	if (!may_write(dt))
		return;
	if (!dt->depth || dt->levels[dt->depth - 1].has_child)
		keep_fault(dt, "a property after a child node");
	else if (size > INT_MAX)
		keep_fault(dt, "a property of more than 2 GiB");
	else
		keep_error(dt, fdt_property(dt->fdt, name, data, (int)size));
}

void bis_dt_u32(struct bis_dt *dt, const char *name, uint32_t value)
{
	bis_dt_cells(dt, name, &value, 1);
}

void bis_dt_u64(struct bis_dt *dt, const char *name, uint64_t value)
{
	fdt64_t v = cpu_to_fdt64(value);

	bis_dt_bytes(dt, name, &v, sizeof(v));
}

void bis_dt_cells(struct bis_dt *dt, const char *name, const uint32_t *cells, size_t count)
{
	fdt32_t v[64];

	if (count > BIS_ARRAY_SIZE(v)) {
		keep_fault(dt, "a property of more than 64 cells");
		return;
	}
	for (size_t i = 0; i < count; i++)
		v[i] = cpu_to_fdt32(cells[i]);
	bis_dt_bytes(dt, name, v, count * sizeof(v[0]));
}

void bis_dt_string(struct bis_dt *dt, const char *name, const char *value)
{
	bis_dt_bytes(dt, name, value, strlen(value) + 1);
}

void bis_dt_strings(struct bis_dt *dt, const char *name, const char *values, size_t size)
{
	bis_dt_bytes(dt, name, values, size);
}

void bis_dt_flag(struct bis_dt *dt, const char *name)
{
	bis_dt_bytes(dt, name, NULL, 0);
}

uint32_t bis_dt_hart_intc(struct bis_dt *dt, unsigned hart)
{
	(void)dt;
	return 1 + hart; /* the first phandles are theirs */
}

unsigned bis_dt_hart_count(struct bis_dt *dt)
{
	return dt->harts;
}

uint32_t bis_dt_phandle(struct bis_dt *dt)
{
	unsigned level = dt->depth - 1;

	if (!dt->depth)
		return 0;
	if (!dt->levels[level].phandle)
		dt->levels[level].phandle = dt->next_phandle++;
	if (!dt->levels[level].phandle_written) {
		dt->levels[level].phandle_written = true;
		bis_dt_u32(dt, "phandle", dt->levels[level].phandle);
	}
	return dt->levels[level].phandle;
}

void bis_dt_begin_reserved(struct bis_dt *dt, const char *name, uint32_t phandle)
{
	if (!may_write(dt))
		return;
	if (dt->depth == BIS_DT_DEPTH) {
		keep_fault(dt, "nodes nested too deep");
		return;
	}
	if (dt->depth)
		dt->levels[dt->depth - 1].has_child = true;
	memset(&dt->levels[dt->depth], 0, sizeof(dt->levels[0]));
	dt->levels[dt->depth].phandle = phandle;
	dt->depth++;
	keep_error(dt, fdt_begin_node(dt->fdt, name));
}

void bis_dt_begin(struct bis_dt *dt, const char *name)
{
	bis_dt_begin_reserved(dt, name, 0);
}

void bis_dt_end(struct bis_dt *dt)
{
	if (!may_write(dt))
		return;
	if (!dt->depth) {
		keep_fault(dt, "a node closed that was not open");
		return;
	}
	dt->depth--;
	keep_error(dt, fdt_end_node(dt->fdt));
}
