/* The kernel's beginning in S-mode, and its end. */
#include "kernel.h"
#include "block.h"
#include "board.h"
#include "console.h"
#include "interrupts.h"
#include "layout.h"
#include "pages.h"
#include "shell.h"
#include "space.h"
#include "task.h"
#include "timer.h"
#include "trap.h"
#include <native.h>
#include <power.h>
#include <stdio.h>

#define FINISHER 0x100000UL

static void greet(void)
{
	uint64_t microseconds = ticks_to_microseconds(read_time());

	printf("\nThis is crumb, a small operating system, on %d-bit RISC-V with %lu MiB of memory and %u hart%s.\n",
	       __riscv_xlen, board.ram >> 20, board.harts, board.harts == 1 ? "" : "s");
	if (!board.described)
		printf("There is no device tree that makes sense, so memory and harts are guesses.\n");
	printf("Ready after %u.%03u ms. Type \"help\" for a list of commands.\n\n", (unsigned)(microseconds / 1000),
	       (unsigned)(microseconds % 1000));
}

_Noreturn void kernel_main(void)
{
	traps_init();
	pages_init(__program_end, (char *)RAM_BASE + board.ram);
	space_init(board.ram);
	if (!native_present(MODCTL_SLOT))
		machine_finisher = (uintptr_t)device_map(FINISHER, 4);
	tasks_init();
	interrupts_init();
	console_start();
	block_start();
	greet();
	task_create_kernel("shell", shell_run);
	tasks_idle();
}

_Noreturn void panic(const char *format, ...)
{
	va_list args;

	interrupts_disable();
	printf("\npanic: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	machine_power_off(1);
}
