/*
 * Breakpoints as text: a recursive-descent parser over words, and the way back. Any thread.
 *
 *     KIND WHAT [hart N]... [once] [if REGISTER COMPARISON VALUE [and ...]]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/debug/debug_internal.h"

#define WORD_BYTES 320

static const char *const comparisons[] = {
	[BIS_EQUAL] = "==",	     [BIS_NOT_EQUAL] = "!=", [BIS_BELOW] = "<",
	[BIS_BELOW_OR_EQUAL] = "<=", [BIS_ABOVE] = ">",	     [BIS_ABOVE_OR_EQUAL] = ">=",
};

/* --- Words --- */

struct parser {
	const struct debug *d;
	const char *at;
	char word[WORD_BYTES]; /* the current one; "" at the end */
	struct bis_break b;
};

#define SPACES	  " \t\n\r"
#define OPERATORS "=!<>"

/* Takes the next word: of operator characters, or of all others up to a space. */
static int next(struct parser *p)
{
	size_t len;

	p->at += strspn(p->at, SPACES);
	len = strspn(p->at, OPERATORS);
	if (!len)
		len = strcspn(p->at, SPACES OPERATORS);
	if (len >= sizeof(p->word))
		return bis_fail(EINVAL, "a word of %zu characters", len);
	memcpy(p->word, p->at, len);
	p->word[len] = '\0';
	p->at += len;
	return 0;
}

static bool at(const struct parser *p, const char *word)
{
	return !strcmp(p->word, word);
}

/* "expected …, not 'word'" */
static int expected(const struct parser *p, const char *what)
{
	if (!p->word[0])
		return bis_fail(EINVAL, "expected %s at the end", what);
	return bis_fail(EINVAL, "expected %s, not '%s'", what, p->word);
}

static int number(struct parser *p, const char *what, uint64_t max, uint64_t *out)
{
	if (!debug_number(p->word, strlen(p->word), out) || *out > max)
		return expected(p, what);
	return next(p);
}

/* --- What is stopped at --- */

static int parse_address(struct parser *p)
{
	if (!p->word[0])
		return expected(p, "an address");
	return debug_parse_address(p->d, p->word, &p->b.address);
}

static int parse_pc(struct parser *p)
{
	int err = parse_address(p);

	if (!err && p->b.address & 1)
		err = bis_fail(EINVAL, "'%s' is no address of an instruction: expected a multiple of 2", p->word);
	return err ? err : next(p);
}

/* ADDRESS or ADDRESS+LENGTH: what follows the last '+' is the length. */
static int parse_range(struct parser *p)
{
	uint64_t last = UINT64_MAX >> (64 - debug_xlen(p->d));
	char *plus = strrchr(p->word, '+');
	int err;

	p->b.length = 1;
	if (plus) {
		if (!debug_number(plus + 1, strlen(plus + 1), &p->b.length) || !p->b.length)
			return bis_fail(EINVAL, "expected a length above 0 behind the '+' of '%s'", p->word);
		*plus = '\0';
	}
	err = parse_address(p);
	if (!err && p->b.length - 1 > last - p->b.address)
		err = bis_fail(EINVAL, "'%s' and so many bytes are beyond the end of the address space", p->word);
	return err ? err : next(p);
}

static int parse_csr(struct parser *p)
{
	const struct bis_hart *h = bis_machine_hart(p->d->m, 0);
	const char *all[1024], *near;
	char names[1024][16];
	size_t n = 0;
	int found = p->word[0] ? bis_hart_csr_number(h, p->word) : -ENOENT;

	if (found >= 0) {
		p->b.address = (uint64_t)found;
		return next(p);
	}
	for (unsigned i = 0; i < 0x1000 && n < BIS_ARRAY_SIZE(all); i++) {
		int len = bis_hart_csr_name(h, i, names[n], sizeof(names[n]));

		all[n] = names[n];
		n += len > 0;
	}
	near = bis_nearest_name(p->word, all, n);
	if (near)
		return bis_fail(EINVAL, "expected the name of a CSR, not '%s' (did you mean '%s'?)", p->word, near);
	return expected(p, "the name of a CSR");
}

static int parse_cause(struct parser *p, const char *what, const char *(*name_of)(uint64_t cause))
{
	const char *all[64], *near;
	size_t n = 0;

	for (uint64_t i = 0; i < 64; i++) {
		const char *name = name_of(i);

		if (!name)
			continue;
		if (at(p, name)) {
			p->b.address = i;
			return next(p);
		}
		all[n++] = name;
	}
	near = bis_nearest_name(p->word, all, n);
	if (near)
		return bis_fail(EINVAL, "expected %s, not '%s' (did you mean '%s'?)", what, p->word, near);
	return number(p, what, 63, &p->b.address);
}

