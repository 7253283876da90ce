/*
 * System calls: user mode calls machine mode and returns, then the same through delegation to supervisor mode. A
 * handler saves and restores what a kernel would and does next to nothing itself, so traps and returns are what is
 * measured.
 */
#include "../harness/guest.h"

#define CALLS_A_ROUND 1000
#define ECALL_FROM_U  8

const uint32_t bench_rounds = 1000 * BENCH_SCALE;

static _Alignas(16) uint8_t supervisor_stack[4096];
static uint32_t counter;

/* The system calls: a7 = 1 adds a0 to a counter, a7 = 2 gives it xor a0. */
void bench_trap(struct bench_frame *frame)
{
	switch (frame->a[7]) {
	case 1:
		counter += (uint32_t)frame->a[0];
		frame->a[0] = 0;
		break;
	case 2:
		frame->a[0] = counter ^ (uint32_t)frame->a[0];
		break;
	default:
		frame->a[0] = (uintptr_t)-1;
	}
}

static uintptr_t call(uintptr_t number, uintptr_t argument)
{
	register uintptr_t a0 __asm__("a0") = argument;
	register uintptr_t a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return a0;
}

/* Runs in user mode. */
static uintptr_t make_calls(uintptr_t rounds)
{
	uint32_t checksum = 1;

	for (uintptr_t i = 0; i < rounds * CALLS_A_ROUND; i += 2) {
		checksum ^= (uint32_t)call(1, i & 0xffff);
		checksum = bench_mix(checksum, (uint32_t)call(2, checksum));
	}
	return checksum;
}

uint32_t bench_payload(uint32_t rounds)
{
	uint32_t to_machine, to_supervisor;

	to_machine = (uint32_t)bench_lower(make_calls, rounds / 2, BENCH_USER);
	bench_csr_write(stvec, bench_supervisor_entry);
	bench_csr_write(sscratch, supervisor_stack + sizeof(supervisor_stack));
	bench_csr_set(medeleg, 1 << ECALL_FROM_U);
	to_supervisor = (uint32_t)bench_lower(make_calls, rounds / 2, BENCH_USER);
	return bench_mix(to_machine, to_supervisor);
}
