/*
 * Option tables: what a module can be told at creation, as "key=value,key=value". One table serves parsing, defaults,
 * --help-module and the error messages.
 */
#ifndef BISCUIT_OPTION_H
#define BISCUIT_OPTION_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bis_option_type {
	BIS_OPTION_TEXT,
	BIS_OPTION_U64,	 /* decimal or 0x… */
	BIS_OPTION_SIZE, /* as U64 with an optional suffix K, M, G or T (powers of 1024) */
	BIS_OPTION_BOOL, /* on/off, yes/no, true/false, 1/0; a key without value means on */
	BIS_OPTION_ENUM	 /* one of the words in `choices`, separated by '|' */
};

/* One row; a table ends with a NULL name. `def` is the default in the same syntax; NULL means the option is required.
 */
struct bis_option {
	const char *name;
	enum bis_option_type type;
	const char *def;
	const char *choices;
	const char *help;
};

struct bis_options; /* parsed values of one table */

/*
 * Parses "key=value,…" (NULL or "" for all defaults) against `table`. A literal comma in a value is written ",,".
 * `owner` names the module in messages. -EINVAL with a message that names the option, what was expected and, for an
 * unknown key, the nearest valid one; -ENOMEM. *out is freed with bis_options_free.
 */
BIS_MUST_CHECK int bis_options_parse(const char *owner, const struct bis_option *table, const char *text,
				     struct bis_options **out);
void bis_options_free(struct bis_options *o);

/*
 * Accessors: `name` must be a row of the table and of the fitting type (a wrong name or type returns NULL, 0 or false).
 * Text stays valid as long as `o`. An option whose default is "" and that was not given reads as "".
 */
const char *bis_option_text(const struct bis_options *o, const char *name); /* TEXT and ENUM */
uint64_t bis_option_u64(const struct bis_options *o, const char *name);	    /* U64 and SIZE */
bool bis_option_bool(const struct bis_options *o, const char *name);
bool bis_option_given(const struct bis_options *o, const char *name); /* was it written out by the user? */

/* Parses "128M", "0x1000", "2G". -EINVAL with message, also on overflow. */
BIS_MUST_CHECK int bis_parse_size(const char *text, uint64_t *out);

#ifdef __cplusplus
}
#endif
#endif
