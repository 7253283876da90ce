/*
 * Where a loader's bytes come from: a regular file or a buffer. Nothing is read beyond the size seen at the start, and
 * a file is never held in memory as a whole.
 */
#ifndef BISCUIT_SOURCE_INTERNAL_H
#define BISCUIT_SOURCE_INTERNAL_H

#include <biscuit/loader.h>
#include <biscuit/memory.h>
#include <biscuit/types.h>

struct bis_source {
	char *name; /* for messages; owned */
	int fd;	    /* -1: `data` */
	const uint8_t *data;
	uint64_t size;
	const struct bis_load_progress *progress; /* NULL: nobody looks */
	uint64_t copied, total;			  /* bytes that went to RAM, and how many it will be */
};

/* Opens a regular file. -errno with message. */
BIS_MUST_CHECK int bis_source_open(struct bis_source *s, const char *path);
/* A buffer that stays the caller's. -ENOMEM. */
BIS_MUST_CHECK int bis_source_from_bytes(struct bis_source *s, const char *name, const void *data, size_t size);
void bis_source_close(struct bis_source *s);

/* Is [off, off + len) inside the source? */
bool bis_source_has(const struct bis_source *s, uint64_t off, uint64_t len);
/* Reads exactly len bytes. -ENOEXEC where they are not all there, -EIO and the like. */
BIS_MUST_CHECK int bis_source_read(const struct bis_source *s, uint64_t off, void *buf, size_t len);
/* Before the first copy to RAM: how many bytes will go there in all. */
void bis_source_announce(struct bis_source *s, uint64_t total);
/* Copies exactly len bytes to guest RAM. As bis_source_read, and -EFAULT outside RAM. */
BIS_MUST_CHECK int bis_source_to_ram(struct bis_source *s, uint64_t off, struct bis_memory *mem, uint64_t pa,
				     uint64_t len);

#endif
