/* The stacks of --profile: counting them, the file in the format that flame graphs are made from, and the short list.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/run/message.h"
#include "frontend/run/profile_internal.h"

#define TOP	   10
#define STACKS_MAX 65536 /* beyond: only the innermost frame of new ones */

/* --- Counting --- */

static size_t hash(unsigned hart, enum bis_priv priv, const struct profile_frame *frames, unsigned depth)
{
	uint64_t h = hart * 8u + (unsigned)priv;

	for (unsigned i = 0; i < depth; i++) {
		h = (h ^ (uintptr_t)frames[i].symbol ^ frames[i].page) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (size_t)h;
}

static bool is_same(const struct profile_stack *s, unsigned hart, enum bis_priv priv,
		    const struct profile_frame *frames, unsigned depth)
{
	if (s->hart != hart || s->priv != priv || s->depth != depth)
		return false;
	for (unsigned i = 0; i < depth; i++)
		if (s->frames[i].symbol != frames[i].symbol || s->frames[i].page != frames[i].page)
			return false;
	return true;
}

void profile_table_add(struct profile_table *t, unsigned hart, enum bis_priv priv, const struct profile_frame *frames,
		       unsigned depth, uint64_t count)
{
	struct profile_stack *s, **bucket;

	if (t->stacks >= STACKS_MAX && depth > 1)
		depth = 1;
	t->samples += count;
	t->idle += depth ? 0 : count;
	bucket = &t->buckets[hash(hart, priv, frames, depth) % BIS_ARRAY_SIZE(t->buckets)];
	for (s = *bucket; s; s = s->next) {
		if (!is_same(s, hart, priv, frames, depth))
			continue;
		s->count += count;
		return;
	}
	s = malloc(sizeof(*s) + depth * sizeof(*frames));
	if (!s) {
		t->lost += count;
		return;
	}
	*s = (struct profile_stack){.next = *bucket, .count = count, .hart = hart, .depth = depth, .priv = priv};
	if (depth)
		memcpy(s->frames, frames, depth * sizeof(*frames));
	*bucket = s;
	t->stacks++;
}

void profile_table_free(struct profile_table *t)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(t->buckets); i++) {
		while (t->buckets[i]) {
			struct profile_stack *s = t->buckets[i];

			t->buckets[i] = s->next;
			free(s);
		}
	}
}

/* --- The file --- */

/* In a frame's name ';' and blanks would end it. */
static void put_frame(FILE *to, const struct profile_frame *f)
{
	if (!f->symbol) {
		fprintf(to, ";[0x%" PRIx64 "]", f->page);
		return;
	}
	fputc(';', to);
	for (const char *c = f->symbol; *c; c++)
		fputc(*c == ';' || (unsigned char)*c <= ' ' ? '_' : *c, to);
}

static void put_stack(FILE *to, const struct profile_stack *s)
{
	static const char privs[] = "US?M";

	fprintf(to, "hart%u", s->hart);
	if (s->depth)
		fprintf(to, ";%c", privs[s->priv & 3]);
	else
		fputs(";[idle]", to);
	for (unsigned i = s->depth; i--;)
		put_frame(to, &s->frames[i]);
	fprintf(to, " %" PRIu64 "\n", s->count);
}

static int by_count(const void *a, const void *b)
{
	const struct profile_stack *const *x = a, *const *y = b;

	return ((*x)->count < (*y)->count) - ((*x)->count > (*y)->count);
}

/* All stacks, the most frequent first; NULL without memory. */
static const struct profile_stack **sorted(const struct profile_table *t)
{
	const struct profile_stack **all = calloc(t->stacks + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; all && i < BIS_ARRAY_SIZE(t->buckets); i++)
		for (const struct profile_stack *s = t->buckets[i]; s; s = s->next)
			all[n++] = s;
	if (all)
		qsort(all, n, sizeof(*all), by_count);
	return all;
}

int profile_table_write(const struct profile_table *t, FILE *to)
{
	const struct profile_stack **all = sorted(t);

	if (!all)
		return bis_fail(ENOMEM, "--profile: out of memory");
	for (size_t i = 0; i < t->stacks; i++)
		put_stack(to, all[i]);
	free(all);
	return fflush(to) || ferror(to) ? bis_fail(errno, "--profile: %s", strerror(errno)) : 0;
}

/* --- The short list --- */

struct leaf {
	struct profile_frame frame;
	uint64_t count;
};

static int by_frame(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;
	uintptr_t p = (uintptr_t)x->frame.symbol, q = (uintptr_t)y->frame.symbol;

	if (p != q)
		return p < q ? -1 : 1;
	return (x->frame.page > y->frame.page) - (x->frame.page < y->frame.page);
}

static int leaf_by_count(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

/* One entry for each innermost frame, the most frequent first: their number. */
static size_t merge(struct leaf *leaves, size_t n)
{
	size_t kept = 0;

	qsort(leaves, n, sizeof(*leaves), by_frame);
	for (size_t i = 0; i < n; i++) {
		if (kept && !by_frame(&leaves[kept - 1], &leaves[i]))
			leaves[kept - 1].count += leaves[i].count;
		else
			leaves[kept++] = leaves[i];
	}
	qsort(leaves, kept, sizeof(*leaves), leaf_by_count);
	return kept;
}

void profile_table_print(const struct profile_table *t, const char *path)
{
	uint64_t busy = t->samples - t->idle;
	struct leaf *leaves = calloc(t->stacks + 1, sizeof(*leaves));
	size_t n = 0;

	message("profile: %" PRIu64 " samples, %.1f%% of them idle; stacks in %s", t->samples,
		t->samples ? 100.0 * (double)t->idle / (double)t->samples : 0.0, path);
	for (size_t i = 0; leaves && i < BIS_ARRAY_SIZE(t->buckets); i++)
		for (const struct profile_stack *s = t->buckets[i]; s; s = s->next)
			if (s->depth)
				leaves[n++] = (struct leaf){s->frames[0], s->count};
	n = leaves ? merge(leaves, n) : 0;
	for (size_t i = 0; i < n && i < TOP; i++) {
		double part = 100.0 * (double)leaves[i].count / (double)busy;

		if (leaves[i].frame.symbol)
			message("%5.1f%%  %s", part, leaves[i].frame.symbol);
		else
			message("%5.1f%%  [0x%" PRIx64 "]", part, leaves[i].frame.page);
	}
	free(leaves);
}
