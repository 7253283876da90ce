/*
 * Two harts at one memory: counters kept with AMOs and with LR/SC, a lock, message passing through release and acquire,
 * the store-buffer test through full fences, reservations that another hart's store ends, and code written by one hart
 * and run by the other.
 */
#include "guest.h"

enum { ROUNDS = 20000, MESSAGES = 3000 };

enum job { IDLE, ADD, ADD_LRSC, LOCKED, SWAP, RECEIVE, BUFFER, STORE_CELL, RUN_CODE };

static volatile uint32_t job, done;
static volatile ulong result;

static uint32_t counter __attribute__((aligned(64)));
static ulong wide __attribute__((aligned(64)));
static uint32_t lock __attribute__((aligned(64)));
static volatile ulong guarded[2] __attribute__((aligned(64)));
static volatile uint32_t flag __attribute__((aligned(64)));
static volatile uint32_t payload[4] __attribute__((aligned(64)));
static volatile uint32_t mine[2][16] __attribute__((aligned(64)));
static uint32_t code[2] __attribute__((aligned(64)));

static void add(void)
{
	for (ulong i = 0; i < ROUNDS; i++) {
		__asm__ volatile("amoadd.w x0, %0, (%1)" ::"r"(1ul), "r"(&counter) : "memory");
#if XLEN == 64
		__asm__ volatile("amoadd.d x0, %0, (%1)" ::"r"(0x100000001ul), "r"(&wide) : "memory");
#else
		__asm__ volatile("amoadd.w x0, %0, (%1)" ::"r"(3ul), "r"(&wide) : "memory");
#endif
	}
}

static void add_lrsc(void)
{
	for (ulong i = 0; i < ROUNDS; i++)
		__asm__ volatile("1: lr.w t0, (%0)\naddi t0, t0, 1\nsc.w t1, t0, (%0)\nbnez t1, 1b\n"
#if XLEN == 64
				 "1: lr.d t0, (%1)\nadd t0, t0, %2\nsc.d t1, t0, (%1)\nbnez t1, 1b\n"
#else
				 "1: lr.w t0, (%1)\nadd t0, t0, %2\nsc.w t1, t0, (%1)\nbnez t1, 1b\n"
#endif
				 ::"r"(&counter),
				 "r"(&wide), "r"(BY_XLEN(3ul, 0x100000001ul))
				 : "t0", "t1", "memory");
}

/* A test-and-set lock guards two plain counters that must stay equal. */
static void locked(void)
{
	ulong broken = 0;

	for (ulong i = 0; i < ROUNDS / 4; i++) {
		__asm__ volatile("1: amoswap.w.aq t0, %1, (%0)\nbnez t0, 1b" ::"r"(&lock), "r"(1ul) : "t0", "memory");
		broken += guarded[0] != guarded[1];
		guarded[0]++;
		guarded[1]++;
		__asm__ volatile("amoswap.w.rl x0, x0, (%0)" ::"r"(&lock) : "memory");
	}
	if (broken)
		result = broken;
}

/* Both harts swap tokens through one cell: no token is lost or doubled, so the sums agree. */
static ulong swap(ulong first)
{
	ulong sum = 0, old;

	for (ulong i = 0; i < ROUNDS; i++) {
		__asm__ volatile("amoswap.w %0, %1, (%2)" : "=&r"(old) : "r"(first + i), "r"(&counter) : "memory");
		sum += old;
	}
	return sum;
}

static void send(void)
{
	for (uint32_t i = 1; i <= MESSAGES; i++) {
		for (ulong j = 0; j < 4; j++)
			payload[j] = i * 7 + (uint32_t)j;
		__asm__ volatile("fence w, w" ::: "memory");
		flag = i;
		while (flag == i)
			;
		__asm__ volatile("fence r, rw" ::: "memory");
	}
}

static ulong receive(void)
{
	ulong torn = 0;

	for (uint32_t i = 1; i <= MESSAGES; i++) {
		while (flag != i)
			;
		__asm__ volatile("fence r, r" ::: "memory");
		for (ulong j = 0; j < 4; j++)
			torn += payload[j] != i * 7 + (uint32_t)j;
		__asm__ volatile("fence rw, w" ::: "memory");
		flag = 0;
	}
	return torn;
}

/* Each hart stores its own cell, then loads the other's: with a full fence between, never both loads miss. */
static volatile uint32_t round_of[2], seen[2];

