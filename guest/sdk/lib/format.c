/* The formatting engine of the printf family: one directive at a time, characters out through a callback. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Where the characters go, and how many went. */
struct output {
	void (*put)(void *context, char c);
	void *context;
	int count;
};

/* One directive: the part between `%` and the conversion letter. */
struct directive {
	bool left, plus, space, zero, alternate;
	int width;
	int precision; /* -1: none given */
	int bytes;     /* size of the integer argument */
};

static void emit(struct output *out, char c)
{
	out->put(out->context, c);
	out->count++;
}

static void emit_repeated(struct output *out, char c, int times)
{
	while (times-- > 0)
		emit(out, c);
}

static void emit_text(struct output *out, const char *text, int len)
{
	for (int i = 0; i < len; i++)
		emit(out, text[i]);
}

static void emit_string(struct output *out, const struct directive *d, const char *text)
{
	if (!text)
		text = "(null)";

	int len = d->precision >= 0 ? (int)strnlen(text, (size_t)d->precision) : (int)strlen(text);
	int padding = d->width - len;

	if (!d->left)
		emit_repeated(out, ' ', padding);
	emit_text(out, text, len);
	if (d->left)
		emit_repeated(out, ' ', padding);
}

static void emit_char(struct output *out, const struct directive *d, char c)
{
	if (!d->left)
		emit_repeated(out, ' ', d->width - 1);
	emit(out, c);
	if (d->left)
		emit_repeated(out, ' ', d->width - 1);
}

/* A number is [padding] prefix [zeros] digits [padding]; the prefix is a sign or 0x. */
static void emit_number(struct output *out, const struct directive *d, const char *prefix, uintmax_t value,
			unsigned base, bool upper)
{
	char digits[24]; /* 22 octal digits hold 64 bits */
	int first = sizeof(digits);

	for (uintmax_t rest = value; rest; rest /= base) {
		unsigned digit = (unsigned)(rest % base);
		digits[--first] = (char)(digit < 10 ? '0' + digit : (upper ? 'A' : 'a') + digit - 10);
	}

	int len = (int)sizeof(digits) - first;
	int prefix_len = (int)strlen(prefix);
	int zeros = (d->precision >= 0 ? d->precision : 1) - len;

	if (d->zero && !d->left && d->precision < 0 && d->width - prefix_len - len > zeros)
		zeros = d->width - prefix_len - len;
	if (zeros < 0)
		zeros = 0;

	int padding = d->width - prefix_len - zeros - len;

	if (!d->left)
		emit_repeated(out, ' ', padding);
	emit_text(out, prefix, prefix_len);
	emit_repeated(out, '0', zeros);
	emit_text(out, digits + first, len);
	if (d->left)
		emit_repeated(out, ' ', padding);
}

/* Arguments are passed by pointer to the list, so that taking one advances it for the caller too. */
struct arguments {
	va_list list;
};

/* The widths int and 64 bits cover every size: smaller ones are passed as int, long is one of the two. */
static uintmax_t take_unsigned(struct arguments *args, int bytes)
{
	uintmax_t value = bytes == 8 ? va_arg(args->list, unsigned long long) : va_arg(args->list, unsigned int);

	return bytes >= 4 ? value : value & ((1U << 8 * bytes) - 1);
}

static intmax_t take_signed(struct arguments *args, int bytes)
{
	uintmax_t value = take_unsigned(args, bytes);
	int unused = 64 - 8 * bytes;

	return (intmax_t)(value << unused) >> unused;
}

static const char *parse_flags(const char *at, struct directive *d)
{
	for (;; at++) {
		switch (*at) {
		case '-':
			d->left = true;
			break;
		case '+':
			d->plus = true;
			break;
		case ' ':
			d->space = true;
			break;
		case '0':
			d->zero = true;
			break;
		case '#':
			d->alternate = true;
			break;
		default:
			return at;
		}
	}
}

static const char *parse_count(const char *at, struct arguments *args, int *count)
{
	if (*at == '*') {
		*count = va_arg(args->list, int);
		return at + 1;
	}
	for (*count = 0; isdigit(*at); at++)
		*count = *count * 10 + (*at - '0');
	return at;
}

static const char *parse_size(const char *at, struct directive *d)
{
	d->bytes = sizeof(int);
	switch (*at) {
	case 'h':
		d->bytes = at[1] == 'h' ? 1 : 2;
		return at + (at[1] == 'h' ? 2 : 1);
	case 'l':
		d->bytes = at[1] == 'l' ? sizeof(long long) : sizeof(long);
		return at + (at[1] == 'l' ? 2 : 1);
	case 'j':
		d->bytes = sizeof(intmax_t);
		return at + 1;
	case 'z':
	case 't':
		d->bytes = sizeof(size_t);
		return at + 1;
	default:
		return at;
	}
}

static const char *parse_directive(const char *at, struct arguments *args, struct directive *d)
{
	*d = (struct directive){.precision = -1};
	at = parse_flags(at, d);
	at = parse_count(at, args, &d->width);
	if (d->width < 0) {
		d->left = true;
		d->width = -d->width;
	}
	if (*at == '.')
		at = parse_count(at + 1, args, &d->precision);
	return parse_size(at, d);
}

static void emit_signed(struct output *out, const struct directive *d, intmax_t value)
{
	const char *sign = value < 0 ? "-" : d->plus ? "+" : d->space ? " " : "";

	emit_number(out, d, sign, value < 0 ? -(uintmax_t)value : (uintmax_t)value, 10, false);
}

static void emit_conversion(struct output *out, const struct directive *d, char conversion, struct arguments *args)
{
	uintmax_t value;

	switch (conversion) {
	case 'd':
	case 'i':
		emit_signed(out, d, take_signed(args, d->bytes));
		break;
	case 'u':
		emit_number(out, d, "", take_unsigned(args, d->bytes), 10, false);
		break;
	case 'o':
		value = take_unsigned(args, d->bytes);
		emit_number(out, d, d->alternate && value ? "0" : "", value, 8, false);
		break;
	case 'x':
	case 'X':
		value = take_unsigned(args, d->bytes);
		emit_number(out, d,
			    !d->alternate || !value ? ""
			    : conversion == 'x'	    ? "0x"
						    : "0X",
			    value, 16, conversion == 'X');
		break;
	case 'p':
		emit_number(out, d, "0x", (uintptr_t)va_arg(args->list, void *), 16, false);
		break;
	case 'c':
		emit_char(out, d, (char)va_arg(args->list, int));
		break;
	case 's':
		emit_string(out, d, va_arg(args->list, const char *));
		break;
	default:
		emit(out, conversion);
	}
}

int format_text(void (*put)(void *context, char c), void *context, const char *format, va_list list)
{
	struct output out = {put, context, 0};
	struct arguments args;
	struct directive directive;

	va_copy(args.list, list);
	while (*format) {
		if (*format != '%') {
			emit(&out, *format++);
			continue;
		}
		format = parse_directive(format + 1, &args, &directive);
		if (*format)
			emit_conversion(&out, &directive, *format++, &args);
	}
	va_end(args.list);
	return out.count;
}
