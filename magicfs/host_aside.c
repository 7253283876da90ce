/*
 * Nodes put aside: those that hold no descriptor, but their path from the root, their id, and the time their object was
 * made. They are found by path when a name goes or changes through this share: then they are brought back, or their
 * path is changed. What the host renames is not known here: the node is then stale.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define BUCKETS_MIN 64
#define GONE	    " (deleted)" /* behind the path of what has been removed, and perhaps in a name */

static size_t bucket(const struct host *h, const char *path)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 0x100000001b3;
	return (size_t)((hash ^ hash >> 32) & (h->aside_buckets - 1));
}

/* Puts it where it belongs by its path. */
static void link_in(struct host *h, struct host_node *n)
{
	struct host_node **head = &h->aside[bucket(h, n->path)];

	n->aside_next = *head;
	*head = n;
}

/* Makes room for one more; without memory the chains get longer, and without any table it fails. */
static bool make_room(struct host *h)
{
	size_t old_buckets = h->aside_buckets, buckets = old_buckets ? old_buckets * 2 : BUCKETS_MIN;
	struct host_node **old = h->aside, **table;

	if (h->aside_count < old_buckets)
		return true;
	table = calloc(buckets, sizeof(struct host_node *));
	if (!table)
		return old_buckets > 0;
	h->aside = table;
	h->aside_buckets = buckets;
	for (size_t i = 0; i < old_buckets; i++)
		for (struct host_node *n = old[i], *next; n; n = next) {
			next = n->aside_next;
			link_in(h, n);
		}
	free(old);
	return true;
}

/* The path that leads to it now. Only where the kernel seems to say that its name is gone it must be looked at. */
static bool find_path(struct host *h, int fd, char path[MFS_PATH_MAX])
{
	size_t len, gone = strlen(GONE);

	if (host_path_of(h, fd, path))
		return false;
	len = strlen(path);
	return len < gone || strcmp(path + len - gone, GONE) != 0 || !host_path_true(h, fd, path);
}

bool host_aside_put(struct host *h, struct host_node *n)
{
	char path[MFS_PATH_MAX];

	if (!find_path(h, n->fd, path) || !make_room(h))
		return false;
	n->path = strdup(path);
	if (!n->path)
		return false;
	n->born = host_born(n->fd);
	link_in(h, n);
	h->aside_count++;
	close(n->fd);
	n->fd = -1;
	h->held--;
	return true;
}

void host_aside_forget(struct host *h, struct host_node *n)
{
	struct host_node **p;

	if (!n->path)
		return;
	for (p = &h->aside[bucket(h, n->path)]; *p != n;)
		p = &(*p)->aside_next;
	*p = n->aside_next;
	h->aside_count--;
	free(n->path);
	n->path = NULL;
}

void host_aside_destroy(struct host *h)
{
	free(h->aside);
}

int host_aside_open(struct host *h, const struct host_node *n, const char *path, struct mfs_time born)
{
	int fd = host_open_path(host_node_of(h->fs.root)->fd, path[0] ? path : ".", false,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV ? -ESTALE : fd;
	if (host_is(h, fd, n->node.id, born))
		return fd;
	close(fd);
	return -ESTALE;
}

/* --- Names that change --- */

bool host_aside_path(struct host *h, const struct host_place *place, char path[MFS_PATH_MAX])
{
	size_t len, name_len = strcspn(place->name, "/");
	bool any;

	pthread_mutex_lock(&h->lock);
	any = h->aside_count > 0;
	pthread_mutex_unlock(&h->lock);
	if (!any || host_path_of(h, place->dir.fd, path))
		return false;
	len = strlen(path);
	if (len + name_len + 2 > MFS_PATH_MAX)
		return false;
	snprintf(path + len, MFS_PATH_MAX - len, "%s%.*s", len ? "/" : "", (int)name_len, place->name);
	return true;
}

/* A node put aside under the path, referred to once more; NULL if there is none. */
static struct host_node *find(struct host *h, const char *path)
{
	struct host_node *n = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->aside_count > 0)
		for (n = h->aside[bucket(h, path)]; n; n = n->aside_next) {
			unsigned references = atomic_load(&n->node.references);

			if (strcmp(n->path, path) != 0)
				continue;
			/* With none left it is being freed by another thread, which waits for the lock. */
			while (references &&
			       !atomic_compare_exchange_weak(&n->node.references, &references, references + 1))
				;
			if (references)
				break;
		}
	pthread_mutex_unlock(&h->lock);
	return n;
}

void host_aside_keep(struct host *h, const struct host_place *place)
{
	char path[MFS_PATH_MAX];
	struct host_node *n;
	int fd, err = 0;

	if (!host_aside_path(h, place, path))
		return;
	while (!err && (n = find(h, path))) {
		err = host_pin(n, &fd);
		if (!err)
			host_unpin(n);
		else if (err == -ESTALE)
			err = 0; /* forgotten: the next one may be better */
		mfs_node_put(&n->node);
	}
}

/* `path` with the first `len` bytes, which name what was renamed, replaced; NULL if it is too long or without memory.
 */
static char *moved(const char *path, size_t len, const char *to)
{
	size_t to_len = strlen(to), rest = strlen(path + len);
	char *out = to_len + rest < MFS_PATH_MAX ? malloc(to_len + rest + 1) : NULL;

	if (out) {
		memcpy(out, to, to_len);
		memcpy(out + to_len, path + len, rest + 1);
	}
	return out;
}

static bool is_at(const char *path, const char *top, size_t top_len, bool below)
{
	return !strncmp(path, top, top_len) && (path[top_len] == 0 || (below && path[top_len] == '/'));
}

/* Takes those at the path, or with `below` also those below it, out of the table: a list of them. */
static struct host_node *take(struct host *h, const char *path, bool below)
{
	size_t len = strlen(path), first = below ? 0 : bucket(h, path), end = below ? h->aside_buckets : first + 1;
	struct host_node *taken = NULL;

	for (size_t i = first; i < end; i++)
		for (struct host_node **p = &h->aside[i]; *p;) {
			struct host_node *n = *p;

			if (!is_at(n->path, path, len, below)) {
				p = &n->aside_next;
				continue;
			}
			*p = n->aside_next;
			n->aside_next = taken;
			taken = n;
		}
	return taken;
}

static void put_back(struct host *h, struct host_node *list, const char *from, const char *to)
{
	size_t len = strlen(from);

	for (struct host_node *n = list, *next; n; n = next) {
		char *path = moved(n->path, len, to);

		next = n->aside_next;
		free(n->path);
		n->path = path;
		if (path)
			link_in(h, n);
		else
			h->aside_count--;
	}
}

void host_aside_renamed(struct host *h, const char *from, const char *to, bool directories, bool exchanged)
{
	struct host_node *one, *other = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->aside_count > 0) {
		one = take(h, from, directories);
		if (exchanged)
			other = take(h, to, directories);
		put_back(h, one, from, to);
		put_back(h, other, to, from);
	}
	pthread_mutex_unlock(&h->lock);
}
