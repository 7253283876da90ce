/*
 * The bytes of snapshots in pieces, snapshot_stream.h: each is a head and a zstd frame, and one without bytes ends the
 * file. The sum in the head is over everything in the file that belongs to the piece and over its number, so that
 * nothing can be changed, left out or moved; it is compared before zstd sees a byte.
 */
#include "src/machine/snapshot_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include <biscuit/error.h>

#include "src/machine/snapshot_crew.h"

#define LEVEL (-2) /* a fifth more bytes than 1, in three quarters of the time */

_Static_assert(CREW_PACKED >= ZSTD_COMPRESSBOUND(CREW_PIECE), "whatever is in a piece, it has room");

struct head {
	uint32_t raw_len, packed_len;
	uint64_t sum;
};

struct snapshot_writer {
	struct snapshot_crew *crew;
	struct crew_piece *filling; /* NULL: none yet */
	uint64_t pieces;
	int fd;
	int err;
};

struct snapshot_reader {
	struct snapshot_crew *crew;
	struct crew_piece *taken; /* NULL: none yet */
	uint32_t at;		  /* bytes of it that were read */
	uint64_t pieces;
	int fd;
	int err;
	bool ended; /* the last piece was in the file */
};

/* --- Sums --- */

/* Tells any two words of one place apart, whatever comes after them. */
static uint64_t mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

static uint64_t sum_of(const struct crew_piece *p)
{
	uint64_t sum = mix(mix(0, p->number), (uint64_t)p->raw_len << 32 | p->packed_len), word;
	uint32_t at = 0;

	for (; p->packed_len - at >= sizeof(word); at += (uint32_t)sizeof(word)) {
		memcpy(&word, p->packed + at, sizeof(word));
		sum = mix(sum, word);
	}
	word = 0;
	memcpy(&word, p->packed + at, p->packed_len - at);
	return mix(sum, word);
}

/* --- Writing --- */

static void *make_packer(void)
{
	return ZSTD_createCCtx();
}

static void free_packer(void *tool)
{
	ZSTD_freeCCtx(tool);
}

static const char *pack(void *tool, struct crew_piece *p)
{
	size_t len = ZSTD_compressCCtx(tool, p->packed, sizeof(p->packed), p->raw, p->raw_len, LEVEL);

	if (ZSTD_isError(len))
		return ZSTD_getErrorName(len);
	p->packed_len = (uint32_t)len;
	p->sum = sum_of(p);
	return NULL;
}

int snapshot_writer_create(int fd, struct snapshot_writer **out)
{
	static const struct crew_trade packers = {make_packer, free_packer, pack};
	struct snapshot_writer *w = calloc(1, sizeof(*w));

	if (w)
		w->crew = snapshot_crew_create(&packers);
	if (!w || !w->crew) {
		free(w);
		return bis_fail(ENOMEM, "no memory for a snapshot");
	}
	w->fd = fd;
	*out = w;
	return 0;
}

int snapshot_write_plain(int fd, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len > 0) {
		ssize_t part = write(fd, from, len);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return bis_fail(errno, "cannot write the snapshot: %s", strerror(errno));
		from += part;
		len -= (size_t)part;
	}
	return 0;
}

static int write_piece(const struct snapshot_writer *w, const struct crew_piece *p)
{
	struct head head = {p->raw_len, p->packed_len, p->sum};
	int err;

	if (p->problem)
		return bis_fail(EIO, "cannot compress the snapshot: %s", p->problem);
	err = snapshot_write_plain(w->fd, &head, sizeof(head));
	return err ? err : snapshot_write_plain(w->fd, p->packed, p->packed_len);
}

/* Writes the oldest piece under way; false where none is. */
static bool write_oldest(struct snapshot_writer *w)
{
	const struct crew_piece *p = snapshot_crew_take(w->crew);

	if (!p)
		return false;
	if (!w->err)
		w->err = write_piece(w, p);
	snapshot_crew_return(w->crew);
	return true;
}

/* The piece to fill, empty. */
static struct crew_piece *begin_piece(struct snapshot_writer *w)
{
	struct crew_piece *p;

	while (!(p = snapshot_crew_next(w->crew)))
		write_oldest(w);
	p->number = w->pieces++;
	p->raw_len = 0;
	return p;
}

int snapshot_write(struct snapshot_writer *w, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len > 0 && !w->err) {
		struct crew_piece *p = w->filling ? w->filling : begin_piece(w);
		size_t room = CREW_PIECE - p->raw_len, part = len < room ? len : room;

		memcpy(p->raw + p->raw_len, from, part);
		p->raw_len += (uint32_t)part;
		from += part;
		len -= part;
		w->filling = p;
		if (part < room)
			continue;
		snapshot_crew_give(w->crew);
		w->filling = NULL;
	}
	return w->err;
}

/* The head that ends the file. */
static int write_end(struct snapshot_writer *w)
{
	struct crew_piece *p = begin_piece(w);

	p->packed_len = 0;
	p->problem = NULL;
	p->sum = sum_of(p);
	return w->err ? w->err : write_piece(w, p);
}

