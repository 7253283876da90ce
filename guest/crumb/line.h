/* Reading a line from the console. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>

/* Prompt and line fit into 80 columns, so a line never wraps. */
#define LINE_SIZE 72

/* Prints the prompt and reads a line, without its end, into `line`. A person gets editing and history; a pipe is read
 * as it is, and what does not fit is dropped. False when the input has ended. One task at a time. */
bool line_read(const char *prompt, char line[LINE_SIZE]);

#endif
