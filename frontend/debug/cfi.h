/*
 * Call frame information: .eh_frame (Linux Standard Base, "Exception Frames") and .debug_frame (DWARF 5, section 6.4)
 * of a RISC-V file. The bytes are not believed: whatever is cut, loops or lies elsewhere is an entry that is not there.
 * A table is constant once created, for any thread.
 */
#ifndef BISCUIT_DEBUG_CFI_H
#define BISCUIT_DEBUG_CFI_H

#include <biscuit/types.h>

#define CFI_REGS 32 /* x0-x31, by their DWARF numbers */

enum cfi_rule {
	CFI_SAME,      /* unchanged */
	CFI_UNDEFINED, /* lost; of the return address: the outermost frame */
	CFI_AT,	       /* in memory at CFA + value */
	CFI_IS,	       /* CFA + value */
	CFI_IN,	       /* in register `value` */
};

/* How to find the caller's registers at one place of the code. */
struct cfi_row {
	unsigned cfa_reg; /* CFA = that register + cfa_offset */
	int64_t cfa_offset;
	unsigned ra; /* register that holds the return address */
	bool signal; /* a trap frame: its pc is no return address */
	struct {
		enum cfi_rule rule;
		int64_t value;
	} regs[CFI_REGS];
};

struct cfi_entry;

struct cfi {
	uint8_t *bytes;
	size_t size;
	uint64_t vaddr;
	unsigned word; /* bytes of an address */
	bool eh;
	struct cfi_entry *entries; /* by start address */
	size_t count;
};

/* Takes `bytes` over, also on failure: -ENOMEM. What cannot be understood is left out. */
BIS_MUST_CHECK int cfi_create(struct cfi *c, uint8_t *bytes, size_t size, uint64_t vaddr, unsigned xlen, bool eh_frame);
/* Frees what it holds. A zeroed table is one without entries. */
void cfi_free(struct cfi *c);
/* The row for `pc`; false where there is none that can be used. */
bool cfi_find(const struct cfi *c, uint64_t pc, struct cfi_row *out);

#endif
