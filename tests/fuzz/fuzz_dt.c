/* Fuzz target: checking a device tree blob; what passes is walked as a guest's boot loader would. */
#include "tests/fuzz/fuzz.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/loader.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int node, prop, depth = 0;

	if (bis_check_dtb(data, size))
		return 0;
	for (node = fdt_next_node(data, -1, &depth); node >= 0 && depth >= 0;
	     node = fdt_next_node(data, node, &depth)) {
		fdt_for_each_property_offset(prop, data, node)
		{
			const char *name;
			int len;
			const char *value = fdt_getprop_by_offset(data, prop, &name, &len);

			if (value && len > 0 && strlen(name) > 1000000 && value[len - 1])
				abort();
		}
	}
	return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	if (index || max < 4096 || fdt_create(buf, 4096) || fdt_finish_reservemap(buf) || fdt_begin_node(buf, "") ||
	    fdt_property_u32(buf, "#address-cells", 2) || fdt_property_string(buf, "compatible", "riscv-virtio") ||
	    fdt_begin_node(buf, "memory@80000000") || fdt_property_string(buf, "device_type", "memory") ||
	    fdt_end_node(buf) || fdt_end_node(buf) || fdt_finish(buf))
		return 0;
	return fdt_totalsize(buf);
}
