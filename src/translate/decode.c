/*
 * The decoder: finds the row of a raw instruction, and prints it. It knows rows and families (include/biscuit/isa.h)
 * but no instruction set. A decoder is built once on the control thread and then only read, by any thread; it owns its
 * index and borrows the rows.
 *
 * For each instruction length the rows are spread over buckets by up to INDEX_BITS bits of the instruction: those which
 * most rows fix. A bucket lists the rows that an instruction with its index can match, the most specific first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/isa.h>

#include "src/translate/translate_internal.h"

enum { INDEX_BITS = 9, RAW_BITS = 32 };

/* A row, with what is looked at before it is. */
struct candidate {
	uint32_t match, mask;
	const struct bis_insn_row *row;
};

/* The rows of one length. Bucket n lists row[start[n]] and the following, up to one without a row, which matches all.
 */
struct row_index {
	struct candidate *row;
	uint32_t *start;
	unsigned n_bits;
	uint8_t bit[INDEX_BITS];   /* bit k of the bucket number is this bit of the instruction */
	uint16_t part[4][1u << 8]; /* what each byte of the instruction contributes to the bucket number */
};

struct bis_decoder {
	const struct bis_isa_family *family;
	unsigned xlen;
	struct row_index by_half[2]; /* instructions of 2 and of 4 bytes */
};

/* The enabled rows of one length, while the index is built. */
struct row_list {
	const struct bis_insn_row **row;
	size_t count;
};

static unsigned bucket_of(const struct row_index *x, uint32_t raw)
{
	return (unsigned)x->part[0][raw & 0xff] | x->part[1][raw >> 8 & 0xff] | x->part[2][raw >> 16 & 0xff] |
	       x->part[3][raw >> 24];
}

static bool enabled(const struct bis_insn_row *row, const struct bis_isa_spec *spec)
{
	unsigned width = spec->xlen == 32 ? BIS_X32 : BIS_X64;

	return (row->xlens & width) && (row->ext[0] == 'x' || bis_isa_has(spec, row->ext));
}

static int check_row(const struct bis_isa_family *family, const struct bis_insn_row *row)
{
	if (!row->name || !row->ext || !row->translate)
		return bis_fail(EINVAL, "%s instruction %s has no name, extension or translator", family->name,
				row->name ? row->name : "?");
	if ((row->len != 2 && row->len != 4) || (row->len == 2 && row->mask > UINT16_MAX))
		return bis_fail(EINVAL,
				"%s instruction %s: its length is %u, expected 2 or 4 bytes with a mask that fits",
				family->name, row->name, row->len);
	if (row->match & ~row->mask)
		return bis_fail(EINVAL, "%s instruction %s: match 0x%" PRIx32 " has bits outside its mask 0x%" PRIx32,
				family->name, row->name, row->match, row->mask);
	if (family->length((uint16_t)row->match) != row->len)
		return bis_fail(EINVAL, "%s instruction %s: its encoding is not one of a %u-byte instruction",
				family->name, row->name, row->len);
	return 0;
}

/* Puts the enabled rows of length `len` into list, which has room for all rows. */
static int collect(const struct bis_isa_family *family, const struct bis_row_table *tables, size_t n_tables,
		   const struct bis_isa_spec *spec, unsigned len, struct row_list *list)
{
	for (size_t n = 0; n < n_tables; n++) {
		for (size_t i = 0; i < tables[n].count; i++) {
			const struct bis_insn_row *row = &tables[n].rows[i];
			int err = check_row(family, row);

			if (err)
				return err;
			if (row->len == len && enabled(row, spec))
				list->row[list->count++] = row;
		}
	}
	return 0;
}

static bool overlap(const struct bis_insn_row *a, const struct bis_insn_row *b)
{
	return !((a->match ^ b->match) & a->mask & b->mask);
}

/* Overlapping rows must be nested: the mask of one has all bits of the other's and more. */
static int check_overlaps(const struct bis_isa_family *family, const struct row_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct bis_insn_row *a = list->row[i];

		for (size_t j = i + 1; j < list->count; j++) {
			const struct bis_insn_row *b = list->row[j];
			uint32_t both = a->mask & b->mask;

			if (overlap(a, b) && (a->mask == b->mask || (both != a->mask && both != b->mask)))
				return bis_fail(EEXIST, "%s instructions %s (%s) and %s (%s) have the same encoding",
						family->name, a->name, a->ext, b->name, b->ext);
		}
	}
	return 0;
}

/* Most mask bits first; rows that nest differ in their number. */
static int more_specific_first(const void *left, const void *right)
{
	const struct bis_insn_row *a = *(const struct bis_insn_row *const *)left;
	const struct bis_insn_row *b = *(const struct bis_insn_row *const *)right;

	return __builtin_popcount(b->mask) - __builtin_popcount(a->mask);
}

/* How many rows fix bit `bit`; 0 where all that do agree, as the bit then tells nothing. */
static size_t worth_of_bit(const struct row_list *list, unsigned bit)
{
	size_t ones = 0, zeros = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (!(list->row[i]->mask >> bit & 1))
			continue;
		if (list->row[i]->match >> bit & 1)
			ones++;
		else
			zeros++;
	}
	return ones && zeros ? ones + zeros : 0;
}

