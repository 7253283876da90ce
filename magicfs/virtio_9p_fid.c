/*
 * The fids of a 9P session: numbers that the client chose for the objects that it uses. A request takes references to
 * what a fid stands for and is then independent of the fid, which may be clunked or changed meanwhile. Any thread; the
 * session's lock guards the table, and nothing is closed under it.
 */
#include <errno.h>
#include <stdlib.h>

#include "magicfs/virtio_9p.h"

#define BUCKETS_MIN 64u

void p9_session_init(struct p9_session *s, struct mfs *fs)
{
	s->fs = fs;
	pthread_mutex_init(&s->lock, NULL);
}

void p9_session_fini(struct p9_session *s)
{
	p9_session_restart(s, 0);
	mfs_put(s->fs);
	pthread_mutex_destroy(&s->lock);
}

void p9_ref_put(struct p9_ref *ref)
{
	mfs_node_put(ref->node);
	p9_xattr_put(ref->xattr);
}

void p9_session_restart(struct p9_session *s, uint32_t msize)
{
	struct p9_fid **buckets;
	uint32_t n;

	pthread_mutex_lock(&s->lock);
	buckets = s->buckets;
	n = s->n_buckets;
	s->buckets = NULL;
	s->n_buckets = s->n_fids = 0;
	s->epoch++;
	s->msize = msize;
	pthread_mutex_unlock(&s->lock);
	for (uint32_t i = 0; i < n; i++) {
		struct p9_fid *fid = buckets[i];

		while (fid) {
			struct p9_fid *next = fid->next;

			p9_ref_put(&fid->ref);
			free(fid);
			fid = next;
		}
	}
	free(buckets);
}

/* --- The table: the lock is held --- */

static uint32_t bucket_of(uint32_t number, uint32_t n_buckets)
{
	uint32_t mixed = number * 0x9e3779b1u;

	return (mixed ^ mixed >> 15) & (n_buckets - 1);
}

/* The place of the pointer to the fid, or where the pointer to a new one would go; NULL before the first. */
static struct p9_fid **find(struct p9_session *s, uint32_t number)
{
	struct p9_fid **at;

	if (s->n_buckets == 0)
		return NULL;
	at = &s->buckets[bucket_of(number, s->n_buckets)];
	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

/* As many buckets as fids, in steps; without memory for them the rows grow longer. */
static void grow(struct p9_session *s)
{
	uint32_t n = s->n_buckets ? s->n_buckets * 2 : BUCKETS_MIN;
	struct p9_fid **buckets = s->n_fids < s->n_buckets ? NULL : calloc(n, sizeof(*buckets));

	if (!buckets)
		return;
	for (uint32_t i = 0; i < s->n_buckets; i++) {
		struct p9_fid *fid = s->buckets[i];

		while (fid) {
			struct p9_fid *next = fid->next, **to = &buckets[bucket_of(fid->number, n)];

			fid->next = *to;
			*to = fid;
			fid = next;
		}
	}
	free(s->buckets);
	s->buckets = buckets;
	s->n_buckets = n;
}

static int add(struct p9_session *s, uint32_t epoch, struct p9_fid *fid)
{
	struct p9_fid **at;

	if (epoch != s->epoch || fid->number == P9_NONE)
		return -EBADF;
	if (s->n_fids >= P9_FIDS_MAX)
		return -ENFILE;
	grow(s);
	at = find(s, fid->number);
	if (!at)
		return -ENOMEM;
	if (*at)
		return -EINVAL;
	*at = fid;
	s->n_fids++;
	return 0;
}

/* --- Calls --- */

int p9_fid_get(const struct p9_request *r, uint32_t number, struct p9_ref *out)
{
	struct p9_session *s = r->session;
	struct p9_fid **at;
	int err = -EBADF;

	if (!p9_got_all(r))
		return -EINVAL;
	pthread_mutex_lock(&s->lock);
	at = r->epoch == s->epoch ? find(s, number) : NULL;
	if (at && *at && !(*at)->ref.node) {
		err = -ESTALE;
	} else if (at && *at) {
		*out = (*at)->ref;
		mfs_node_get(out->node);
		if (out->xattr)
			atomic_fetch_add(&out->xattr->references, 1);
		err = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

int p9_fid_node(const struct p9_request *r, uint32_t number, struct p9_ref *out)
{
	int err = p9_fid_get(r, number, out);

	if (!err && out->xattr) {
		p9_ref_put(out);
		err = -EINVAL;
	}
	return err;
}

int p9_fid_add(struct p9_session *s, uint32_t epoch, uint32_t number, const struct p9_ref *ref)
{
	struct p9_fid *fid = malloc(sizeof(*fid));
	int err;

	if (!fid)
		return -ENOMEM;
	*fid = (struct p9_fid){.number = number, .ref = *ref};
	pthread_mutex_lock(&s->lock);
	err = add(s, epoch, fid);
	pthread_mutex_unlock(&s->lock);
	if (err)
		free(fid);
	return err;
}

int p9_fid_change(struct p9_session *s, uint32_t epoch, uint32_t number, const struct mfs_node *was,
		  const struct p9_ref *ref)
{
	struct p9_ref old = {0};
	struct p9_fid **at;
	int err = -EBADF;

	pthread_mutex_lock(&s->lock);
	at = epoch == s->epoch ? find(s, number) : NULL;
	if (at && *at && (*at)->ref.node == was && !(*at)->ref.xattr) {
		old = (*at)->ref;
		(*at)->ref = *ref;
		err = 0;
	}
	pthread_mutex_unlock(&s->lock);
	p9_ref_put(&old);
	return err;
}

int p9_fid_remove(struct p9_session *s, uint32_t epoch, uint32_t number, struct p9_ref *out)
{
	struct p9_fid **at, *fid = NULL;

	pthread_mutex_lock(&s->lock);
	at = epoch == s->epoch ? find(s, number) : NULL;
	if (at && *at) {
		fid = *at;
		*at = fid->next;
		s->n_fids--;
	}
	pthread_mutex_unlock(&s->lock);
	if (!fid)
		return -EBADF;
	*out = fid->ref;
	free(fid);
	return 0;
}
