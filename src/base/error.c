/*
 * The failure message of a thread: <biscuit/error.h>. Runs on any thread; the text lives in thread-local storage and
 * goes with the thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/error.h>

#define MESSAGE_SIZE 2048

static _Thread_local char message[MESSAGE_SIZE];

static void keep(const char *text)
{
	memcpy(message, text, strlen(text) + 1);
}

static int negative(int err)
{
	return err > 0 ? -err : err;
}

/* The new text is built beside the old one, since the arguments may point into the old one. */
int bis_fail(int err, const char *fmt, ...)
{
	char text[MESSAGE_SIZE];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	keep(text);
	return negative(err);
}

int bis_fail_prefix(int err, const char *fmt, ...)
{
	char text[MESSAGE_SIZE];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof(text))
		len = snprintf(text + len, sizeof(text) - (size_t)len, ": %s", message);
	if (len >= 0)
		keep(text);
	return err;
}

const char *bis_error_message(void)
{
	return message;
}
