/*
 * Call frame information, see cfi.h. Entries are found and sorted once; the instructions of one are carried out each
 * time it is asked for. Every read is checked against the end of what it belongs to.
 */
#include "frontend/debug/cfi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#define REMEMBER_MAX 8

struct cfi_entry {
	uint64_t start, size; /* of the code */
	size_t cie;	      /* offset of the common entry's contents in the bytes, and where they end */
	size_t cie_end;
	size_t program, end; /* the instructions */
};

/* A piece of the bytes that is read through. A read beyond its end gives 0 and marks it. */
struct reader {
	const struct cfi *c;
	size_t at, end;
	bool failed;
};

static uint64_t read_fixed(struct reader *r, unsigned size)
{
	uint64_t v = 0;

	if (r->failed || size > r->end - r->at) {
		r->failed = true;
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)r->c->bytes[r->at + i] << (8 * i);
	r->at += size;
	return v;
}

/* LEB128, unsigned; *bits: how many were given, for the sign. */
static uint64_t read_leb(struct reader *r, unsigned *bits)
{
	uint64_t v = 0, byte;

	*bits = 0;
	do {
		byte = read_fixed(r, 1);
		if (*bits < 64)
			v |= (byte & 0x7f) << *bits;
		*bits += 7;
	} while (byte & 0x80);
	return v;
}

static uint64_t read_uleb(struct reader *r)
{
	unsigned bits;

	return read_leb(r, &bits);
}

static int64_t read_sleb(struct reader *r)
{
	unsigned bits;
	uint64_t v = read_leb(r, &bits);

	if (bits < 64 && (v >> (bits - 1) & 1))
		v |= UINT64_MAX << bits;
	return (int64_t)v;
}

static void skip(struct reader *r, uint64_t len)
{
	if (r->failed || len > r->end - r->at)
		r->failed = true;
	else
		r->at += (size_t)len;
}

static uint64_t sign_extend(uint64_t v, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(v << shift) >> shift);
}

enum { PE_FORMAT = 0x0f, PE_PCREL = 0x10, PE_ABSOLUTE = 0 };

/* A pointer in one of the encodings of .eh_frame. */
static uint64_t read_encoded(struct reader *r, unsigned encoding)
{
	uint64_t place = r->c->vaddr + r->at, v;

	switch (encoding & PE_FORMAT) {
	case 0x0:
		v = read_fixed(r, r->c->word);
		break;
	case 0x1:
		v = read_uleb(r);
		break;
	case 0x2:
	case 0x3:
	case 0x4:
		v = read_fixed(r, 1u << ((encoding & PE_FORMAT) - 1));
		break;
	case 0x9:
		v = (uint64_t)read_sleb(r);
		break;
	case 0xa:
	case 0xb:
	case 0xc:
		v = sign_extend(read_fixed(r, 1u << ((encoding & PE_FORMAT) - 9)), 1u << ((encoding & PE_FORMAT) - 9));
		break;
	default:
		r->failed = true;
		return 0;
	}
	if ((encoding & ~(unsigned)PE_FORMAT) == PE_PCREL)
		v += place;
	else if ((encoding & ~(unsigned)PE_FORMAT) != PE_ABSOLUTE)
		r->failed = true;
	return r->c->word == 4 ? v & UINT32_MAX : v;
}

/* --- Common information entries --- */

struct cie {
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;
	unsigned encoding;
	bool augmented, signal;
	size_t program;
};

/* What stands behind the 'z' of an augmentation. */
static void read_augmentation(struct reader *r, const char *letters, struct cie *out)
{
	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			out->encoding = (unsigned)read_fixed(r, 1);
			break;
		case 'L':
			skip(r, 1);
			break;
		case 'P':
			(void)read_encoded(r, (unsigned)read_fixed(r, 1) & 0x7f);
			break;
		case 'S':
			out->signal = true;
			break;
		default:
			return;
		}
	}
}

/* Reads the entry whose contents (behind the id) lie at [at, end). */
static bool read_cie(const struct cfi *c, size_t at, size_t end, struct cie *out)
{
	struct reader r = {.c = c, .at = at, .end = end};
	unsigned version = (unsigned)read_fixed(&r, 1);
	const char *letters = (const char *)c->bytes + r.at;
	uint64_t len;

	*out = (struct cie){.encoding = 0};
	if (r.failed || !memchr(letters, '\0', end - r.at))
		return false;
	skip(&r, strlen(letters) + 1);
	if ((version != 1 && version != 3 && version != 4) || (*letters && *letters != 'z'))
		return false;
	if (version == 4 && (read_fixed(&r, 1) != c->word || read_fixed(&r, 1) != 0))
		return false;
	out->code_align = read_uleb(&r);
	out->data_align = read_sleb(&r);
	out->ra = version == 1 ? read_fixed(&r, 1) : read_uleb(&r);
	out->augmented = *letters == 'z';
	if (out->augmented) {
		struct reader inside;

		len = read_uleb(&r);
		inside = r;
		read_augmentation(&inside, letters + 1, out);
		skip(&r, len);
		r.failed |= inside.failed || inside.at > r.at;
	}
	out->program = r.at;
	return !r.failed && out->ra < CFI_REGS;
}

