/*
 * Locks on the files of a host directory, magicfs/mfs.h. Any thread; one mutex a share guards the table, and is taken
 * before the file system's own lock.
 *
 * Byte ranges: the host's locks of open file descriptions (fcntl(2), F_OFD_SETLK) exclude other processes of the host
 * and, as every owner has a description of its own for each object that it locks, other owners of the share. It is
 * opened with the first lock through the node at hand and serves all nodes through which that owner locks the object.
 * It is closed, and the locks with it, when the owner has unlocked everything or the last of those nodes is gone. The
 * ranges are kept here, too, to know when none is left and who is in the way.
 *
 * Whole files: flock(2) on the node's own descriptor; every open is its owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "magicfs/host_internal.h"

#define HOLDERS_MAX 256	 /* descriptors for locks of a share */
#define RANGES_MAX  4096 /* ranges that an owner has locked of one object */

struct range {
	uint64_t first, last;
	bool write;
};

/* What one owner has locked of one object. */
struct holder {
	struct holder *next;
	uint64_t owner, id;
	int fd;
	unsigned access;	  /* of fd: MFS_READ, MFS_WRITE or MFS_READ_WRITE */
	struct range *ranges;	  /* in order, apart from each other */
	struct host_node **nodes; /* through which they came; borrowed, host_locks_drop takes them out */
	size_t ranges_count, nodes_count;
};

struct host_locks {
	pthread_mutex_t lock;
	struct holder *holders; /* lock */
	atomic_uint count;	/* of holders */
};

/* --- Ranges --- */

/* -EINVAL and -EOVERFLOW as fcntl(2) has them. */
static int range_of(const struct mfs_lock *lock, struct range *out)
{
	if (lock->start > INT64_MAX || lock->length > INT64_MAX)
		return -EINVAL;
	if (lock->length > 0 && lock->length - 1 > INT64_MAX - lock->start)
		return -EOVERFLOW;
	out->first = lock->start;
	out->last = lock->length ? lock->start + (lock->length - 1) : INT64_MAX;
	out->write = lock->type == MFS_LOCK_WRITE;
	return 0;
}

static bool overlap(const struct range *a, const struct range *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* Adds a range behind the others, joined with the last one where they touch. */
static void append(struct range *ranges, size_t *count, struct range r)
{
	struct range *last = *count ? &ranges[*count - 1] : NULL;

	if (last && last->write == r.write && last->last + 1 == r.first)
		last->last = r.last;
	else
		ranges[(*count)++] = r;
}

/* The holder's ranges after `r` has been locked (`set`) or unlocked: an array to be freed. -ENOMEM, -ENOLCK. */
static int change_ranges(const struct holder *o, struct range r, bool set, struct range **out, size_t *out_count)
{
	struct range *ranges = malloc((o->ranges_count + 2) * sizeof(*ranges));
	size_t count = 0;
	bool placed = !set;

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < o->ranges_count; i++) {
		const struct range *old = &o->ranges[i];

		if (old->first < r.first) {
			struct range left = *old;

			left.last = old->last < r.first ? old->last : r.first - 1;
			append(ranges, &count, left);
		}
		if (!placed && old->last >= r.first) {
			append(ranges, &count, r);
			placed = true;
		}
		if (old->last > r.last) {
			struct range right = *old;

			right.first = old->first > r.last ? old->first : r.last + 1;
			append(ranges, &count, right);
		}
	}
	if (!placed)
		append(ranges, &count, r);
	if (count > RANGES_MAX && count > o->ranges_count) {
		free(ranges);
		return -ENOLCK;
	}
	*out = ranges;
	*out_count = count;
	return 0;
}

/* --- The host's locks --- */

