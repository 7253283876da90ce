/* memcpy and its relatives: a register at a time where both ends allow it, bytes elsewhere. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORD sizeof(unsigned long)

/* A word that may lie over objects of any type. */
typedef unsigned long __attribute__((may_alias)) word;

static inline bool word_aligned(const void *a, const void *b)
{
	return (((uintptr_t)a | (uintptr_t)b) & (WORD - 1)) == 0;
}

static void *copy_forward(void *to, const void *from, size_t len)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (word_aligned(t, f)) {
		for (; len >= 4 * WORD; len -= 4 * WORD, t += 4 * WORD, f += 4 * WORD) {
			word a = ((const word *)f)[0], b = ((const word *)f)[1];
			word c = ((const word *)f)[2], d = ((const word *)f)[3];
			((word *)t)[0] = a;
			((word *)t)[1] = b;
			((word *)t)[2] = c;
			((word *)t)[3] = d;
		}
		for (; len >= WORD; len -= WORD, t += WORD, f += WORD)
			*(word *)t = *(const word *)f;
	}
	while (len--)
		*t++ = *f++;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	return copy_forward(to, from, len);
}

void *memmove(void *to, const void *from, size_t len)
{
	unsigned char *t = (unsigned char *)to + len;
	const unsigned char *f = (const unsigned char *)from + len;

	if ((uintptr_t)to - (uintptr_t)from >= len)
		return copy_forward(to, from, len);
	while (len--)
		*--t = *--f;
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	unsigned char *t = to;
	word pattern = (unsigned char)byte * (~0UL / 255);

	for (; len && !word_aligned(t, t); len--)
		*t++ = (unsigned char)byte;
	for (; len >= WORD; len -= WORD, t += WORD)
		*(word *)t = pattern;
	while (len--)
		*t++ = (unsigned char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;

	for (; len; len--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void *memchr(const void *mem, int byte, size_t len)
{
	for (const unsigned char *m = mem; len; len--, m++) {
		if (*m == (unsigned char)byte)
			return (void *)(uintptr_t)m;
	}
	return NULL;
}
