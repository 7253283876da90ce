/*
 * Directories of the mount that are open: their names as they were when it was opened. Any thread of loop.c; a listing
 * is its opener's, and in the list of those that go with the mount.
 */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/inspect/fuse_internal.h"

static mode_t kind_mode(enum inspect_kind kind)
{
	return kind == INSPECT_DIR ? S_IFDIR : kind == INSPECT_LINK ? S_IFLNK : S_IFREG;
}

static bool add_entry(struct inspect_listing *l, const char *name, mode_t mode)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 32;
		struct inspect_entry *at = realloc(l->at, capacity * sizeof(*at));

		if (!at)
			return false;
		l->at = at;
		l->capacity = capacity;
	}
	snprintf(l->at[l->count].name, sizeof(l->at[0].name), "%s", name);
	l->at[l->count++].mode = mode;
	return true;
}

static void free_listing(struct inspect_listing *l)
{
	if (l)
		free(l->at);
	free(l);
}

/* The kernel does not close what is open when the mount goes: they are kept in a list. */
static void link_listing(struct inspect *in, struct inspect_listing *l)
{
	pthread_mutex_lock(&in->lock);
	l->next = in->listings;
	l->place = &in->listings;
	if (l->next)
		l->next->place = &l->next;
	in->listings = l;
	pthread_mutex_unlock(&in->lock);
}

struct inspect_listing *inspect_listing_open(struct inspect *in, struct inspect_node *n)
{
	struct inspect_listing *l = calloc(1, sizeof(*l));
	struct inspect_child c;
	bool ok = l && add_entry(l, ".", S_IFDIR) && add_entry(l, "..", S_IFDIR);

	for (size_t i = 0; ok && inspect_child_at(in, n, i, &c); i++)
		ok = add_entry(l, c.name, kind_mode(c.type->kind));
	if (!ok) {
		free_listing(l);
		return NULL;
	}
	link_listing(in, l);
	return l;
}

void inspect_listing_close(struct inspect *in, struct inspect_listing *l)
{
	pthread_mutex_lock(&in->lock);
	*l->place = l->next;
	if (l->next)
		l->next->place = l->place;
	pthread_mutex_unlock(&in->lock);
	free_listing(l);
}

void inspect_listings_close(struct inspect *in)
{
	while (in->listings)
		inspect_listing_close(in, in->listings);
}
