/*
 * Tasks: the kernel's own (shell, idle) and user programs, each with an address space. They take turns on one hart.
 *
 * The rule that keeps this simple: whoever changes what tasks share does so with interrupts disabled. With interrupts
 * enabled, a kernel task can be stopped at any instruction in favour of another.
 */
#ifndef TASK_H
#define TASK_H

#include "space.h"
#include <stdbool.h>
#include <stdint.h>

#define MAX_TASKS	  16
#define KERNEL_STACK_SIZE 16384
#define TASK_FILES	  8

enum task_state {
	TASK_FREE,     /* this place in the table is not used */
	TASK_READY,    /* waits for its turn */
	TASK_RUNNING,  /* has the hart */
	TASK_WAITING,  /* for an event or a time */
	TASK_FINISHED, /* only the exit status is left */
};

/* What switch_context() (switch.S) saves of a task that is not running: the registers that a C function must keep. */
struct context {
	unsigned long ra, sp, s[12];
};

/* A file that a user program has open. */
struct open_file {
	bool used;
	uint32_t handle;
	uint64_t offset; /* of a directory the cursor */
};

struct redirect;

struct task {
	unsigned id; /* 1, 2, 3, ... in order of creation; 0 is the idle task */
	char name[16];
	enum task_state state;
	struct context context;
	struct space space;		  /* of a user task */
	bool user;			  /* does it have a space of its own? */
	bool killed;			  /* to end before it next runs in user mode */
	int status;			  /* exit status, or TASK_KILLED */
	const void *event;		  /* what a waiting task waits for; NULL: only for its time */
	uint64_t wake_time;		  /* when it stops waiting in any case, or NEVER */
	uint64_t cpu_time;		  /* ticks it has had, up to its last turn */
	void (*start)(struct task *task); /* where a new kernel task begins */
	unsigned char *stack;		  /* KERNEL_STACK_SIZE bytes */
	struct redirect *output;	  /* where it prints, if not on the console */
	struct open_file files[TASK_FILES];
};

#define TASK_KILLED (-1)

extern struct task tasks[MAX_TASKS];

/* The task that has the hart. */
extern struct task *current;

/* Makes the code that runs now the idle task. Called once, before any other of these. */
void tasks_init(void);

/* A kernel task that runs start(task), and ends when that returns. NULL: the table is full. */
struct task *task_create_kernel(const char *name, void (*start)(struct task *task));

/* How a user task begins: where, with which stack pointer, and with what in a0 and a1. */
struct task_start {
	uintptr_t entry, stack;
	unsigned long arguments[2];
};

/* A user task; takes over the space. It prints where the current task does. NULL: the table is full. */
struct task *task_create_user(const char *name, const struct space *space, const struct task_start *start);

/* Ends the current task. */
_Noreturn void task_exit(int status);

/* Waits until a task has finished, frees its place and returns its status. */
int task_join(struct task *task);

/* Ends a user task at its next step in user mode, which comes at once if it waits. */
void task_kill(struct task *task);

/* The task with this number, or NULL. */
struct task *task_find(unsigned id);

/* Ticks that a task has had so far. */
uint64_t task_cpu_time(const struct task *task);

/* How often the hart has gone from one task to another. */
uint64_t tasks_switches(void);

/* --- Waiting. With interrupts disabled, so that nothing happens between looking and waiting. --- */

/* Gives the hart away until task_wake(event) or the time; returns true when it was the event. */
bool task_wait(const void *event, uint64_t wake_time);

/* Makes everyone who waits for the event ready. */
void task_wake(const void *event);

/* Lets the others have a turn. */
void task_yield(void);

/* Waits for some time; comes back early when killed. */
void task_sleep(uint64_t ticks);

/* --- For the interrupt handlers --- */

/* The timer has fired: wakes sleepers. */
void tasks_timer(void);

/* Gives the hart away if the current task's turn is over, or if it idles while another is ready. */
void tasks_preempt(void);

/* Idles for ever, asleep whenever nothing is ready. The idle task ends here. */
_Noreturn void tasks_idle(void);

#endif
