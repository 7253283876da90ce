/*
 * Guest memory: RAM regions on memfds, mapped shared. Devices, loaders and frontends copy through (gpa, len) calls that
 * check the whole range once; no raw pointer escapes. Any thread may call any function here.
 */
#ifndef BISCUIT_MEMORY_H
#define BISCUIT_MEMORY_H

#include <sys/types.h>

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIS_PAGE_SHIFT 12
#define BIS_PAGE_SIZE  4096u

struct bis_memory;

/* One RAM region as reported by bis_mem_region. The memfd stays open as long as the memory; callers may mmap it shared.
 */
struct bis_mem_region {
	bis_gpa base;
	uint64_t size;
	int fd;
	const char *name;
	bool of_device; /* added with bis_memory_add_device_ram */
};

/* An empty memory. -ENOMEM. */
BIS_MUST_CHECK int bis_memory_create(struct bis_memory **out);
/* Its dirty readers are gone and nobody uses it any more. NULL is allowed. */
void bis_memory_destroy(struct bis_memory *m);

/*
 * Adds `size` bytes of zeroed RAM at `base`, both multiples of the page size, no overlap, no wrap-around. -EINVAL,
 * -EEXIST (overlap), -ENOMEM, each with message. Only while no hart runs.
 */
BIS_MUST_CHECK int bis_memory_add_ram(struct bis_memory *m, const char *name, bis_gpa base, uint64_t size);
/*
 * The same for RAM that a device keeps things in which the guest writes directly, such as a picture: it is like other
 * RAM, but the device tree does not call it memory and nothing is loaded there.
 */
BIS_MUST_CHECK int bis_memory_add_device_ram(struct bis_memory *m, const char *name, bis_gpa base, uint64_t size);

size_t bis_mem_region_count(const struct bis_memory *m);
/* Region `index` in address order; -ENOENT beyond the last. */
BIS_MUST_CHECK int bis_mem_region(const struct bis_memory *m, size_t index, struct bis_mem_region *out);

/* True if all of [pa, pa+len) is RAM (regions that touch count as one range). len 0 is true for any pa. */
bool bis_mem_is_ram(const struct bis_memory *m, bis_gpa pa, uint64_t len);

/* Copies. All of [pa, pa+len) is RAM and the copy is done, or -EFAULT and no byte moved. Writes mark pages dirty. */
BIS_MUST_CHECK int bis_mem_read(const struct bis_memory *m, bis_gpa pa, void *dst, size_t len);
BIS_MUST_CHECK int bis_mem_write(struct bis_memory *m, bis_gpa pa, const void *src, size_t len);
BIS_MUST_CHECK int bis_mem_fill(struct bis_memory *m, bis_gpa pa, uint8_t byte, uint64_t len);

/* Typed copies of one object: bis_mem_read_obj(m, pa, &header). */
#define bis_mem_read_obj(m, pa, obj)  bis_mem_read((m), (pa), (obj), sizeof(*(obj)))
#define bis_mem_write_obj(m, pa, obj) bis_mem_write((m), (pa), (obj), sizeof(*(obj)))

/*
 * Single-copy-atomic accesses of 1, 2, 4 or 8 bytes, little-endian, naturally aligned: -EFAULT outside RAM, -EINVAL for
 * another size or a misaligned address. Loads acquire and stores release.
 */
BIS_MUST_CHECK int bis_mem_load(const struct bis_memory *m, bis_gpa pa, unsigned size, uint64_t *out);
BIS_MUST_CHECK int bis_mem_store(struct bis_memory *m, bis_gpa pa, unsigned size, uint64_t value);

/* Reads up to len bytes from fd at `offset` straight into RAM: bytes read (short at end of file) or -EFAULT/-errno. */
BIS_MUST_CHECK ssize_t bis_mem_from_fd(struct bis_memory *m, bis_gpa pa, int fd, uint64_t offset, size_t len);
/* Writes len bytes of RAM to fd at `offset`: bytes written (short only if fd takes no more) or -EFAULT/-errno. */
BIS_MUST_CHECK ssize_t bis_mem_to_fd(const struct bis_memory *m, bis_gpa pa, int fd, uint64_t offset, size_t len);

/* A range of guest memory, for lists of them. */
struct bis_mem_range {
	bis_gpa pa;
	uint64_t len;
};

/*
 * The same for a list of ranges, in order, in few system calls. Bytes moved (short at the end of the file or of the
 * list), or -EFAULT with no byte moved if a range is not wholly RAM, or -errno of the host.
 */
BIS_MUST_CHECK ssize_t bis_mem_preadv(struct bis_memory *m, const struct bis_mem_range *ranges, size_t count, int fd,
				      uint64_t offset);
/* The same as bis_mem_preadv for what the host has in memory: -EAGAIN if the first byte would have to wait for storage.
 */
BIS_MUST_CHECK ssize_t bis_mem_preadv_nowait(struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
					     int fd, uint64_t offset);
BIS_MUST_CHECK ssize_t bis_mem_pwritev(const struct bis_memory *m, const struct bis_mem_range *ranges, size_t count,
				       int fd, uint64_t offset);

/*
 * Gives the host memory behind whole pages of RAM back; they read as zero afterwards and take memory again when they
 * are written. -EINVAL unless page-aligned, -EFAULT outside RAM, -errno of the host.
 */
BIS_MUST_CHECK int bis_mem_discard(struct bis_memory *m, bis_gpa pa, uint64_t len);

/*
 * Visits [pa, pa+len) as spans of contiguous host memory, for scatter/gather I/O (preadv and the like). `visit` gets
 * the host address, valid only during the call; a non-zero return stops and is returned. `write` marks the pages dirty
 * after each visit. -EFAULT before any visit if the range is not wholly RAM.
 */
typedef int (*bis_span_fn)(void *arg, void *host, size_t len);
BIS_MUST_CHECK int bis_mem_spans(struct bis_memory *m, bis_gpa pa, uint64_t len, bool write, bis_span_fn visit,
				 void *arg);

/*
 * Dirty tracking: each reader has a bitmap of its own. A new reader starts with every page clean. At most 6 readers
 * (-ENOSPC). bis_dirty_fetch copies and clears the bits of `pages` pages from `pa`, the start of a page (bit 0 of
 * bitmap[0] is the first page; from a region's base in multiples of 64 pages is fastest; bits behind the last page are
 * 0); -EINVAL or -EFAULT, with nothing cleared, for a range that is not whole pages of RAM. Look at the pages after the
 * call: no write is then missed, though a store by a running hart that began before the call may be reported by the
 * next call, or by both. Creating and fetching may wait for harts: not with a lock held that a running hart may wait
 * for.
 */
struct bis_dirty;
BIS_MUST_CHECK int bis_dirty_create(struct bis_memory *m, struct bis_dirty **out);
void bis_dirty_destroy(struct bis_dirty *d);
BIS_MUST_CHECK int bis_dirty_fetch(struct bis_dirty *d, bis_gpa pa, uint64_t pages, uint64_t *bitmap);

#ifdef __cplusplus
}
#endif
#endif
