/* The harness behind sbi_guest.h: calls, text on the debug console, the count of checks, the trap handler. */
#include "sbi_guest.h"

volatile struct hart_traps traps[HARTS];
static ulong checks, failures;

enum { FAILURES_SHOWN = 24 };

struct sbi_reply sbi(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2, ulong a3, ulong a4)
{
	register ulong r0 __asm__("a0") = a0;
	register ulong r1 __asm__("a1") = a1;
	register ulong r2 __asm__("a2") = a2;
	register ulong r3 __asm__("a3") = a3;
	register ulong r4 __asm__("a4") = a4;
	register ulong r6 __asm__("a6") = fid;
	register ulong r7 __asm__("a7") = eid;

	__asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r3), "r"(r4), "r"(r6), "r"(r7) : "memory");
	return (struct sbi_reply){(long)r0, (long)r1};
}

long sbi_error(ulong eid, ulong fid, ulong a0, ulong a1, ulong a2)
{
	return sbi(eid, fid, a0, a1, a2, 0, 0).error;
}

long sbi_timer(uint64_t when)
{
#if XLEN == 64
	return sbi_error(EXT_TIME, 0, when, 0, 0);
#else
	return sbi_error(EXT_TIME, 0, (ulong)when, (ulong)(when >> 32), 0);
#endif
}

uint64_t time_now(void)
{
#if XLEN == 64
	return csr_read(time);
#else
	ulong high, low;

	do {
		high = csr_read(timeh);
		low = csr_read(time);
	} while (high != csr_read(timeh));
	return (uint64_t)high << 32 | low;
#endif
}

static void put(const char *text, ulong len)
{
	while (len) {
		struct sbi_reply r = sbi(EXT_DBCN, DBCN_WRITE, len, (ulong)text, 0, 0, 0);

		if (r.error)
			break;
		text += r.value;
		len -= (ulong)r.value;
	}
}

void sbi_puts(const char *text)
{
	ulong len = 0;

	while (text[len])
		len++;
	put(text, len);
}

static void put_number(long v)
{
	char digits[24];
	ulong at = sizeof(digits), rest = v < 0 ? -(ulong)v : (ulong)v;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (v < 0)
		digits[--at] = '-';
	put(digits + at, sizeof(digits) - at);
}

void check(const char *name, ulong row, long got, long want)
{
	checks++;
	if (got == want || ++failures > FAILURES_SHOWN)
		return;
	sbi_puts("FAIL ");
	sbi_puts(name);
	sbi_puts(" (");
	put_number((long)row);
	sbi_puts("): got ");
	put_number(got);
	sbi_puts(" want ");
	put_number(want);
	sbi_puts("\n");
}

void sbi_finish(void)
{
	put_number((long)checks);
	sbi_puts(failures ? " checks, some failed\n" : " checks passed\n");
	sbi(EXT_SRST, 0, 0, failures ? 1 : 0, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}

void trap(ulong hart)
{
	volatile struct hart_traps *t = &traps[hart];
	ulong cause = csr_read(scause);

	if ((long)cause < 0) {
		cause &= ALL_ONES >> 1;
		csr_clear(sie, BIT(cause));
		t->interrupts[cause]++;
		return;
	}
	t->exceptions++;
	t->cause = cause;
	t->tval = csr_read(stval);
	csr_write(sepc, csr_read(sepc) + 4); /* only uncompressed instructions fault here */
}
