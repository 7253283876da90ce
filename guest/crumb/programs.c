/* Starting the user programs that are in the kernel's image. */
#include "programs.h"
#include "elf.h"
#include "layout.h"
#include "task.h"
#include <riscv.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM(name, argument, help) extern const unsigned char program_##name[], program_##name##_end[];
#include "programs.def"
#undef PROGRAM

const struct program programs[] = {
#define PROGRAM(name, argument, help) {#name, argument, help, program_##name, program_##name##_end},
#include "programs.def"
#undef PROGRAM
};
const unsigned program_count = sizeof(programs) / sizeof(programs[0]);

const struct program *program_find(const char *name)
{
	for (unsigned i = 0; i < program_count; i++) {
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	}
	return NULL;
}

static bool add_stack(struct space *space)
{
	for (unsigned i = 1; i <= USER_STACK_PAGES; i++) {
		if (!space_add_page(space, USER_STACK_TOP - i * PAGE_SIZE, PTE_R | PTE_W))
			return false;
	}
	return true;
}

struct task *program_start(const struct program *program, long argument)
{
	struct space space;
	struct task *task;
	uintptr_t entry;

	if (!space_create(&space)) {
		printf("%s: no memory for an address space\n", program->name);
		return NULL;
	}
	if (!elf_load(&space, program->image, (size_t)(program->image_end - program->image), &entry) ||
	    !add_stack(&space)) {
		printf("%s: cannot be loaded: no memory, or not a program\n", program->name);
		space_destroy(&space);
		return NULL;
	}
	task = task_create_user(program->name, &space, entry, argument);
	if (!task) {
		printf("%s: too many tasks\n", program->name);
		space_destroy(&space);
	}
	return task;
}

void program_report(const char *name, unsigned id, int status)
{
	if (status == TASK_KILLED)
		printf("%s[%u] was killed\n", name, id);
	else if (status != 0)
		printf("%s[%u] ended with status %d\n", name, id, status);
}

void programs_report_finished(void)
{
	for (unsigned i = 0; i < MAX_TASKS; i++) {
		struct task *task = &tasks[i];

		if (task->state != TASK_FINISHED)
			continue;
		if (task->status == 0)
			printf("%s[%u] has finished\n", task->name, task->id);
		else
			program_report(task->name, task->id, task->status);
		task_join(task);
	}
}
