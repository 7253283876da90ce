/*
 * A hart, as modules and frontends see it. Unless a function says otherwise it may be called on the hart's own thread
 * (from helpers, CSR accessors, trap handlers) or on the control thread while the machine is paused.
 */
#ifndef BISCUIT_HART_H
#define BISCUIT_HART_H

#include <biscuit/device.h>
#include <biscuit/float.h>
#include <biscuit/isa.h>
#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bis_hart;
struct bis_machine;

/* Exception codes (privileged specification, table of mcause values). */
enum bis_cause {
	BIS_CAUSE_FETCH_MISALIGNED = 0,
	BIS_CAUSE_FETCH_ACCESS = 1,
	BIS_CAUSE_ILLEGAL = 2,
	BIS_CAUSE_BREAKPOINT = 3,
	BIS_CAUSE_LOAD_MISALIGNED = 4,
	BIS_CAUSE_LOAD_ACCESS = 5,
	BIS_CAUSE_STORE_MISALIGNED = 6,
	BIS_CAUSE_STORE_ACCESS = 7,
	BIS_CAUSE_ECALL_U = 8,
	BIS_CAUSE_ECALL_S = 9,
	BIS_CAUSE_ECALL_M = 11,
	BIS_CAUSE_FETCH_PAGE = 12,
	BIS_CAUSE_LOAD_PAGE = 13,
	BIS_CAUSE_STORE_PAGE = 15
};

enum bis_priv { BIS_PRIV_U = 0, BIS_PRIV_S = 1, BIS_PRIV_M = 3 };

unsigned bis_hart_id(const struct bis_hart *h);
struct bis_machine *bis_hart_machine(const struct bis_hart *h);
const struct bis_isa_spec *bis_hart_isa(const struct bis_hart *h);
const struct bis_decoder *bis_hart_decoder(const struct bis_hart *h);

/* Guest register slots (isa.h numbering; RISC-V: x0-x31, then f0-f31). Writes to a hardwired register are ignored. */
uint64_t bis_hart_reg(const struct bis_hart *h, unsigned slot);
void bis_hart_set_reg(struct bis_hart *h, unsigned slot, uint64_t value);
uint64_t bis_hart_pc(const struct bis_hart *h);
void bis_hart_set_pc(struct bis_hart *h, uint64_t pc);
enum bis_priv bis_hart_priv(const struct bis_hart *h);
void bis_hart_set_priv(struct bis_hart *h, enum bis_priv priv);
/* Instructions retired so far. Any thread (a running hart's value may be a little behind). */
uint64_t bis_hart_instret(const struct bis_hart *h);
/* True while the hart sleeps in WFI. Any thread. */
bool bis_hart_sleeping(const struct bis_hart *h);

/* --- For firmware (TRAP and BOOT attachments) --- */

/* Sets the privilege of the next instruction and its pc, and starts over as after a reset: SATP bare, interrupts off.
 */
void bis_hart_enter(struct bis_hart *h, enum bis_priv priv, uint64_t pc, uint64_t a0, uint64_t a1);
/*
 * Stops the hart: it executes nothing and takes no interrupt until bis_hart_launch. Own thread, or parked. Reset ends
 * the state.
 */
void bis_hart_halt(struct bis_hart *h);
/* Is the hart halted? Any thread. */
bool bis_hart_halted(const struct bis_hart *h);
/* Lets a halted hart go on through bis_hart_enter with a0 = its id. Any thread. -EALREADY if it is not halted. */
BIS_MUST_CHECK int bis_hart_launch(struct bis_hart *h, enum bis_priv priv, uint64_t pc, uint64_t a1);
/* As if the hart had executed WFI at its current instruction: sleeps until an enabled interrupt is pending. Own thread.
 */
void bis_hart_sleep(struct bis_hart *h);
/*
 * Makes each hart of `harts` (bit i: hart i) forget its address translations, as SFENCE.VMA without operands, and
 * returns when all have. Own thread of hart `self`, from a TRAP callback; `self` may be among them.
 */
