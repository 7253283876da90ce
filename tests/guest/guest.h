/*
 * Harness of the self-checking guest programs.
 *
 * A program defines main(), which runs on hart 0 in M-mode with translation off and interrupts disabled.
 * It states facts with check() and its relatives; when main() returns, the harness prints the number of
 * checks and ends the machine through the test finisher: status 0 if all held, 1 otherwise.
 *
 * Only M-mode code with translation off may call check*(): S-mode and U-mode code runs through run_in()
 * and hands its findings back as a value or in memory.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csr.h"
#include "layout.h"

/* Chooses by register width, so that one table row serves rv32 and rv64. */
#if XLEN == 64
#define BY_XLEN(on32, on64) (on64)
#else
#define BY_XLEN(on32, on64) (on32)
#endif

/* A 32-bit value as a register holds it: sign-extended. */
#define SX32(v) ((ulong)(long)(int32_t)(v))
/* The most negative register value. */
#define XMIN ((ulong)1 << (XLEN - 1))

enum guest_mode { MODE_U = 0, MODE_S = 1, MODE_M = 3 };

enum guest_cause {
	CAUSE_FETCH_MISALIGNED = 0,
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_ILLEGAL = 2,
	CAUSE_BREAKPOINT = 3,
	CAUSE_LOAD_MISALIGNED = 4,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_MISALIGNED = 6,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_ECALL_U = 8,
	CAUSE_ECALL_S = 9,
	CAUSE_ECALL_M = 11,
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
};

enum guest_irq { IRQ_SSI = 1, IRQ_MSI = 3, IRQ_STI = 5, IRQ_MTI = 7, IRQ_SEI = 9, IRQ_MEI = 11 };

#define IRQ_FLAG ((ulong)1 << (XLEN - 1))
#define NO_TRAP	 (~(ulong)0)

/* mstatus and sstatus fields, privileged specification section 3.1.6 */
#define STATUS_SIE	  BIT(1)
#define STATUS_MIE	  BIT(3)
#define STATUS_SPIE	  BIT(5)
#define STATUS_MPIE	  BIT(7)
#define STATUS_SPP	  BIT(8)
#define STATUS_MPP	  (3ul << 11)
#define STATUS_MPP_SHIFT  11
#define STATUS_FS	  (3ul << 13)
#define STATUS_FS_INITIAL (1ul << 13)
#define STATUS_FS_CLEAN	  (2ul << 13)
#define STATUS_FS_DIRTY	  (3ul << 13)
#define STATUS_MPRV	  BIT(17)
#define STATUS_SUM	  BIT(18)
#define STATUS_MXR	  BIT(19)
#define STATUS_TVM	  BIT(20)
#define STATUS_TW	  BIT(21)
#define STATUS_TSR	  BIT(22)
#define STATUS_SD	  BIT(XLEN - 1)

/* The last trap that was taken while a TRY() was in progress; its first three fields are known to TRY(). */
struct guest_trap {
	ulong resume; /* where the handler continues; 0 when no TRY() is in progress */
	ulong at;     /* address of the instruction under test */
	ulong cause;  /* NO_TRAP when the instruction completed */
	ulong tval;
	ulong epc;
	ulong status; /* mstatus or sstatus as the handler found it */
	ulong mode;   /* mode of the handler: MODE_M or MODE_S */
};
extern struct guest_trap trap;

/*
 * Text for an asm statement that executes `insns` and goes on behind them should they trap; `trap` tells what
 * happened. Works in every mode whose mapping reaches `trap`. The statement must list TRY_CLOBBERS.
 */
