/* Numbers from text. Out-of-range values are clamped. */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static int digit_value(char c)
{
	return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : INT_MAX;
}

/* The number in the digits at *at, which moves behind them; `limit` when it is larger than that. */
static unsigned long parse_digits(const char **at, int base, unsigned long limit)
{
	unsigned long value = 0;
	bool overflow = false;

	for (; digit_value(**at) < base; (*at)++) {
		unsigned long digit = (unsigned long)digit_value(**at);

		overflow = overflow || value > (limit - digit) / (unsigned long)base;
		value = value * (unsigned long)base + digit;
	}
	return overflow ? limit : value;
}

/* Blanks, sign, base prefix and digits. The magnitude is at most `limit`, plus one when the sign is minus. */
static unsigned long parse_number(const char *text, char **end, int base, unsigned long limit, bool *negative)
{
	const char *at = text;

	while (isspace(*at))
		at++;
	*negative = *at == '-';
	if (*at == '-' || *at == '+')
		at++;
	if ((base == 0 || base == 16) && at[0] == '0' && tolower(at[1]) == 'x' && digit_value(at[2]) < 16) {
		at += 2;
		base = 16;
	}
	if (base == 0)
		base = *at == '0' ? 8 : 10;

	const char *digits = at;
	unsigned long value = parse_digits(&at, base, limit == LONG_MAX && *negative ? limit + 1 : limit);

	if (end)
		*end = (char *)(uintptr_t)(at == digits ? text : at);
	return value;
}

long strtol(const char *text, char **end, int base)
{
	bool negative;
	unsigned long value = parse_number(text, end, base, LONG_MAX, &negative);

	return (long)(negative ? -value : value);
}

unsigned long strtoul(const char *text, char **end, int base)
{
	bool negative;
	unsigned long value = parse_number(text, end, base, ULONG_MAX, &negative);

	return negative ? -value : value;
}

int atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

int abs(int value)
{
	return value < 0 ? -value : value;
}