static int parse_kind(struct parser *p)
{
	const char *names[BIS_BREAK_KINDS], *near;

	for (unsigned i = 0; i < BIS_BREAK_KINDS; i++) {
		names[i] = bis_break_kind_name((enum bis_break_kind)i);
		if (!at(p, names[i]))
			continue;
		p->b.kind = (enum bis_break_kind)i;
		return next(p);
	}
	near = bis_nearest_name(p->word, names, BIS_BREAK_KINDS);
	if (near)
		return bis_fail(EINVAL, "unknown kind of breakpoint '%s' (did you mean '%s'?)", p->word, near);
	return expected(p, "pc, read, write, access, csr, trap, interrupt or instret");
}

static int parse_what(struct parser *p)
{
	switch (p->b.kind) {
	case BIS_BREAK_PC:
		return parse_pc(p);
	case BIS_BREAK_CSR:
		return parse_csr(p);
	case BIS_BREAK_TRAP:
		return parse_cause(p, "a trap's name, or its number below 64", debug_trap_name);
	case BIS_BREAK_INTERRUPT:
		return parse_cause(p, "an interrupt's name, or its number below 64", debug_interrupt_name);
	case BIS_BREAK_INSTRET:
		return number(p, "a number of instructions", UINT64_MAX, &p->b.address);
	default:
		return parse_range(p);
	}
}

/* --- Whose, and when --- */

static int parse_hart(struct parser *p)
{
	unsigned harts = bis_machine_harts(p->d->m);
	uint64_t hart;

	if (!debug_number(p->word, strlen(p->word), &hart) || hart >= harts)
		return bis_fail(EINVAL, "expected a hart, 0 to %u, not '%s'", harts - 1, p->word);
	if (p->b.harts >> hart & 1)
		return bis_fail(EINVAL, "hart %u is named twice", (unsigned)hart);
	p->b.harts |= 1u << hart;
	return next(p);
}

/* The slot of a register by either of its names; -1 if it is none. */
static int register_slot(const struct bis_hart *h, const char *name)
{
	const struct bis_reg_desc *r;

	for (size_t i = 0; (r = bis_hart_reg_desc(h, i)); i++)
		if (!strcmp(name, r->name) || !strcmp(name, r->alias))
			return r->slot;
	return strcmp(name, "fp") ? -1 : 8;
}

static int parse_register(struct parser *p, struct bis_condition *c)
{
	const struct bis_hart *h = bis_machine_hart(p->d->m, 0);
	int slot = register_slot(h, p->word);

	c->is_csr = slot < 0;
	if (slot < 0 && p->word[0])
		slot = bis_hart_csr_number(h, p->word);
	if (slot < 0)
		return expected(p, "a register or a CSR");
	c->where = (uint16_t)slot;
	return next(p);
}

static int parse_condition(struct parser *p)
{
	struct bis_condition *c = &p->b.conditions[p->b.n_conditions];
	unsigned i;
	int err;

	if (p->b.n_conditions == BIS_BREAK_CONDITIONS_MAX)
		return bis_fail(EINVAL, "more than %d conditions", BIS_BREAK_CONDITIONS_MAX);
	err = parse_register(p, c);
	if (err)
		return err;
	for (i = 0; i < BIS_ARRAY_SIZE(comparisons) && !at(p, comparisons[i]); i++)
		;
	if (i == BIS_ARRAY_SIZE(comparisons))
		return expected(p, "a comparison (== != < <= > >=)");
	c->compare = (enum bis_compare)i;
	err = next(p);
	if (!err && !debug_number(p->word, strlen(p->word), &c->value))
		err = p->word[0] ? debug_parse_address(p->d, p->word, &c->value) : expected(p, "a value");
	if (err)
		return err;
	p->b.n_conditions++;
	return next(p);
}

static int parse_conditions(struct parser *p)
{
	int err = 0;

	if (p->b.n_conditions)
		return bis_fail(EINVAL, "'if' is given twice; conditions are joined by 'and'");
	do {
		err = next(p); /* "if" or "and" */
		if (!err)
			err = parse_condition(p);
	} while (!err && at(p, "and"));
	return err;
}

