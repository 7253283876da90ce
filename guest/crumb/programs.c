/* Starting user programs. */
#include "programs.h"
#include "files.h"
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

/* The stack, with the text at its very top; `*start` learns where they are. */
static bool add_stack(struct space *space, const char *text, struct task_start *start)
{
	size_t size = strlen(text) + 1;

	for (unsigned i = 1; i <= USER_STACK_PAGES; i++) {
		if (!space_add_page(space, USER_STACK_TOP - i * PAGE_SIZE, PTE_R | PTE_W))
			return false;
	}
	start->arguments[1] = USER_STACK_TOP - size;
	start->stack = ROUND_DOWN(USER_STACK_TOP - size, 16UL);
	return size <= PAGE_SIZE && space_copy_out(space, USER_STACK_TOP - size, text, size);
}

static struct task *start_elf(const char *name, const struct elf_file *file, long number, const char *text)
{
	struct task_start start = {.arguments = {(unsigned long)number}};
	struct space space;
	struct task *task;

	if (!space_create(&space)) {
		printf("%s: no memory for an address space\n", name);
		return NULL;
	}
	if (!elf_load(&space, file, &start.entry) || !add_stack(&space, text, &start)) {
		printf("%s: cannot be loaded: no memory, or not a program\n", name);
		space_destroy(&space);
		return NULL;
	}
	task = task_create_user(name, &space, &start);
	if (!task) {
		printf("%s: too many tasks\n", name);
		space_destroy(&space);
	}
	return task;
}

static bool read_image(const struct elf_file *file, size_t offset, void *to, size_t len)
{
	const struct program *program = file->context;
	size_t size = (size_t)(program->image_end - program->image);

	if (offset > size || len > size - offset)
		return false;
	memcpy(to, program->image + offset, len);
	return true;
}

struct task *program_start(const struct program *program, long number, const char *text)
{
	return start_elf(program->name, &(struct elf_file){read_image, program}, number, text);
}

static bool read_file(const struct elf_file *file, size_t offset, void *to, size_t len)
{
	const uint32_t *handle = file->context;

	return magicfs_read(*handle, to, len, offset) == (int64_t)len;
}

struct task *program_start_file(const char *path, long number, const char *text)
{
	int64_t opened = files_open(path, MAGICFS_O_READ, 0);
	uint32_t handle = (uint32_t)opened;
	struct task *task;

	if (opened < 0) {
		files_complain("run", path, opened);
		return NULL;
	}
	task = start_elf(path_base(path), &(struct elf_file){read_file, &handle}, number, text);
	magicfs_close(handle);
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
