/* Formatted output on the machine's console. No files, no floating point. */
#ifndef STDIO_H
#define STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

/* One character to the console, and from it: EOF when nothing more will come. getchar waits. A program that has its
 * own console defines these two itself, and everything below uses them. */
int putchar(int c);
int getchar(void);

/* Formats: %d %i %u %o %x %X %c %s %p %% with flags `-+ 0#`, width, precision, `*` and sizes hh h l ll z t j.
 * They return the number of characters of the whole text, also of what did not fit into `buf`. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
int snprintf(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t size, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
int puts(const char *text);

/* What they are made of: `put` gets each character in turn, and `context` with it. */
int format_text(void (*put)(void *context, char c), void *context, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
