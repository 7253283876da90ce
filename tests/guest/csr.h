/* Registers and CSRs from C, for both harnesses of guest programs. */
#ifndef GUEST_CSR_H
#define GUEST_CSR_H

typedef unsigned long ulong;

#define XLEN	      __riscv_xlen
#define BIT(n)	      ((ulong)1 << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define csr_read(csr)                                                                                                  \
	({                                                                                                             \
		ulong csr_value_;                                                                                      \
		__asm__ volatile("csrr %0, " #csr : "=r"(csr_value_)::"memory");                                       \
		csr_value_;                                                                                            \
	})
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"((ulong)(value)) : "memory")
#define csr_set(csr, bits)    __asm__ volatile("csrs " #csr ", %0" ::"r"((ulong)(bits)) : "memory")
#define csr_clear(csr, bits)  __asm__ volatile("csrc " #csr ", %0" ::"r"((ulong)(bits)) : "memory")

#endif
