/*
 * Handles of the native MagicFS device: a row's number and how often the row was used, so that a handle that was closed
 * is not taken for a newer one. A row holds a reference to an open node. Any thread; the table has its own lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "magicfs/native_internal.h"

/* handle = generation << ROW_BITS | row; generations begin with 1, so that handles lie above the shares' roots. */
#define ROW_BITS       20
#define ROWS_MAX       (1u << ROW_BITS)
#define GENERATION_MAX 2047u /* handles are positive as int32_t */
#define FREE_MIN       1024u /* rows that wait before the first of them is used again */

int native_handles_create(struct native_handles *h)
{
	*h = (struct native_handles){0};
	return -pthread_mutex_init(&h->lock, NULL);
}

void native_handles_destroy(struct native_handles *h)
{
	free(h->rows);
	pthread_mutex_destroy(&h->lock);
}

/* Makes the table longer by one row. Lock held. */
static int grow(struct native_handles *h)
{
	uint32_t room = h->room ? 2 * h->room : 64;
	struct native_handle *rows;

	if (h->size == ROWS_MAX)
		return -EMFILE;
	if (h->size == h->room) {
		rows = realloc(h->rows, room * sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		h->rows = rows;
		h->room = room;
	}
	h->rows[h->size++] = (struct native_handle){.generation = 1};
	return 0;
}

/* The row that has been free longest, so that old handles stay invalid as long as possible. Lock held. */
static uint32_t take_free(struct native_handles *h)
{
	uint32_t row = h->first_free - 1;

	h->first_free = h->rows[row].next_free;
	if (!h->first_free)
		h->last_free = 0;
	h->free_count--;
	return row;
}

static void put_free(struct native_handles *h, uint32_t row)
{
	struct native_handle *r = &h->rows[row];

	r->generation = r->generation == GENERATION_MAX ? 1 : r->generation + 1;
	r->next_free = 0;
	if (h->last_free)
		h->rows[h->last_free - 1].next_free = row + 1;
	else
		h->first_free = row + 1;
	h->last_free = row + 1;
	h->free_count++;
}

int64_t native_handle_add(struct native *n, struct mfs_node *node)
{
	struct native_handles *h = &n->handles;
	uint32_t row;
	int64_t result;

	pthread_mutex_lock(&h->lock);
	row = h->size;
	result = h->free_count < FREE_MIN ? grow(h) : -EMFILE;
	if (result && h->first_free) {
		row = take_free(h);
		result = 0;
	}
	if (!result) {
		h->rows[row].node = node;
		result = (int64_t)h->rows[row].generation << ROW_BITS | row;
		__atomic_fetch_add(&n->open_handles, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&h->lock);
	return result;
}

/* The row of a handle that is open, or NULL. Lock held. */
static struct native_handle *find(struct native_handles *h, uint32_t handle)
{
	uint32_t row = handle & (ROWS_MAX - 1);
	struct native_handle *r = row < h->size ? &h->rows[row] : NULL;

	return r && r->generation == handle >> ROW_BITS && (r->node || r->lost) ? r : NULL;
}

int native_handle_get(struct native *n, uint32_t handle, struct mfs_node **out)
{
	struct native_handle *r;
	int err = 0;

	if (handle < n->shares) {
		*out = mfs_node_get(n->root[handle]);
		return 0;
	}
	pthread_mutex_lock(&n->handles.lock);
	r = find(&n->handles, handle);
	if (!r)
		err = -EBADF;
	else if (r->lost)
		err = -ESTALE;
	else
		*out = mfs_node_get(r->node);
	pthread_mutex_unlock(&n->handles.lock);
	return err;
}

int native_handle_close(struct native *n, uint32_t handle)
{
	struct mfs_node *node = NULL;
	struct native_handle *r;

	pthread_mutex_lock(&n->handles.lock);
	r = find(&n->handles, handle);
	if (r) {
		node = r->node;
		r->node = NULL;
		r->lost = false;
		put_free(&n->handles, handle & (ROWS_MAX - 1));
		__atomic_fetch_sub(&n->open_handles, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&n->handles.lock);
	if (!r)
		return -EBADF;
	mfs_node_put(node);
	return 0;
}

uint32_t native_share_of(const struct native *n, const struct mfs_node *node)
{
	uint32_t share = 0;

	while (n->share[share] != node->fs)
		share++;
	return share;
}

void native_handles_clear(struct native *n)
{
	struct native_handles *h = &n->handles;

	for (uint32_t row = 0; row < h->size; row++)
		mfs_node_put(h->rows[row].node);
	free(h->rows);
	h->rows = NULL;
	h->size = 0;
	h->room = 0;
	h->first_free = 0;
	h->last_free = 0;
	h->free_count = 0;
	n->open_handles = 0;
}

/* --- For native_save.c --- */

size_t native_handles_next(const struct native *n, size_t row, uint32_t *handle, struct mfs_node **node)
{
	const struct native_handles *h = &n->handles;

	while (row < h->size && !h->rows[row].node && !h->rows[row].lost)
		row++;
	if (row == h->size)
		return 0;
	*handle = h->rows[row].generation << ROW_BITS | (uint32_t)row;
	*node = h->rows[row].node;
	return row + 1;
}

int native_handle_restore(struct native *n, uint32_t handle, struct mfs_node *node)
{
	uint32_t row = handle & (ROWS_MAX - 1), generation = handle >> ROW_BITS;
	struct native_handles *h = &n->handles;
	int err = 0;

	if (!generation || generation > GENERATION_MAX || row < h->size)
		return -EINVAL;
	while (h->size <= row && !err) {
		err = grow(h);
		if (!err && h->size <= row)
			put_free(h, h->size - 1);
	}
	if (err)
		return err;
	h->rows[row] = (struct native_handle){.node = node, .generation = generation, .lost = !node};
	n->open_handles++;
	return 0;
}
