/* mem: where the memory is. */
#include "../board.h"
#include "../kernel.h"
#include "../layout.h"
#include "../pages.h"
#include "../screen/screen.h"
#include "../shell.h"
#include "../task.h"
#include <stdio.h>

static void print_pages(const char *what, unsigned long pages)
{
	printf("  %-26s %8lu KiB  %7lu pages\n", what, pages * PAGE_SIZE / 1024, pages);
}

static void print_range(const char *what, uintptr_t start, uintptr_t end)
{
	printf("  %-26s %8lu KiB  %#lx - %#lx\n", what, (unsigned long)(end - start) / 1024, (unsigned long)start,
	       (unsigned long)end - 1);
}

void command_mem(int argc, char **argv)
{
	unsigned long tables = 0, user = 0, screen = screen_pages(), unknown;
	uintptr_t code_end = (uintptr_t)__text_end, constants_end = (uintptr_t)__rodata_end;

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].user) {
			tables += tasks[i].space.tables;
			user += tasks[i].space.user_pages;
		}
	}
	print_range("memory", RAM_BASE, RAM_BASE + board.ram);
	print_range("kernel code", RAM_BASE, code_end);
	print_range("kernel constants", code_end, constants_end);
	print_range("kernel data and stacks", constants_end, (uintptr_t)__program_end);
	print_pages("kernel page tables", kernel_space.tables);
	print_pages("page tables of programs", tables);
	print_pages("pages of programs", user);
	print_pages("the screen's pictures", screen);
	print_pages("free", pages_free());
	unknown = pages_total() - pages_free() - kernel_space.tables - tables - user - screen;
	if (unknown)
		printf("  %lu pages are unaccounted for\n", unknown);
}