/* F_OFD_SETLK or F_OFD_GETLK; *f is the answer to the latter. */
static int ask_host(int fd, int command, short type, const struct range *r, struct flock *f)
{
	*f = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)r->first};
	f->l_len = r->last == INT64_MAX ? 0 : (off_t)(r->last - r->first + 1);
	if (fcntl(fd, command, f) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

static int set_host(int fd, short type, const struct range *r)
{
	struct flock f;

	return ask_host(fd, F_OFD_SETLK, type, r, &f);
}

/*
 * A descriptor of its own for what the node has open, with the node's access: *access. One open for writing only is
 * opened for reading as well where the host allows it, so that read locks of the same owner fit in later.
 */
static int open_again(struct host *h, struct host_node *n, int *fd, unsigned *access)
{
	unsigned mode = n->node.flags & MFS_ACCESS;
	int got, base, err = host_pin(n, &base);

	if (err)
		return err;
	*access = mode == MFS_WRITE ? MFS_READ_WRITE : mode;
	got = host_open_again(h, base, *access);
	if (got == -EACCES && mode == MFS_WRITE) {
		*access = mode;
		got = host_open_again(h, base, mode);
	}
	host_unpin(n);
	/* To a guest, -EACCES would say that somebody else has the lock. */
	if (got < 0)
		return got == -EACCES ? -ENOLCK : got;
	*fd = got;
	return 0;
}

/* --- Holders: locks->lock --- */

static struct holder *find_holder(const struct host_locks *locks, uint64_t owner, uint64_t id)
{
	struct holder *o = locks->holders;

	while (o && (o->owner != owner || o->id != id))
		o = o->next;
	return o;
}

static int make_holder(struct host *h, struct host_node *n, uint64_t owner, struct holder **out)
{
	struct host_locks *locks = h->locks;
	struct holder *o;
	int err;

	if (atomic_load(&locks->count) >= HOLDERS_MAX)
		return -ENOLCK;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	err = open_again(h, n, &o->fd, &o->access);
	if (err) {
		free(o);
		return err;
	}
	o->owner = owner;
	o->id = n->node.id;
	o->next = locks->holders;
	locks->holders = o;
	atomic_fetch_add(&locks->count, 1);
	*out = o;
	return 0;
}

/* Everything it holds is given up. */
static void free_holder(struct host_locks *locks, struct holder *o)
{
	struct holder **at = &locks->holders;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	atomic_fetch_sub(&locks->count, 1);
	close(o->fd);
	free(o->ranges);
	free(o->nodes);
	free(o);
}

/*
 * Makes the holder's descriptor fit for a lock of `access` (MFS_READ or MFS_WRITE) through the node. What it holds so
 * far moves to another descriptor, which works for read locks alone: they are taken there before they are given up
 * here.
 */
static int widen_holder(struct host *h, struct holder *o, struct host_node *n, unsigned access)
{
	unsigned got;
	int fd, err;

	if (o->access == MFS_READ_WRITE || o->access == access)
		return 0;
	if (o->access == MFS_WRITE)
		return -ENOLCK;
	err = open_again(h, n, &fd, &got);
	if (!err && got != MFS_READ_WRITE) {
		close(fd);
		return -ENOLCK;
	}
	for (size_t i = 0; !err && i < o->ranges_count; i++) {
		err = set_host(fd, F_RDLCK, &o->ranges[i]);
		if (err)
			close(fd);
	}
	if (err)
		return err;
	close(o->fd);
	o->fd = fd;
	o->access = got;
	return 0;
}

/* The holder's locks depend on the node from now on. */
static int add_node(struct holder *o, struct host_node *n)
{
	struct host_node **nodes;

	for (size_t i = 0; i < o->nodes_count; i++)
		if (o->nodes[i] == n)
			return 0;
	nodes = realloc(o->nodes, (o->nodes_count + 1) * sizeof(struct host_node *));
	if (!nodes)
		return -ENOMEM;
	o->nodes = nodes;
	o->nodes[o->nodes_count++] = n;
	return 0;
}

/* --- The calls --- */

/* The share's table, made when it is needed first. */
static struct host_locks *table(struct host *h)
{
	struct host_locks *locks;

	pthread_mutex_lock(&h->lock);
	locks = h->locks;
	if (!locks) {
		locks = calloc(1, sizeof(*locks));
		if (locks)
			pthread_mutex_init(&locks->lock, NULL);
		__atomic_store_n(&h->locks, locks, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&h->lock);
	return locks;
}

static int lock_whole(struct host_node *n, const struct mfs_lock *lock)
{
	int fd, err = host_pin(n, &fd);

	if (err)
		return err;
	if (flock(fd, LOCK_NB | (lock->type == MFS_LOCK_NONE	? LOCK_UN
				 : lock->type == MFS_LOCK_WRITE ? LOCK_EX
								: LOCK_SH)) < 0)
		err = -errno;
	host_unpin(n);
	if (!err)
		atomic_store(&n->whole, lock->type == MFS_LOCK_NONE ? 0 : (uint8_t)(lock->type + 1));
	return err;
}

/* Asks the host for the change and keeps the new list of ranges if it is done. */
static int apply(struct holder *o, const struct range *r, short type)
{
	struct range *ranges;
	size_t count;
	int err = change_ranges(o, *r, type != F_UNLCK, &ranges, &count);

	if (err)
		return err;
	err = set_host(o->fd, type, r);
	if (err) {
		free(ranges);
		return err;
	}
	free(o->ranges);
	o->ranges = ranges;
	o->ranges_count = count;
	return 0;
}

static int take(struct host *h, struct host_node *n, uint64_t owner, const struct range *r)
{
	struct holder *o = find_holder(h->locks, owner, n->node.id);
	int err = o ? 0 : make_holder(h, n, owner, &o);
	size_t nodes;

	if (err)
		return err;
	nodes = o->nodes_count;
	err = widen_holder(h, o, n, r->write ? MFS_WRITE : MFS_READ);
	if (!err)
		err = add_node(o, n);
	if (!err)
		err = apply(o, r, r->write ? F_WRLCK : F_RDLCK);
	if (err)
		o->nodes_count = nodes; /* what it does not hold does not depend on the node */
	if (o->ranges_count == 0)
		free_holder(h->locks, o);
	return err;
}

static int give_up(struct host *h, const struct host_node *n, uint64_t owner, const struct range *r)
{
	struct holder *o = find_holder(h->locks, owner, n->node.id);
	int err = o ? apply(o, r, F_UNLCK) : 0;

	if (o && o->ranges_count == 0)
		free_holder(h->locks, o);
	return err;
}

int host_lock(struct mfs *fs, struct mfs_node *node, const struct mfs_lock *lock)
{
	struct host *h = host_of(fs);
	struct host_node *n = host_node_of(node);
	unsigned access = node->flags & MFS_ACCESS;
	struct host_locks *locks;
	struct range r;
	int err;

	if (!node->open)
		return -EBADF;
	if (lock->whole)
		return lock_whole(n, lock);
	err = range_of(lock, &r);
	if (err)
		return err;
	if ((lock->type == MFS_LOCK_READ && access == MFS_WRITE) ||
	    (lock->type == MFS_LOCK_WRITE && access == MFS_READ))
		return -EBADF;
	locks = table(h);
	if (!locks)
		return -ENOMEM;
	pthread_mutex_lock(&locks->lock);
	err = lock->type == MFS_LOCK_NONE ? give_up(h, n, lock->owner, &r) : take(h, n, lock->owner, &r);
	pthread_mutex_unlock(&locks->lock);
	return err;
}

static struct mfs_lock lock_of(const struct holder *o, const struct range *r)
{
	return (struct mfs_lock){.type = r->write ? MFS_LOCK_WRITE : MFS_LOCK_READ,
				 .start = r->first,
				 .length = r->last == INT64_MAX ? 0 : r->last - r->first + 1,
				 .owner = o->owner};
}

/* A lock of another owner of the share that is in the way of r. */
static bool find_owner_in_way(const struct host_locks *locks, const struct range *r, uint64_t id, struct mfs_lock *lock)
{
	for (const struct holder *o = locks->holders; o; o = o->next) {
		if (o->id != id || o->owner == lock->owner)
			continue;
		for (size_t i = 0; i < o->ranges_count; i++) {
			const struct range *held = &o->ranges[i];

			if (!overlap(held, r) || !(held->write || r->write))
				continue;
			*lock = lock_of(o, held);
			return true;
		}
	}
	return false;
}

/* None of the share's owners is in the way: is a process of the host? Its number as an owner is 0. */
static int find_host_in_way(const struct host_locks *locks, struct host_node *n, const struct range *r,
			    struct mfs_lock *lock)
{
	const struct holder *o = find_holder(locks, lock->owner, n->node.id);
	struct flock f;
	int fd, err = host_pin(n, &fd);

	if (err)
		return err;
	err = ask_host(o ? o->fd : fd, F_OFD_GETLK, r->write ? F_WRLCK : F_RDLCK, r, &f);
	host_unpin(n);
	if (err)
		return err;
	if (f.l_type == F_UNLCK) {
		lock->type = MFS_LOCK_NONE;
		return 0;
	}
	lock->type = f.l_type == F_WRLCK ? MFS_LOCK_WRITE : MFS_LOCK_READ;
	lock->start = (uint64_t)f.l_start;
	lock->length = (uint64_t)f.l_len;
	lock->owner = 0;
	return 0;
}

int host_getlock(struct mfs *fs, struct mfs_node *node, struct mfs_lock *lock)
{
	struct host_locks *locks;
	struct range r;
	int err;

	if (!node->open)
		return -EBADF;
	if (lock->whole || lock->type == MFS_LOCK_NONE)
		return -EINVAL;
	err = range_of(lock, &r);
	if (err)
		return err;
	locks = table(host_of(fs));
	if (!locks)
		return -ENOMEM;
	pthread_mutex_lock(&locks->lock);
	if (!find_owner_in_way(locks, &r, node->id, lock))
		err = find_host_in_way(locks, host_node_of(node), &r, lock);
	pthread_mutex_unlock(&locks->lock);
	return err;
}

/* --- What there is --- */

static bool has_node(const struct holder *o, const struct host_node *n)
{
	for (size_t i = 0; i < o->nodes_count; i++)
		if (o->nodes[i] == n)
			return true;
	return false;
}

void host_locks_list(struct mfs *fs, struct mfs_node *node, mfs_lock_fn give, void *arg)
{
	struct host_locks *locks = __atomic_load_n(&host_of(fs)->locks, __ATOMIC_ACQUIRE);
	const struct host_node *n = host_node_of(node);
	uint8_t whole = atomic_load(&n->whole);
	struct mfs_lock lock = {.type = whole == MFS_LOCK_WRITE + 1 ? MFS_LOCK_WRITE : MFS_LOCK_READ, .whole = true};

	if (whole)
		give(arg, &lock);
	if (!locks)
		return;
	pthread_mutex_lock(&locks->lock);
	for (const struct holder *o = locks->holders; o; o = o->next) {
		for (size_t i = 0; has_node(o, n) && i < o->ranges_count; i++) {
			lock = lock_of(o, &o->ranges[i]);
			give(arg, &lock);
		}
	}
	pthread_mutex_unlock(&locks->lock);
}

/* --- The end of a node, and of the share --- */

static void forget_node(struct holder *o, const struct host_node *n)
{
	for (size_t i = 0; i < o->nodes_count; i++) {
		if (o->nodes[i] != n)
			continue;
		o->nodes[i] = o->nodes[--o->nodes_count];
		return;
	}
}

void host_locks_drop(struct host *h, struct host_node *n)
{
	struct host_locks *locks = __atomic_load_n(&h->locks, __ATOMIC_ACQUIRE);
	struct holder *o, *next;

	if (!n->node.open || !locks || atomic_load(&locks->count) == 0)
		return;
	pthread_mutex_lock(&locks->lock);
	for (o = locks->holders; o; o = next) {
		next = o->next;
		if (o->id != n->node.id)
			continue;
		forget_node(o, n);
		if (o->nodes_count == 0)
			free_holder(locks, o);
	}
	pthread_mutex_unlock(&locks->lock);
}

void host_locks_destroy(struct host *h)
{
	struct host_locks *locks = h->locks;

	if (!locks)
		return;
	while (locks->holders)
		free_holder(locks, locks->holders);
	pthread_mutex_destroy(&locks->lock);
	free(locks);
	h->locks = NULL;
}
