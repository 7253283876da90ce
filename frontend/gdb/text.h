/* Numbers and bytes as the gdb remote protocol writes them. Strict: what is not wholly as expected is refused. */
#ifndef BISCUIT_GDB_TEXT_H
#define BISCUIT_GDB_TEXT_H

#include <string.h>

#include <biscuit/types.h>

/* Text that is read from left to right; it need not end with a NUL. */
struct gdb_text {
	const char *at, *end;
};

/* A hexadecimal number of 1 to 16 digits. False, with nothing taken, where there is none or a longer one. */
bool gdb_take_hex(struct gdb_text *t, uint64_t *out);
/* That character. */
bool gdb_take_char(struct gdb_text *t, char c);
/* That word, as a prefix. */
bool gdb_take_word(struct gdb_text *t, const char *word);
/* `len` bytes, two digits each. */
bool gdb_take_bytes(struct gdb_text *t, void *buf, size_t len);

static inline bool gdb_at_end(const struct gdb_text *t)
{
	return t->at == t->end;
}

static inline size_t gdb_left(const struct gdb_text *t)
{
	return (size_t)(t->end - t->at);
}

#define GDB_PACKET_MAX 0x10000 /* characters between '$' and '#' */

/* A packet that is put together. What does not fit is dropped, and marked. */
struct gdb_out {
	size_t len;
	bool overflow;
	char data[GDB_PACKET_MAX];
};

void gdb_put(struct gdb_out *o, const char *fmt, ...) BIS_PRINTF(2, 3);
/* As two digits each. */
void gdb_put_bytes(struct gdb_out *o, const void *bytes, size_t len);
/* A little-endian value of `size` bytes, two digits each. */
void gdb_put_value(struct gdb_out *o, uint64_t value, unsigned size);
/* As they are, with the characters that mean something escaped. */
void gdb_put_binary(struct gdb_out *o, const void *bytes, size_t len);

#endif
