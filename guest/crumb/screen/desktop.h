/* What is on the screen while nobody else has it: a greeting, and something that moves. */
#ifndef DESKTOP_H
#define DESKTOP_H

struct task;

/* The start of its task. */
void desktop_run(struct task *task);

#endif
