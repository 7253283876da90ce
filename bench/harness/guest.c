/*
 * The harness of a payload that runs as a bare guest: prints through the 16550 UART and leaves through the test
 * finisher of the `virt` board. Entered from start.S in machine mode on hart 0.
 */
#include "guest.h"

#define UART_BASE	UINT32_C(0x10000000)
#define UART_THR	0
#define UART_LSR	5
#define UART_LSR_THRE	0x20
#define FINISHER	UINT32_C(0x100000)
#define FINISHER_PASS	UINT32_C(0x5555)
#define FINISHER_FAIL	UINT32_C(0x3333)
#define UNEXPECTED_EXIT 99

/* Called by start.S. */
void bench_guest_main(void);

/* Called by what gcc makes of structure copies and initialisers, even in a freestanding program. */
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memset(void *to, int value, size_t length);

static void put_char(char c)
{
	volatile uint8_t *uart = (volatile uint8_t *)(uintptr_t)UART_BASE;

	while (!(uart[UART_LSR] & UART_LSR_THRE))
		;
	uart[UART_THR] = (uint8_t)c;
}

static void put_text(const char *text)
{
	while (*text)
		put_char(*text++);
}

static void put_hex(uintptr_t value, unsigned digits)
{
	put_text("0x");
	while (digits--)
		put_char("0123456789abcdef"[(value >> (4 * digits)) & 15]);
}

static void finish(uint32_t code)
{
	*(volatile uint32_t *)(uintptr_t)FINISHER = code;
	for (;;)
		;
}

void bench_guest_main(void)
{
	uint32_t checksum = bench_run(bench_rounds);

	put_text("checksum ");
	put_hex(checksum, 8);
	put_char('\n');
	finish(FINISHER_PASS);
}

__attribute__((weak)) void bench_trap(struct bench_frame *frame)
{
	(void)frame;
	bench_unexpected_trap();
}

void bench_unexpected_trap(void)
{
	put_text("unexpected trap: mcause ");
	put_hex(bench_csr_read(mcause), 2 * sizeof(uintptr_t));
	put_text(" mepc ");
	put_hex(bench_csr_read(mepc), 2 * sizeof(uintptr_t));
	put_text(" mtval ");
	put_hex(bench_csr_read(mtval), 2 * sizeof(uintptr_t));
	put_char('\n');
	finish(UNEXPECTED_EXIT << 16 | FINISHER_FAIL);
}

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	while (length--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t length)
{
	uint8_t *t = to;

	while (length--)
		*t++ = (uint8_t)value;
	return to;
}
