/* Strings, as in the C standard. */
#include <stdint.h>
#include <string.h>

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len])
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++) {
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)(uintptr_t)last;
}

char *strstr(const char *s, const char *part)
{
	size_t len = strlen(part);

	for (;; s++) {
		if (strncmp(s, part, len) == 0)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strcpy(char *restrict to, const char *restrict from)
{
	return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t len = strnlen(from, size);

	memcpy(to, from, len);
	memset(to + len, 0, size - len);
	return to;
}

char *strcat(char *restrict to, const char *restrict from)
{
	strcpy(to + strlen(to), from);
	return to;
}

size_t strlcpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t len = strlen(from);

	if (size) {
		size_t copied = len < size ? len : size - 1;
		memcpy(to, from, copied);
		to[copied] = '\0';
	}
	return len;
}
