/*
 * Open files: a text is made when it is opened, so that reading it in pieces is reading one state; what is written
 * takes effect in the write itself, so that it fails there. Any thread, several at once on one handle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

/* --- Opening and closing --- */

static int check_mode(struct inspect *in, struct inspect_node *n, unsigned how)
{
	mode_t mode = inspect_mode(in, n);

	if (n->type->kind == INSPECT_DIR)
		return bis_fail(EISDIR, "this is a directory");
	if (n->type->kind == INSPECT_LINK)
		return bis_fail(ELOOP, "this is a link");
	if ((how & INSPECT_WRITE) && in->options.readonly)
		return bis_fail(EROFS, "the files are mounted read-only");
	if ((how & INSPECT_WRITE) && !(mode & 0200))
		return bis_fail(EACCES, "this can only be read");
	if ((how & INSPECT_READ) && !(mode & 0400))
		return bis_fail(EACCES, "this can only be written");
	return 0;
}

static int fill(struct inspect_handle *h)
{
	const struct inspect_type *t = h->node->type;
	int err;

	if (t->open_stream)
		return t->open_stream(h->in, h->node, &h->stream);
	if (t->open_fd)
		return t->open_fd(h->in, h->node, &h->fd);
	if (!t->generate)
		return 0;
	err = t->generate(h->in, h->node, &h->text);
	if (!err)
		err = inspect_text_result(&h->text);
	if (!err && t->sized)
		h->node->length = h->text.len;
	return err;
}

static void link_handle(struct inspect_handle *h)
{
	pthread_mutex_lock(&h->in->lock);
	h->next = h->in->handles;
	h->place = &h->in->handles;
	if (h->next)
		h->next->place = &h->next;
	h->in->handles = h;
	pthread_mutex_unlock(&h->in->lock);
}

static void unlink_handle(struct inspect_handle *h)
{
	pthread_mutex_lock(&h->in->lock);
	*h->place = h->next;
	if (h->next)
		h->next->place = h->place;
	pthread_mutex_unlock(&h->in->lock);
}

static void free_handle(struct inspect_handle *h)
{
	if (h->stream)
		inspect_stream_close(h->in, h->stream);
	if (h->fd >= 0)
		close(h->fd);
	inspect_text_free(&h->text);
	pthread_mutex_destroy(&h->lock);
	inspect_unref(h->in, h->node, 1);
	free(h);
}

int inspect_open(struct inspect *in, struct inspect_node *n, unsigned how, struct inspect_handle **out)
{
	struct inspect_handle *h;
	int err = check_mode(in, n, how);

	if (err)
		return err;
	h = calloc(1, sizeof(*h));
	if (!h)
		return bis_fail(ENOMEM, "no memory for an open file");
	h->in = in;
	h->node = n;
	h->fd = -1;
	inspect_ref(in, n);
	pthread_mutex_init(&h->lock, NULL);
	if (how & INSPECT_READ)
		err = fill(h);
	if (err) {
		free_handle(h);
		return err;
	}
	link_handle(h);
	*out = h;
	return 0;
}

void inspect_close(struct inspect_handle *h)
{
	unlink_handle(h);
	free_handle(h);
}

/* --- Reading --- */

static ssize_t read_text(struct inspect_handle *h, void *buf, size_t len, uint64_t off)
{
	size_t left;

	pthread_mutex_lock(&h->lock);
	if (off < h->begin)
		h->begin = 0; /* somebody has gone back to the beginning */
	off -= h->begin;
	left = off < h->text.len ? h->text.len - (size_t)off : 0;
	if (len > left)
		len = left;
	if (len)
		memcpy(buf, h->text.data + off, len);
	pthread_mutex_unlock(&h->lock);
	return (ssize_t)len;
}

static ssize_t read_file(int fd, void *buf, size_t len, uint64_t off)
{
	ssize_t got;

	if (off > INT64_MAX)
		return 0;
	got = pread(fd, buf, len, (off_t)off);
	return got >= 0 ? got : bis_fail(errno, "%s", strerror(errno));
}