static void buffer_round(ulong hart, uint32_t i)
{
	round_of[hart] = i;
	while (round_of[!hart] < i)
		;
	__asm__ volatile("fence rw, rw" ::: "memory");
	mine[hart][0] = i;
	__asm__ volatile("fence rw, rw" ::: "memory");
	seen[hart] = mine[!hart][0];
	__asm__ volatile("fence rw, rw" ::: "memory");
}

static ulong buffer(ulong hart)
{
	ulong both_missed = 0;

	for (uint32_t i = 1; i <= MESSAGES; i++) {
		buffer_round(hart, 2 * i);
		/* second meeting: both results of this round are in place, and stay until both have looked */
		round_of[hart] = 2 * i + 1;
		while (round_of[!hart] < 2 * i + 1)
			;
		__asm__ volatile("fence rw, rw" ::: "memory");
		both_missed += seen[0] != 2 * i && seen[1] != 2 * i;
		__asm__ volatile("fence rw, rw" ::: "memory");
	}
	return both_missed;
}

void secondary_main(ulong hart)
{
	for (;;) {
		while (job == IDLE)
			;
		__asm__ volatile("fence rw, rw" ::: "memory");
		switch (job) {
		case ADD:
			add();
			break;
		case ADD_LRSC:
			add_lrsc();
			break;
		case LOCKED:
			locked();
			break;
		case SWAP:
			result = swap(ROUNDS);
			break;
		case RECEIVE:
			result = receive();
			break;
		case BUFFER:
			result = buffer(hart);
			break;
		case STORE_CELL:
			*(volatile uint32_t *)&counter = 55;
			break;
		case RUN_CODE:
			__asm__ volatile("fence.i" ::: "memory");
			result = ((ulong(*)(void))code)();
			break;
		}
		job = IDLE;
		__asm__ volatile("fence rw, rw" ::: "memory");
		done = 1;
	}
}

static void start(enum job next)
{
	done = 0;
	__asm__ volatile("fence rw, rw" ::: "memory");
	job = next;
}

static void finish_job(void)
{
	while (!done)
		;
	__asm__ volatile("fence rw, rw" ::: "memory");
}

static void counters(void)
{
	start(ADD);
	add();
	finish_job();
	check("amoadd.w from two harts", counter, 2 * ROUNDS);
	check("amoadd of a register's width", wide, BY_XLEN(6ul * ROUNDS, 0x100000001ul * 2 * ROUNDS));
	counter = 0;
	wide = 0;
	start(ADD_LRSC);
	add_lrsc();
	finish_job();
	check("lr.w and sc.w from two harts", counter, 2 * ROUNDS);
	check("lr and sc of a register's width", wide, BY_XLEN(6ul * ROUNDS, 0x100000001ul * 2 * ROUNDS));
	result = 0;
	start(LOCKED);
	locked();
	finish_job();
	check("counters under a lock were always equal", result, 0);
	check("and lost nothing", guarded[0], ROUNDS / 2);
}

static void exchange(void)
{
	ulong sum, all = 0;

	counter = 0;
	start(SWAP);
	sum = swap(0);
	finish_job();
	for (ulong i = 0; i < 2 * ROUNDS; i++)
		all += i;
	check("amoswap.w loses no value", sum + result + counter, all);
}

static void ordering(void)
{
	start(RECEIVE);
	send();
	finish_job();
	check("messages torn", result, 0);
	start(BUFFER);
	check("both loads passed both stores, hart 0", buffer(0), 0);
	finish_job();
	check("both loads passed both stores, hart 1", result, 0);
}

/* Another hart's store of a new value between the two makes the store-conditional fail. */
static void reservation_lost(void)
{
	for (uint32_t i = 0; i < 10; i++) {
		ulong old, failed;

		counter = i;
		__asm__ volatile("lr.w %0, (%1)" : "=&r"(old) : "r"(&counter) : "memory");
		start(STORE_CELL);
		finish_job();
		__asm__ volatile("sc.w %0, %1, (%2)" : "=&r"(failed) : "r"(99ul), "r"(&counter) : "memory");
		check("old value", old, i);
		check("sc.w after another hart's store fails", failed != 0, 1);
		check("the other's value stays", counter, 55);
	}
}

static void shared_code(void)
{
	code[1] = 0x00008067;
	for (ulong i = 0; i < 20; i++) {
		code[0] = (uint32_t)i << 20 | 0x513; /* addi a0, x0, i */
		start(RUN_CODE);
		finish_job();
		check("code from the other hart", result, i);
	}
}

int main(void)
{
	*clint_msip(1) = 1;
	counters();
	exchange();
	ordering();
	reservation_lost();
	shared_code();
	return 0;
}
