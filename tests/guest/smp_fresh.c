/*
 * Code that one hart writes and the other executes, in turns: short runs, loops, and jumps to each other over three
 * pages. The writer executes fence.i and sends a software interrupt, the other executes fence.i and calls. While it
 * waits it executes code in the very page that is being written.
 */
#include "guest.h"

enum { SLOTS = 24, WORDS = 128, ROUNDS = 1500, RET = 0x00008067, NO_SLOT = SLOTS };
enum job { CALL, WRITE };
enum { A0 = 10, T0 = 5 };

/* The first word of a slot is where it is entered; slot 0 of each page stays as it is. */
static uint32_t code[SLOTS][WORDS] __attribute__((aligned(4096)));

/* What a slot computes. */
static struct shape {
	uint32_t add, turns, next;
	bool flip;
} shapes[SLOTS];

static volatile uint32_t job, slot, times, waits_in;
static volatile ulong value;

static uint32_t addi(unsigned rd, unsigned rs1, uint32_t imm)
{
	return imm << 20 | rs1 << 15 | rd << 7 | 0x13;
}

/* jal x0, distance */
static uint32_t jump(long d)
{
	uint32_t u = (uint32_t)d;

	return (u >> 20 & 1) << 31 | (u >> 1 & 0x3ff) << 21 | (u >> 11 & 1) << 20 | (u >> 12 & 0xff) << 12 | 0x6f;
}

/* bne t0, x0, -4 * words */
static uint32_t back(uint32_t words)
{
	uint32_t u = -4u * words;

	return (u >> 12 & 1) << 31 | (u >> 5 & 63) << 25 | T0 << 15 | 1 << 12 | (u >> 1 & 15) << 8 |
	       (u >> 11 & 1) << 7 | 0x63;
}

static uint32_t random(void)
{
	static uint64_t state = 20240229;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

static void draw(unsigned s)
{
	struct shape *f = &shapes[s];

	f->add = random() % 2000;
	f->turns = random() % 4 ? 1 + random() % 3 : 20 + random() % 200;
	f->flip = random() & 1;
	f->next = s + 1 < SLOTS && random() % 3 == 0 ? s + 1 + random() % (SLOTS - s - 1) : NO_SLOT;
}

static void write_slot(unsigned s)
{
	const struct shape *f = &shapes[s];
	volatile uint32_t *at = code[s], *top;

	*at++ = addi(T0, 0, f->turns);
	top = at;
	*at++ = addi(A0, A0, f->add);
	if (f->flip)
		*at++ = addi(A0, A0, 0x555) | 4 << 12; /* xori */
	*at++ = addi(T0, T0, 0xfff);
	*at = back((uint32_t)(at - top));
	at++;
	if (f->next == NO_SLOT)
		*at = RET;
	else
		*at = jump((long)code[f->next] - (long)at);
}

static ulong expected(unsigned s, ulong v)
{
	for (; s != NO_SLOT; s = shapes[s].next) {
		for (uint32_t i = 0; i < shapes[s].turns; i++) {
			v += shapes[s].add;
			v ^= shapes[s].flip ? 0x555 : 0;
		}
	}
	return v;
}

static ulong call(unsigned s, ulong argument)
{
	register ulong a0 __asm__("a0") = argument;

	__asm__ volatile("jalr %1" : "+r"(a0) : "r"(code[s]) : "ra", "t0", "memory");
	return a0;
}

static void fence_i(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

static void send(ulong hart)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
	*clint_msip(hart) = 1;
}

/* Until the other hart's message comes, in the page of `waits_in`. */
static void await(ulong hart)
{
	while (!(csr_read(mip) & BIT(IRQ_MSI)))
		call(waits_in & ~7u, 0);
	*clint_msip(hart) = 0;
	while (csr_read(mip) & BIT(IRQ_MSI))
		;
	__asm__ volatile("fence rw, rw" ::: "memory");
}

void secondary_main(ulong hart)
{
	send(0);
	for (;;) {
		await(hart);
		if (job == WRITE) {
			write_slot(slot);
			fence_i();
		} else {
			ulong v = value;

			fence_i();
			for (uint32_t i = 0; i < times; i++)
				v = call(slot, v);
			value = v;
		}
		send(0);
	}
}

static void other(enum job what, unsigned s)
{
	job = what;
	slot = s;
	send(1);
	await(0);
}

int main(void)
{
	for (unsigned s = 0; s < SLOTS; s++) {
		draw(s);
		if (s % 8 == 0)
			shapes[s] = (struct shape){.add = 1, .turns = 3, .next = NO_SLOT};
		write_slot(s);
	}
	fence_i();
	send(1);
	await(0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned s = random() % SLOTS;
		bool mine = random() & 1;
		ulong start = random(), want = start, got = start;

		s += s % 8 == 0;
		waits_in = s;
		draw(s);
		times = random() % 20 ? 3 : 300;
		for (uint32_t i = 0; i < times; i++)
			want = expected(s, want);
		if (mine) {
			write_slot(s);
			fence_i();
			value = start;
			other(CALL, s);
			got = value;
		} else {
			other(WRITE, s);
			fence_i();
			for (uint32_t i = 0; i < times; i++)
				got = call(s, got);
		}
		if (got != want)
			check_row(mine ? "called by hart 1" : "called by hart 0", round, got, want);
	}
	check("rounds", ROUNDS, ROUNDS);
	return 0;
}
