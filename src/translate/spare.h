/*
 * A spare thread of the machine's, for translation beside the harts: they ask for work and go on, and look later
 * whether it is done.
 */
#ifndef BISCUIT_TRANSLATE_SPARE_H
#define BISCUIT_TRANSLATE_SPARE_H

#include <stdatomic.h>

#include <biscuit/types.h>

struct bis_spare;

/* Its owner keeps it from asking until it is done, or until the thread has ended. */
struct bis_spare_job {
	void (*work)(struct bis_spare_job *job); /* carried out on the thread */
	struct bis_spare_job *next;
	_Atomic bool done;
};

BIS_MUST_CHECK int bis_spare_create(struct bis_spare **out);
/* Ends the thread, behind the job that it is at; others are not begun. NULL is allowed. */
void bis_spare_destroy(struct bis_spare *b);
/* Has the job carried out after those asked for before it. Does not wait. False if there is no thread for it. */
bool bis_spare_ask(struct bis_spare *b, struct bis_spare_job *job);

/* Is it? Then all that it has written can be seen. */
static inline bool bis_spare_is_done(const struct bis_spare_job *job)
{
	return atomic_load_explicit(&job->done, memory_order_acquire);
}

#endif
