/*
 * What frontends that look into a machine have in common: creation, numbers and addresses as text. Any thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/debug/debug_internal.h"

int debug_create(struct bis_machine *m, struct debug **out)
{
	struct debug *d = calloc(1, sizeof(*d));

	if (!d)
		return bis_fail(ENOMEM, "no memory for debugging");
	d->m = m;
	pthread_mutex_init(&d->lock, NULL);
	*out = d;
	return 0;
}

void debug_destroy(struct debug *d)
{
	if (!d)
		return;
	debug_symbols_free(d);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

struct bis_machine *debug_machine(const struct debug *d)
{
	return d->m;
}

unsigned debug_xlen(const struct debug *d)
{
	return bis_hart_isa(bis_machine_hart(d->m, 0))->xlen;
}

uint64_t debug_xmask(const struct debug *d)
{
	return debug_xlen(d) == 64 ? UINT64_MAX : UINT32_MAX;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

bool debug_number(const char *text, size_t len, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
		len -= 2;
	}
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned value = (unsigned)digit(text[i]);

		if (value >= base || v > (UINT64_MAX - value) / base)
			return false;
		v = v * base + value;
	}
	*out = v;
	return true;
}

int debug_format_address(const struct debug *d, uint64_t address, char *buf, size_t size)
{
	int digits = (int)debug_xlen(d) / 4;
	uint64_t offset;
	const char *name = debug_symbol_at(d, address, &offset);

	if (!name)
		return snprintf(buf, size, "0x%0*" PRIx64, digits, address);
	if (!offset)
		return snprintf(buf, size, "0x%0*" PRIx64 " <%s>", digits, address, name);
	return snprintf(buf, size, "0x%0*" PRIx64 " <%s+0x%" PRIx64 ">", digits, address, name, offset);
}

static int too_wide(const struct debug *d, const char *text)
{
	return bis_fail(EINVAL, "'%s' does not fit in %u bits", text, debug_xlen(d));
}

int debug_parse_address(const struct debug *d, const char *text, uint64_t *out)
{
	uint64_t mask = debug_xmask(d), value, offset = 0;
	const char *plus = strrchr(text, '+');
	char name[256];
	int err;

	if (debug_number(text, strlen(text), &value)) {
		if (value > mask)
			return too_wide(d, text);
		*out = value;
		return 0;
	}
	if (!*text || (*text >= '0' && *text <= '9'))
		return bis_fail(EINVAL, "'%s': expected a number, a symbol, or symbol+offset", text);
	if (plus && !debug_number(plus + 1, strlen(plus + 1), &offset))
		return bis_fail(EINVAL, "'%s': expected a number behind the '+'", text);
	if (!plus)
		plus = text + strlen(text);
	if ((size_t)(plus - text) >= sizeof(name))
		return bis_fail(EINVAL, "a symbol of %zu characters", (size_t)(plus - text));
	memcpy(name, text, (size_t)(plus - text));
	name[plus - text] = '\0';
	err = debug_symbol_find(d, name, &value);
	if (err)
		return -EINVAL;
	if (value > mask || offset > mask - value)
		return too_wide(d, text);
	*out = value + offset;
	return 0;
}
