/*
 * RISC-V control and status registers, for C and for assembly.
 *
 * Numbers and bit positions are those of the privileged specification 1.12; only what small systems
 * use is listed. Registers are named by their assembler names: csr_read(mcause), csr_set(sie, MIP_SSIP).
 * Everything here works on rv32 and rv64; M-mode registers trap in S-mode, of course.
 */
#ifndef RISCV_H
#define RISCV_H

/* mstatus and sstatus */
#define MSTATUS_SIE   0x2
#define MSTATUS_MIE   0x8
#define MSTATUS_SPIE  0x20
#define MSTATUS_MPIE  0x80
#define MSTATUS_SPP   0x100
#define MSTATUS_MPP   0x1800
#define MSTATUS_MPP_S 0x800
#define MSTATUS_SUM   0x40000

/* Interrupt numbers: bits of mip, mie, sip, sie and mideleg, and causes with the top bit set */
#define IRQ_S_SOFTWARE 1
#define IRQ_M_SOFTWARE 3
#define IRQ_S_TIMER    5
#define IRQ_M_TIMER    7
#define IRQ_S_EXTERNAL 9
#define IRQ_M_EXTERNAL 11
#define IRQ_NATIVE     16 /* Biscuit's native devices */

/* Exception causes */
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL	       2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_ECALL_U	       8
#define CAUSE_ECALL_S	       9
#define CAUSE_ECALL_M	       11
#define CAUSE_FETCH_PAGE       12
#define CAUSE_LOAD_PAGE	       13
#define CAUSE_STORE_PAGE       15

/* Page-table entries, the same low bits in every paging scheme */
#define PTE_V 0x01
#define PTE_R 0x02
#define PTE_W 0x04
#define PTE_X 0x08
#define PTE_U 0x10
#define PTE_G 0x20
#define PTE_A 0x40
#define PTE_D 0x80

#ifdef __ASSEMBLER__

/* Loads and stores of one register, whatever its width: `load a0, 2*XBYTES(sp)`. */
#if __riscv_xlen == 64
#define XBYTES 8
#define load   ld
#define store  sd
#else
#define XBYTES 4
#define load   lw
#define store  sw
#endif

#else

#include <stdbool.h>
#include <stdint.h>

#define CAUSE_INTERRUPT	 (1UL << (__riscv_xlen - 1))

/* The name is passed on once before it is put into quotes, so that a macro for a number works as a name does. */
#define RISCV_TEXT(text) #text
#define RISCV_CSR(name)	 RISCV_TEXT(name)

#define csr_read(csr)                                                                                                  \
	({                                                                                                             \
		unsigned long csr_value;                                                                               \
		__asm__ volatile("csrr %0, " RISCV_CSR(csr) : "=r"(csr_value) : : "memory");                           \
		csr_value;                                                                                             \
	})
#define csr_write(csr, value)                                                                                          \
	__asm__ volatile("csrw " RISCV_CSR(csr) ", %0" : : "rK"((unsigned long)(value)) : "memory")
#define csr_set(csr, bits)   __asm__ volatile("csrs " RISCV_CSR(csr) ", %0" : : "rK"((unsigned long)(bits)) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " RISCV_CSR(csr) ", %0" : : "rK"((unsigned long)(bits)) : "memory")

/* Clears bits and returns the register's former value, in one instruction. */
#define csr_read_clear(csr, bits)                                                                                      \
	({                                                                                                             \
		unsigned long csr_value;                                                                               \
		__asm__ volatile("csrrc %0, " RISCV_CSR(csr) ", %1"                                                    \
				 : "=r"(csr_value)                                                                     \
				 : "rK"((unsigned long)(bits))                                                         \
				 : "memory");                                                                          \
		csr_value;                                                                                             \
	})

/*
 * Reads a register that may not exist: true, and *value set, when it does. While the read is tried, traps lead to the
 * instruction behind it, so a missing register costs a trap and nothing else. `tvec` and `status` are the trap vector
 * and status register of the running privilege mode. Call it with interrupts disabled.
 */
#define CSR_PROBE(csr, value, tvec, status)                                                                            \
	({                                                                                                             \
		unsigned long csr_value = 0, csr_found, csr_vector, csr_status;                                        \
		__asm__ volatile("csrr %[saved], " #status "\n\t"                                                      \
				 "la %[vector], 1f\n\t"                                                                \
				 "csrrw %[vector], " #tvec ", %[vector]\n\t"                                           \
				 "li %[found], 0\n\t"                                                                  \
				 "csrr %[val], " #csr "\n\t"                                                           \
				 "li %[found], 1\n\t"                                                                  \
				 ".balign 4\n"                                                                         \
				 "1:\n\t"                                                                              \
				 "csrw " #tvec ", %[vector]\n\t"                                                       \
				 "csrw " #status ", %[saved]"                                                          \
				 : [val] "+&r"(csr_value), [found] "=&r"(csr_found), [vector] "=&r"(csr_vector),       \
				   [saved] "=&r"(csr_status)                                                           \
				 :                                                                                     \
				 : "memory");                                                                          \
		*(value) = csr_value;                                                                                  \
		csr_found != 0;                                                                                        \
	})
#define csr_probe_machine(csr, value)	 CSR_PROBE(csr, value, mtvec, mstatus)
#define csr_probe_supervisor(csr, value) CSR_PROBE(csr, value, stvec, sstatus)

/* Sleeps until an interrupt is pending and enabled in mie or sie, even when interrupts are disabled as a whole. */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

/* Orders all earlier memory and device accesses before all later ones. */
static inline void memory_fence(void)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

#if __riscv_xlen == 64
#define CSR_READ64(low, high) ((uint64_t)csr_read(low))
#else
/* Both halves of a counter; read again when the low half wrapped in between. */
#define CSR_READ64(low, high)                                                                                          \
	({                                                                                                             \
		unsigned long csr_high, csr_low;                                                                       \
		do {                                                                                                   \
			csr_high = csr_read(high);                                                                     \
			csr_low = csr_read(low);                                                                       \
		} while (csr_high != csr_read(high));                                                                  \
		(uint64_t) csr_high << 32 | csr_low;                                                                   \
	})
#endif

/* Ticks of the machine's timer since reset. The device tree says how many make a second: 10 million on Biscuit. */
static inline uint64_t read_time(void)
{
	return CSR_READ64(time, timeh);
}

/* Instructions that this hart has retired. */
static inline uint64_t read_instret(void)
{
	return CSR_READ64(instret, instreth);
}

#endif
#endif
