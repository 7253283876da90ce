/*
 * Words on the line between driver and guest, and the contents that a seed stands for.
 *
 * A line to a guest is the name of an operation and its arguments, one space between: a number is decimal; a text is
 * one or more of 'BYTES, 'BYTES*TIMES and ~SEED:LENGTH, where a byte that is not plain is %XX; a path has its handle
 * before it. An answer is lines of `@RESULT key=value ...`, values as texts or numbers, and then `@.`.
 */
#ifndef MAGICFS_WORDS_H
#define MAGICFS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	uint8_t *bytes;
	size_t len;
};

/* Fills `to` with bytes [offset, offset + len) of the endless content that `seed` stands for. */
void pattern_fill(uint8_t *to, size_t len, uint64_t seed, uint64_t offset);

/* Continues a hash over bytes or a number; it begins with HASH_START. */
#define HASH_START 0xcbf29ce484222325u
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len);
uint64_t hash_number(uint64_t hash, uint64_t number);

/* Reads digits, behind a sign perhaps; *at moves behind them. */
int64_t word_number(const char **at);
/* Reads a text into `room` bytes and ends it with a NUL that does not count. False if it does not fit or is none. */
bool word_text(const char **at, uint8_t *to, size_t room, size_t *len);
/* Appends 'BYTES at `to`, at most room bytes; the number of bytes, or 0 if it does not fit. */
size_t word_put(char *to, size_t room, const void *bytes, size_t len);

#endif
