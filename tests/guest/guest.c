/*
 * The harness behind guest.h: text on the UART, the count of checks, and the trap handlers. Runs in the guest;
 * hart 0 alone checks, any hart may take a trap.
 */
#include "guest.h"

enum { UART_THR = 0, UART_LSR = 5, UART_LSR_THRE = 0x20, UART_LSR_TEMT = 0x40 };
enum { FINISHER_PASS = 0x5555, FINISHER_FAIL = 0x3333 };
enum { REG_A0 = 10, REG_A7 = 17 };
enum { FAILURES_SHOWN = 24 };

struct guest_trap trap;
volatile struct guest_irqs irqs;
ulong timer_period;
ulong run_offset;

static ulong checks;
static ulong failures;

void guest_main(void);
void trap_m(ulong *frame);
void trap_s(ulong *frame);
void leave_finish(ulong value) __attribute__((noreturn));
void *memset(void *dst, int byte, size_t len);
void *memcpy(void *dst, const void *src, size_t len);

/* The compiler may call these two for any initialiser or structure copy. */
void *memset(void *dst, int byte, size_t len)
{
	unsigned char *d = dst;

	while (len--)
		*d++ = (unsigned char)byte;
	return dst;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	while (len--)
		*d++ = *s++;
	return dst;
}

static void put_char(char c)
{
	volatile uint8_t *uart = (volatile uint8_t *)UART_BASE;

	while (!(uart[UART_LSR] & UART_LSR_THRE))
		;
	uart[UART_THR] = (uint8_t)c;
}

static void put_text(const char *text)
{
	while (*text)
		put_char(*text++);
}

static void put_hex(uint64_t v)
{
	uint32_t halves[2] = {(uint32_t)(v >> 32), (uint32_t)v};
	bool started = false;

	put_text("0x");
	for (int digit = 0; digit < 16; digit++) {
		unsigned nibble = halves[digit / 8] >> (28 - 4 * (digit % 8)) & 15;

		started = started || nibble || digit == 15;
		if (started)
			put_char("0123456789abcdef"[nibble]);
	}
}

static void put_number(ulong v)
{
	if (v >= 10)
		put_number(v / 10);
	put_char((char)('0' + v % 10));
}

static void __attribute__((noreturn)) finish(uint32_t code)
{
	while (!(((volatile uint8_t *)UART_BASE)[UART_LSR] & UART_LSR_TEMT))
		;
	*(volatile uint32_t *)FINISHER_BASE = code ? code << 16 | FINISHER_FAIL : FINISHER_PASS;
	for (;;)
		__asm__ volatile("wfi");
}

void guest_main(void)
{
	main();
	if (failures) {
		put_number(failures);
		put_text(" of ");
		put_number(checks);
		put_text(" checks failed\n");
		finish(1);
	}
	put_number(checks);
	put_text(" checks passed\n");
	finish(0);
}

__attribute__((weak)) void secondary_main(ulong hart)
{
	(void)hart;
}

/* Counts one check. what names the part of a compound fact, or is NULL; row is negative outside a table. */
static void count(const char *name, const char *what, long row, uint64_t got, uint64_t want)
{
	checks++;
	if (got == want)
		return;
	if (++failures > FAILURES_SHOWN)
		return;
	put_text("FAIL ");
	put_text(name);
	if (row >= 0) {
		put_text(" row ");
		put_number((ulong)row);
	}
	if (what) {
		put_text(", ");
		put_text(what);
	}
	put_text(": got ");
	put_hex(got);
	put_text(" want ");
	put_hex(want);
	put_char('\n');
}

void check(const char *name, uint64_t got, uint64_t want)
{
	count(name, NULL, -1, got, want);
}

void check_row(const char *name, ulong row, uint64_t got, uint64_t want)
{
	count(name, NULL, (long)row, got, want);
}

void check_trap(const char *name, ulong cause, ulong tval)
{
	count(name, "cause", -1, trap.cause, cause);
	if (trap.cause == NO_TRAP)
		return;
	count(name, "tval", -1, trap.tval, tval);
	count(name, "epc", -1, trap.epc, trap.at);
}

void check_trap_or_zero(const char *name, ulong cause, ulong tval)
{
	if (trap.tval == 0)
		tval = 0;
	check_trap(name, cause, tval);
}

void check_illegal(const char *name)
{
	const uint16_t *halves = (const uint16_t *)trap.at;
	ulong bits = halves[0];

	if ((bits & 3) == 3)
		bits |= (ulong)halves[1] << 16;
	check_trap(name, CAUSE_ILLEGAL, bits);
}

void check_no_trap(const char *name)
{
	count(name, "cause", -1, trap.cause, NO_TRAP);
}

void open_pmp(void)
{
	/* NAPOT, R W X in the top byte of the register that holds entry 15 */
	csr_write(pmpaddr15, ~(ulong)0 >> 1);
#if XLEN == 64
	csr_set(pmpcfg2, 0x1ful << 56);
#else
	csr_set(pmpcfg3, 0x1ful << 24);
#endif
}

static void set_mpp(enum guest_mode mode)
{
	csr_clear(mstatus, STATUS_MPP);
	csr_set(mstatus, (ulong)mode << STATUS_MPP_SHIFT);
}

ulong access_as(enum guest_mode mode, enum access kind, ulong address)
{
	ulong byte = 0x5a;

	set_mpp(mode);
	if (kind == LOAD)
		__asm__ volatile(TRY_AS("lbu %0, 0(%1)")
				 : "+&r"(byte)
				 : "r"(address), [mprv] "r"(STATUS_MPRV)
				 : TRY_CLOBBERS);
	else
		__asm__ volatile(TRY_AS("sb %0, 0(%1)")
				 : "+&r"(byte)
				 : "r"(address), [mprv] "r"(STATUS_MPRV)
				 : TRY_CLOBBERS);
	return trap.cause;
}

