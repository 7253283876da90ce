/*
 * Messages of the command and of the machine's log. Any thread; each message is one write, so that lines stay whole.
 */
#include "message.h"

#include <stdarg.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/run/spec.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* Names of files, and of what a guest or a snapshot brings along, do not steer the user's terminal. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void message(const char *fmt, ...)
{
	char text[2200]; /* the longest message of an error, and what is before it */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_printable(text);
	fprintf(stderr, "biscuit-run: %s\n", text);
}

int message_error(void)
{
	message("%s", bis_error_message());
	return RUN_STATUS_FAILED;
}

int message_timeout(int ms)
{
	message("the machine was ended after %g s (--timeout)", ms / 1000.0);
	return RUN_STATUS_TIMEOUT;
}

void message_log(void *arg, enum bis_log_level level, const char *module, const char *text)
{
	if (arg)
		fprintf(arg, "%s: %s: %s\n", level_names[level], module, text);
	else
		message("%s: %s: %s", level_names[level], module, text);
}

int message_log_level(const char *name, enum bis_log_level *out)
{
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(level_names); i++) {
		if (strcmp(name, level_names[i]))
			continue;
		*out = (enum bis_log_level)i;
		return 0;
	}
	return spec_unknown("--log: unknown level", name, level_names, BIS_ARRAY_SIZE(level_names),
			    "error, warn, info, debug or a path with a '/'");
}