void bis_hart_fence_others(struct bis_hart *self, uint64_t harts);
/*
 * Guest memory as the hart would see it by loads at its current privilege. 0, or -EFAULT, with `dst`
 * then undefined. Own thread, from a TRAP callback.
 */
BIS_MUST_CHECK int bis_hart_read_virtual(struct bis_hart *h, uint64_t va, void *dst, size_t len);

/* --- For helpers of instruction-set modules: hart's own thread --- */

/* Marks an exception at the current instruction; the helper then returns at once (its result is dropped). */
void bis_hart_raise(struct bis_hart *h, uint64_t cause, uint64_t tval);
/* The floating-point environment: accumulated flags and frm. */
struct bis_fp_env *bis_hart_fp(struct bis_hart *h);
/* Sets mstatus.FS to dirty. */
void bis_hart_fs_dirty(struct bis_hart *h);

/*
 * A CSR instruction's effect with all checks (privilege, existence, read-only, counters enabled, FS, TVM). READ does
 * not write; WRITE does not read (csrrw with rd = x0); SWAP/SET/CLEAR do both. On failure raises the
 * illegal-instruction exception with tval `raw` and returns 0.
 */
uint64_t bis_hart_csr_access(struct bis_hart *h, unsigned address, enum bis_csr_op op, uint64_t value, uint32_t raw);

/* Privileged instructions: ecall, ebreak, mret, sret, wfi, sfence.vma, fence.i; each checks legality, may raise, may
 * set the pc. */
void bis_hart_ecall(struct bis_hart *h);
void bis_hart_ebreak(struct bis_hart *h);
void bis_hart_mret(struct bis_hart *h, uint32_t raw);
void bis_hart_sret(struct bis_hart *h, uint32_t raw);
void bis_hart_wfi(struct bis_hart *h, uint32_t raw);
/* `has_va`, `has_asid`: rs1 and rs2 are not x0. */
void bis_hart_sfence_vma(struct bis_hart *h, bool has_va, uint64_t va, bool has_asid, uint64_t asid, uint32_t raw);
void bis_hart_fence_i(struct bis_hart *h);

/* --- For inspection: control thread, machine paused; no guest side effects --- */

/* Reads or writes a CSR by number as M-mode would, without counting or trapping. -ENOENT if it does not exist, -EACCES
 * read-only. */
BIS_MUST_CHECK int bis_hart_csr_get(struct bis_hart *h, unsigned address, uint64_t *out);
BIS_MUST_CHECK int bis_hart_csr_set(struct bis_hart *h, unsigned address, uint64_t value);
/* Writes the CSR's name; returns as snprintf does, -ENOENT if it does not exist on this hart. */
int bis_hart_csr_name(const struct bis_hart *h, unsigned address, char *buf, size_t size);
/* The CSR's number by name, or -ENOENT. */
int bis_hart_csr_number(const struct bis_hart *h, const char *name);
/* The standard name of a CSR on harts of that width, without a hart; -ENOENT for numbers the core does not know. */
int bis_csr_name(unsigned address, unsigned xlen, char *buf, size_t size);

/* Translates a virtual address as the hart would for a load, without setting A bits or raising. -EFAULT if unmapped. */
BIS_MUST_CHECK int bis_hart_translate(struct bis_hart *h, uint64_t va, bis_gpa *out);

/* --- For interrupt controllers, timers and firmware: any thread --- */

/* Level of an interrupt input of the hart. */
void bis_hart_set_line(struct bis_hart *h, enum bis_hart_line line, bool level);
/* The machine timer's compare value, in timebase ticks: the hart raises MTIP itself when time reaches it. */
void bis_hart_set_mtimecmp(struct bis_hart *h, uint64_t ticks);
/* The same for STIP, as the SBI's set_timer does; with Sstc this is stimecmp. Own thread, or parked. */
void bis_hart_set_stimecmp(struct bis_hart *h, uint64_t ticks);
uint64_t bis_hart_mtimecmp(const struct bis_hart *h);

#ifdef __cplusplus
}
#endif
#endif
