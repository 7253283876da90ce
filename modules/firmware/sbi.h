/*
 * What the parts of the built-in SBI share: the instance, one call, and the functions that the table of extensions in
 * sbi.c names.
 */
#ifndef BISCUIT_MODULES_SBI_H
#define BISCUIT_MODULES_SBI_H

#include <stdatomic.h>

#include <biscuit/chardev.h>
#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/memory.h>

/* RISC-V SBI 2.0, chapter 3: what a0 holds after a call. */
enum sbi_error {
	SBI_SUCCESS = 0,
	SBI_ERR_FAILED = -1,
	SBI_ERR_NOT_SUPPORTED = -2,
	SBI_ERR_INVALID_PARAM = -3,
	SBI_ERR_DENIED = -4,
	SBI_ERR_INVALID_ADDRESS = -5,
	SBI_ERR_ALREADY_AVAILABLE = -6,
};

enum { CSR_SSTATUS = 0x100, CSR_SIE = 0x104, CSR_STVEC = 0x105, CSR_SCOUNTEREN = 0x106 };
enum { CSR_SEPC = 0x141, CSR_SCAUSE = 0x142, CSR_STVAL = 0x143, CSR_SIP = 0x144 };
enum { CSR_MEDELEG = 0x302, CSR_MIDELEG = 0x303, CSR_MCOUNTEREN = 0x306, CSR_MENVCFG = 0x30a, CSR_MENVCFGH = 0x31a };
enum { CSR_PMPCFG0 = 0x3a0, CSR_PMPADDR0 = 0x3b0 };
enum { CSR_MVENDORID = 0xf11, CSR_MARCHID = 0xf12, CSR_MIMPID = 0xf13 };

/* What is counted apart. */
enum sbi_counter { SBI_COUNT_TIME, SBI_COUNT_IPI, SBI_COUNT_RFENCE, SBI_COUNT_HSM, SBI_COUNT_CONSOLE, SBI_COUNT_OTHER };
#define SBI_COUNTERS 6

struct sbi {
	struct bis_machine *machine;
	struct bis_memory *memory;
	struct bis_chardev *console;
	unsigned harts;
	/* Any hart's thread. */
	_Atomic bool suspended[BIS_MAX_HARTS]; /* its last call was hart_suspend */
	_Atomic uint64_t calls[SBI_COUNTERS];
};

/* How the hart goes on after a call. */
enum sbi_flow {
	SBI_RETURNS, /* behind the call, with the results in place */
	SBI_REPEATS, /* with the same call once more: it could not be finished now */
	SBI_LEAVES   /* as the function has set up the hart */
};

/* A call that is being carried out, on the thread of the hart that made it, without the device lock. */
struct sbi_call {
	struct sbi *sbi;
	struct bis_hart *hart;
	uint64_t ones;	 /* the register value -1 */
	uint64_t arg[6]; /* a0 to a5 */
	uint64_t value;	 /* for a1; 0 before the call */
	enum sbi_flow flow;
};

/*
 * A function of an extension: returns an error code, and on success may have set `value`. A legacy function returns
 * what a0 gets.
 */
typedef int64_t (*sbi_fn)(struct sbi_call *c);

/* Does the extension exist here? */
bool bis_sbi_probe(uint64_t eid);
/* The value of one of the hart's own CSRs, which exists. */
uint64_t bis_sbi_csr(struct bis_hart *h, unsigned address);
void bis_sbi_set_csr(struct bis_hart *h, unsigned address, uint64_t value);

/* --- sbi_system.c: BASE, SRST --- */
int64_t bis_sbi_get_spec_version(struct sbi_call *c);
int64_t bis_sbi_get_impl_id(struct sbi_call *c);
int64_t bis_sbi_get_impl_version(struct sbi_call *c);
int64_t bis_sbi_probe_extension(struct sbi_call *c);
int64_t bis_sbi_get_mvendorid(struct sbi_call *c);
int64_t bis_sbi_get_marchid(struct sbi_call *c);
int64_t bis_sbi_get_mimpid(struct sbi_call *c);
int64_t bis_sbi_system_reset(struct sbi_call *c);

/* --- sbi_hart.c: TIME, IPI, RFENCE, HSM --- */
int64_t bis_sbi_set_timer(struct sbi_call *c);
int64_t bis_sbi_send_ipi(struct sbi_call *c);
int64_t bis_sbi_remote_fence(struct sbi_call *c);
int64_t bis_sbi_hart_start(struct sbi_call *c);
int64_t bis_sbi_hart_stop(struct sbi_call *c);
int64_t bis_sbi_hart_status(struct sbi_call *c);
int64_t bis_sbi_hart_suspend(struct sbi_call *c);
/* A software interrupt for each hart of the bit set that is not stopped. */
void bis_sbi_interrupt(struct sbi *s, uint64_t harts);

/* --- sbi_console.c: DBCN and the console of the legacy extensions --- */
int64_t bis_sbi_console_write(struct sbi_call *c);
int64_t bis_sbi_console_read(struct sbi_call *c);
int64_t bis_sbi_console_write_byte(struct sbi_call *c);
int64_t bis_sbi_console_getchar(struct sbi_call *c);

/* --- sbi_legacy.c: extensions 0 to 8 --- */
int64_t bis_sbi_clear_ipi(struct sbi_call *c);
int64_t bis_sbi_legacy_send_ipi(struct sbi_call *c);
int64_t bis_sbi_legacy_remote_fence(struct sbi_call *c);
int64_t bis_sbi_shutdown(struct sbi_call *c);

#endif