struct copied {
	char *to;
	size_t len, done;
};

static int copy_pieces(void *arg, const struct iovec *pieces, int count)
{
	struct copied *c = arg;

	for (int i = 0; i < count; i++) {
		size_t part = pieces[i].iov_len < c->len - c->done ? pieces[i].iov_len : c->len - c->done;

		memcpy(c->to + c->done, pieces[i].iov_base, part);
		c->done += part;
	}
	return 0;
}

ssize_t inspect_read(struct inspect_handle *h, void *buf, size_t len, uint64_t off)
{
	const struct inspect_type *t = h->node->type;
	struct copied c = {.to = buf, .len = len};
	int err;

	if (h->stream)
		return inspect_stream_read(h->in, h->stream, buf, len, NULL);
	if (t->vector) {
		err = t->vector(h->in, h->node, off, len, copy_pieces, &c);
		return err ? err : (ssize_t)c.done;
	}
	if (t->read)
		return t->read(h->in, h->node, off, buf, len);
	return h->fd >= 0 ? read_file(h->fd, buf, len, off) : read_text(h, buf, len, off);
}

/* --- Writing --- */

/* One text, or one command of several. */
static int accept_one(struct inspect_handle *h, char *text, struct inspect_text *reply)
{
	return h->node->type->accept(h->in, h->node, inspect_trim(text), reply);
}

/* The answer to what was written up to `end` is what the handle reads from there on, also where it is none. */
static void keep_reply(struct inspect_handle *h, struct inspect_text *reply, uint64_t end)
{
	struct inspect_text old;

	pthread_mutex_lock(&h->lock);
	old = h->text;
	h->text = *reply;
	h->begin = end;
	pthread_mutex_unlock(&h->lock);
	inspect_text_free(&old);
}

/* Commands, a line each: how many bytes of `text` were carried out. An error only where that is none. */
static ssize_t accept_lines(struct inspect_handle *h, char *text, size_t len, struct inspect_text *reply)
{
	size_t done = 0;
	int err = 0;

	while (done < len) {
		size_t line = strcspn(text + done, "\n");

		text[done + line] = '\0';
		if (*inspect_trim(text + done))
			err = accept_one(h, text + done, reply);
		if (err)
			break;
		done += line + 1;
	}
	return err && !done ? err : (ssize_t)(done < len ? done : len);
}

static ssize_t write_text(struct inspect_handle *h, const void *buf, size_t len, uint64_t off)
{
	struct inspect_text reply = {0};
	ssize_t result;
	char *text;

	if (len > INSPECT_WRITE_MAX)
		return bis_fail(EINVAL, "%zu bytes are too long for one text (at most %u)", len, INSPECT_WRITE_MAX);
	if (memchr(buf, '\0', len))
		return bis_fail(EINVAL, "a NUL byte in the text");
	text = malloc(len + 1);
	if (!text)
		return bis_fail(ENOMEM, "no memory for the text");
	memcpy(text, buf, len);
	text[len] = '\0';
	if (h->node->type->lines) {
		result = accept_lines(h, text, len, &reply);
	} else {
		result = accept_one(h, text, &reply);
		if (!result)
			result = (ssize_t)len;
	}
	free(text);
	if (h->node->type->lines || reply.len)
		keep_reply(h, &reply, off + (result > 0 ? (uint64_t)result : 0));
	else
		inspect_text_free(&reply);
	return result;
}

ssize_t inspect_write(struct inspect_handle *h, const void *buf, size_t len, uint64_t off)
{
	const struct inspect_type *t = h->node->type;

	if (!len)
		return 0;
	if (t->write)
		return t->write(h->in, h->node, off, buf, len);
	if (t->accept_raw)
		return t->accept_raw(h->in, h->node, buf, len);
	return write_text(h, buf, len, off);
}
