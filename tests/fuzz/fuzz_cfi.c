/*
 * Fuzz target: call frame information. The first byte chooses the kind of section (bit 0) and the width of addresses
 * (bit 1); the others are the section.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/debug/cfi.h"

#define VADDR 0x9000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfi_row row;
	struct cfi c;
	uint8_t *bytes;

	if (size < 2)
		return 0;
	bytes = malloc(size - 1);
	if (!bytes)
		abort();
	memcpy(bytes, data + 1, size - 1);
	if (cfi_create(&c, bytes, size - 1, VADDR, data[0] & 2 ? 32 : 64, data[0] & 1))
		abort();
	for (uint64_t pc = 0xff8; pc < 0x1080; pc += 2)
		if (cfi_find(&c, pc, &row) && (row.cfa_reg >= CFI_REGS || row.ra >= CFI_REGS))
			abort();
	(void)cfi_find(&c, UINT64_MAX, &row);
	cfi_free(&c);
	return 0;
}

/* A common entry and one for 0x1000 to 0x1040. */
static const uint8_t eh_frame[] = {1,
				   /* length, 0, version 1, "zR", 1, -8, ra, 1, pc-relative in 4; CFA = sp */
				   20, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 1, 1, 0x1b, 0x0c, 2, 0, 0, 0, 0, 0,
				   /* length, back to the common entry, start, size, no augmentation */
				   28, 0, 0, 0, 28, 0, 0, 0, 0xe0, 0x7f, 0xff, 0xff, 0x40, 0, 0, 0, 0,
				   /* CFA = sp + 32, ra and s0 saved; CFA = s0; the rest remembered and restored */
				   0x44, 0x0e, 0x20, 0x81, 1, 0x88, 2, 0x44, 0x0c, 8, 0, 0x0a, 0xc1, 0x0b, 0};
static const uint8_t debug_frame[] = {0,
				      /* length, all ones, version 4, "", 8, 0, 1, -8, ra; CFA = sp */
				      20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 4, 0, 8, 0, 1, 0x78, 1, 0x0c, 2, 0, 0, 0, 0,
				      0, 0, 0,
				      /* length, the common entry at 0, start, size */
				      28, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0,
				      /* the same in longer forms */
				      0x02, 4, 0x12, 2, 0x7c, 0x11, 1, 1};

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	const uint8_t *seed = index ? debug_frame : eh_frame;
	size_t len = index ? sizeof(debug_frame) : sizeof(eh_frame);

	if (index > 1 || len > max)
		return 0;
	memcpy(buf, seed, len);
	return len;
}
