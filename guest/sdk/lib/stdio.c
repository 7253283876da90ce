/* The printf family: format_text() into the console or into a buffer. */
#include <stdio.h>

static void put_console(void *context, char c)
{
	(void)context;
	putchar(c);
}

int vprintf(const char *format, va_list args)
{
	return format_text(put_console, NULL, format, args);
}

int printf(const char *format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vprintf(format, args);
	va_end(args);
	return count;
}

int puts(const char *text)
{
	while (*text)
		putchar(*text++);
	return putchar('\n');
}

/* A buffer of `size` bytes, the last of which is kept for the end mark. */
struct buffer {
	char *text;
	size_t size, used;
};

static void put_buffer(void *context, char c)
{
	struct buffer *buffer = context;

	if (buffer->used + 1 < buffer->size)
		buffer->text[buffer->used++] = c;
}

int vsnprintf(char *buf, size_t size, const char *format, va_list args)
{
	struct buffer buffer = {buf, size, 0};
	int count = format_text(put_buffer, &buffer, format, args);

	if (size)
		buf[buffer.used] = '\0';
	return count;
}

int snprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vsnprintf(buf, size, format, args);
	va_end(args);
	return count;
}
