/* The table of CSR fields, <biscuit/debug.h>: the rows of csr_fields.def. */
#include <string.h>

#include <biscuit/debug.h>

#define X32  BIS_X32
#define X64  BIS_X64
#define XANY (BIS_X32 | BIS_X64)

static const struct bis_csr_field fields[] = {
#define FIELD(csr_, name_, low_, width_, xlens_, help_)                                                                \
	{.csr = #csr_, .name = #name_, .low = (low_), .width = (width_), .xlens = (xlens_), .help = (help_)},
#include "src/cpu/csr_fields.def"
};

const struct bis_csr_field *bis_csr_field(const char *csr, unsigned xlen, size_t index)
{
	unsigned want = xlen == 32 ? BIS_X32 : BIS_X64;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].csr, csr) && (fields[i].xlens & want) && index-- == 0)
			return &fields[i];
	return NULL;
}
