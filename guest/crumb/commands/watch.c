/* watch: what changes in a directory and below it, as it happens, whoever does it. */
#include "../files.h"
#include "../layout.h"
#include "../pages.h"
#include "../shell.h"
#include "../task.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES                                                                                                        \
	(MAGICFS_CHANGED | MAGICFS_CREATED | MAGICFS_REMOVED | MAGICFS_ATTRIBUTES_CHANGED | MAGICFS_RENAMED_FROM |     \
	 MAGICFS_RENAMED_TO | MAGICFS_GONE)

static const char *describe(uint32_t change)
{
	return change & MAGICFS_OVERFLOW       ? "too much has changed to tell"
	       : change & MAGICFS_GONE	       ? "gone"
	       : change & MAGICFS_RENAMED_FROM ? "renamed from"
	       : change & MAGICFS_RENAMED_TO   ? "renamed to"
	       : change & MAGICFS_CREATED      ? "created"
	       : change & MAGICFS_REMOVED      ? "removed"
	       : change & MAGICFS_CHANGED      ? "changed"
					       : "attributes";
}

/* A program that writes a file in many pieces makes many events; of those that come together one is shown. */
static bool is_repetition(const struct magicfs_event *event, const struct magicfs_event *before)
{
	return before && event->change == MAGICFS_CHANGED && event->change == before->change &&
	       strcmp((const char *)(event + 1), (const char *)(before + 1)) == 0;
}

/* What is watched: a directory or, in / where several shares are, the root of each. */
struct watches {
	int64_t numbers[MAGICFS_SHARES_MAX];
	unsigned count;
};

/* Prints up to `*left` events and counts them; false when the last one has been printed or a directory is gone. */
static bool print_events(const struct watches *w, const char *page, size_t len, unsigned long *left)
{
	const struct magicfs_event *event, *before = NULL;

	for (size_t at = 0; at < len && *left; at += event->size, before = event) {
		event = (const void *)(page + at);
		if (is_repetition(event, before))
			continue;
		printf("%-12s ", describe(event->change));
		for (unsigned i = 0; i < w->count && w->count > 1; i++) {
			if (w->numbers[i] == event->watch)
				printf("%s/", files_share_name(i));
		}
		printf("%s%s\n", (const char *)(event + 1), event->change & MAGICFS_IS_DIRECTORY ? "/" : "");
		--*left;
		if ((event->change & MAGICFS_GONE) && !event->path_len)
			return false;
	}
	return *left;
}

static int64_t begin(struct watches *w, const char *path)
{
	struct place place;
	int64_t number = path_find(&place, path);
	bool all;

	if (number)
		return number;
	all = place.share == ALL_SHARES;
	for (unsigned share = 0; share < (all ? files_shares() : 1); share++) {
		number = magicfs_watch(all ? share : place.share, place.path, CHANGES, MAGICFS_RECURSIVE);
		if (number < 0)
			return number;
		w->numbers[w->count++] = number;
	}
	return 0;
}

/* Waits for events again and again. The request that waits is posted: see files_do(). */
static int64_t watch(const char *path, unsigned long count, char *page)
{
	struct watches w = {.count = 0};
	int64_t got = begin(&w, path);

	if (!got) {
		printf("watching %s%s\n", path, count == (unsigned long)-1 ? ", until Ctrl-C" : "");
		do
			got = magicfs_events(page, PAGE_SIZE);
		while (got > 0 && print_events(&w, page, (size_t)got, &count));
	}
	for (unsigned i = 0; i < w.count; i++)
		magicfs_unwatch(w.numbers[i]);
	return got < 0 && got != -MAGICFS_EINTR ? got : 0;
}

void command_watch(int argc, char **argv)
{
	bool counted = argc > 2 && strcmp(argv[1], "-n") == 0;
	unsigned long count = (unsigned long)-1;
	char *end = "", *page;
	const char *path;
	int64_t error;

	if (counted) {
		count = strtoul(argv[2], &end, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc > 2 || *end || count == 0) {
		shell_usage("watch");
		return;
	}
	path = argc == 2 ? argv[1] : ".";
	page = page_alloc();
	error = page ? watch(path, count, page) : -MAGICFS_ENOMEM;
	if (error)
		files_complain("watch", path, error);
	page_free(page);
}
