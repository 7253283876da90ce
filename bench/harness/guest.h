/*
 * What the bare guest offers to payloads that need the privileged architecture (privileged specification 1.12).
 * Everything here runs on hart 0; nothing is re-entrant.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include "../bench.h"

enum bench_mode { BENCH_USER = 0, BENCH_SUPERVISOR = 1 };

/* Runs the payload, in direct.c or paged.c: in machine mode, or in supervisor mode with paging. */
uint32_t bench_run(uint32_t rounds);

/* The caller-saved registers of the interrupted code, in the order in which the trap entries of lower.S store them. */
struct bench_frame {
	uintptr_t ra;
	uintptr_t t[7];
	uintptr_t a[8];
};

/*
 * Runs function(argument) in a lower mode on a stack of its own and returns what it returned. All memory is open to the
 * lower mode through PMP entry 0. Traps to machine mode that happen meanwhile come to bench_trap(); an ecall with
 * a7 == 0 is the return itself.
 */
uintptr_t bench_lower(uintptr_t (*function)(uintptr_t), uintptr_t argument, enum bench_mode mode);

/* An stvec entry: saves a frame, calls bench_trap(), goes on behind the ecall. A call with a7 == 0 is passed to machine
 * mode, which returns from bench_lower(). sscratch must hold the top of a supervisor stack. */
void bench_supervisor_entry(void);

/* Defined by a payload that traps on purpose; called in the mode that took the trap. */
void bench_trap(struct bench_frame *frame);

/* Reports the trap that machine mode took last and ends the machine with a failure. */
void bench_unexpected_trap(void);

#define bench_csr_read(csr)                                                                                            \
	({                                                                                                             \
		uintptr_t value_;                                                                                      \
		__asm__ volatile("csrr %0, " #csr : "=r"(value_));                                                     \
		value_;                                                                                                \
	})
#define bench_csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"(value) : "memory")
#define bench_csr_set(csr, bits)    __asm__ volatile("csrs " #csr ", %0" ::"r"(bits) : "memory")
#define bench_csr_clear(csr, bits)  __asm__ volatile("csrc " #csr ", %0" ::"r"(bits) : "memory")

#endif
