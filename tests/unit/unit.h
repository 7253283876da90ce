/*
 * What every unit test includes: cmocka with its prerequisites, and checks of the error convention that show the
 * message.
 */
#ifndef BISCUIT_UNIT_H
#define BISCUIT_UNIT_H

/* cmocka.h needs these four first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <biscuit/error.h>

/* The call returns 0. */
#define assert_ok(call) unit_assert_result((call), 0, NULL, #call, __FILE__, __LINE__)
/* The call returns `err` and the message contains `words`. */
#define assert_fails(call, err, words) unit_assert_result((call), (err), (words), #call, __FILE__, __LINE__)

static inline void unit_assert_result(long got, long expected, const char *words, const char *call, const char *file,
				      int line)
{
	if (got != expected) {
		print_error("%s returned %ld, expected %ld; message: %s\n", call, got, expected, bis_error_message());
		_fail(file, line);
	}
	if (words && !strstr(bis_error_message(), words)) {
		print_error("%s: message '%s' does not contain '%s'\n", call, bis_error_message(), words);
		_fail(file, line);
	}
}

#endif