int snapshot_writer_finish(struct snapshot_writer *w)
{
	if (w->filling)
		snapshot_crew_give(w->crew);
	w->filling = NULL;
	while (write_oldest(w))
		;
	return w->err = write_end(w);
}

void snapshot_writer_destroy(struct snapshot_writer *w)
{
	if (!w)
		return;
	snapshot_crew_destroy(w->crew);
	free(w);
}

/* --- Reading --- */

static void *make_unpacker(void)
{
	return ZSTD_createDCtx();
}

static void free_unpacker(void *tool)
{
	ZSTD_freeDCtx(tool);
}

static const char *unpack(void *tool, struct crew_piece *p)
{
	size_t len;

	if (sum_of(p) != p->sum)
		return "the checksum of what is in it is wrong";
	len = ZSTD_decompressDCtx(tool, p->raw, sizeof(p->raw), p->packed, p->packed_len);
	if (ZSTD_isError(len))
		return ZSTD_getErrorName(len);
	return len == p->raw_len ? NULL : "a piece has another length";
}

int snapshot_reader_create(int fd, struct snapshot_reader **out)
{
	static const struct crew_trade unpackers = {make_unpacker, free_unpacker, unpack};
	struct snapshot_reader *r = calloc(1, sizeof(*r));

	if (r)
		r->crew = snapshot_crew_create(&unpackers);
	if (!r || !r->crew) {
		free(r);
		return bis_fail(ENOMEM, "no memory for a snapshot");
	}
	r->fd = fd;
	*out = r;
	return 0;
}

int snapshot_read_plain(int fd, void *data, size_t len, size_t *got)
{
	*got = 0;
	while (*got < len) {
		ssize_t part = read(fd, (uint8_t *)data + *got, len - *got);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return bis_fail(errno, "cannot read the snapshot: %s", strerror(errno));
		if (part == 0)
			break;
		*got += (size_t)part;
	}
	return 0;
}

/* The end of the file before there are that many is damage, as the last piece was not seen. */
static int read_all(int fd, void *data, size_t len)
{
	size_t got;
	int err = snapshot_read_plain(fd, data, len, &got);

	return err || got == len ? err : bis_fail(EBADMSG, "the snapshot is cut off");
}

/* The last piece is there: is it that, and the end of the file? */
static int check_end(struct snapshot_reader *r, const struct crew_piece *p)
{
	uint8_t byte;
	size_t got;
	int err = snapshot_read_plain(r->fd, &byte, 1, &got);

	if (err)
		return err;
	r->ended = true;
	if (sum_of(p) != p->sum)
		return bis_fail(EBADMSG, "the snapshot is damaged: the checksum of its end is wrong");
	return got ? bis_fail(EBADMSG, "something follows the end of the snapshot") : 0;
}

/* The next piece of the file, for the crew. */
static int read_piece(struct snapshot_reader *r, struct crew_piece *p)
{
	struct head head;
	int err = read_all(r->fd, &head, sizeof(head));

	if (err)
		return err;
	p->raw_len = head.raw_len;
	p->packed_len = head.packed_len;
	p->sum = head.sum;
	p->number = r->pieces++;
	if (p->raw_len == 0 && p->packed_len == 0)
		return check_end(r, p);
	if (p->raw_len == 0 || p->raw_len > sizeof(p->raw) || p->packed_len > sizeof(p->packed))
		return bis_fail(EBADMSG, "the snapshot is damaged: a piece of it has an impossible length");
	err = read_all(r->fd, p->packed, p->packed_len);
	if (!err)
		snapshot_crew_give(r->crew);
	return err;
}

/* Gives back the piece that has been read, and takes the next one; NULL at the end. Keeps the crew busy. */
static int next_piece(struct snapshot_reader *r)
{
	struct crew_piece *p;
	int err = 0;

	if (r->taken)
		snapshot_crew_return(r->crew);
	while (!err && !r->ended && (p = snapshot_crew_next(r->crew)))
		err = read_piece(r, p);
	r->taken = err ? NULL : snapshot_crew_take(r->crew);
	r->at = 0;
	if (r->taken && r->taken->problem)
		return bis_fail(EBADMSG, "the snapshot is damaged: %s", r->taken->problem);
	return err;
}

int snapshot_read(struct snapshot_reader *r, void *data, size_t len)
{
	uint8_t *to = data;

	while (!r->err && len > 0) {
		size_t left = r->taken ? r->taken->raw_len - r->at : 0, part = len < left ? len : left;

		if (!left) {
			r->err = next_piece(r);
			if (!r->err && !r->taken)
				r->err = bis_fail(EBADMSG, "the snapshot ends too early");
			continue;
		}
		memcpy(to, r->taken->raw + r->at, part);
		r->at += (uint32_t)part;
		to += part;
		len -= part;
	}
	return r->err;
}

int snapshot_reader_finish(struct snapshot_reader *r)
{
	if (!r->err && r->taken && r->at == r->taken->raw_len)
		r->err = next_piece(r);
	if (!r->err && r->taken)
		r->err = bis_fail(EBADMSG, "the snapshot is damaged: it goes on behind its last record");
	return r->err;
}

void snapshot_reader_destroy(struct snapshot_reader *r)
{
	if (!r)
		return;
	snapshot_crew_destroy(r->crew);
	free(r);
}
