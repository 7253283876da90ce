/*
 * Harness of the self-checking programs that run in S-mode on the built-in SBI, with four harts. sbi_main() runs on
 * hart 0 with interrupts disabled; it states facts with check() and leaves through sbi_finish().
 */
#ifndef SBI_GUEST_H
#define SBI_GUEST_H

#define HARTS	   4
#define STACK_SIZE 8192

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csr.h"

#define ALL_ONES (~(ulong)0)

enum { EXT_BASE = 0x10, EXT_TIME = 0x54494d45, EXT_IPI = 0x735049, EXT_RFENCE = 0x52464e43 };
enum { EXT_HSM = 0x48534d, EXT_SRST = 0x53525354, EXT_DBCN = 0x4442434e };
enum { HSM_START, HSM_STOP, HSM_STATUS, HSM_SUSPEND };
enum { DBCN_WRITE, DBCN_READ, DBCN_WRITE_BYTE };
enum { STARTED = 0, STOPPED = 1, SUSPENDED = 4 };
enum { ERR_NOT_SUPPORTED = -2, ERR_INVALID_PARAM = -3, ERR_INVALID_ADDRESS = -5, ERR_ALREADY_AVAILABLE = -6 };
enum { IRQ_SSI = 1, IRQ_STI = 5 };
enum { CAUSE_LOAD_ACCESS = 5, CAUSE_LOAD_PAGE = 13 };
enum { STATUS_SIE = 2 };

#define barrier() __asm__ volatile("fence rw, rw" ::: "memory")

struct sbi_reply {
	long error, value;
};

struct sbi_reply sbi(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2, ulong a3, ulong a4);
/* Only the error code. */
long sbi_error(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2);
/* A timer interrupt at that time; on rv32 in two registers. */
long sbi_timer(uint64_t when);
uint64_t time_now(void);

/* What happened to a hart, by id: interrupts by cause, and the last exception. */
struct hart_traps {
	ulong interrupts[16];
	ulong exceptions, cause, tval;
};
extern volatile struct hart_traps traps[HARTS];
/* The handler disables the interrupt that it takes, and steps over an instruction that faults. */
void trap(ulong hart);

/* States that got equals want; hart 0 alone. `row` is shown with it. */
void check(const char *name, ulong row, long got, long want);
/* Prints the count of checks and shuts down: exit status 0 if all held, 1 otherwise. */
void sbi_finish(void) __attribute__((noreturn));
void sbi_puts(const char *text);

void sbi_main(ulong hart, const void *dtb);
void secondary_start(void);
/* Runs on every other hart once it has been started. */
void secondary_main(ulong hart, ulong opaque);
#endif

#endif