static int parse_clause(struct parser *p)
{
	int err;

	if (at(p, "if"))
		return parse_conditions(p);
	if (at(p, "hart")) {
		err = next(p);
		return err ? err : parse_hart(p);
	}
	if (!at(p, "once"))
		return expected(p, "'hart N', 'once' or 'if …'");
	if (p->b.once)
		return bis_fail(EINVAL, "'once' is given twice");
	p->b.once = true;
	return next(p);
}

int debug_break_parse(const struct debug *d, const char *text, struct bis_break *out)
{
	struct parser p = {.d = d, .at = text};
	int err = next(&p);

	if (!err)
		err = parse_kind(&p);
	if (!err)
		err = parse_what(&p);
	while (!err && p.word[0])
		err = parse_clause(&p);
	if (err)
		return err;
	*out = p.b;
	return 0;
}

/* --- Back to text --- */

struct writer {
	char *buf;
	size_t size;
	int len;
};

static void BIS_PRINTF(2, 3) put(struct writer *w, const char *fmt, ...)
{
	size_t used = (size_t)w->len < w->size ? (size_t)w->len : w->size;
	va_list ap;

	va_start(ap, fmt);
	w->len += vsnprintf(w->size ? w->buf + used : NULL, w->size - used, fmt, ap);
	va_end(ap);
}

/* By symbol where it leads back to the same address. */
static void put_address(struct writer *w, const struct debug *d, uint64_t address)
{
	uint64_t offset, back;
	const char *name = debug_symbol_at(d, address, &offset);
	char text[WORD_BYTES];

	if (name && offset)
		snprintf(text, sizeof(text), "%s+0x%" PRIx64, name, offset);
	else if (name)
		snprintf(text, sizeof(text), "%s", name);
	if (name && !strpbrk(name, SPACES OPERATORS "+") && strlen(name) < WORD_BYTES - 64 &&
	    !debug_parse_address(d, text, &back) && back == address)
		put(w, "%s", text);
	else
		put(w, "0x%0*" PRIx64, (int)debug_xlen(d) / 4, address);
}

static void put_name(struct writer *w, const char *name, uint64_t number)
{
	if (name)
		put(w, "%s", name);
	else
		put(w, "%" PRIu64, number);
}

static void put_csr(struct writer *w, const struct debug *d, unsigned number)
{
	char name[64];
	int len = bis_hart_csr_name(bis_machine_hart(d->m, 0), number, name, sizeof(name));

	put_name(w, len > 0 ? name : NULL, number);
}

static void put_what(struct writer *w, const struct debug *d, const struct bis_break *b)
{
	switch (b->kind) {
	case BIS_BREAK_PC:
		put_address(w, d, b->address);
		break;
	case BIS_BREAK_CSR:
		put_csr(w, d, (unsigned)b->address);
		break;
	case BIS_BREAK_TRAP:
		put_name(w, debug_trap_name(b->address), b->address);
		break;
	case BIS_BREAK_INTERRUPT:
		put_name(w, debug_interrupt_name(b->address), b->address);
		break;
	case BIS_BREAK_INSTRET:
		put(w, "%" PRIu64, b->address);
		break;
	default:
		put_address(w, d, b->address);
		put(w, "+%" PRIu64, b->length);
	}
}

static const char *register_name(const struct bis_hart *h, unsigned slot)
{
	const struct bis_reg_desc *r;

	for (size_t i = 0; (r = bis_hart_reg_desc(h, i)); i++)
		if (r->slot == slot)
			return r->alias;
	return NULL;
}

static void put_condition(struct writer *w, const struct debug *d, const struct bis_condition *c)
{
	if (c->is_csr)
		put_csr(w, d, c->where);
	else
		put_name(w, register_name(bis_machine_hart(d->m, 0), c->where), c->where);
	put(w, " %s 0x%" PRIx64, comparisons[c->compare], c->value);
}

int debug_break_format(const struct debug *d, const struct bis_break *b, char *buf, size_t size)
{
	struct writer w = {.buf = buf, .size = size};
	const char *kind = bis_break_kind_name(b->kind);

	put(&w, "%s ", kind ? kind : "?");
	put_what(&w, d, b);
	for (unsigned i = 0; i < BIS_MAX_HARTS; i++)
		if (b->harts >> i & 1)
			put(&w, " hart %u", i);
	if (b->once)
		put(&w, " once");
	for (unsigned i = 0; i < b->n_conditions; i++) {
		put(&w, i ? " and " : " if ");
		put_condition(&w, d, &b->conditions[i]);
	}
	return w.len;
}
