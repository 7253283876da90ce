/* The runner in a bare guest: console, clock and harts from the SDK. At the end of its input it powers the machine off.
 */
#include "face.h"
#include "stress.h"

#include <hart.h>
#include <native.h>
#include <riscv.h>

enum { STACK_SIZE = 65536 };

static int64_t handles[FACE_TASKS][FACE_HANDLES];

int64_t *port_handles(void)
{
	return handles[csr_read(mhartid)];
}

/* Sleeps while there is no input. */
int port_get(void)
{
	int byte;

	while ((byte = native_console_poll()) == -1)
		wait_for_interrupt();
	return byte < 0 ? -1 : byte;
}

bool port_ready(void)
{
	return console_count_read() != 0;
}

void port_put(const char *bytes, size_t len)
{
	native_console_write((uintptr_t)bytes, len);
}

uint64_t port_milliseconds(void)
{
	return read_time() / 10000;
}

void *port_shared(size_t size)
{
	static struct stress_result results[FACE_TASKS];

	return size <= sizeof(results) ? results : NULL;
}

/* --- Tasks are harts --- */

static struct {
	void (*run)(unsigned task, struct stress_result *result);
	struct stress_result *results;
	unsigned left; /* atomic */
} work;

static void run_here(void *argument)
{
	unsigned hart = (unsigned)csr_read(mhartid);

	(void)argument;
	work.run(hart, &work.results[hart]);
	__atomic_sub_fetch(&work.left, 1, __ATOMIC_ACQ_REL);
}

void port_parallel(unsigned tasks, void (*run)(unsigned task, struct stress_result *result),
		   struct stress_result *results)
{
	static uint8_t stacks[FACE_TASKS][STACK_SIZE] __attribute__((aligned(16)));

	work.run = run;
	work.results = results;
	work.left = tasks;
	for (unsigned i = 1; i < tasks; i++) {
		for (unsigned h = 0; h < FACE_HANDLES; h++)
			handles[i][h] = h < 2 ? handles[0][h] : -1;
		while (hart_start(i, run_here, NULL, stacks[i] + STACK_SIZE))
			;
	}
	run_here(NULL);
	while (__atomic_load_n(&work.left, __ATOMIC_ACQUIRE))
		;
	/* The directories are hart 0's to close. */
	for (unsigned i = 1; i < tasks; i++)
		handles[i][0] = handles[i][1] = -1;
}

int main(void)
{
	for (unsigned i = 0; i < FACE_HANDLES; i++)
		handles[0][i] = -1;
	console_enable_write(CONSOLE_ENABLE_INPUT | CONSOLE_ENABLE_END);
	modctl_enable_write(1u << CONSOLE_SLOT | 1u << 16);
	csr_set(mie, 1u << IRQ_NATIVE);
	runner_serve();
	return 0;
}
