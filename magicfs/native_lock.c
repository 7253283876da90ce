/*
 * Locks through the native MagicFS device. The core never waits; a posted LOCK that is to wait is put on a list and
 * tried again when a lock is given up through this device, and every few milliseconds for those that others hold. Tries
 * are made with the list's lock held, so none is missed in between and CANCEL knows what waits.
 */
#include <errno.h>

#include "magicfs/native_internal.h"

/* Type and range of a LOCK or GETLOCK. */
static int parse(const struct magicfs_request *r, struct mfs_lock *lock)
{
	if (r->mask > MAGICFS_LOCK_NONE || r->length > INT64_MAX)
		return -EINVAL;
	if (r->length && r->offset > (uint64_t)INT64_MAX - (r->length - 1))
		return -EINVAL;
	*lock = (struct mfs_lock){
		.whole = r->flags & MAGICFS_WHOLE, .start = r->offset, .length = r->length, .owner = r->value[0]};
	if (r->mask == MAGICFS_LOCK_READ)
		lock->type = MFS_LOCK_READ;
	else if (r->mask == MAGICFS_LOCK_WRITE)
		lock->type = MFS_LOCK_WRITE;
	else
		lock->type = MFS_LOCK_NONE;
	return 0;
}

/* Tries, or begins to wait. waiting_lock held. */
static int64_t try_or_wait(struct native_call *c, const struct mfs_lock *lock)
{
	int err = mfs_lock(c->node, lock);

	if (err != -EAGAIN || !(c->r.flags & MAGICFS_WAIT))
		return err;
	if (native_is_cancelled(c->n, c->job))
		return -EINTR;
	/* A handle that is closed from here on finds the request in the list; one that was closed before is no more. */
	err = native_handle_get(c->n, c->r.handle, &c->job->node);
	if (err)
		return err;
	native_job_append(&c->n->waiting, c->job);
	bis_timer_set(c->n->retry, bis_module_now(c->n->module) + NATIVE_RETRY_NS);
	return NATIVE_WAITS;
}

int64_t native_op_lock(struct native_call *c)
{
	struct mfs_lock lock;
	int64_t result = parse(&c->r, &lock);
	bool waits;

	if (result)
		return result;
	if (c->r.flags & MAGICFS_WAIT && !c->job)
		return -EINVAL;
	pthread_mutex_lock(&c->n->waiting_lock);
	result = try_or_wait(c, &lock);
	waits = c->n->waiting.first;
	pthread_mutex_unlock(&c->n->waiting_lock);
	if (!result && waits && lock.type != MFS_LOCK_WRITE)
		native_retry_locks(c->n);
	return result;
}

int64_t native_op_getlock(struct native_call *c)
{
	struct mfs_lock lock;
	uint64_t more[2];
	int err = parse(&c->r, &lock);

	if (!err && c->r.buffer && !bis_mem_is_ram(c->n->memory, (bis_gpa){c->r.buffer}, sizeof(more)))
		err = -EFAULT;
	if (!err)
		err = mfs_getlock(c->node, &lock);
	if (err)
		return err;
	if (lock.type == MFS_LOCK_NONE)
		return MAGICFS_LOCK_NONE;
	c->extra = lock.start;
	more[0] = lock.length;
	more[1] = lock.owner;
	if (c->r.buffer)
		err = bis_mem_write_obj(c->n->memory, (bis_gpa){c->r.buffer}, &more);
	if (err)
		return err;
	return lock.type == MFS_LOCK_READ ? MAGICFS_LOCK_READ : MAGICFS_LOCK_WRITE;
}

/* --- Those that wait --- */

static void finish(struct native *n, struct native_job *job, int64_t result)
{
	struct mfs_node *node = job->node;

	job->node = NULL;
	native_finish(n, job, result, 0);
	mfs_node_put(node);
}

void native_locks_serve(struct native *n)
{
	struct native_jobs all;
	struct native_job *job, *next;

	pthread_mutex_lock(&n->waiting_lock);
	all = n->waiting;
	n->waiting = (struct native_jobs){0};
	for (job = all.first; job; job = next) {
		struct mfs_lock lock;
		int err = parse(&job->request, &lock);

		next = job->next;
		if (!err && !job->node)
			err = -ESTALE;
		if (!err)
			err = mfs_lock(job->node, &lock);
		if (err == -EAGAIN)
			native_job_append(&n->waiting, job);
		else
			finish(n, job, err);
	}
	if (n->waiting.first)
		bis_timer_set(n->retry, bis_module_now(n->module) + NATIVE_RETRY_NS);
	pthread_mutex_unlock(&n->waiting_lock);
}

void native_locks_closed(struct native *n, uint32_t handle)
{
	struct native_job *job, *next;
	struct native_jobs all;
	bool waits;

	pthread_mutex_lock(&n->waiting_lock);
	all = n->waiting;
	n->waiting = (struct native_jobs){0};
	for (job = all.first; job; job = next) {
		next = job->next;
		if (job->request.handle == handle)
			finish(n, job, -EBADF);
		else
			native_job_append(&n->waiting, job);
	}
	waits = n->waiting.first;
	pthread_mutex_unlock(&n->waiting_lock);
	if (waits)
		native_retry_locks(n);
}

/* A request that is about to wait meets the lock of its list either before us, and is in the list, or behind us, and
 * sees that it was cancelled. */
int64_t native_op_cancel(struct native_call *c)
{
	struct native *n = c->n;
	struct native_job *job;
	bool found;

	pthread_mutex_lock(&n->waiting_lock);
	found = native_cancel(n, c->r.value[0]);
	job = native_job_remove(&n->waiting, c->r.value[0]);
	if (job)
		finish(n, job, -EINTR);
	pthread_mutex_unlock(&n->waiting_lock);
	pthread_mutex_lock(&n->watches.lock);
	job = native_job_remove(&n->watches.waiting, c->r.value[0]);
	if (job)
		native_finish(n, job, -EINTR, 0);
	pthread_mutex_unlock(&n->watches.lock);
	return found ? 0 : -ENOENT;
}
