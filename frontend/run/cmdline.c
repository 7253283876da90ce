/* Parsing and printing a table of options. Runs on the main thread before anything else exists. */
#include "cmdline.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/error.h>

#define CODE 256 /* getopt's value of an option is this + its row */

void cmdline_print(const struct cmdline *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cmdline_option *r = &c->rows[i];
		bool optional = r->argument == optional_argument;
		char left[40];

		if (!r->read) {
			printf("%s%s:\n", i ? "\n" : "", r->name);
			continue;
		}
		if (!r->help)
			continue;
		snprintf(left, sizeof(left), "%c%c%c --%s%s%s%s", r->letter ? '-' : ' ', r->letter ? r->letter : ' ',
			 r->letter ? ',' : ' ', r->name, r->value ? (optional ? "[=" : " ") : "",
			 r->value ? r->value : "", optional ? "]" : "");
		printf("  %-27s %s\n", left, r->help);
	}
}

static int unknown_option(const struct cmdline *c, const char *word)
{
	const char *names[CMDLINE_MAX], *near;
	size_t count = 0, len;
	char name[64];

	if (word[0] != '-' || word[1] != '-')
		return bis_fail(EINVAL, "unknown option '%s' (--help lists them)", word);
	for (size_t i = 0; i < c->count; i++)
		if (c->rows[i].read)
			names[count++] = c->rows[i].name;
	len = strcspn(word + 2, "=");
	snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name)), word + 2);
	near = bis_nearest_name(name, names, count);
	return bis_fail(EINVAL, "unknown option '--%s'%s%s%s (--help lists them)", name,
			near ? ", did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

static const struct cmdline_option *row_of(const struct cmdline *c, int code)
{
	if (code >= CODE)
		return &c->rows[code - CODE];
	for (size_t i = 0; i < c->count; i++)
		if (c->rows[i].letter && c->rows[i].letter == code)
			return &c->rows[i];
	return NULL;
}

/* getopt has refused argv's latest word: says why. */
static int refused(const struct cmdline *c, int why, char **argv)
{
	const struct cmdline_option *row = optopt ? row_of(c, optopt) : NULL;

	if (why == ':' && row)
		return bis_fail(EINVAL, "--%s: expected %s", row->name, row->value);
	if (optopt >= CODE && row)
		return bis_fail(EINVAL, "--%s takes no value", row->name);
	if (optopt) {
		char letter[3] = {'-', (char)optopt, '\0'};

		return unknown_option(c, letter);
	}
	return unknown_option(c, argv[optind - 1]);
}

static void build_getopt(const struct cmdline *c, struct option *longs, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < c->count; i++) {
		const struct cmdline_option *r = &c->rows[i];

		if (!r->read)
			continue;
		*longs++ = (struct option){.name = r->name, .has_arg = r->argument, .val = (int)i + CODE};
		if (!r->letter)
			continue;
		*letters++ = r->letter;
		if (r->argument == required_argument)
			*letters++ = ':';
	}
	*longs = (struct option){0};
	*letters = '\0';
}

int cmdline_parse(const struct cmdline *c, int argc, char **argv, struct run_options *o, int *rest)
{
	struct option longs[CMDLINE_MAX + 1];
	char letters[2 * CMDLINE_MAX + 2];
	int code, err = 0;

	build_getopt(c, longs, letters);
	opterr = 0;
	while (!err && (code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct cmdline_option *row = code == '?' || code == ':' ? NULL : row_of(c, code);

		err = row ? row->read(o, optarg) : refused(c, code, argv);
	}
	*rest = optind;
	return err;
}
