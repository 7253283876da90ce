/*
 * bench: a quick impression of the machine's speed, a fraction of a second a row.
 *
 * Everything runs until its time is up, so slow machines need no more patience than fast ones. System calls and context
 * switches are made by user programs and counted by the kernel.
 */
#include "../layout.h"
#include "../pages.h"
#include "../programs.h"
#include "../shell.h"
#include "../system_calls.h"
#include "../task.h"
#include "../timer.h"
#include <riscv.h>
#include <stdio.h>
#include <string.h>

#define LOOP_MILLISECONDS 200

static uint64_t microseconds_since(uint64_t start)
{
	uint64_t microseconds = ticks_to_microseconds(read_time() - start);

	return microseconds ? microseconds : 1;
}

/* `count` things a microsecond are that many millions a second; printed with one decimal. */
static void print_rate(const char *what, uint64_t count, uint64_t microseconds, const char *unit)
{
	uint64_t tenths = count * 10 / microseconds;

	printf("  %-18s %8llu.%u %s\n", what, (unsigned long long)(tenths / 10), (unsigned)(tenths % 10), unit);
}

static void print_per_second(const char *what, uint64_t count, uint64_t microseconds, const char *unit)
{
	printf("  %-18s %10llu %s\n", what, (unsigned long long)(count * 1000000 / microseconds), unit);
}

/* A few thousand steps of a linear congruential generator with a data-dependent branch. */
static unsigned integer_work(unsigned seed)
{
	unsigned odd = 0;

	for (unsigned i = 0; i < 4096; i++) {
		seed = seed * 1664525 + 1013904223;
		if (seed & 0x10000)
			odd += seed >> 24;
	}
	return odd;
}

static void bench_integer(void)
{
	uint64_t end = read_time() + milliseconds_to_ticks(LOOP_MILLISECONDS);
	uint64_t start = read_time(), instructions = read_instret();
	volatile unsigned sink = 0;

	while (read_time() < end)
		sink = integer_work(sink);
	instructions = read_instret() - instructions;
	print_rate("integer loop", instructions, microseconds_since(start), "MIPS");
}

static void bench_memcpy(void)
{
	uint64_t end = read_time() + milliseconds_to_ticks(LOOP_MILLISECONDS);
	uint64_t start = read_time(), bytes = 0;
	void *from = page_alloc(), *to = page_alloc();

	while (from && to && read_time() < end) {
		for (unsigned i = 0; i < 16; i++)
			memcpy(to, from, PAGE_SIZE);
		bytes += 16 * PAGE_SIZE;
	}
	print_rate("memcpy", bytes, microseconds_since(start), "MB/s");
	page_free(from);
	page_free(to);
}

/* Runs one or two copies of a program and waits for them; the microseconds that took, or 0 when they could not be
 * started. */
static uint64_t run_programs(const char *name, long argument, unsigned copies)
{
	struct task *running[2] = {NULL};
	uint64_t start = read_time();

	for (unsigned i = 0; i < copies; i++)
		running[i] = program_start(program_find(name), argument, "");
	for (unsigned i = 0; i < copies; i++) {
		if (running[i])
			task_join(running[i]);
	}
	return running[copies - 1] ? microseconds_since(start) : 0;
}

static void bench_system_calls(void)
{
	uint64_t before = system_calls_made();
	uint64_t microseconds = run_programs("calls", LOOP_MILLISECONDS, 1);

	if (microseconds)
		print_per_second("system calls", system_calls_made() - before, microseconds, "a second");
}

static void bench_switches(void)
{
	uint64_t before = tasks_switches();
	uint64_t microseconds = run_programs("yields", LOOP_MILLISECONDS, 2);

	if (microseconds)
		print_per_second("context switches", tasks_switches() - before, microseconds,
				 "a second, between address spaces");
}

static void bench_start(void)
{
	uint64_t microseconds = run_programs("calls", 0, 1);

	if (microseconds)
		printf("  %-18s %10llu us from start to end\n", "empty program", (unsigned long long)microseconds);
}

void command_bench(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	bench_integer();
	bench_memcpy();
	bench_system_calls();
	bench_switches();
	bench_start();
}
