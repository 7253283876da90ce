/*
 * Nodes of the file system over a host directory, and the descriptors they hold: magicfs/host_internal.h. Any thread.
 * The root's descriptor and those of open nodes are theirs for life; the others are a cache of at most `limit`, from
 * which the ones used longest ago are put aside (host_aside.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

/* --- Which were used last; all with the file system's lock --- */

static void unlist(struct host *h, struct host_node *n)
{
	if (!n->listed)
		return;
	*(n->newer ? &n->newer->older : &h->newest) = n->older;
	*(n->older ? &n->older->newer : &h->oldest) = n->newer;
	n->newer = n->older = NULL;
	n->listed = false;
}

static void list_newest(struct host *h, struct host_node *n)
{
	if (h->newest == n)
		return;
	unlist(h, n);
	n->older = h->newest;
	*(h->newest ? &h->newest->newer : &h->oldest) = n;
	h->newest = n;
	n->listed = true;
}

/* Puts one node aside. One that cannot be, as its name is gone, is not asked again. `names` (read) is held, too. */
static bool put_one_aside(struct host *h)
{
	struct host_node *n = h->oldest;

	while (n) {
		struct host_node *next = n->newer;

		if (n->pins == 0) {
			unlist(h, n);
			if (host_aside_put(h, n))
				return true;
		}
		n = next;
	}
	return false;
}

bool host_relieve(struct host *h, unsigned count)
{
	unsigned done = 0;

	pthread_rwlock_rdlock(&h->names);
	pthread_mutex_lock(&h->lock);
	while (done < count && put_one_aside(h))
		done++;
	pthread_mutex_unlock(&h->lock);
	pthread_rwlock_unlock(&h->names);
	return done > 0;
}

/* Counts one more descriptor; with both locks held. */
static int hold_locked(struct host *h)
{
	while (h->held >= h->limit)
		if (!put_one_aside(h))
			return -EMFILE;
	h->held++;
	return 0;
}

int host_hold(struct host *h)
{
	bool room;
	int err = 0;

	pthread_mutex_lock(&h->lock);
	room = h->held < h->limit;
	if (room)
		h->held++;
	pthread_mutex_unlock(&h->lock);
	if (room)
		return 0;
	pthread_rwlock_rdlock(&h->names);
	pthread_mutex_lock(&h->lock);
	err = hold_locked(h);
	pthread_mutex_unlock(&h->lock);
	pthread_rwlock_unlock(&h->names);
	return err;
}

void host_unhold(struct host *h)
{
	pthread_mutex_lock(&h->lock);
	h->held--;
	pthread_mutex_unlock(&h->lock);
}

/* --- Using a descriptor --- */

/* Puts a descriptor that was opened for n in its place, unless another thread was faster. `lock` is held. */
static void bring_back(struct host *h, struct host_node *n, int fd)
{
	if (n->fd >= 0) {
		close(fd);
		h->held--;
	} else {
		host_aside_forget(h, n);
		n->fd = fd;
	}
}

/* The node is put aside: opens it and pins it. No lock is held. */
static int pin_aside(struct host *h, struct host_node *n)
{
	char path[MFS_PATH_MAX];
	struct mfs_time born;
	int fd, err = 0;

	pthread_rwlock_rdlock(&h->names);
	pthread_mutex_lock(&h->lock);
	if (n->fd >= 0)
		goto pinned;
	err = n->path ? hold_locked(h) : -ESTALE;
	if (err)
		goto unlock;
	snprintf(path, sizeof(path), "%s", n->path);
	born = n->born;
	pthread_mutex_unlock(&h->lock);
	fd = host_aside_open(h, n, path, born);
	pthread_mutex_lock(&h->lock);
	if (fd >= 0) {
		bring_back(h, n, fd);
	} else {
		h->held--;
		if (fd == -ESTALE && n->fd < 0)
			host_aside_forget(h, n);
		err = n->fd < 0 ? fd : 0;
		if (err)
			goto unlock;
	}
pinned:
	n->pins++;
	list_newest(h, n);
unlock:
	pthread_mutex_unlock(&h->lock);
	pthread_rwlock_unlock(&h->names);
	return err;
}

/* Does it keep its descriptor for life? */
static bool is_constant(const struct host *h, const struct host_node *n)
{
	return n->node.open || &n->node == h->fs.root;
}

int host_pin(struct host_node *n, int *fd)
{
	struct host *h = host_of(n->node.fs);
	int err;

	if (is_constant(h, n)) {
		*fd = n->fd;
		return 0;
	}
	pthread_mutex_lock(&h->lock);
	if (n->fd >= 0) {
		n->pins++;
		if (n->listed)
			list_newest(h, n);
		pthread_mutex_unlock(&h->lock);
	} else {
		pthread_mutex_unlock(&h->lock);
		err = pin_aside(h, n);
		if (err == -EMFILE && host_relieve(h, HOST_RELIEF))
			err = pin_aside(h, n);
		if (err)
			return err;
	}
	*fd = n->fd;
	return 0;
}

void host_unpin(struct host_node *n)
{
	struct host *h = host_of(n->node.fs);

	if (is_constant(h, n))
		return;
	pthread_mutex_lock(&h->lock);
	n->pins--;
	pthread_mutex_unlock(&h->lock);
}

/* --- Making and freeing --- */

static struct host_node *new_node(struct host *h, int fd, const struct host_identity *identity)
{
	struct host_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->node.fs = &h->fs;
	n->node.type = identity->type;
	n->node.id = identity->id;
	atomic_init(&n->node.references, 1);
	n->dev = identity->dev;
	n->fd = fd;
	pthread_mutex_init(&n->list_lock, NULL);
	return n;
}

int host_node_make_held(struct host *h, int fd, const struct host_identity *identity, bool open, unsigned flags,
			struct mfs_node **out)
{
	struct host_node *n = new_node(h, fd, identity);

	if (!n) {
		close(fd);
		host_unhold(h);
		return -ENOMEM;
	}
	n->node.open = open;
	n->node.flags = flags & ~(unsigned)(MFS_CREATE | MFS_EXCLUSIVE | MFS_TRUNCATE | MFS_TEMPORARY);
	if (!open) {
		pthread_mutex_lock(&h->lock);
		list_newest(h, n);
		pthread_mutex_unlock(&h->lock);
	}
	*out = &n->node;
	return 0;
}

int host_node_make(struct host *h, int fd, const struct host_identity *identity, bool open, unsigned flags,
		   struct mfs_node **out)
{
	int err = host_hold(h);

	if (!err)
		return host_node_make_held(h, fd, identity, open, flags, out);
	close(fd);
	return err;
}

int host_node_make_root(struct host *h, int fd, const struct host_identity *identity)
{
	struct host_node *n = new_node(h, fd, identity);

	if (!n) {
		close(fd);
		return -ENOMEM;
	}
	h->fs.root = &n->node;
	return 0;
}

void host_node_free(struct mfs *fs, struct mfs_node *node)
{
	struct host *h = host_of(fs);
	struct host_node *n = host_node_of(node);

	host_locks_drop(h, n);
	pthread_mutex_lock(&h->lock);
	unlist(h, n);
	if (n->fd < 0)
		host_aside_forget(h, n);
	else if (node != fs->root)
		h->held--;
	pthread_mutex_unlock(&h->lock);
	if (n->fd >= 0)
		close(n->fd);
	pthread_mutex_destroy(&n->list_lock);
	free(n);
}
