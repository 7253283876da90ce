/*
 * Round robin: the tasks that are ready get the hart in turn, each for at most one slice.
 *
 * There is no periodic tick. The timer is set to the next moment at which there is something to decide: the first
 * sleeper's time, or the end of the slice if somebody else is ready. A machine with nothing to do sleeps.
 */
#include "schedule.h"
#include "interrupts.h"
#include "kernel.h"
#include "task.h"
#include "timer.h"

#define SLICE_MILLISECONDS 10
#define IDLE		   (&tasks[0])

/* Saves the registers of one task and goes on with another (switch.S). */
void switch_context(struct context *from, const struct context *to);

static uint64_t turn_start; /* when the current task got the hart */
static uint64_t switches;
static uint64_t timer_setting = NEVER;

static bool anyone_ready(void)
{
	for (struct task *task = &tasks[1]; task < &tasks[MAX_TASKS]; task++) {
		if (task->state == TASK_READY)
			return true;
	}
	return false;
}

static void update_timer(void)
{
	uint64_t next = NEVER;

	for (struct task *task = &tasks[1]; task < &tasks[MAX_TASKS]; task++) {
		if (task->state == TASK_WAITING && task->wake_time < next)
			next = task->wake_time;
	}
	if (anyone_ready() && turn_start + milliseconds_to_ticks(SLICE_MILLISECONDS) < next)
		next = turn_start + milliseconds_to_ticks(SLICE_MILLISECONDS);
	if (next != timer_setting) {
		timer_setting = next;
		timer_set(next);
	}
}

/* The next ready task behind the current one in the table, the current one last. The idle task when there is none. */
static struct task *next_task(void)
{
	unsigned start = (unsigned)(current - tasks);

	for (unsigned i = 1; i <= MAX_TASKS; i++) {
		struct task *task = &tasks[(start + i) % MAX_TASKS];

		if (task != IDLE && task->state == TASK_READY)
			return task;
	}
	return IDLE;
}

void schedule(void)
{
	struct task *previous = current;
	uint64_t now = read_time();

	previous->cpu_time += now - turn_start;
	turn_start = now;
	current = next_task();
	current->state = TASK_RUNNING;
	update_timer();
	if (current == previous)
		return;
	switches++;
	/* Kernel tasks run in whatever space is active: the kernel is the same in all of them. */
	if (current->user)
		space_activate(&current->space);
	switch_context(&previous->context, &current->context);
}

void task_make_ready(struct task *task)
{
	task->state = TASK_READY;
	task->wake_time = NEVER;
	update_timer();
}

void task_yield(void)
{
	bool enabled = interrupts_disable();

	current->state = TASK_READY;
	schedule();
	interrupts_restore(enabled);
}

uint64_t task_cpu_time(const struct task *task)
{
	return task->cpu_time + (task == current ? read_time() - turn_start : 0);
}

uint64_t tasks_switches(void)
{
	return switches;
}

void tasks_timer(void)
{
	uint64_t now = read_time();

	/* Whatever is decided below, this interrupt is over. */
	timer_setting = NEVER;
	timer_set(NEVER);
	for (struct task *task = &tasks[1]; task < &tasks[MAX_TASKS]; task++) {
		if (task->state == TASK_WAITING && task->wake_time <= now)
			task_make_ready(task);
	}
	update_timer();
}

void tasks_preempt(void)
{
	bool turn_over = read_time() - turn_start >= milliseconds_to_ticks(SLICE_MILLISECONDS);

	if (anyone_ready() && (current == IDLE || turn_over))
		task_yield();
}

_Noreturn void tasks_idle(void)
{
	for (;;) {
		interrupts_disable();
		task_yield();
		/* Nothing is ready, and nothing can become so before the hart sleeps. */
		wait_for_interrupt();
		interrupts_enable();
	}
}