#if XLEN == 64
#define GUEST_SX   "sd"
#define GUEST_LX   "ld"
#define GUEST_SLOT "8"
#else
#define GUEST_SX   "sw"
#define GUEST_LX   "lw"
#define GUEST_SLOT "4"
#endif
#define GUEST_TRY(before, insns, after)                                                                                \
	"	la	t1, trap\n"                                                                                               \
	"	la	t0, 98f\n"                                                                                                \
	"	" GUEST_SX "	t0, " GUEST_SLOT "(t1)\n"                                                              \
	"	li	t0, -1\n"                                                                                                 \
	"	" GUEST_SX "	t0, 2*" GUEST_SLOT "(t1)\n"                                                            \
	"	la	t0, 99f\n"                                                                                                \
	"	" GUEST_SX "	t0, 0(t1)\n" before "98:	" insns "\n"                                           \
	"99:	" after "\n"                                                                                           \
	"	la	t1, trap\n"                                                                                               \
	"	" GUEST_SX "	zero, 0(t1)\n"
#define TRY(insns)   GUEST_TRY("", insns, "")
#define TRY_CLOBBERS "t0", "t1", "memory"

/*
 * The same for one load or store as the mode in mstatus.MPP would do it (MPRV), for use in M-mode; the statement
 * has an operand [mprv] "r"(STATUS_MPRV).
 */
#define TRY_AS(insn) GUEST_TRY("	csrs	mstatus, %[mprv]\n", insn, "csrc	mstatus, %[mprv]")

/* One access of a kind to an address; each gives the cause, or NO_TRAP. */
enum access { LOAD, STORE, FETCH };

/* As `mode` through MPRV, with a byte; a store writes 0x5a. Not for FETCH. */
ulong access_as(enum guest_mode mode, enum access kind, ulong address);
/* In `mode` through run_in(); FETCH calls the address, where a return instruction must lie. */
ulong access_in(enum guest_mode mode, enum access kind, ulong address);

/*
 * Interrupts in the order they were taken. The handler disables the one it takes in mie (M) or sie (S), but for the
 * machine timer when timer_period is set: that one is set to fire again after timer_period ticks.
 */
struct guest_irqs {
	ulong count;
	ulong cause[16]; /* without the interrupt flag */
	ulong mode[16];
	ulong epc[16];
	ulong tval[16];
};
extern volatile struct guest_irqs irqs;
extern ulong timer_period;

/* States that got equals want; on failure prints the name and both values. */
void check(const char *name, uint64_t got, uint64_t want);
/* The same for row number `row` of a table. */
void check_row(const char *name, ulong row, uint64_t got, uint64_t want);
/* The last TRY() trapped with this cause and tval, and its epc is the instruction under test. */
void check_trap(const char *name, ulong cause, ulong tval);
/* As check_trap(); tval may also be 0, where the specification leaves the choice. */
void check_trap_or_zero(const char *name, ulong cause, ulong tval);
/* The last TRY() was refused as illegal, with the instruction's bits in tval. */
void check_illegal(const char *name);
/* The last TRY() completed. */
void check_no_trap(const char *name);

/*
 * Runs fn(a0, a1) in `mode` on a stack of its own and returns its value. The function must not be interrupted
 * by a trap other than those of TRY(). With run_offset set, fn, its stack and its return address are used at
 * their address plus run_offset: a second mapping of the program, for U-mode under translation.
 */
ulong run_in(enum guest_mode mode, ulong (*fn)(ulong, ulong), ulong a0, ulong a1);
extern ulong run_offset;

/* Lets S-mode and U-mode reach all of memory: PMP entry 15 allows everything, with lowest priority. */
void open_pmp(void);

/* Forgets the recorded interrupts. */
void irqs_clear(void);

/* Runs on every other hart once hart 0 has sent it a software interrupt, in M-mode. The default waits forever. */
void secondary_main(ulong hart);

/* Addresses of the linker script: the program is [image_begin, image_end). */
extern uint8_t image_begin[], image_end[];

int main(void);

/* Entry points of the start-up code. */
void trap_m_entry(void);
void trap_s_entry(void);

/* Memory-mapped devices. */
static inline volatile uint32_t *clint_msip(ulong hart)
{
	return (volatile uint32_t *)(CLINT_BASE + 4 * hart);
}

/* mtime and mtimecmp are read and written in halves, so that both widths use one way. */
uint64_t mtime_read(void);
void mtimecmp_write(ulong hart, uint64_t when);

#endif
