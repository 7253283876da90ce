/* Symbols: symbols/load takes the paths of ELF files and shows them; symbols/lookup answers what was written to it. */
#include <errno.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

static int accept_load(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	int err;

	(void)n;
	(void)reply;
	if (*text != '/')
		return bis_fail(EINVAL, "'%.200s': expected the absolute path of an ELF file", text);
	err = debug_symbols_load(in->debug, text);
	return err == -ENOMSG ? -ENOEXEC : err;
}

static int generate_load(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	const char *path;
	size_t symbols;

	(void)n;
	for (size_t i = 0; (path = debug_symbols_file(in->debug, i, &symbols)); i++)
		inspect_put(out, "%zu %s\n", symbols, path);
	return 0;
}

static int accept_lookup(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	char answer[512];
	uint64_t address;
	int err = debug_parse_address(in->debug, text, &address);

	(void)n;
	if (err)
		return err;
	debug_format_address(in->debug, address, answer, sizeof(answer));
	inspect_put(reply, "%s\n", answer);
	pthread_mutex_lock(&in->lock);
	inspect_text_clear(&in->lookup);
	inspect_put(&in->lookup, "%s\n", answer);
	pthread_mutex_unlock(&in->lock);
	return 0;
}

static int generate_lookup(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)n;
	pthread_mutex_lock(&in->lock);
	if (in->lookup.len)
		inspect_put_bytes(out, in->lookup.data, in->lookup.len);
	pthread_mutex_unlock(&in->lock);
	return 0;
}

static const struct inspect_type load_type = {
	.kind = INSPECT_TEXT, .generate = generate_load, .accept = accept_load, .lines = true};
static const struct inspect_type lookup_type = {
	.kind = INSPECT_TEXT, .generate = generate_lookup, .accept = accept_lookup};

static const struct inspect_row rows[] = {
	{"load", &load_type, NULL},
	{"lookup", &lookup_type, NULL},
	{0},
};

const struct inspect_type inspect_symbols_type = {.kind = INSPECT_DIR, .rows = rows};
