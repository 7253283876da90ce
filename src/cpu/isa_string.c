/*
 * ISA strings such as "rv64gc_zba" (RISC-V unprivileged specification, "ISA extension naming conventions"): parsing,
 * queries and the canonical form. Pure functions, any thread, nothing allocated.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/isa.h>

#define MAX_TEXT 255

struct ext {
	const char *name, *implies, *help;
};

static const struct ext exts[] = {
#define EXT(name, implies, help) {#name, implies, help},
#include "src/cpu/isa_ext.def"
};

/* Names that stand for several extensions, and the widths alone. */
static const struct ext groups[] = {
	{"g", "i m a f d zicsr zifencei", NULL},
	{"b", "zba zbb zbs", NULL},
};
static const char everything[] = "i m a f d c zicntr zicsr zifencei zihintpause zihpm zba zbb zbs sstc svadu";
/* The privileged architecture, which every hart has, needs zicsr; every hart has the counters, as systems take for
 * granted. */
static const char always[] = "zicsr zicntr";

static int ext_index(const char *name, size_t len)
{
	for (size_t n = 0; n < BIS_ARRAY_SIZE(exts); n++)
		if (exts[n].name[0] == name[0] && strlen(exts[n].name) == len && !memcmp(exts[n].name, name, len))
			return (int)n;
	return -1;
}

static bool has(uint64_t set, const char *name)
{
	int n = ext_index(name, strlen(name));

	return n >= 0 && (set >> n & 1);
}

/* The set with the extensions in `names`, separated by spaces; unknown names are left out. */
static uint64_t with(uint64_t set, const char *names)
{
	while (*names) {
		size_t len = strcspn(names, " ");
		int n = ext_index(names, len);

		if (n >= 0)
			set |= UINT64_C(1) << n;
		names += len + strspn(names + len, " ");
	}
	return set;
}

static uint64_t with_implied(uint64_t set, unsigned xlen)
{
	uint64_t before;

	do {
		before = set;
		for (size_t n = 0; n < BIS_ARRAY_SIZE(exts); n++)
			if (set >> n & 1)
				set = with(set, exts[n].implies);
		if (has(set, "c") && has(set, "d"))
			set = with(set, "zcd");
		if (has(set, "c") && has(set, "f") && xlen == 32)
			set = with(set, "zcf");
	} while (set != before);
	/* "c" is the name for all its parts that apply, however they were asked for. */
	if (has(set, "zca") && (!has(set, "d") || has(set, "zcd")) && (!has(set, "f") || has(set, "zcf") || xlen == 64))
		set = with(set, "c");
	return set;
}

static uint32_t misa_letters(uint64_t set)
{
	uint32_t misa = 1u << ('s' - 'a') | 1u << ('u' - 'a');

	for (size_t n = 0; n < BIS_ARRAY_SIZE(exts); n++)
		if ((set >> n & 1) && exts[n].name[1] == '\0')
			misa |= 1u << (exts[n].name[0] - 'a');
	return misa;
}

