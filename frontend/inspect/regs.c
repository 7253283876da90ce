/*
 * Registers of a hart: pc, priv, x/, f/ by the names of the instruction set's own table, and all of them at a glance.
 * Values are taken at a safepoint and written as text after it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

#define REGS_MAX 128

/* --- One register --- */

/* Hart and value of one register, in and out of a safepoint. */
struct access {
	struct inspect *in;
	struct bis_hart *h;
	unsigned slot;
	uint64_t value;
};

static const struct bis_reg_desc *desc_of(const struct inspect_node *n)
{
	return n->arg.row;
}

/* Width of a register: floating-point ones are as wide as the widest format. */
static unsigned width_of(struct inspect *in, const struct bis_reg_desc *r)
{
	const struct bis_isa_spec *isa = bis_hart_isa(bis_machine_hart(in->machine, 0));

	if (r->name[0] == 'f')
		return bis_isa_has(isa, "d") ? 64 : 32;
	return isa->xlen;
}

static int get_reg(void *arg)
{
	struct access *a = arg;

	a->value = bis_hart_reg(a->h, a->slot);
	return 0;
}

static int set_reg(void *arg)
{
	struct access *a = arg;
	int err = inspect_need_paused(a->in);

	if (!err)
		bis_hart_set_reg(a->h, a->slot, a->value);
	return err;
}

static int generate_reg(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct access a = {.in = in, .h = inspect_hart(in, n), .slot = desc_of(n)->slot};
	int err = bis_machine_at_safepoint(in->machine, get_reg, &a);

	inspect_put_hex(out, a.value, width_of(in, desc_of(n)));
	inspect_put(out, "\n");
	return err;
}

static int accept_reg(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct access a = {.in = in, .h = inspect_hart(in, n), .slot = desc_of(n)->slot};
	int err = inspect_parse_number(text, width_of(in, desc_of(n)), &a.value);

	(void)reply;
	if (!err && !strcmp(desc_of(n)->name, "x0") && a.value)
		err = bis_fail(EINVAL, "x0 is always zero");
	return err ? err : bis_machine_at_safepoint(in->machine, set_reg, &a);
}

static int generate_reg_link(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)in;
	inspect_put(out, "%s", desc_of(n)->alias);
	return 0;
}

static const struct inspect_type reg_type = {.kind = INSPECT_TEXT, .generate = generate_reg, .accept = accept_reg};
static const struct inspect_type reg_link_type = {.kind = INSPECT_LINK, .generate = generate_reg_link};

/* --- Directories of registers --- */

bool inspect_reg_group(struct inspect *in, size_t index, char *letter)
{
	const struct bis_hart *h = bis_machine_hart(in->machine, 0);
	const struct bis_reg_desc *r;
	char before = '\0';

	for (size_t i = 0; (r = bis_hart_reg_desc(h, i)); i++) {
		if (r->name[0] == before)
			continue;
		before = r->name[0];
		if (index--)
			continue;
		*letter = before;
		return true;
	}
	return false;
}

/* Register `index` of those whose name begins with that letter, and have an alias where `aliased`; *index is less by
 * as many as were passed over. */
static const struct bis_reg_desc *reg_at(struct inspect *in, char letter, bool aliased, size_t *index)
{
	const struct bis_reg_desc *r;

	for (size_t i = 0; (r = bis_hart_reg_desc(bis_machine_hart(in->machine, 0), i)); i++)
		if (r->name[0] == letter && (!aliased || r->alias) && (*index)-- == 0)
			return r;
	return NULL;
}

/* First each register by its name in the ABI, then links from its number. */
static bool reg_child(struct inspect *in, const struct inspect_node *dir, size_t index, struct inspect_child *out)
{
	const struct bis_reg_desc *r = reg_at(in, dir->name[0], false, &index);
	bool link = !r;

	if (link)
		r = reg_at(in, dir->name[0], true, &index);
	if (!r)
		return false;
	snprintf(out->name, sizeof(out->name), "%s", link || !r->alias ? r->name : r->alias);
	out->type = link ? &reg_link_type : &reg_type;
	out->arg.row = r;
	return true;
}

