/*
 * The core's own CSR rows, and the accessors that csr.def names.
 */
#ifndef BISCUIT_CPU_CSR_INTERNAL_H
#define BISCUIT_CPU_CSR_INTERNAL_H

#include "src/cpu/hart_internal.h"

typedef uint64_t (*csr_get_fn)(struct bis_hart *h, unsigned address);
typedef void (*csr_set_fn)(struct bis_hart *h, unsigned address, uint64_t value);

/* One row or a run of rows [first, last] named stem + (from + index). */
struct csr_row {
	uint16_t first, last;
	bool rv32_only;
	uint8_t from;
	const char *name;
	csr_get_fn get;
	csr_set_fn set; /* NULL: writes are ignored */
};

enum { CSR_SIP = 0x144, CSR_MIP = 0x344 };

/* Sets and clears the bits of mip or sip (`address`) that software may change there. */
void bis_csr_change_ip(struct bis_hart *h, unsigned address, uint64_t set, uint64_t clear);
/* The row for the address on a hart of that width, or NULL. */
const struct csr_row *bis_csr_core_row(unsigned address, unsigned xlen);
/* Is the address a register of a native slot, and which? The results are written only if so. */
bool bis_csr_native(unsigned address, unsigned *slot, unsigned *reg);
/* Rows in table order; NULL beyond the last. */
const struct csr_row *bis_csr_core_row_at(size_t index);

#endif
