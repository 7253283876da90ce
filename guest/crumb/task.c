/* The table of tasks: how tasks begin, end and wait. schedule.c decides which of them runs. */
#include "task.h"
#include "file_calls.h"
#include "interrupts.h"
#include "kernel.h"
#include "layout.h"
#include "schedule.h"
#include "timer.h"
#include "trap.h"
#include <string.h>

struct task tasks[MAX_TASKS];
struct task *current;

static unsigned char stacks[MAX_TASKS][KERNEL_STACK_SIZE] __attribute__((aligned(16)));
static unsigned last_id;

void tasks_init(void)
{
	current = &tasks[0];
	*current = (struct task){.name = "idle", .state = TASK_RUNNING, .wake_time = NEVER, .stack = stacks[0]};
}

/* A place in the table for a new task, not ready yet. */
static struct task *new_task(const char *name)
{
	for (unsigned i = 1; i < MAX_TASKS; i++) {
		struct task *task = &tasks[i];

		if (task->state != TASK_FREE)
			continue;
		*task = (struct task){.id = ++last_id, .state = TASK_WAITING, .wake_time = NEVER, .stack = stacks[i]};
		strlcpy(task->name, name, sizeof(task->name));
		return task;
	}
	return NULL;
}

/* A kernel task's first instructions: schedule() switched here with interrupts disabled. */
static void begin_kernel_task(void)
{
	interrupts_enable();
	current->start(current);
	task_exit(0);
}

struct task *task_create_kernel(const char *name, void (*start)(struct task *task))
{
	bool enabled = interrupts_disable();
	struct task *task = new_task(name);

	if (task) {
		task->start = start;
		task->context.ra = (unsigned long)begin_kernel_task;
		task->context.sp = (unsigned long)(task->stack + KERNEL_STACK_SIZE);
		task_make_ready(task);
	}
	interrupts_restore(enabled);
	return task;
}

/* A new user task looks as if a trap had interrupted it just before its first instruction. */
struct task *task_create_user(const char *name, const struct space *space, const struct task_start *start)
{
	bool enabled = interrupts_disable();
	struct task *task = new_task(name);

	if (task) {
		struct trap_frame *frame = (struct trap_frame *)(void *)(task->stack + KERNEL_STACK_SIZE) - 1;

		*frame = (struct trap_frame){.epc = start->entry};
		frame->status = (csr_read(sstatus) & ~(unsigned long)MSTATUS_SPP) | MSTATUS_SPIE;
		frame->x[FRAME_SP] = start->stack;
		frame->x[FRAME_A0] = start->arguments[0];
		frame->x[FRAME_A1] = start->arguments[1];
		task->user = true;
		task->output = current->output;
		task->space = *space;
		task->context.ra = (unsigned long)trap_return;
		task->context.sp = (unsigned long)frame;
		task_make_ready(task);
	}
	interrupts_restore(enabled);
	return task;
}

_Noreturn void task_exit(int status)
{
	interrupts_disable();
	close_files();
	if (current->user) {
		space_activate(&kernel_space);
		space_destroy(&current->space);
		current->user = false;
	}
	current->status = status;
	current->state = TASK_FINISHED;
	task_wake(current);
	schedule();
	panic("a finished task was given the hart");
}

int task_join(struct task *task)
{
	bool enabled = interrupts_disable();

	while (task->state != TASK_FINISHED)
		task_wait(task, NEVER);
	task->state = TASK_FREE;
	interrupts_restore(enabled);
	return task->status;
}

void task_kill(struct task *task)
{
	bool enabled = interrupts_disable();

	task->killed = true;
	if (task->state == TASK_WAITING)
		task_make_ready(task);
	interrupts_restore(enabled);
}

struct task *task_find(unsigned id)
{
	for (unsigned i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].state != TASK_FREE && tasks[i].id == id)
			return &tasks[i];
	}
	return NULL;
}

bool task_wait(const void *event, uint64_t wake_time)
{
	current->event = event;
	current->wake_time = wake_time;
	current->state = TASK_WAITING;
	schedule();
	/* task_wake() takes the event away; time and task_kill() leave it. */
	return current->event == NULL;
}

void task_wake(const void *event)
{
	for (unsigned i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].state == TASK_WAITING && tasks[i].event == event) {
			tasks[i].event = NULL;
			task_make_ready(&tasks[i]);
		}
	}
}

void task_sleep(uint64_t ticks)
{
	bool enabled = interrupts_disable();

	if (ticks && !current->killed)
		task_wait(current, read_time() + ticks);
	interrupts_restore(enabled);
}