/* --- The index --- */

/* One entry of the section: its contents [at, end), where its id lies and what it is. False at the end. */
struct item {
	size_t id_at, at, end;
	uint64_t id;
	bool is_cie;
};

static bool next_item(struct reader *r, struct item *out)
{
	uint64_t len = read_fixed(r, 4);
	unsigned offset_size = 4;

	if (len == UINT32_MAX) {
		len = read_fixed(r, 8);
		offset_size = 8;
	}
	if (r->failed || !len || len > r->end - r->at || len < offset_size)
		return false;
	if (r->c->eh)
		offset_size = 4;
	out->id_at = r->at;
	out->end = r->at + (size_t)len;
	out->id = read_fixed(r, offset_size);
	out->at = r->at;
	out->is_cie = r->c->eh ? out->id == 0 : out->id == (offset_size == 8 ? UINT64_MAX : UINT32_MAX);
	r->at = out->end;
	return true;
}

/* Finds the common entry that an item names. */
static bool find_cie(const struct cfi *c, const struct item *item, struct item *cie)
{
	struct reader r = {.c = c, .end = c->size};

	if (c->eh ? item->id > item->id_at : item->id > c->size)
		return false;
	r.at = (size_t)(c->eh ? item->id_at - item->id : item->id);
	return next_item(&r, cie) && cie->is_cie;
}

static bool read_entry(const struct cfi *c, const struct item *item, struct cfi_entry *out)
{
	struct reader r = {.c = c, .at = item->at, .end = item->end};
	struct item common;
	struct cie cie;

	if (!find_cie(c, item, &common) || !read_cie(c, common.at, common.end, &cie))
		return false;
	out->start = read_encoded(&r, cie.encoding);
	out->size = read_encoded(&r, cie.encoding & PE_FORMAT);
	if (cie.augmented)
		skip(&r, read_uleb(&r));
	out->cie = common.at;
	out->cie_end = common.end;
	out->program = r.at;
	out->end = item->end;
	return !r.failed && out->size;
}

