/*
 * 9P messages on virtio chains: the readable part of a chain is a T-message, its writable part takes the reply. The
 * message is copied once, the data of Twrite apart, and everything is looked at in the copy. Whatever thread has the
 * request; it owns the buffers.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "magicfs/virtio_9p.h"

enum { QID_DIRECTORY = 0x80, QID_LINK = 0x02 };

/* --- Reading --- */

/* `size` bytes of the message from `at` on; NULL, and the message is malformed, if there are fewer. */
static uint8_t *take(struct p9_request *r, uint32_t size)
{
	uint8_t *bytes = r->message + r->at;

	if (r->malformed || size > r->end - r->at) {
		r->malformed = true;
		return NULL;
	}
	r->at += size;
	return bytes;
}

static uint64_t get(struct p9_request *r, unsigned size)
{
	const uint8_t *bytes = take(r, size);
	uint64_t value = 0;

	for (unsigned i = size; bytes && i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

uint8_t p9_get8(struct p9_request *r)
{
	return (uint8_t)get(r, 1);
}

uint16_t p9_get16(struct p9_request *r)
{
	return (uint16_t)get(r, 2);
}

uint32_t p9_get32(struct p9_request *r)
{
	return (uint32_t)get(r, 4);
}

uint64_t p9_get64(struct p9_request *r)
{
	return get(r, 8);
}

const char *p9_get_string(struct p9_request *r)
{
	uint16_t len = p9_get16(r);
	uint8_t *bytes = take(r, len);

	if (!bytes || memchr(bytes, 0, len)) {
		r->malformed = true;
		return "";
	}
	/* A byte further down, over its length, there is room for the NUL. */
	memmove(bytes - 1, bytes, len);
	bytes[len - 1] = 0;
	return (const char *)bytes - 1;
}

bool p9_got_all(const struct p9_request *r)
{
	return !r->malformed && r->at == r->end;
}

static struct p9_mark mark(const struct virtio_chain *c)
{
	return (struct p9_mark){c->write_at, c->write_offset, c->writable, c->written};
}

static void go_back(struct virtio_chain *c, const struct p9_mark *to)
{
	c->write_at = to->at;
	c->write_offset = to->offset;
	c->writable = to->writable;
	c->written = to->written;
}

void p9_restart(struct p9_request *r)
{
	go_back(&r->chain, &r->start);
	r->at = P9_HEADER;
	r->malformed = r->too_long = false;
	r->reply_len = r->payload = 0;
}

/* What is wrong with a message of which the header has been read. `len`: bytes of it in the chain. */
static int find_fault(struct p9_request *r, uint64_t len)
{
	uint32_t reply = p9_reply_size(r->type);

	if (r->size > r->msize || (r->type == P9_TWRITE && len > r->msize))
		return -EMSGSIZE;
	/* Some clients leave the data of Twrite out of its size. */
	if (r->size != len && !(r->type == P9_TWRITE && r->size == P9_WRITE_HEADER && len > r->size))
		return -EINVAL;
	if (r->type != P9_TWRITE && r->size > P9_MESSAGE_MAX)
		return -ENAMETOOLONG;
	return r->chain.writable < P9_HEADER + reply ? -ENOBUFS : 0;
}

bool p9_receive(struct p9_request *r)
{
	uint64_t len = r->chain.readable;

	r->start = mark(&r->chain);
	r->failed = 0;
	r->may_wait = r->waiting = false;
	r->end = P9_HEADER;
	p9_restart(r);
	if (r->chain.writable < P9_ERROR_SIZE || virtio_read(&r->chain, r->message, P9_HEADER) < P9_HEADER)
		return false;
	r->at = 0;
	r->size = p9_get32(r);
	r->type = p9_get8(r);
	r->tag = p9_get16(r);
	pthread_mutex_lock(&r->session->lock);
	r->epoch = r->session->epoch;
	r->msize = r->session->msize;
	pthread_mutex_unlock(&r->session->lock);
	if (r->msize == 0) {
		r->msize = P9_MSIZE_MAX;
		r->failed = r->type == P9_TVERSION ? 0 : -EINVAL;
	}
	if (!r->failed)
		r->failed = find_fault(r, len);
	if (!r->failed) {
		uint32_t size = r->type == P9_TWRITE && r->size > P9_WRITE_HEADER ? P9_WRITE_HEADER : r->size;

		r->end += (uint32_t)virtio_read(&r->chain, r->message + P9_HEADER, size - P9_HEADER);
	}
	return true;
}

/* --- Replying --- */

static uint8_t *append(struct p9_request *r, size_t size)
{
	uint8_t *to = r->reply + r->reply_len;

	if (size > P9_REPLY_MAX - r->reply_len) {
		r->too_long = true;
		return NULL;
	}
	r->reply_len += (uint32_t)size;
	return to;
}

static void put(struct p9_request *r, uint64_t value, unsigned size)
{
	uint8_t *to = append(r, size);

	for (unsigned i = 0; to && i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

void p9_put8(struct p9_request *r, uint8_t value)
{
	put(r, value, 1);
}

void p9_put16(struct p9_request *r, uint16_t value)
{
	put(r, value, 2);
}

void p9_put32(struct p9_request *r, uint32_t value)
{
	put(r, value, 4);
}

void p9_put64(struct p9_request *r, uint64_t value)
{
	put(r, value, 8);
}

void p9_put_string(struct p9_request *r, const char *bytes, size_t len)
{
	uint8_t *to;

	put(r, len, 2);
	to = append(r, len);
	if (to)
		memcpy(to, bytes, len);
}

void p9_put_qid(struct p9_request *r, uint32_t mode, uint64_t version, uint64_t id)
{
	uint32_t folded = (uint32_t)(version ^ version >> 32);

	p9_put8(r, S_ISDIR(mode) ? QID_DIRECTORY : S_ISLNK(mode) ? QID_LINK : 0);
	/* Version 0 is for what must never be cached. */
	p9_put32(r, folded ? folded : 1);
	p9_put64(r, id);
}

int p9_put_qid_of(struct p9_request *r, const struct mfs_at *at)
{
	struct mfs_attr attr;
	int err = mfs_stat(at, &attr);

	if (!err)
		p9_put_qid(r, attr.mode, attr.version, attr.id);
	return err;
}

uint32_t p9_begin_payload(struct p9_request *r, uint32_t count)
{
	static const uint8_t header[P9_READ_HEADER];
	uint32_t most = r->msize - P9_READ_HEADER;

	virtio_write(&r->chain, header, sizeof(header));
	if (count > most)
		count = most;
	return count < r->chain.writable ? count : (uint32_t)r->chain.writable;
}

void p9_end_payload(struct p9_request *r, uint32_t len)
{
	p9_put32(r, len);
	r->payload = len;
}

void p9_answer(struct p9_request *r, int err)
{
	struct {
		bis_le32 size;
		uint8_t type;
		bis_le16 tag;
	} header = {.type = (uint8_t)(r->type + 1), .tag = bis_le16_make(r->tag)};
	uint64_t size = (uint64_t)P9_HEADER + r->reply_len + r->payload;

	_Static_assert(sizeof(header) == P9_HEADER, "no padding");
	go_back(&r->chain, &r->start);
	if (!err && (r->too_long || size > r->msize || size > r->chain.writable))
		err = -EMSGSIZE;
	if (err) {
		header.type = P9_RLERROR;
		r->reply_len = r->payload = 0;
		p9_put32(r, (uint32_t)-err);
		size = P9_ERROR_SIZE;
	}
	header.size = bis_le32_make((uint32_t)size);
	virtio_write(&r->chain, &header, sizeof(header));
	virtio_write(&r->chain, r->reply, r->reply_len);
	r->chain.written += r->payload;
}
