/*
 * Small text parsers shared by option and field tables. They set no message: the caller knows what to name.
 */
#ifndef BISCUIT_BASE_PARSE_INTERNAL_H
#define BISCUIT_BASE_PARSE_INTERNAL_H

#include <biscuit/types.h>

/*
 * Parses an unsigned number, decimal or 0x…, at the start of [*text, end) and advances *text behind it. False, with
 * nothing changed, if there is no digit or the value does not fit in 64 bits. No sign, no spaces, no octal.
 */
bool bis_parse_number(const char **text, const char *end, uint64_t *out);

/* Parses on/off, yes/no, true/false, 1/0 as the whole of [text, text+len). */
bool bis_parse_bool(const char *text, size_t len, bool *out);

/* The value of a hexadecimal digit of either case, or -1. */
int bis_hex_digit(char c);

#endif
