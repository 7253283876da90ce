/* Text that grows: what a file holds while it is open. A value on the stack; zero-initialised it is empty. */
#ifndef BISCUIT_INSPECT_TEXT_H
#define BISCUIT_INSPECT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <biscuit/types.h>

struct inspect_text {
	char *data; /* NUL-terminated where not NULL */
	size_t len, capacity;
	bool failed; /* no memory: text is missing */
};

void inspect_text_free(struct inspect_text *t);
void inspect_text_clear(struct inspect_text *t);
void inspect_put_bytes(struct inspect_text *t, const void *data, size_t len);
void inspect_put(struct inspect_text *t, const char *fmt, ...) BIS_PRINTF(2, 3);
/* A value as 0x and as many digits as `bits` bits need. */
void inspect_put_hex(struct inspect_text *t, uint64_t value, unsigned bits);
/* Text as a JSON string, with its quotes. */
void inspect_put_json(struct inspect_text *t, const char *text);
/* 0, or -ENOMEM with message where something is missing. */
BIS_MUST_CHECK int inspect_text_result(const struct inspect_text *t);

/* A stream whose output is appended to `t` when it is closed; NULL without memory, with t->failed set. */
struct inspect_text_stream {
	struct inspect_text *text;
	FILE *file;
	char *data;
	size_t len;
};
FILE *inspect_text_open(struct inspect_text_stream *s, struct inspect_text *t);
void inspect_text_close(struct inspect_text_stream *s);

/* Cuts white space off both ends, in place. */
char *inspect_trim(char *text);
/* The whole of `text` is a number, decimal or 0x…, of at most `bits` bits: 0 or -EINVAL with message. */
BIS_MUST_CHECK int inspect_parse_number(const char *text, unsigned bits, uint64_t *out);

#endif
