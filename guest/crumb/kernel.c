/* The kernel's beginning in S-mode, and its end. */
#include "kernel.h"
#include "block.h"
#include "board.h"
#include "console.h"
#include "files.h"
#include "interrupts.h"
#include "layout.h"
#include "pages.h"
#include "screen/desktop.h"
#include "screen/screen.h"
#include "shell.h"
#include "space.h"
#include "task.h"
#include "trap.h"
#include <native.h>
#include <power.h>
#include <stdio.h>

#define FINISHER 0x100000UL

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
	files_start();
	task_create_kernel("shell", shell_run);
	screen_start(desktop_run);
	tasks_idle();
}

_Noreturn void panic(const char *format, ...)
{
	va_list args;

	interrupts_disable();
	current = NULL; /* whose output may be redirected */
	printf("\npanic: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	machine_power_off(1);
}
