/*
 * What a snapshot needs of the native MagicFS device beyond its fields: each open handle and each mapping as the share
 * and the description of what is open, and the way back. Control thread, nothing is being carried out.
 */
#include <errno.h>
#include <stdlib.h>

#include "magicfs/native_internal.h"

/* What the host has moved out of the share, or where no path is long enough to lead, is lost like what was removed. */
static int describe(struct mfs_node *node, struct mfs_description *out)
{
	int err = mfs_describe(node, out);

	if (err == -EXDEV || err == -ENAMETOOLONG || err == -ESTALE) {
		*out = (struct mfs_description){.open = node->open, .nameless = true};
		err = 0;
	}
	return err ? bis_fail(err, "an open file of a share cannot be described") : 0;
}

static int save_handles(struct native *n, struct native_saved *out)
{
	struct mfs_node *node;
	uint32_t handle;
	int err = 0;

	for (size_t row = 0; !err && (row = native_handles_next(n, row, &handle, &node));) {
		struct native_saved_handle *s = &out->handle[out->handles++];

		s->handle = handle;
		s->share = native_share_of(n, node);
		err = describe(node, &s->description);
	}
	return err;
}

static int save_maps(struct native *n, struct native_saved *out)
{
	int err = 0;

	for (const struct native_map *m = n->maps.first; m && !err; m = m->next) {
		struct native_saved_map *s = &out->map[out->maps++];

		s->off = m->off;
		s->len = m->len;
		s->file_offset = m->file_offset;
		s->flags = m->flags;
		s->share = native_share_of(n, m->node);
		err = describe(m->node, &s->description);
	}
	return err;
}

int native_save(struct native *n, struct native_saved *out)
{
	struct native_saved saved = {0};
	int err = 0;

	saved.handle = calloc(n->open_handles + 1, sizeof(*saved.handle));
	saved.map = calloc(n->maps_count + 1, sizeof(*saved.map));
	if (!saved.handle || !saved.map)
		err = bis_fail(ENOMEM, "no memory for the open files of %s", bis_module_name(n->module));
	if (!err)
		err = save_handles(n, &saved);
	if (!err)
		err = save_maps(n, &saved);
	if (err) {
		native_saved_free(&saved);
		return err;
	}
	*out = saved;
	return 0;
}

/* NULL where it cannot be opened again. */
static struct mfs_node *reopen(const struct native *n, uint32_t share, const struct mfs_description *d)
{
	struct mfs_node *node = NULL;

	if (share >= n->shares || d->nameless || mfs_reopen(n->share[share], d, &node))
		return NULL;
	return node;
}

static bool restore_map(struct native *n, const struct native_saved_map *s)
{
	struct native_map map = {.off = s->off, .len = s->len, .file_offset = s->file_offset, .flags = s->flags};
	bool mapped;

	map.node = n->direct ? reopen(n, s->share, &s->description) : NULL;
	mapped = map.node && native_map_add(n, &map, false) >= 0;
	mfs_node_put(map.node);
	return mapped;
}

int native_restore(struct native *n, const struct native_saved *saved)
{
	int lost = 0;

	for (size_t i = 0; i < saved->handles; i++) {
		const struct native_saved_handle *s = &saved->handle[i];
		struct mfs_node *node = reopen(n, s->share, &s->description);
		int err = native_handle_restore(n, s->handle, node);

		if (err) {
			mfs_node_put(node);
			return bis_fail(err, "handle %#x of %s cannot be restored", s->handle,
					bis_module_name(n->module));
		}
		lost += !node;
	}
	for (size_t i = 0; i < saved->maps; i++)
		lost += !restore_map(n, &saved->map[i]);
	return lost;
}

void native_saved_free(struct native_saved *saved)
{
	free(saved->handle);
	free(saved->map);
	*saved = (struct native_saved){0};
}