static void choose_bits(struct row_index *x, const struct row_list *list)
{
	uint32_t taken = 0;

	while (x->n_bits < INDEX_BITS) {
		unsigned best = 0;
		size_t best_worth = 0;

		for (unsigned bit = 0; bit < RAW_BITS; bit++) {
			size_t worth = taken >> bit & 1 ? 0 : worth_of_bit(list, bit);

			if (worth > best_worth) {
				best = bit;
				best_worth = worth;
			}
		}
		if (best_worth == 0)
			break;
		taken |= 1u << best;
		x->bit[x->n_bits++] = (uint8_t)best;
	}
}

static void fill_parts(struct row_index *x)
{
	for (unsigned k = 0; k < x->n_bits; k++)
		for (unsigned value = 0; value < BIS_ARRAY_SIZE(x->part[0]); value++)
			if (value >> x->bit[k] % 8 & 1)
				x->part[x->bit[k] / 8][value] |= (uint16_t)(1u << k);
}

/* Can an instruction in bucket `bucket` match the row? */
static bool belongs(const struct row_index *x, const struct bis_insn_row *row, size_t bucket)
{
	for (unsigned k = 0; k < x->n_bits; k++)
		if ((row->mask >> x->bit[k] & 1) && (row->match >> x->bit[k] & 1) != (bucket >> k & 1))
			return false;
	return true;
}

static int build_index(struct row_index *x, struct row_list *list)
{
	size_t total = 0, buckets;
	uint32_t at = 0;

	qsort(list->row, list->count, sizeof(list->row[0]), more_specific_first);
	choose_bits(x, list);
	fill_parts(x);
	buckets = (size_t)1 << x->n_bits;
	for (size_t i = 0; i < list->count; i++) {
		size_t copies = buckets;

		for (unsigned k = 0; k < x->n_bits; k++)
			copies >>= list->row[i]->mask >> x->bit[k] & 1;
		total += copies;
	}
	x->start = calloc(buckets, sizeof(x->start[0]));
	x->row = calloc(total + buckets, sizeof(x->row[0]));
	if (!x->start || !x->row)
		return bis_fail(ENOMEM, "no memory for an instruction decoder");
	for (size_t bucket = 0; bucket < buckets; bucket++) {
		x->start[bucket] = at;
		for (size_t i = 0; i < list->count; i++)
			if (belongs(x, list->row[i], bucket))
				x->row[at++] =
					(struct candidate){list->row[i]->match, list->row[i]->mask, list->row[i]};
		at++;
	}
	return 0;
}

int bis_decoder_create(const struct bis_isa_family *family, const struct bis_row_table *tables, size_t n_tables,
		       const struct bis_isa_spec *spec, struct bis_decoder **out)
{
	struct bis_decoder *d = calloc(1, sizeof(*d));
	struct row_list list = {0};
	size_t total = 0;
	int err = 0;

	for (size_t n = 0; n < n_tables; n++)
		total += tables[n].count;
	list.row = calloc(total + 1, sizeof(list.row[0]));
	if (!d || !list.row) {
		err = bis_fail(ENOMEM, "no memory for an instruction decoder");
		goto destroy;
	}
	d->family = family;
	d->xlen = spec->xlen;
	for (unsigned half = 0; half < 2 && !err; half++) {
		list.count = 0;
		err = collect(family, tables, n_tables, spec, 2 * half + 2, &list);
		if (!err)
			err = check_overlaps(family, &list);
		if (!err)
			err = build_index(&d->by_half[half], &list);
	}
	if (err)
		goto destroy;
	free(list.row);
	*out = d;
	return 0;
destroy:
	free(list.row);
	bis_decoder_destroy(d);
	return err;
}

void bis_decoder_destroy(struct bis_decoder *d)
{
	if (!d)
		return;
	for (unsigned half = 0; half < 2; half++) {
		free(d->by_half[half].row);
		free(d->by_half[half].start);
	}
	free(d);
}

static const struct bis_insn_row *find_row(const struct row_index *x, uint32_t raw)
{
	const struct candidate *c = x->row + x->start[bucket_of(x, raw)];

	while ((raw & c->mask) != c->match)
		c++;
	return c->row;
}

const struct bis_insn_row *bis_decode_long(const struct bis_decoder *d, uint32_t raw, unsigned len,
					   struct bis_insn *out)
{
	const struct row_index *x = len == 4 ? &d->by_half[1] : &d->by_half[0];

	if (len == 2)
		raw &= UINT16_MAX;
	*out = (struct bis_insn){.row = find_row(x, raw), .raw = raw};
	if (out->row && !d->family->operands(out))
		*out = (struct bis_insn){.raw = raw};
	return out->row;
}

const struct bis_insn_row *bis_decode(const struct bis_decoder *d, uint32_t raw, struct bis_insn *out)
{
	struct bis_insn insn;

	return bis_decode_long(d, raw, d->family->length((uint16_t)raw), out ? out : &insn);
}

unsigned bis_disassemble(const struct bis_decoder *d, uint32_t raw, uint64_t pc, char *buf, size_t size)
{
	unsigned len = d->family->length((uint16_t)raw);
	struct bis_insn insn;

	if (bis_decode(d, raw, &insn))
		d->family->format_text(&insn, d->xlen, pc, buf, size);
	else
		snprintf(buf, size, ".%ubyte 0x%0*" PRIx32, len, (int)(2 * len), insn.raw);
	return len;
}
