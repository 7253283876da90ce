/* UTF-8, of which nothing is believed. Any thread. */
#ifndef BISCUIT_WINDOW_UTF8_H
#define BISCUIT_WINDOW_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* bytes a character takes */

/* The next character of [*at, end), which is not empty, and moves *at; U+FFFD for a byte that begins none. */
uint32_t utf8_next(const char **at, const char *end);
/* Writes 1 to UTF8_MAX bytes; returns how many. What is no character becomes U+FFFD. */
size_t utf8_put(uint32_t character, char *to);

#endif
