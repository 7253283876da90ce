/*
 * Four harts on the SBI: starting, interrupts and fences between them, timers, suspending, stopping and starting again.
 */
#include "sbi_guest.h"

enum { ROUNDS = 12, PAGE = 4096 };
enum { PTE_V = 1, PTE_RWX = 14, PTE_A = 64, PTE_D = 128, PTE_LEAF = PTE_V | PTE_RWX | PTE_A | PTE_D };
#define TEST_VA ((ulong)0x40000000)

enum job { IDLE, COUNT, TIMER, LOOK, CALL, SUSPEND, SUSPEND_AWAY, STOP };

/* One desk a hart: hart 0 sets job and then turn; the hart answers and clears turn. Turn is set before a start, too. */
static volatile struct desk {
	ulong turn, job, answer, id, opaque, status, starts;
} desks[HARTS];

static ulong root[PAGE / sizeof(ulong)] __attribute__((aligned(4096)));
static ulong tables[2][PAGE / sizeof(ulong)] __attribute__((aligned(4096)));
static ulong frames[2][PAGE / sizeof(ulong)] __attribute__((aligned(4096)));
static uint32_t patched[4] __attribute__((aligned(16)));

/* --- Translation: all of RAM as it is, and one page at TEST_VA --- */

static volatile ulong *test_entry(void)
{
	ulong index = TEST_VA >> 12 & (PAGE / sizeof(ulong) - 1);

	return &tables[XLEN == 64][index];
}

static void map_test_page(ulong frame)
{
	*test_entry() = (ulong)frames[frame] >> 12 << 10 | PTE_LEAF;
	barrier();
}

static void make_tables(void)
{
	ulong shift = XLEN == 64 ? 30 : 22, ram = 0x80000000ul;

	for (ulong pa = ram, i = 0; i < 4; i++, pa += BIT(shift))
		root[pa >> shift] = pa >> 12 << 10 | PTE_LEAF;
	root[TEST_VA >> shift] = (ulong)tables[0] >> 12 << 10 | PTE_V;
	if (XLEN == 64)
		tables[0][TEST_VA >> 21 & 511] = (ulong)tables[1] >> 12 << 10 | PTE_V;
	frames[0][0] = 111;
	frames[1][0] = 222;
}

