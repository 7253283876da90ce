/* The timer: stimecmp of the Sstc extension, or a call to mtimer.S, which owns the CLINT's timer. */
#include "timer.h"
#include "board.h"
#include <riscv.h>

#define CSR_STIMECMP  0x14d
#define CSR_STIMECMPH 0x15d
#define CSR_MENVCFG   0x30a
#define CSR_MENVCFGH  0x31a
#define MENVCFG_STCE  63

static bool sstc;

bool timer_probe_sstc(void)
{
	unsigned long value;

	if (!csr_probe_machine(CSR_STIMECMP, &value) || !csr_probe_machine(CSR_MENVCFG, &value))
		return false;
#if __riscv_xlen == 64
	csr_set(CSR_MENVCFG, 1UL << MENVCFG_STCE);
	sstc = csr_read(CSR_MENVCFG) >> MENVCFG_STCE & 1;
#else
	csr_set(CSR_MENVCFGH, 1UL << (MENVCFG_STCE - 32));
	sstc = csr_read(CSR_MENVCFGH) >> (MENVCFG_STCE - 32) & 1;
#endif
	return sstc;
}

bool timer_has_sstc(void)
{
	return sstc;
}

static void set_stimecmp(uint64_t when)
{
#if __riscv_xlen == 64
	csr_write(CSR_STIMECMP, when);
#else
	csr_write(CSR_STIMECMP, ~0UL); /* never a moment with a time in the past */
	csr_write(CSR_STIMECMPH, when >> 32);
	csr_write(CSR_STIMECMP, when);
#endif
}

static void call_machine_timer(uint64_t when)
{
	register unsigned long low __asm__("a0") = (unsigned long)when;
	register unsigned long high __asm__("a1") = (unsigned long)(when >> 32);

	__asm__ volatile("ecall" : : "r"(low), "r"(high) : "memory");
}

void timer_set(uint64_t when)
{
	if (sstc)
		set_stimecmp(when);
	else
		call_machine_timer(when);
}

uint64_t milliseconds_to_ticks(uint64_t milliseconds)
{
	return milliseconds * board.ticks_per_second / 1000;
}

uint64_t ticks_to_microseconds(uint64_t ticks)
{
	uint64_t second = board.ticks_per_second;

	return ticks / second * 1000000 + ticks % second * 1000000 / second;
}
