/* Breakpoints: break/add takes one as text, break/list shows all, and each is a file that can be removed. */
#include <errno.h>
#include <inttypes.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

static const char syntax[] = "pc ADDRESS\n"
			     "read ADDRESS[+LENGTH]\n"
			     "write ADDRESS[+LENGTH]\n"
			     "access ADDRESS[+LENGTH]\n"
			     "csr NAME\n"
			     "trap NUMBER|NAME\n"
			     "interrupt NUMBER|NAME\n"
			     "instret N\n"
			     "each with: hart N, once, if REGISTER ==|!=|<|<=|>|>= VALUE [and ...]\n";

static int generate_syntax(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)in;
	(void)n;
	inspect_put(out, "%s", syntax);
	return 0;
}

static int accept_add(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct bis_break b;
	unsigned id;
	int err = debug_break_parse(in->debug, text, &b);

	(void)n;
	if (!err)
		err = bis_break_add(in->machine, &b, &id);
	if (!err)
		inspect_put(reply, "%u\n", id);
	return err;
}

static int accept_remove(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	uint64_t id;
	int err = inspect_parse_number(text, 32, &id);

	(void)n;
	(void)reply;
	return err ? err : bis_break_remove(in->machine, (unsigned)id);
}

static void put_break(struct inspect *in, struct inspect_text *out, const struct bis_break *b)
{
	char text[1024];

	debug_break_format(in->debug, b, text, sizeof(text));
	inspect_put(out, "%s\n", text);
}

static int generate_list(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct bis_break b;
	unsigned id;

	(void)n;
	for (size_t i = 0; !bis_break_get(in->machine, i, &id, &b); i++) {
		inspect_put(out, "%u hits %" PRIu64 " ", id, b.hits);
		put_break(in, out, &b);
	}
	return 0;
}

static int generate_break(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct bis_break b;
	unsigned id;

	for (size_t i = 0; !bis_break_get(in->machine, i, &id, &b); i++) {
		if (id != n->arg.number)
			continue;
		put_break(in, out, &b);
		return 0;
	}
	return bis_fail(ENOENT, "there is no breakpoint %u any more", n->arg.number);
}

static int remove_break(struct inspect *in, const struct inspect_node *n)
{
	return bis_break_remove(in->machine, n->arg.number);
}

static const struct inspect_type add_type = {
	.kind = INSPECT_TEXT, .generate = generate_syntax, .accept = accept_add, .lines = true};
static const struct inspect_type list_type = {.kind = INSPECT_TEXT, .generate = generate_list};
static const struct inspect_type remove_type = {.kind = INSPECT_TEXT, .accept = accept_remove, .lines = true};
static const struct inspect_type break_type = {
	.kind = INSPECT_TEXT, .fleeting = true, .generate = generate_break, .remove = remove_break};

static const struct inspect_row rows[] = {
	{"add", &add_type, NULL},
	{"list", &list_type, NULL},
	{"remove", &remove_type, NULL},
	{0},
};

static bool break_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	struct bis_break b;
	unsigned id;

	(void)dir;
	if (bis_break_get(in->machine, index, &id, &b))
		return false;
	snprintf(out->name, sizeof(out->name), "%u", id);
	out->type = &break_type;
	out->arg.number = id;
	return true;
}

const struct inspect_type inspect_breaks_type = {.kind = INSPECT_DIR, .rows = rows, .child = break_child};