static void turn_translation_on(void)
{
	csr_write(satp, (XLEN == 64 ? BIT(XLEN - 1) : BIT(31)) | (ulong)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

/* --- What the other harts do --- */

static ulong own_timer(ulong hart)
{
	uint64_t when = time_now() + 3000;
	ulong before = traps[hart].interrupts[IRQ_STI];

	sbi_timer(when);
	csr_set(sie, BIT(IRQ_STI));
	csr_set(sstatus, STATUS_SIE);
	while (traps[hart].interrupts[IRQ_STI] == before)
		;
	csr_clear(sstatus, STATUS_SIE);
	sbi_timer(UINT64_MAX);
	return time_now() >= when;
}

/* Sleeps in the firmware until hart 0 sends an interrupt; gives the error code, or does not return. */
static ulong suspend(ulong type)
{
	csr_clear(sip, BIT(IRQ_SSI));
	csr_set(sie, BIT(IRQ_SSI));
	return (ulong)sbi_error(EXT_HSM, HSM_SUSPEND, type, (ulong)secondary_start, 77);
}

static void work(ulong hart)
{
	volatile struct desk *d = &desks[hart];

	switch ((enum job)d->job) {
	case COUNT:
		d->answer = traps[hart].interrupts[IRQ_SSI];
		break;
	case TIMER:
		d->answer = own_timer(hart);
		break;
	case LOOK:
		d->answer = *(volatile ulong *)TEST_VA;
		break;
	case CALL:
		d->answer = ((ulong(*)(void))patched)();
		break;
	case SUSPEND:
		d->answer = suspend(0);
		break;
	case SUSPEND_AWAY:
		suspend(0x80000000ul);
		break;
	case STOP:
		csr_clear(sstatus, STATUS_SIE);
		sbi_error(EXT_HSM, HSM_STOP, 0, 0, 0);
		break;
	default:
		break;
	}
}

/* Also where a non-retentive suspend resumes. */
void secondary_main(ulong hart, ulong opaque)
{
	volatile struct desk *d = &desks[hart];

	d->id = hart;
	d->opaque = opaque;
	d->status = csr_read(sstatus) & STATUS_SIE;
	d->answer = csr_read(satp);
	if (opaque == 1000 + hart)
		turn_translation_on();
	d->starts++;
	for (;;) {
		/* From here on an interrupt that hart 0 sends is not lost. */
		csr_clear(sip, BIT(IRQ_SSI));
		csr_set(sie, BIT(IRQ_SSI));
		barrier();
		d->turn = 0;
		csr_set(sstatus, STATUS_SIE);
		while (!d->turn)
			;
		csr_clear(sstatus, STATUS_SIE);
		barrier();
		work(hart);
	}
}

/* --- What hart 0 does --- */

static void ask_for(ulong hart, enum job job)
{
	desks[hart].job = job;
	barrier();
	desks[hart].turn = 1;
	barrier();
}

static ulong ask(ulong hart, enum job job)
{
	ask_for(hart, job);
	while (desks[hart].turn)
		;
	barrier();
	return desks[hart].answer;
}

static long status(ulong hart)
{
	return sbi(EXT_HSM, HSM_STATUS, hart, 0, 0, 0, 0).value;
}

static void await_status(ulong hart, long wanted)
{
	while (status(hart) != wanted)
		;
}

static void start(ulong hart, ulong opaque)
{
	ulong starts = desks[hart].starts;

	desks[hart].turn = 1;
	check("stopped", hart, status(hart), STOPPED);
	check("start", hart, sbi_error(EXT_HSM, HSM_START, hart, (ulong)secondary_start, opaque), 0);
	check("once", hart, sbi_error(EXT_HSM, HSM_START, hart, (ulong)secondary_start, opaque), ERR_ALREADY_AVAILABLE);
	while (desks[hart].starts == starts || desks[hart].turn)
		;
	barrier();
	check("started", hart, status(hart), STARTED);
	check("id", hart, (long)desks[hart].id, (long)hart);
	check("opaque", hart, (long)desks[hart].opaque, (long)opaque);
	check("satp", hart, (long)desks[hart].answer, 0);
	check("interrupts off", hart, (long)desks[hart].status, 0);
}

static void await_interrupts(ulong hart, ulong count)
{
	while (traps[hart].interrupts[IRQ_SSI] != count)
		;
}

/* The harts take back an interrupt that they have counted, and enable the next. */
static void arm_all(void)
{
	for (ulong h = 1; h < HARTS; h++)
		ask(h, IDLE);
}

/* Every subset of the others, by masks with and without a base. */
static void interrupts(void)
{
	ulong expected[HARTS] = {0};
	long error;

	for (ulong set = 1; set < BIT(HARTS - 1); set++) {
		arm_all();
		error = set & 1 ? sbi_error(EXT_IPI, 0, set, 1, 0) : sbi_error(EXT_IPI, 0, set << 1, 0, 0);
		check("send", set, error, 0);
		for (ulong h = 1; h < HARTS; h++) {
			expected[h] += set >> (h - 1) & 1;
			await_interrupts(h, expected[h]);
		}
	}
	arm_all();
	check("send to all", 0, sbi_error(EXT_IPI, 0, 0, ALL_ONES, 0), 0);
	for (ulong h = 1; h < HARTS; h++)
		await_interrupts(h, expected[h] + 1);
	for (ulong h = 1; h < HARTS; h++)
		check("count", h, (long)ask(h, COUNT), (long)expected[h] + 1);
	check("hart 0 too", 0, csr_read(sip) & BIT(IRQ_SSI), BIT(IRQ_SSI));
	csr_clear(sip, BIT(IRQ_SSI));
}

static void timers(void)
{
	for (ulong h = 1; h < HARTS; h++)
		ask_for(h, TIMER);
	for (ulong h = 1; h < HARTS; h++) {
		while (desks[h].turn)
			;
		check("timer", h, (long)desks[h].answer, 1);
	}
	check("hart 0 has none", 0, csr_read(sip) & BIT(IRQ_STI), 0);
}

/* After a remote fence the others see the new translation, and run the new code. */
static void fences(void)
{
	for (ulong i = 0; i < ROUNDS; i++) {
		ulong h = 1 + i % (HARTS - 1), fid = 1 + i % 2;

		map_test_page(0);
		check("fence", i, sbi(EXT_RFENCE, fid, BIT(h), 0, TEST_VA, PAGE, 0).error, 0);
		check("page before", i, (long)ask(h, LOOK), 111);
		map_test_page(1);
		check("fence", i, sbi(EXT_RFENCE, fid, 0, ALL_ONES, 0, ALL_ONES, 0).error, 0);
		check("page after", i, (long)ask(h, LOOK), 222);
		patched[0] = (uint32_t)i << 20 | 0x513; /* li a0, i */
		patched[1] = 0x8067;			/* ret */
		barrier();
		check("fence.i", i, sbi(EXT_RFENCE, 0, 0, ALL_ONES, 0, 0, 0).error, 0);
		check("new code", i, (long)ask(h, CALL), (long)i);
	}
}

static void suspending(void)
{
	for (ulong i = 0; i < ROUNDS; i++) {
		ulong h = 1 + i % (HARTS - 1), starts = desks[h].starts;

		ask_for(h, SUSPEND);
		await_status(h, SUSPENDED);
		check("wake", i, sbi_error(EXT_IPI, 0, BIT(h), 0, 0), 0);
		while (desks[h].turn)
			;
		check("awake", i, (long)desks[h].answer, 0);
		check("status", i, status(h), STARTED);
		ask_for(h, SUSPEND_AWAY);
		await_status(h, SUSPENDED);
		check("wake", i, sbi_error(EXT_IPI, 0, 1, h, 0), 0);
		while (desks[h].starts == starts || desks[h].turn)
			;
		barrier();
		check("resumed", i, (long)desks[h].opaque, 77);
		check("satp", i, (long)desks[h].answer, 0);
	}
}

static void stopping(void)
{
	for (ulong i = 0; i < ROUNDS; i++) {
		ulong h = 1 + i % (HARTS - 1);

		ask_for(h, STOP);
		await_status(h, STOPPED);
		check("fence with a stopped hart", i, sbi_error(EXT_RFENCE, 1, 0, ALL_ONES, 0), 0);
		check("send to a stopped hart", i, sbi_error(EXT_IPI, 0, BIT(h), 0, 0), 0);
		start(h, i);
	}
}

void sbi_main(ulong hart, const void *dtb)
{
	(void)hart;
	(void)dtb;
	make_tables();
	map_test_page(0);
	for (ulong h = 1; h < HARTS; h++)
		start(h, 1000 + h);
	interrupts();
	timers();
	fences();
	suspending();
	stopping();
	sbi_finish();
}
