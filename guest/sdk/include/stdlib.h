/* Memory, numbers and the way out. */
#ifndef STDLIB_H
#define STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

/* First-fit allocation between the program's end and its heap limit (HEAP_SIZE in the makefile). Blocks are aligned to
 * 16 bytes. NULL when there is no room. One hart at a time. */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);

/* As in the C standard; a value out of range is clamped to the limit (there is no errno). */
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
int atoi(const char *text);
int abs(int value);

/* Powers the machine off with this exit status, which becomes the status of the command that runs it. */
_Noreturn void exit(int status);

/* exit(134), the status that a shell gives an aborted program. */
_Noreturn void abort(void);

#endif
