/* Output into a file: `command > file`. */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

struct redirect;

/* From now on what the current task prints, and what programs print that it starts, goes into this file; `append`:
 * behind what is in it. False, and a line printed: it cannot be written. For the shell: one at a time. */
bool redirect_begin(const char *path, bool append);

/* Back to the console. */
void redirect_end(void);

/* Takes output; called by console_write(). */
void redirect_write(struct redirect *r, const char *text, size_t len);

#endif
