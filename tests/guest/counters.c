/*
 * mcycle, minstret, time and their views in S-mode and U-mode, mcountinhibit, the counter-enable registers, and the
 * counters that an implementation may leave at zero but not leave out.
 */
#include "guest.h"

enum { CY = 1, TM = 2, IR = 4 };

static void machine_counters(void)
{
	ulong first, second, third;

	csr_write(mcountinhibit, 0);
	first = csr_read(mcycle);
	second = csr_read(mcycle);
	check("mcycle goes on", second > first, 1);
	csr_write(mcycle, 1000000000);
	check("mcycle takes a value", csr_read(mcycle) - 1000000000 < 100000000, 1);
	__asm__ volatile("csrr %0, mcycle\ncsrr %1, cycle\ncsrr %2, mcycle"
			 : "=&r"(first), "=&r"(second), "=&r"(third));
	check("cycle shows mcycle", second - first <= third - first, 1);
#if XLEN == 32
	csr_write(mcycleh, 0x12345);
	check("mcycleh", csr_read(mcycleh), 0x12345);
	check("cycleh", csr_read(cycleh), 0x12345);
	csr_write(minstreth, 0x54321);
	check("minstreth", csr_read(minstreth), 0x54321);
	check("instreth", csr_read(instreth), 0x54321);
	csr_write(mcycle, -2ul);
	while (csr_read(mcycle) & XMIN)
		;
	check("mcycle carries into mcycleh", csr_read(mcycleh), 0x12346);
#endif
}

/* Each retired instruction counts once; one that traps does not, and a value written is seen by the next read. */
static void retired_instructions(void)
{
	ulong first, second;

	__asm__ volatile("csrr %0, minstret\ncsrr %1, minstret" : "=&r"(first), "=&r"(second));
	check("one instruction", second - first, 1);
	__asm__ volatile("csrr %0, minstret\nnop\nnop\nadd t0, t0, t0\nc.nop\ncsrr %1, minstret"
			 : "=&r"(first), "=&r"(second)
			 :
			 : "t0");
	check("five instructions", second - first, 5);
	__asm__ volatile("li t0, 1000\ncsrr %0, minstret\n1: addi t0, t0, -1\nbnez t0, 1b\ncsrr %1, minstret"
			 : "=&r"(first), "=&r"(second)
			 :
			 : "t0");
	check("a loop", second - first, 2001);
	__asm__ volatile("csrw minstret, x0\ncsrr %0, minstret" : "=&r"(first));
	check("read behind a write", first, 0);
	__asm__ volatile("li t0, 1000\ncsrw minstret, t0\nnop\nnop\ncsrr %0, minstret" : "=&r"(first)::"t0");
	check("three behind a write", first, 1002);
	__asm__ volatile("csrr %0, instret\ncsrr %1, minstret" : "=&r"(first), "=&r"(second));
	check("instret shows minstret", second - first, 1);
}

static void inhibit(void)
{
	ulong first, second;

	csr_write(mcountinhibit, -1ul);
	check("mcountinhibit has no TM", csr_read(mcountinhibit) & TM, 0);
	if (csr_read(mcountinhibit) & IR) {
		__asm__ volatile("csrr %0, minstret\nnop\nnop\nnop\ncsrr %1, minstret" : "=&r"(first), "=&r"(second));
		check("minstret stands still", second - first, 0);
	}
	if (csr_read(mcountinhibit) & CY) {
		__asm__ volatile("csrr %0, mcycle\nnop\nnop\nnop\ncsrr %1, mcycle" : "=&r"(first), "=&r"(second));
		check("mcycle stands still", second - first, 0);
	}
	csr_write(mcountinhibit, 0);
	check("mcountinhibit can be cleared", csr_read(mcountinhibit) & (CY | IR), 0);
}

static void wall_clock(void)
{
	uint64_t before = mtime_read();
	uint64_t now = csr_read(time);

#if XLEN == 32
	now |= (uint64_t)csr_read(timeh) << 32;
#endif
	check("time is not before mtime", now >= before, 1);
	check("time is not behind mtime", now <= mtime_read(), 1);
	while (mtime_read() == before)
		;
	check("mtime goes on", mtime_read() > before, 1);
}

enum counter { CYCLE, TIME, INSTRET };

static ulong read_counter(ulong counter, ulong unused)
{
	(void)unused;
	switch (counter) {
	case CYCLE:
		__asm__ volatile(TRY("csrr t2, cycle")::: "t2", TRY_CLOBBERS);
		break;
	case TIME:
		__asm__ volatile(TRY("csrr t2, time")::: "t2", TRY_CLOBBERS);
		break;
	case INSTRET:
		__asm__ volatile(TRY("csrr t2, instret")::: "t2", TRY_CLOBBERS);
		break;
	}
	return trap.cause;
}

/* S-mode needs the bit in mcounteren, U-mode in both registers. */
static void enables(void)
{
	for (ulong counter = CYCLE; counter <= INSTRET; counter++) {
		ulong bit = BIT(counter);

		csr_write(mcounteren, 0);
		csr_write(scounteren, -1ul);
		run_in(MODE_S, read_counter, counter, 0);
		check_illegal("S without mcounteren");
		run_in(MODE_U, read_counter, counter, 0);
		check_illegal("U without mcounteren");
		csr_write(mcounteren, bit);
		check("mcounteren takes the bit", csr_read(mcounteren), bit);
		csr_write(scounteren, ~bit);
		check("S with mcounteren", run_in(MODE_S, read_counter, counter, 0), NO_TRAP);
		run_in(MODE_U, read_counter, counter, 0);
		check_illegal("U without scounteren");
		csr_write(scounteren, bit);
		check("U with both", run_in(MODE_U, read_counter, counter, 0), NO_TRAP);
		csr_write(mcounteren, 0);
		check("M needs neither", run_in(MODE_M, read_counter, counter, 0), NO_TRAP);
	}
	csr_write(scounteren, 0);
}

#define EXISTS(csr)                                                                                                    \
	do {                                                                                                           \
		__asm__ volatile(TRY("csrr t2, " #csr)::: "t2", TRY_CLOBBERS);                                         \
		check_no_trap("reading " #csr);                                                                        \
		__asm__ volatile(TRY("csrw " #csr ", x0")::: TRY_CLOBBERS);                                            \
		check_no_trap("writing " #csr);                                                                        \
	} while (0)

static void event_counters(void)
{
	EXISTS(mhpmcounter3);
	EXISTS(mhpmcounter17);
	EXISTS(mhpmcounter31);
	EXISTS(mhpmevent3);
	EXISTS(mhpmevent17);
	EXISTS(mhpmevent31);
#if XLEN == 32
	EXISTS(mhpmcounter3h);
	EXISTS(mhpmcounter31h);
#endif
	__asm__ volatile(TRY("csrr t2, hpmcounter31")::: "t2", TRY_CLOBBERS);
	check_no_trap("hpmcounter31 from M");
}

int main(void)
{
	open_pmp();
	machine_counters();
	retired_instructions();
	inhibit();
	wall_clock();
	enables();
	event_counters();
	return 0;
}