const struct inspect_type inspect_regs_dir_type = {.kind = INSPECT_DIR, .child = reg_child};

/* --- pc and priv --- */

static int get_pc(void *arg)
{
	struct access *a = arg;

	a->value = bis_hart_pc(a->h);
	return 0;
}

static int set_pc(void *arg)
{
	struct access *a = arg;
	int err = inspect_need_paused(a->in);

	if (!err)
		bis_hart_set_pc(a->h, a->value);
	return err;
}

static int generate_pc(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct access a = {.in = in, .h = inspect_hart(in, n)};
	int err = bis_machine_at_safepoint(in->machine, get_pc, &a);

	inspect_put_hex(out, a.value, inspect_xlen(in));
	inspect_put(out, "\n");
	return err;
}

static int accept_pc(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct access a = {.in = in, .h = inspect_hart(in, n)};
	unsigned align = bis_isa_has(bis_hart_isa(a.h), "zca") ? 2 : 4;
	int err = debug_parse_address(in->debug, text, &a.value);

	(void)reply;
	if (!err && a.value % align)
		err = bis_fail(EINVAL, "0x%" PRIx64 " is no address of an instruction: expected a multiple of %u",
			       a.value, align);
	return err ? err : bis_machine_at_safepoint(in->machine, set_pc, &a);
}

static const char priv_letters[] = "us?m";

static int get_priv(void *arg)
{
	struct access *a = arg;

	a->value = bis_hart_priv(a->h);
	return 0;
}

static int set_priv(void *arg)
{
	struct access *a = arg;
	int err = inspect_need_paused(a->in);

	if (!err)
		bis_hart_set_priv(a->h, (enum bis_priv)a->value);
	return err;
}

static int generate_priv(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct access a = {.in = in, .h = inspect_hart(in, n)};
	int err = bis_machine_at_safepoint(in->machine, get_priv, &a);

	inspect_put(out, "%c\n", priv_letters[a.value & 3]);
	return err;
}

static int accept_priv(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct access a = {.in = in, .h = inspect_hart(in, n)};
	const char *at = strchr("usm", text[0]);

	(void)reply;
	if (!text[0] || text[1] || !at)
		return bis_fail(EINVAL, "'%.32s' is no privilege: expected u, s or m", text);
	a.value = (uint64_t)(strchr(priv_letters, text[0]) - priv_letters);
	return bis_machine_at_safepoint(in->machine, set_priv, &a);
}

const struct inspect_type inspect_pc_type = {.kind = INSPECT_TEXT, .generate = generate_pc, .accept = accept_pc};
const struct inspect_type inspect_priv_type = {.kind = INSPECT_TEXT, .generate = generate_priv, .accept = accept_priv};

/* --- All at a glance --- */

static const char *const glance_csrs[] = {"mstatus", "mcause", "mepc",	 "mtval", "mie",
					  "mip",     "satp",   "scause", "sepc",  "stval"};

struct glance {
	struct bis_hart *h;
	uint64_t pc, instret, regs[REGS_MAX], csrs[BIS_ARRAY_SIZE(glance_csrs)];
	int csr_numbers[BIS_ARRAY_SIZE(glance_csrs)]; /* below 0: there is none */
	enum bis_priv priv;
};

static int take_glance(void *arg)
{
	struct glance *g = arg;
	const struct bis_reg_desc *r;

	g->pc = bis_hart_pc(g->h);
	g->priv = bis_hart_priv(g->h);
	g->instret = bis_hart_instret(g->h);
	for (size_t i = 0; i < REGS_MAX && (r = bis_hart_reg_desc(g->h, i)); i++)
		g->regs[i] = bis_hart_reg(g->h, r->slot);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(glance_csrs); i++)
		if (g->csr_numbers[i] >= 0 && bis_hart_csr_get(g->h, (unsigned)g->csr_numbers[i], &g->csrs[i]))
			g->csrs[i] = 0;
	return 0;
}

