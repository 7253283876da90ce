/* Tab: how could the word at the cursor go on? */
#ifndef COMPLETE_H
#define COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

/* Puts into `more` what has to be typed in any case, perhaps nothing. False: it is nothing, and there are several ways
 * to go on, which complete_print() lists. */
bool complete_word(const char *text, size_t cursor, char more[64]);
void complete_print(const char *text, size_t cursor);

#endif
