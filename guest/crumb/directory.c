/* Reading a directory: a page of entries at a time. Where several shares are, / is made up here. */
#include "directory.h"
#include "layout.h"
#include "pages.h"
#include <string.h>

/* Entries that look as if the device had listed them, in the page that has just been allocated for its answers. */
static void list_shares(struct magicfs_list *list)
{
	for (unsigned i = 0; i < files_shares(); i++) {
		struct magicfs_entry *entry = (void *)((char *)list->buffer + list->filled);
		size_t offset = sizeof(*entry);

		if (list->flags & MAGICFS_ATTRIBUTES) {
			struct magicfs_stat *stat = (void *)(entry + 1);

			magicfs_stat(i, "", 0, stat);
			offset += sizeof(*stat);
		}
		*entry = (struct magicfs_entry){.type = MAGICFS_DIRECTORY >> 12};
		entry->name_offset = (uint16_t)offset;
		entry->name_len = (uint16_t)strlen(files_share_name(i));
		entry->size = (uint16_t)ROUND_UP(offset + entry->name_len + 1, 8UL);
		strlcpy((char *)entry + offset, files_share_name(i), entry->name_len + 1U);
		list->filled += entry->size;
	}
}

int64_t directory_begin(struct directory *d, uint32_t handle, uint32_t flags)
{
	*d = (struct directory){.list = {.handle = handle, .flags = flags, .size = PAGE_SIZE}};
	d->list.buffer = page_alloc();
	return d->list.buffer ? 0 : -MAGICFS_ENOMEM;
}

int64_t directory_open(struct directory *d, const char *path, uint32_t flags)
{
	struct place place;
	int64_t handle = path_find(&place, path), error;

	if (handle < 0)
		return handle;
	handle = place.share;
	if (place.share != ALL_SHARES)
		handle = magicfs_open(place.share, place.path, MAGICFS_O_DIRECTORY, 0);
	if (handle < 0)
		return handle;
	error = directory_begin(d, (uint32_t)handle, flags);
	if (error)
		directory_close(d);
	else if (place.share == ALL_SHARES)
		list_shares(&d->list);
	return error;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

const struct magicfs_entry *directory_next(struct directory *d)
{
	const struct magicfs_entry *entry;

	do {
		if (d->list.handle == ALL_SHARES && d->list.at >= d->list.filled)
			return NULL;
		entry = magicfs_list(&d->list);
	} while (entry && is_dots(magicfs_entry_name(entry)));
	d->error = entry ? 0 : d->list.error;
	return entry;
}

void directory_close(struct directory *d)
{
	if (d->list.handle != ALL_SHARES)
		magicfs_close(d->list.handle);
	page_free(d->list.buffer);
}
