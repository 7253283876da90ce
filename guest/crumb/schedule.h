/* Choosing who runs: between task.c and schedule.c. All with interrupts disabled. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

struct task;

/* Gives the hart to the next ready task. The current one is no longer running: its state says what it does instead.
 * Returns when the current task gets the hart again. */
void schedule(void);

/* A waiting task has nothing to wait for any more. */
void task_make_ready(struct task *task);

#endif
