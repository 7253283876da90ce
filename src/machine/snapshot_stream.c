/* Compressed streams of snapshots, snapshot_stream.h, with zstd. */
#include "src/machine/snapshot_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include <biscuit/error.h>

#define BUFFER_SIZE ((size_t)1 << 20)
#define LEVEL	    1
#define THREADS	    2
#define WINDOW_MAX  27 /* log2 of the memory a frame may ask of the reader */

struct snapshot_writer {
	ZSTD_CCtx *z;
	int fd;
	int err;
	uint8_t buffer[BUFFER_SIZE];
};

struct snapshot_reader {
	ZSTD_DCtx *z;
	int fd;
	int err;
	bool ended;	  /* the frame has */
	ZSTD_inBuffer in; /* of `buffer` */
	uint8_t buffer[BUFFER_SIZE];
};

/* --- Writing --- */

int snapshot_writer_create(int fd, struct snapshot_writer **out)
{
	struct snapshot_writer *w = calloc(1, sizeof(*w));

	if (w)
		w->z = ZSTD_createCCtx();
	if (!w || !w->z) {
		free(w);
		return bis_fail(ENOMEM, "no memory for a snapshot");
	}
	w->fd = fd;
	ZSTD_CCtx_setParameter(w->z, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(w->z, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(w->z, ZSTD_c_nbWorkers, THREADS); /* a library without threads ignores it */
	*out = w;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t part = write(fd, data, len);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return bis_fail(errno, "cannot write the snapshot: %s", strerror(errno));
		data += part;
		len -= (size_t)part;
	}
	return 0;
}

static int compress(struct snapshot_writer *w, const void *data, size_t len, ZSTD_EndDirective mode)
{
	ZSTD_inBuffer in = {data, len, 0};
	size_t left = 1;

	while (!w->err && (mode == ZSTD_e_end ? left : in.size - in.pos)) {
		ZSTD_outBuffer out = {w->buffer, sizeof(w->buffer), 0};

		left = ZSTD_compressStream2(w->z, &out, &in, mode);
		if (ZSTD_isError(left))
			w->err = bis_fail(EIO, "cannot compress the snapshot: %s", ZSTD_getErrorName(left));
		else
			w->err = write_all(w->fd, w->buffer, out.pos);
	}
	return w->err;
}

int snapshot_write(struct snapshot_writer *w, const void *data, size_t len)
{
	return compress(w, data, len, ZSTD_e_continue);
}

int snapshot_writer_finish(struct snapshot_writer *w)
{
	return compress(w, NULL, 0, ZSTD_e_end);
}

void snapshot_writer_destroy(struct snapshot_writer *w)
{
	if (!w)
		return;
	ZSTD_freeCCtx(w->z);
	free(w);
}

/* --- Reading --- */

int snapshot_reader_create(int fd, struct snapshot_reader **out)
{
	struct snapshot_reader *r = calloc(1, sizeof(*r));

	if (r)
		r->z = ZSTD_createDCtx();
	if (!r || !r->z) {
		free(r);
		return bis_fail(ENOMEM, "no memory for a snapshot");
	}
	r->fd = fd;
	r->in.src = r->buffer;
	ZSTD_DCtx_setParameter(r->z, ZSTD_d_windowLogMax, WINDOW_MAX);
	*out = r;
	return 0;
}

/* More of the file into the empty buffer; its end is damage, as the frame has not ended. */
static int fill(struct snapshot_reader *r)
{
	ssize_t got;

	do
		got = read(r->fd, r->buffer, sizeof(r->buffer));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return bis_fail(errno, "cannot read the snapshot: %s", strerror(errno));
	if (got == 0)
		return bis_fail(EBADMSG, "the snapshot is cut off");
	r->in.size = (size_t)got;
	r->in.pos = 0;
	return 0;
}

/* One step of decompressing into `out`. */
static int decompress(struct snapshot_reader *r, ZSTD_outBuffer *out)
{
	size_t before = out->pos, consumed = r->in.pos, left;

	left = ZSTD_decompressStream(r->z, out, &r->in);
	if (ZSTD_isError(left))
		return bis_fail(EBADMSG, "the snapshot is damaged: %s", ZSTD_getErrorName(left));
	r->ended = left == 0;
	if (!r->ended && out->pos == before && r->in.pos == consumed && r->in.pos == r->in.size)
		return fill(r);
	return 0;
}

int snapshot_read(struct snapshot_reader *r, void *data, size_t len)
{
	ZSTD_outBuffer out = {data, len, 0};

	while (!r->err && out.pos < len)
		r->err = r->ended ? bis_fail(EBADMSG, "the snapshot ends too early") : decompress(r, &out);
	return r->err;
}

int snapshot_reader_finish(struct snapshot_reader *r)
{
	uint8_t byte;
	ZSTD_outBuffer out = {&byte, 1, 0};

	while (!r->err && !r->ended && out.pos == 0)
		r->err = decompress(r, &out);
	if (!r->err && (out.pos || r->in.pos != r->in.size || read(r->fd, &byte, 1) != 0))
		r->err = bis_fail(EBADMSG, "something follows the end of the snapshot");
	return r->err;
}

void snapshot_reader_destroy(struct snapshot_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->z);
	free(r);
}
