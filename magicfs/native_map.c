/*
 * Pages of files as guest memory: MAP and UNMAP of the native MagicFS device, in its direct window. A mapping holds on
 * to the open file, as POSIX says: the handle may be closed and the file removed. When the file becomes shorter, the
 * guest's next access behind its end is an access fault, which is the direct window's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "magicfs/native_internal.h"

static int check(const struct native_call *c)
{
	bool shared_write = (c->r.flags & MAGICFS_SHARED) && (c->r.flags & MAGICFS_WRITABLE);
	unsigned access = c->node->flags & MFS_ACCESS;

	if (!c->n->direct)
		return -ENOSYS;
	if (!c->r.length || (c->r.length | c->r.offset) % BIS_PAGE_SIZE || c->r.length > INT64_MAX - c->r.offset)
		return -EINVAL;
	if (c->node->type != S_IFREG)
		return -ENODEV;
	if (!c->node->open)
		return -EBADF;
	if (shared_write && c->node->fs->readonly)
		return -EROFS;
	if (access == MFS_WRITE || (shared_write && access != MFS_READ_WRITE))
		return -EACCES;
	return 0;
}

/* The bytes of the host's memory that stores to the mapping can take. */
static uint64_t copies_of(const struct native_map *map)
{
	return (map->flags & (BIS_DIRECT_WRITE | BIS_DIRECT_SHARED)) == BIS_DIRECT_WRITE ? map->len : 0;
}

/* All such mappings together can take as much as the guest has RAM: a guest that fills them does not fill the host. */
static int check_copies(const struct native *n, const struct native_map *map)
{
	uint64_t room = 0;
	struct bis_mem_region region;

	for (size_t i = 0; i < bis_mem_region_count(n->memory); i++)
		if (!bis_mem_region(n->memory, i, &region))
			room += region.size;
	return copies_of(map) > room - n->maps.copies ? -ENOMEM : 0;
}

/* Lets the file appear at map->off, or where there is room: the physical address. maps.lock held. */
static int64_t place(struct native *n, struct native_map *map, int fd, bool anywhere)
{
	int err = check_copies(n, map);

	if (!err && anywhere)
		err = bis_direct_place(n->direct, map->len, &map->off);
	if (!err)
		err = bis_direct_map(n->direct, map->off, map->len, fd, map->file_offset, map->flags);
	if (err)
		return err;
	map->next = n->maps.first;
	n->maps.first = map;
	n->maps.copies += copies_of(map);
	n->maps_count++;
	return (int64_t)(bis_direct_base(n->direct) + map->off);
}

int64_t native_map_add(struct native *n, const struct native_map *what, bool anywhere)
{
	bool write = what->flags == (BIS_DIRECT_SHARED | BIS_DIRECT_WRITE);
	struct native_map *map = malloc(sizeof(*map));
	int64_t result;
	int fd;

	if (!map)
		return -ENOMEM;
	*map = *what;
	result = mfs_map(map->node, write, &fd);
	if (result)
		goto free_map;
	/* Once it is in the list another hart may take it away. */
	mfs_node_get(what->node);
	pthread_mutex_lock(&n->maps.lock);
	result = place(n, map, fd, anywhere);
	pthread_mutex_unlock(&n->maps.lock);
	close(fd);
	if (result < 0)
		goto put_node;
	return result;
put_node:
	mfs_node_put(what->node);
free_map:
	free(map);
	return result;
}

int64_t native_map_restore(struct native *n, const struct native_map *what)
{
	struct native_call c = {.n = n,
				.node = what->node,
				.r = {.length = what->len,
				      .offset = what->file_offset,
				      .flags = (what->flags & BIS_DIRECT_SHARED ? MAGICFS_SHARED : 0u) |
					       (what->flags & BIS_DIRECT_WRITE ? MAGICFS_WRITABLE : 0u)}};
	int err = what->flags & ~(uint32_t)(BIS_DIRECT_SHARED | BIS_DIRECT_WRITE) ? -EINVAL : check(&c);

	return err ? err : native_map_add(n, what, false);
}

int64_t native_op_map(struct native_call *c)
{
	struct native_map map = {.node = c->node, .len = c->r.length, .file_offset = c->r.offset};
	int64_t result = check(c);

	if (c->r.flags & MAGICFS_SHARED)
		map.flags |= BIS_DIRECT_SHARED;
	if (c->r.flags & MAGICFS_WRITABLE)
		map.flags |= BIS_DIRECT_WRITE;
	return result ? result : native_map_add(c->n, &map, true);
}

/* Takes the mapping out of the list and out of the window; NULL if there is none such. maps.lock held: its place is not
 * taken before no hart reaches the old pages. */
static struct native_map *take(struct native *n, uint64_t off, uint64_t len)
{
	struct native_map **at = &n->maps.first, *map;

	while (*at && ((*at)->off != off || (*at)->len != len))
		at = &(*at)->next;
	map = *at;
	if (!map || bis_direct_unmap(n->direct, off, len))
		return NULL;
	*at = map->next;
	n->maps.copies -= copies_of(map);
	n->maps_count--;
	return map;
}

int64_t native_op_unmap(struct native_call *c)
{
	struct native *n = c->n;
	struct native_map *map;

	if (!n->direct)
		return -ENOSYS;
	pthread_mutex_lock(&n->maps.lock);
	map = take(n, c->r.value[0] - bis_direct_base(n->direct), c->r.length);
	pthread_mutex_unlock(&n->maps.lock);
	if (!map)
		return -EINVAL;
	mfs_node_put(map->node);
	free(map);
	return 0;
}

void native_maps_clear(struct native *n, bool unmap)
{
	while (n->maps.first) {
		struct native_map *map = n->maps.first;

		n->maps.first = map->next;
		/* It is there: nobody else takes mappings away. */
		if (unmap && bis_direct_unmap(n->direct, map->off, map->len))
			bis_log(bis_module_machine(n->module), BIS_LOG_ERROR, bis_module_name(n->module),
				"a mapping was gone already");
		mfs_node_put(map->node);
		free(map);
	}
	n->maps.copies = 0;
	n->maps_count = 0;
}
