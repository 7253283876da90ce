/*
 * The core's own CSR rows, and the accessors that csr.def names.
 */
#ifndef BISCUIT_CPU_CSR_INTERNAL_H
#define BISCUIT_CPU_CSR_INTERNAL_H

#include "src/cpu/hart_internal.h"

typedef uint64_t (*csr_get_fn)(struct bis_hart *h, unsigned address);
typedef void (*csr_set_fn)(struct bis_hart *h, unsigned address, uint64_t value);

/* See csr.def. */
enum csr_kind { CSR_REST, CSR_ASKS, CSR_STATUS, CSR_WORD, CSR_EPC };

/* One row or a run of rows [first, last] named stem + (from + index). */
struct csr_row {
	uint16_t first, last;
	bool rv32_only;
	uint8_t from;
	const char *name;
	csr_get_fn get;
	csr_set_fn set; /* NULL: writes are ignored */
	enum csr_kind kind;
	uint8_t slot; /* of the member that it names */
};

enum { CSR_SIP = 0x144, CSR_MSTATUS = 0x300, CSR_MIP = 0x344 };

#define CSR_READ_ONLY(address) (((address) >> 10 & 3) == 3)
#define CSR_PRIV(address)      ((address) >> 8 & 3)

/* Which bits of mepc and sepc read as they are. */
uint64_t bis_csr_epc_mask(const struct bis_hart *h);
/* Which bits of mstatus mstatus (`machine`) or sstatus write. */
uint64_t bis_csr_status_mask(bool machine);
/* The bits of that register that are not in mstatus: they depend on mstatus.FS alone. */
uint64_t bis_csr_status_view(const struct bis_hart *h, bool machine);
/* Sets and clears the bits of mip or sip (`address`) that software may change there. */
void bis_csr_change_ip(struct bis_hart *h, unsigned address, uint64_t set, uint64_t clear);
/* The row for the address on a hart of that width, or NULL. */
const struct csr_row *bis_csr_core_row(unsigned address, unsigned xlen);
/* The same, if the hart has the register. */
const struct csr_row *bis_csr_core_find(const struct bis_hart *h, unsigned address);
/* bis_hart_csr_access for that row of the hart, where privilege is known to suffice and nobody is told. */
uint64_t bis_csr_core_access(struct bis_hart *h, const struct csr_row *row, unsigned address, enum bis_csr_op op,
			     uint64_t value, uint32_t raw);
/* Is the address a register of a native slot, and which? The results are written only if so. */
bool bis_csr_native(unsigned address, unsigned *slot, unsigned *reg);
/* Rows in table order; NULL beyond the last. */
const struct csr_row *bis_csr_core_row_at(size_t index);

#endif
