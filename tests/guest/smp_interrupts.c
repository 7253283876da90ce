/*
 * Interrupts between two harts through the CLINT: waking a hart that waits, ping-pong of software interrupts, each
 * hart's own timer, and a translation that one hart changes and the other flushes when asked.
 */
#include "pagetable.h"

enum { PINGS = 200 };

enum job { IDLE, COUNT, TIMER, LOOK };

static volatile uint32_t job;
static volatile ulong answer;
static volatile ulong asked;
static uint32_t frames[2][PAGE / 4] __attribute__((aligned(4096)));

/* Sleeps until this hart's software interrupt is pending, and takes it back. */
static void await_message(ulong hart)
{
	while (!(csr_read(mip) & BIT(IRQ_MSI)))
		__asm__ volatile("wfi" ::: "memory");
	*clint_msip(hart) = 0;
	while (csr_read(mip) & BIT(IRQ_MSI))
		;
	__asm__ volatile("fence rw, rw" ::: "memory");
}

static void message(ulong hart)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
	*clint_msip(hart) = 1;
}

/* Waits for this hart's own timer; gives whether mtime was late enough. */
static ulong own_timer(ulong hart)
{
	uint64_t when = mtime_read() + 3000;

	mtimecmp_write(hart, when);
	csr_set(mie, BIT(IRQ_MTI));
	while (!(csr_read(mip) & BIT(IRQ_MTI)))
		__asm__ volatile("wfi" ::: "memory");
	csr_clear(mie, BIT(IRQ_MTI));
	return mtime_read() >= when;
}

static ulong look(ulong va)
{
	ulong got = 0;

	csr_clear(mstatus, STATUS_MPP);
	csr_set(mstatus, MODE_S << STATUS_MPP_SHIFT);
	__asm__ volatile("csrs mstatus, %2\nlw %0, 0(%1)\ncsrc mstatus, %2"
			 : "=&r"(got)
			 : "r"(va), "r"(STATUS_MPRV)
			 : "memory");
	return got;
}

void secondary_main(ulong hart)
{
	csr_set(mie, BIT(IRQ_MSI));
	open_pmp();
	for (;;) {
		message(0);
		await_message(hart);
		switch (job) {
		case COUNT:
			answer++;
			break;
		case TIMER:
			answer = own_timer(hart);
			break;
		case LOOK:
			pt_switch(asked);
			answer = look(TEST_VA);
			break;
		}
	}
}

static ulong ask(enum job next)
{
	job = next;
	message(1);
	await_message(0);
	return answer;
}

static void ping_pong(void)
{
	for (ulong i = 1; i <= PINGS; i++)
		ask(COUNT);
	check("software interrupts answered", answer, PINGS);
}

/* A timer of one hart leaves the other's alone. */
static void timers(void)
{
	mtimecmp_write(0, UINT64_MAX);
	check("timer of hart 1", ask(TIMER), 1);
	check("hart 0 has none pending", csr_read(mip) & BIT(IRQ_MTI), 0);
	mtimecmp_write(1, UINT64_MAX);
	check("timer of hart 0", own_timer(0), 1);
	mtimecmp_write(0, UINT64_MAX);
}

static void identities(void)
{
	check("mhartid of hart 0", csr_read(mhartid), 0);
	check("msip of hart 0 is its own", *clint_msip(0), 0);
}

/* Both harts walk one table; the second sees each change once it has flushed. */
static void shootdown(void)
{
	for (ulong mode = 0; mode < paging_mode_count; mode++) {
		asked = pt_begin(&paging_modes[mode]);
		frames[0][0] = 1234;
		frames[1][0] = 5678;
		for (ulong i = 0; i < 10; i++) {
			pt_map(TEST_VA, (ulong)frames[i % 2], 0, PTE_RW);
			check("page seen by the other hart", ask(LOOK), i % 2 ? 5678 : 1234);
		}
	}
}

int main(void)
{
	csr_set(mie, BIT(IRQ_MSI));
	open_pmp();
	message(1);
	await_message(0);
	identities();
	ping_pong();
	timers();
	shootdown();
	return 0;
}
