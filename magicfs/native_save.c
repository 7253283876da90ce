/*
 * What a snapshot needs of the native MagicFS device beyond its fields: open handles, mappings, watches, requests that
 * wait and requests that are done and not yet taken. Control thread; the device is paused, so nothing is being carried
 * out.
 *
 * Each of these comes as its number of pieces (32 bits) and the pieces, in the order of the functions below.
 */
#include <errno.h>
#include <stdlib.h>

#include "magicfs/native_internal.h"
#include "magicfs/saved.h"

/* --- Saving --- */

struct saving {
	struct native *n;
	mfs_put_fn put;
	void *arg;
	bool lost; /* something cannot be opened again */
};

static void put_u32(struct saving *s, uint32_t value)
{
	s->put(s->arg, &value, sizeof(value));
}

static void put_u64(struct saving *s, uint64_t value)
{
	s->put(s->arg, &value, sizeof(value));
}

/* handle, share, node */
static int save_handles(struct saving *s)
{
	struct mfs_node *node;
	uint32_t handle;
	int err = 0;

	put_u32(s, s->n->open_handles);
	for (size_t row = 0; !err && (row = native_handles_next(s->n, row, &handle, &node));) {
		put_u32(s, handle);
		put_u32(s, node ? native_share_of(s->n, node) : 0);
		err = mfs_save_node(node, s->put, s->arg, &s->lost);
	}
	return err;
}

/* place in the window, length, place in the file, flags, share, node */
static int save_maps(struct saving *s)
{
	int err = 0;

	put_u32(s, s->n->maps_count);
	for (const struct native_map *m = s->n->maps.first; m && !err; m = m->next) {
		put_u64(s, m->off);
		put_u64(s, m->len);
		put_u64(s, m->file_offset);
		put_u32(s, m->flags);
		put_u32(s, native_share_of(s->n, m->node));
		err = mfs_save_node(m->node, s->put, s->arg, &s->lost);
	}
	return err;
}

/* number, changes, recursive, node */
static int save_watches(struct saving *s)
{
	int err = 0;

	put_u32(s, s->n->watches_count);
	for (uint32_t i = 0; i < s->n->watches_count && !err; i++) {
		const struct native_watch *w = &s->n->watches.all[i];

		put_u32(s, w->number);
		put_u32(s, w->changes);
		put_u32(s, w->recursive);
		if (w->vague)
			err = mfs_save_node(NULL, s->put, s->arg, &s->lost);
		else
			s->put(s->arg, w->what, w->what_len);
	}
	return err;
}

static uint32_t count_jobs(const struct native_jobs *list)
{
	uint32_t count = 0;

	for (const struct native_job *job = list->first; job; job = job->next)
		count++;
	return count;
}

/* address, request */
static void save_jobs(struct saving *s, const struct native_jobs *list)
{
	put_u32(s, count_jobs(list));
	for (const struct native_job *job = list->first; job; job = job->next) {
		put_u64(s, job->address);
		s->put(s->arg, &job->request, sizeof(job->request));
	}
}

int native_save(void *self, mfs_put_fn put, void *arg)
{
	struct saving s = {.n = self, .put = put, .arg = arg};
	int err = save_handles(&s);

	if (!err)
		err = save_maps(&s);
	if (!err)
		err = save_watches(&s);
	if (err)
		return err;
	save_jobs(&s, &s.n->waiting);
	save_jobs(&s, &s.n->watches.waiting);
	save_jobs(&s, &s.n->done);
	if (s.lost)
		bis_log(bis_module_machine(s.n->module), BIS_LOG_WARN, bis_module_name(s.n->module),
			"the guest has files open that have no name any more: they end with this run");
	return 0;
}

/* --- And back --- */

struct restoring {
	struct native *n;
	struct mfs_bytes b;
	struct mfs_losses losses;
};

static int take_node(struct restoring *r, uint32_t share, struct mfs_node **out)
{
	if (r->b.cut || share >= r->n->shares)
		return -EINVAL;
	return mfs_restore_node(r->n->share[share], &r->b, &r->losses, out);
}

static int restore_handles(struct restoring *r)
{
	uint32_t count = mfs_bytes_u32(&r->b);
	struct mfs_node *node;
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		uint32_t handle = mfs_bytes_u32(&r->b), share = mfs_bytes_u32(&r->b);

		err = take_node(r, share, &node);
		if (err)
			break;
		err = native_handle_restore(r->n, handle, node);
		if (err)
			mfs_node_put(node);
	}
	return err;
}

/* A mapping that cannot be made again is not there: the guest's next access is a fault. */
static int restore_maps(struct restoring *r)
{
	uint32_t count = mfs_bytes_u32(&r->b);
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		struct native_map map = {.off = mfs_bytes_u64(&r->b)};

		map.len = mfs_bytes_u64(&r->b);
		map.file_offset = mfs_bytes_u64(&r->b);
		map.flags = mfs_bytes_u32(&r->b);
		err = take_node(r, mfs_bytes_u32(&r->b), &map.node);
		if (err)
			break;
		if (map.node && native_map_restore(r->n, &map) < 0)
			r->losses.nodes++;
		mfs_node_put(map.node);
	}
	return err;
}

static int restore_watches(struct restoring *r)
{
	uint32_t count = mfs_bytes_u32(&r->b);
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		struct native_watch w = {.number = mfs_bytes_u32(&r->b)};
		const uint8_t *what;
		struct mfs_node *node;

		w.changes = mfs_bytes_u32(&r->b);
		w.recursive = mfs_bytes_u32(&r->b) != 0;
		what = r->b.at;
		err = take_node(r, w.number % MAGICFS_SHARES_MAX, &node);
		if (err)
			break;
		err = native_watch_restore(r->n, &w, what, (size_t)(r->b.at - what), node);
		mfs_node_put(node);
	}
	return err;
}

static int restore_jobs(struct restoring *r, enum native_wait wait)
{
	uint32_t count = mfs_bytes_u32(&r->b);
	struct magicfs_request request;
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		uint64_t address = mfs_bytes_u64(&r->b);

		mfs_bytes_take(&r->b, &request, sizeof(request));
		err = r->b.cut ? -EINVAL : native_job_restore(r->n, address, &request, wait);
	}
	return err;
}

int native_restore(void *self, const void *data, size_t len)
{
	struct restoring r = {.n = self, .b = {.at = data, .left = len}};
	int err = restore_handles(&r);

	if (!err)
		err = restore_maps(&r);
	if (!err)
		err = restore_watches(&r);
	if (!err)
		err = restore_jobs(&r, NATIVE_WAIT_LOCK);
	if (!err)
		err = restore_jobs(&r, NATIVE_WAIT_EVENTS);
	if (!err)
		err = restore_jobs(&r, NATIVE_WAIT_NONE);
	if (!err && (r.b.cut || r.b.left))
		err = -EINVAL;
	if (err)
		return bis_fail(-err, "%s: the open files, watches and requests in the snapshot make no sense",
				bis_module_name(r.n->module));
	mfs_tell_losses(r.n->module, &r.losses);
	return 0;
}