/* Adds the extension or group of that name; false if there is none. */
static bool add(uint64_t *set, const char *name, size_t len)
{
	int n = ext_index(name, len);

	for (size_t g = 0; g < BIS_ARRAY_SIZE(groups); g++) {
		if (len == 1 && groups[g].name[0] == name[0]) {
			*set = with(*set, groups[g].implies);
			return true;
		}
	}
	if (n >= 0)
		*set |= UINT64_C(1) << n;
	return n >= 0;
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* Length of a version such as "2" or "2p1" at the start of text. */
static size_t version_length(const char *text)
{
	size_t len = digits(text);

	if (len && text[len] == 'p' && digits(text + len + 1))
		len += 1 + digits(text + len + 1);
	return len;
}

/* Length of `word` without a version such as "2p1" at its end. */
static size_t without_version(const char *word, size_t len)
{
	for (size_t n = 1; n < len; n++)
		if (!isdigit((unsigned char)word[n - 1]) && digits(word + n) && n + version_length(word + n) == len)
			return n;
	return len;
}

static int fail_unknown(const char *text, const char *word, size_t len)
{
	const char *names[BIS_ARRAY_SIZE(exts)];
	char name[MAX_TEXT + 1];
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	for (size_t n = 0; n < BIS_ARRAY_SIZE(exts); n++)
		names[n] = exts[n].name;
	nearest = bis_nearest_name(name, names, BIS_ARRAY_SIZE(exts));
	if (nearest)
		return bis_fail(EINVAL, "ISA string '%s': unknown extension '%s' (did you mean '%s'?)", text, name,
				nearest);
	return bis_fail(
		EINVAL,
		"ISA string '%s': unknown extension '%s', expected letters of 'imafdcgb' and names such as 'zba'", text,
		name);
}

static bool starts_name(char c)
{
	return c == 'z' || c == 's' || c == 'x';
}

/* The parts behind "rv32" or "rv64", in lower case. */
static int parse_parts(const char *text, const char *parts, uint64_t *set)
{
	const char *p = parts;

	while (*p) {
		size_t word = starts_name(*p) ? strcspn(p, "_") : 1;
		size_t name = starts_name(*p) ? without_version(p, word) : 1;

		if (*p == '_') {
			if (p == parts || p[1] == '_' || p[1] == '\0')
				return bis_fail(EINVAL, "ISA string '%s': expected an extension on both sides of '_'",
						text);
			p++;
			continue;
		}
		if (!add(set, p, name))
			return fail_unknown(text, p, word);
		p += word;
		if (word == 1)
			p += version_length(p);
	}
	return 0;
}

int bis_isa_parse(const char *text, struct bis_isa_spec *out)
{
	char lower[MAX_TEXT + 1];
	size_t len = strlen(text);
	struct bis_isa_spec spec = {0};
	int err;

	if (len > MAX_TEXT)
		return bis_fail(EINVAL, "ISA string of %zu characters, expected at most %d", len, MAX_TEXT);
	for (size_t n = 0; n <= len; n++)
		lower[n] = (char)tolower((unsigned char)text[n]);
	if (!strncmp(lower, "rv32", 4))
		spec.xlen = 32;
	else if (!strncmp(lower, "rv64", 4))
		spec.xlen = 64;
	else
		return bis_fail(EINVAL, "ISA string '%s': expected it to begin with rv32 or rv64", text);
	spec.exts = with(0, always);
	if (lower[4] == '\0')
		spec.exts = with(spec.exts, everything);
	err = parse_parts(text, lower + 4, &spec.exts);
	if (err)
		return err;
	if (has(spec.exts, "zcf") && spec.xlen == 64)
		return bis_fail(EINVAL, "ISA string '%s': zcf exists on rv32 only", text);
	spec.exts = with_implied(spec.exts, spec.xlen);
	if (!has(spec.exts, "i"))
		return bis_fail(EINVAL, "ISA string '%s': expected i or g among the letters after rv%u", text,
				spec.xlen);
	spec.ialign = has(spec.exts, "zca") ? 2 : 4;
	spec.misa = misa_letters(spec.exts);
	*out = spec;
	return 0;
}

bool bis_isa_has(const struct bis_isa_spec *spec, const char *ext)
{
	return has(spec->exts, ext) || !strcmp(ext, "priv");
}

/* Is extension n part of c, and so left out where c is named? */
static bool part_of_c(size_t n)
{
	return !strncmp(exts[n].name, "zc", 2);
}

int bis_isa_format(const struct bis_isa_spec *spec, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "rv%u", spec->xlen);

	for (size_t n = 0; n < BIS_ARRAY_SIZE(exts); n++) {
		const char *name = exts[n].name;

		if (!(spec->exts >> n & 1) || (part_of_c(n) && has(spec->exts, "c")))
			continue;
		at += (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0, "%s%s",
				       name[1] ? "_" : "", name);
	}
	return (int)at;
}

const char *bis_isa_ext_name(size_t index, const char **help)
{
	if (index >= BIS_ARRAY_SIZE(exts))
		return NULL;
	if (help)
		*help = exts[index].help;
	return exts[index].name;
}