static int csr_number(struct inspect *in, const char *name)
{
	int number = -1;

	pthread_mutex_lock(&in->lock);
	for (size_t i = 0; i < in->n_csrs && number < 0; i++)
		if (!strcmp(in->csrs[i].name, name))
			number = (int)in->csrs[i].number;
	pthread_mutex_unlock(&in->lock);
	return number;
}

static int look(struct inspect *in, const struct inspect_node *n, struct glance *g)
{
	*g = (struct glance){.h = inspect_hart(in, n)};
	for (size_t i = 0; i < BIS_ARRAY_SIZE(glance_csrs); i++)
		g->csr_numbers[i] = csr_number(in, glance_csrs[i]);
	return bis_machine_at_safepoint(in->machine, take_glance, g);
}

/* One of several values of a line. */
static void put_item(struct inspect_text *out, size_t *column, const char *name, uint64_t value, unsigned bits)
{
	inspect_put(out, "%s%-7s ", *column ? "  " : "", name);
	inspect_put_hex(out, value, bits);
	*column = (*column + 1) % 4;
	if (!*column)
		inspect_put(out, "\n");
}

static int generate_regs(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	const struct bis_reg_desc *r;
	unsigned xlen = inspect_xlen(in);
	size_t column = 0;
	struct glance g;
	char pc[200];
	int err = look(in, n, &g);

	if (err)
		return err;
	debug_format_address(in->debug, g.pc, pc, sizeof(pc));
	inspect_put(out, "pc      %s  priv %c  instret %" PRIu64 "\n", pc, priv_letters[g.priv], g.instret);
	for (size_t i = 0; i < REGS_MAX && (r = bis_hart_reg_desc(g.h, i)); i++)
		if (r->name[0] != 'f')
			put_item(out, &column, r->alias ? r->alias : r->name, g.regs[i], width_of(in, r));
	inspect_put(out, column ? "\n" : "");
	column = 0;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(glance_csrs); i++)
		if (g.csr_numbers[i] >= 0)
			put_item(out, &column, glance_csrs[i], g.csrs[i], xlen);
	inspect_put(out, column ? "\n" : "");
	return 0;
}

/* A member of a JSON object: "name":"0x…". */
static void put_member(struct inspect_text *out, bool first, const char *name, uint64_t value, unsigned bits)
{
	inspect_put(out, "%s\"%s\":\"", first ? "" : ",", name);
	inspect_put_hex(out, value, bits);
	inspect_put(out, "\"");
}

static int generate_json(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	const struct bis_reg_desc *r;
	unsigned xlen = inspect_xlen(in);
	char letter = '\0';
	struct glance g;
	bool first = true;
	int err = look(in, n, &g);

	if (err)
		return err;
	inspect_put(out, "{\"cpu\":%u,\"priv\":\"%c\",\"instret\":%" PRIu64, n->arg.hart, priv_letters[g.priv],
		    g.instret);
	put_member(out, false, "pc", g.pc, xlen);
	for (size_t i = 0; i < REGS_MAX && (r = bis_hart_reg_desc(g.h, i)); i++) {
		if (r->name[0] != letter) {
			inspect_put(out, "%s,\"%c\":{", letter ? "}" : "", r->name[0]);
			letter = r->name[0];
			first = true;
		}
		put_member(out, first, r->alias ? r->alias : r->name, g.regs[i], width_of(in, r));
		first = false;
	}
	inspect_put(out, "%s,\"csr\":{", letter ? "}" : "");
	first = true;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(glance_csrs); i++) {
		if (g.csr_numbers[i] < 0)
			continue;
		put_member(out, first, glance_csrs[i], g.csrs[i], xlen);
		first = false;
	}
	inspect_put(out, "}}\n");
	return 0;
}

const struct inspect_type inspect_regs_type = {.kind = INSPECT_TEXT, .generate = generate_regs};
const struct inspect_type inspect_regs_json_type = {.kind = INSPECT_TEXT, .generate = generate_json};
