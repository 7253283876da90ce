/* Reading a line from the console. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>

#define LINE_SIZE 256

/* Prints the prompt and reads a line, without its end, into `line`. A person gets editing and history; a pipe is read
 * as it is, and what does not fit is dropped. The prompt is much shorter than a line of the screen. False when the
 * input has ended. One task at a time. */
bool line_read(const char *prompt, char line[LINE_SIZE]);

#endif
