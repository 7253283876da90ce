/*
 * Fuzz targets: each is one file with the two functions below. Under libFuzzer (-fsanitize=fuzzer) it needs no more;
 * the main of fuzz_main.c runs it on files, on standard input for AFL, or on mutations of its own seeds.
 */
#ifndef BISCUIT_FUZZ_H
#define BISCUIT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Feeds the bytes to the code under test. Returns 0; finds show as crashes and sanitizer reports. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Writes well-formed input `index` into buf and returns its size; 0 beyond the last. */
size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max);
/* Mutations that are tried if nobody says how many. A target whose inputs take long may have a function of its own. */
unsigned fuzz_runs(void);

/* A seed that is text: it is written without its end. 0 if it does not fit. */
static inline size_t fuzz_text(const char *text, uint8_t *buf, size_t max)
{
	size_t len = strlen(text);

	if (len > max)
		return 0;
	memcpy(buf, text, len);
	return len;
}

#endif