static int by_start(const void *a, const void *b)
{
	const struct cfi_entry *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static size_t count_entries(const struct cfi *c)
{
	struct reader r = {.c = c, .end = c->size};
	struct item item;
	size_t count = 0;

	while (next_item(&r, &item))
		count += !item.is_cie;
	return count;
}

int cfi_create(struct cfi *c, uint8_t *bytes, size_t size, uint64_t vaddr, unsigned xlen, bool eh_frame)
{
	struct reader r = {.c = c, .end = size};
	struct item item;
	size_t max;

	*c = (struct cfi){.bytes = bytes, .size = size, .vaddr = vaddr, .word = xlen / 8, .eh = eh_frame};
	max = count_entries(c);
	c->entries = calloc(max ? max : 1, sizeof(*c->entries));
	if (!c->entries) {
		cfi_free(c);
		return bis_fail(ENOMEM, "no memory for %zu unwind entries", max);
	}
	while (next_item(&r, &item))
		if (!item.is_cie && read_entry(c, &item, &c->entries[c->count]))
			c->count++;
	qsort(c->entries, c->count, sizeof(*c->entries), by_start);
	return 0;
}

void cfi_free(struct cfi *c)
{
	free(c->entries);
	free(c->bytes);
	*c = (struct cfi){.count = 0};
}

/* --- Instructions --- */

struct run {
	struct reader r;
	struct cie cie;
	uint64_t pc, at; /* asked for; where the row is valid from */
	struct cfi_row *row, first, remembered[REMEMBER_MAX];
	unsigned depth;
};

static void set_rule(struct run *u, uint64_t reg, enum cfi_rule rule, uint64_t value)
{
	if (reg < CFI_REGS && reg) {
		u->row->regs[reg].rule = rule;
		u->row->regs[reg].value = (int64_t)value;
	}
}

static void restore(struct run *u, uint64_t reg)
{
	if (reg < CFI_REGS)
		u->row->regs[reg] = u->first.regs[reg];
}

static void set_cfa(struct run *u, uint64_t reg, uint64_t offset)
{
	u->row->cfa_reg = reg < CFI_REGS ? (unsigned)reg : CFI_REGS;
	u->row->cfa_offset = (int64_t)offset;
}

static uint64_t factored(const struct run *u, uint64_t value)
{
	return value * (uint64_t)u->cie.data_align;
}

static void advance(struct run *u, uint64_t delta)
{
	u->at += delta * u->cie.code_align;
}

static void remember(struct run *u)
{
	if (u->depth == REMEMBER_MAX)
		u->r.failed = true;
	else
		u->remembered[u->depth++] = *u->row;
}

static void restore_state(struct run *u)
{
	if (!u->depth)
		u->r.failed = true;
	else
		*u->row = u->remembered[--u->depth];
}

/* Those about one register and one operand. */
static void register_op(struct run *u, unsigned op)
{
	uint64_t reg = read_uleb(&u->r);

	switch (op) {
	case 0x05: /* offset_extended */
		set_rule(u, reg, CFI_AT, factored(u, read_uleb(&u->r)));
		break;
	case 0x06: /* restore_extended */
		restore(u, reg);
		break;
	case 0x07: /* undefined */
		set_rule(u, reg, CFI_UNDEFINED, 0);
		break;
	case 0x08: /* same_value */
		set_rule(u, reg, CFI_SAME, 0);
		break;
	case 0x09: /* register */
		set_rule(u, reg, CFI_IN, read_uleb(&u->r));
		break;
	case 0x11: /* offset_extended_sf */
		set_rule(u, reg, CFI_AT, factored(u, (uint64_t)read_sleb(&u->r)));
		break;
	case 0x14: /* val_offset */
		set_rule(u, reg, CFI_IS, factored(u, read_uleb(&u->r)));
		break;
	case 0x15: /* val_offset_sf */
		set_rule(u, reg, CFI_IS, factored(u, (uint64_t)read_sleb(&u->r)));
		break;
	default: /* expression, val_expression */
		skip(&u->r, read_uleb(&u->r));
		set_rule(u, reg, CFI_UNDEFINED, 0);
	}
}

static void cfa_op(struct run *u, unsigned op)
{
	uint64_t reg;

	switch (op) {
	case 0x0c: /* def_cfa */
		reg = read_uleb(&u->r);
		set_cfa(u, reg, read_uleb(&u->r));
		break;
	case 0x0d: /* def_cfa_register */
		set_cfa(u, read_uleb(&u->r), (uint64_t)u->row->cfa_offset);
		break;
	case 0x0e: /* def_cfa_offset */
		u->row->cfa_offset = (int64_t)read_uleb(&u->r);
		break;
	case 0x0f: /* def_cfa_expression */
		skip(&u->r, read_uleb(&u->r));
		set_cfa(u, CFI_REGS, 0);
		break;
	case 0x12: /* def_cfa_sf */
		reg = read_uleb(&u->r);
		set_cfa(u, reg, factored(u, (uint64_t)read_sleb(&u->r)));
		break;
	default: /* def_cfa_offset_sf */
		u->row->cfa_offset = (int64_t)factored(u, (uint64_t)read_sleb(&u->r));
	}
}

static void plain_op(struct run *u, unsigned op)
{
	switch (op) {
	case 0x00: /* nop */
		break;
	case 0x01: /* set_loc */
		u->at = read_encoded(&u->r, u->cie.encoding);
		break;
	case 0x02: /* advance_loc1, 2, 4 */
	case 0x03:
	case 0x04:
		advance(u, read_fixed(&u->r, 1u << (op - 2)));
		break;
	case 0x0a:
		remember(u);
		break;
	case 0x0b:
		restore_state(u);
		break;
	case 0x2e: /* GNU_args_size */
		(void)read_uleb(&u->r);
		break;
	default:
		u->r.failed = true;
	}
}

/* Carries out instructions until the row is the one for pc. */
static void run_program(struct run *u, size_t at, size_t end)
{
	u->r.at = at;
	u->r.end = end;
	while (!u->r.failed && u->r.at < u->r.end && u->at <= u->pc) {
		struct cfi_row before = *u->row;
		unsigned op = (unsigned)read_fixed(&u->r, 1), low = op & 0x3f;

		if (op >> 6 == 1)
			advance(u, low);
		else if (op >> 6 == 2)
			set_rule(u, low, CFI_AT, factored(u, read_uleb(&u->r)));
		else if (op >> 6 == 3)
			restore(u, low);
		else if ((op >= 0x05 && op <= 0x09) || op == 0x10 || op == 0x11 || (op >= 0x14 && op <= 0x16))
			register_op(u, op);
		else if ((op >= 0x0c && op <= 0x0f) || op == 0x12 || op == 0x13)
			cfa_op(u, op);
		else
			plain_op(u, op);
		if (u->at > u->pc)
			*u->row = before;
	}
}

static const struct cfi_entry *entry_of(const struct cfi *c, uint64_t pc)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->entries[mid].start <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || pc - c->entries[low - 1].start >= c->entries[low - 1].size)
		return NULL;
	return &c->entries[low - 1];
}

bool cfi_find(const struct cfi *c, uint64_t pc, struct cfi_row *out)
{
	const struct cfi_entry *e = entry_of(c, pc);
	struct run u = {.r = {.c = c}, .pc = UINT64_MAX, .row = out};

	if (!e || !read_cie(c, e->cie, e->cie_end, &u.cie))
		return false;
	*out = (struct cfi_row){.cfa_reg = CFI_REGS, .ra = (unsigned)u.cie.ra, .signal = u.cie.signal};
	run_program(&u, u.cie.program, e->cie_end);
	u.first = *out;
	u.pc = pc;
	u.at = e->start;
	run_program(&u, e->program, e->end);
	return !u.r.failed && out->cfa_reg < CFI_REGS;
}
