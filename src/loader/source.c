/*
 * Byte sources of the loaders: bounds are checked here once, against the size at opening. Runs on the control thread;
 * the caller owns the source.
 */
#include "source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>

/* Copies in pieces, so that who looks at the progress sees some. */
#define COPY_MAX ((uint64_t)4 << 20)

static int open_regular(const char *path, int *out, uint64_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0)
		return bis_fail(errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st)) {
		err = bis_fail(errno, "%s: %s", path, strerror(errno));
		goto close_fd;
	}
	if (!S_ISREG(st.st_mode)) {
		err = bis_fail(S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s: is %s, expected a regular file", path,
			       S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		goto close_fd;
	}
	*out = fd;
	*size = (uint64_t)st.st_size;
	return 0;
close_fd:
	close(fd);
	return err;
}

int bis_source_open(struct bis_source *s, const char *path)
{
	uint64_t size = 0;
	int fd = -1;
	int err = open_regular(path, &fd, &size);
	char *name;

	if (err)
		return err;
	name = strdup(path);
	if (!name) {
		close(fd);
		return bis_fail(ENOMEM, "%s: out of memory", path);
	}
	*s = (struct bis_source){.name = name, .fd = fd, .size = size};
	return 0;
}

int bis_source_from_bytes(struct bis_source *s, const char *name, const void *data, size_t size)
{
	char *copy = strdup(name);

	if (!copy)
		return bis_fail(ENOMEM, "%s: out of memory", name);
	*s = (struct bis_source){.name = copy, .fd = -1, .data = data, .size = size};
	return 0;
}

void bis_source_close(struct bis_source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->name);
	*s = (struct bis_source){.fd = -1};
}

bool bis_source_has(const struct bis_source *s, uint64_t off, uint64_t len)
{
	return len <= s->size && off <= s->size - len;
}

int bis_source_read(const struct bis_source *s, uint64_t off, void *buf, size_t len)
{
	uint8_t *at = buf;

	if (!bis_source_has(s, off, len))
		return bis_fail(ENOEXEC, "%s: truncated: %zu bytes expected at offset %llu of a file of %llu bytes",
				s->name, len, (unsigned long long)off, (unsigned long long)s->size);
	if (s->fd < 0) {
		if (len)
			memcpy(buf, s->data + off, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(s->fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return bis_fail(n ? errno : EIO, "%s: %s", s->name,
					n ? strerror(errno) : "became shorter while it was read");
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static void report(const struct bis_source *s)
{
	if (s->progress && s->total)
		s->progress->report(s->progress->arg, s->name, s->copied, s->total);
}

void bis_source_announce(struct bis_source *s, uint64_t total)
{
	s->copied = 0;
	s->total = total;
	report(s);
}

/* Up to COPY_MAX bytes, all of which are in the source; the number copied or a negative errno with message. */
static ssize_t copy_piece(const struct bis_source *s, uint64_t off, struct bis_memory *mem, uint64_t pa, uint64_t len)
{
	size_t piece = (size_t)(len < COPY_MAX ? len : COPY_MAX);
	ssize_t n;
	int err;

	if (s->fd < 0) {
		err = bis_mem_write(mem, (bis_gpa){pa}, s->data + off, piece);
		return err ? err : (ssize_t)piece;
	}
	n = bis_mem_from_fd(mem, (bis_gpa){pa}, s->fd, off, piece);
	if (n < 0)
		return bis_fail_prefix((int)n, "%s", s->name);
	return n ? n : bis_fail(EIO, "%s: became shorter while it was read", s->name);
}

int bis_source_to_ram(struct bis_source *s, uint64_t off, struct bis_memory *mem, uint64_t pa, uint64_t len)
{
	if (!bis_source_has(s, off, len))
		return bis_fail(ENOEXEC, "%s: truncated: its size is %llu bytes", s->name, (unsigned long long)s->size);
	while (len) {
		ssize_t n = copy_piece(s, off, mem, pa, len);

		if (n < 0)
			return (int)n;
		off += (uint64_t)n;
		pa += (uint64_t)n;
		len -= (uint64_t)n;
		s->copied += (uint64_t)n;
		report(s);
	}
	return 0;
}
