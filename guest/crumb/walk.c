/*
 * Going through a tree. The directories that have been entered and not yet left form a list, one page each, with the
 * entries that are still to come; there is no recursion, as a kernel stack is small and a tree may be deep.
 */
#include "walk.h"
#include "directory.h"
#include "layout.h"
#include "pages.h"
#include <string.h>

/* A directory that has been entered. */
struct level {
	struct level *parent;
	struct directory directory;
	struct magicfs_stat stat;
	size_t path_len;
};

static int64_t enter(struct level **top, const char *path, const struct magicfs_stat *stat)
{
	struct level *level = page_alloc();
	int64_t error = level ? directory_open(&level->directory, path, MAGICFS_ATTRIBUTES) : -MAGICFS_ENOMEM;

	if (error) {
		page_free(level);
		return error;
	}
	level->stat = *stat;
	level->path_len = strlen(path);
	level->parent = *top;
	*top = level;
	return 0;
}

static void leave(struct level **top)
{
	struct level *level = *top;

	*top = level->parent;
	directory_close(&level->directory);
	page_free(level);
}

static int64_t visit_one(struct level **top, const char *path, const struct magicfs_stat *stat, walk_visit visit,
			 void *context)
{
	int64_t result;

	if (!is_directory(stat))
		return visit(context, path, stat, WALK_OTHER);
	result = visit(context, path, stat, WALK_ENTER);
	return result ? result : enter(top, path, stat);
}

int64_t walk(const char *start, walk_visit visit, void *context, char *path)
{
	const struct magicfs_entry *entry;
	struct level *top = NULL;
	struct magicfs_stat stat;
	int64_t result;

	strlcpy(path, start, PATH_SIZE);
	result = files_stat(path, false, &stat);
	if (!result)
		result = visit_one(&top, path, &stat, visit, context);
	while (!result && top) {
		path[top->path_len] = '\0';
		entry = directory_next(&top->directory);
		if (entry) {
			result = path_join(path, path, magicfs_entry_name(entry));
			stat = *magicfs_entry_stat(entry);
			if (!result)
				result = visit_one(&top, path, &stat, visit, context);
		} else {
			result = top->directory.error;
			stat = top->stat;
			leave(&top);
			if (!result)
				result = visit(context, path, &stat, WALK_LEAVE);
		}
	}
	while (top)
		leave(&top);
	return result;
}