static ulong access_here(ulong kind, ulong address)
{
	ulong byte = 0x5a;

	if (kind == LOAD)
		__asm__ volatile(TRY("lbu %0, 0(%1)") : "+&r"(byte) : "r"(address) : TRY_CLOBBERS);
	else if (kind == STORE)
		__asm__ volatile(TRY("sb %0, 0(%1)") : "+&r"(byte) : "r"(address) : TRY_CLOBBERS);
	else
		__asm__ volatile(TRY("jalr %0")::"r"(address) : "ra", TRY_CLOBBERS);
	return trap.cause;
}

ulong access_in(enum guest_mode mode, enum access kind, ulong address)
{
	return run_in(mode, access_here, kind, address);
}

void irqs_clear(void)
{
	irqs.count = 0;
}

uint64_t mtime_read(void)
{
	volatile uint32_t *mtime = (volatile uint32_t *)(CLINT_BASE + 0xbff8);
	uint32_t high, low;

	do {
		high = mtime[1];
		low = mtime[0];
	} while (high != mtime[1]);
	return (uint64_t)high << 32 | low;
}

void mtimecmp_write(ulong hart, uint64_t when)
{
	volatile uint32_t *mtimecmp = (volatile uint32_t *)(CLINT_BASE + 0x4000 + 8 * hart);

	mtimecmp[1] = UINT32_MAX;
	mtimecmp[0] = (uint32_t)when;
	mtimecmp[1] = (uint32_t)(when >> 32);
}

static void put_trap(const char *mode, ulong cause, ulong epc, ulong tval)
{
	put_text(mode);
	put_text(" cause ");
	put_hex(cause);
	put_text(" epc ");
	put_hex(epc);
	put_text(" tval ");
	put_hex(tval);
	put_char('\n');
}

/* Ends the program: nobody waits for this trap. One that S-mode did not expect comes here as its call. */
static void __attribute__((noreturn)) unexpected(void)
{
	put_text("FAIL unexpected trap\n");
	put_trap("M", csr_read(mcause), csr_read(mepc), csr_read(mtval));
	put_trap("S", csr_read(scause), csr_read(sepc), csr_read(stval));
	finish(2);
}

/* Records the trap; returns where to continue, or 0 if no TRY() is in progress. */
static ulong record(ulong mode, ulong cause, ulong epc, ulong tval, ulong status)
{
	ulong resume = trap.resume;

	if (!resume)
		return 0;
	trap.resume = 0;
	trap.cause = cause;
	trap.tval = tval;
	trap.epc = epc;
	trap.status = status;
	trap.mode = mode;
	return resume;
}

static void record_irq(ulong mode, ulong cause, ulong epc, ulong tval)
{
	if (irqs.count == ARRAY_SIZE(irqs.cause))
		return;
	irqs.cause[irqs.count] = cause;
	irqs.mode[irqs.count] = mode;
	irqs.epc[irqs.count] = epc;
	irqs.tval[irqs.count] = tval;
	irqs.count++;
}

/* run_in()'s function leaves by an environment call, or by a breakpoint where S-mode's own calls are delegated to it.
 */
static bool leaving(ulong cause)
{
	return (cause >= CAUSE_ECALL_U && cause <= CAUSE_ECALL_M) || cause == CAUSE_BREAKPOINT;
}

void trap_m(ulong *frame)
{
	ulong cause = csr_read(mcause);
	ulong epc = csr_read(mepc);
	ulong resume;

	if (cause & IRQ_FLAG) {
		cause &= ~IRQ_FLAG;
		record_irq(MODE_M, cause, epc, csr_read(mtval));
		if (cause == IRQ_MTI && timer_period)
			mtimecmp_write(csr_read(mhartid), mtime_read() + timer_period);
		else
			csr_clear(mie, BIT(cause));
		return;
	}
	resume = record(MODE_M, cause, epc, csr_read(mtval), csr_read(mstatus));
	if (resume)
		csr_write(mepc, resume);
	else if (frame[REG_A7] == CALL_LEAVE && leaving(cause))
		leave_finish(frame[REG_A0]);
	else
		unexpected();
}

/* Passes a request to leave on to M-mode; any other trap that comes here is unexpected, which a7 = 0 says. */
static void call_machine(ulong cause, const ulong *frame)
{
	register ulong a0 __asm__("a0") = frame[REG_A0];
	register ulong a1 __asm__("a1") = cause;
	register ulong a7 __asm__("a7") = 0;

	if (cause == CAUSE_ECALL_U || cause == CAUSE_ECALL_S)
		a7 = frame[REG_A7];
	if (cause == CAUSE_ECALL_S)
		__asm__ volatile("ebreak" ::"r"(a0), "r"(a1), "r"(a7) : "memory");
	else
		__asm__ volatile("ecall" ::"r"(a0), "r"(a1), "r"(a7) : "memory");
}

void trap_s(ulong *frame)
{
	ulong cause = csr_read(scause);
	ulong epc = csr_read(sepc);
	ulong resume;

	if (cause & IRQ_FLAG) {
		cause &= ~IRQ_FLAG;
		record_irq(MODE_S, cause, epc, csr_read(stval));
		csr_clear(sie, BIT(cause));
		return;
	}
	resume = record(MODE_S, cause, epc, csr_read(stval), csr_read(sstatus));
	if (resume)
		csr_write(sepc, resume);
	else
		call_machine(cause, frame);
}
