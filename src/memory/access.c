/*
 * Copies between guest memory and everything else, <biscuit/memory.h>. Any thread, no lock. Each call checks its whole
 * range first; regions never go away while the memory lives, so the range stays good for the rest of the call.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "src/memory/memory_internal.h"

/* What of a checked range lies in one region. */
struct piece {
	struct bis_ram *ram;
	uint8_t *host;
	uint64_t len;
};

static struct piece first_piece(const struct bis_memory *m, uint64_t pa, uint64_t len)
{
	struct bis_ram *r = bis_mem_find(m, pa);
	uint64_t off = pa - r->base;

	return (struct piece){r, r->host + off, len < r->size - off ? len : r->size - off};
}

/* Every page of a piece has been written. */
static void piece_written(struct bis_memory *m, const struct piece *p)
{
	uint64_t first, last;

	if (p->len == 0)
		return;
	first = (uint64_t)(p->host - p->ram->host) >> BIS_PAGE_SHIFT;
	last = ((uint64_t)(p->host - p->ram->host) + p->len - 1) >> BIS_PAGE_SHIFT;
	for (uint64_t page = first; page <= last; page++)
		bis_mem_wrote(m, p->ram->base + (page << BIS_PAGE_SHIFT), p->ram->watch + page);
}

void bis_mem_touched(struct bis_memory *m, uint64_t pa, uint64_t len)
{
	while (len > 0) {
		struct piece p = first_piece(m, pa, len);

		piece_written(m, &p);
		pa += p.len;
		len -= p.len;
	}
}

int bis_mem_check_ram(const struct bis_memory *m, bis_gpa pa, uint64_t len)
{
	if (bis_mem_is_ram(m, pa, len))
		return 0;
	return bis_fail(EFAULT, "memory: 0x%" PRIx64 " bytes at 0x%" PRIx64 " are not all RAM", len, pa.v);
}

/* --- copies --- */

int bis_mem_read(const struct bis_memory *m, bis_gpa pa, void *dst, size_t len)
{
	uint8_t *to = dst;
	int err = bis_mem_check_ram(m, pa, len);

	while (!err && len > 0) {
		struct piece p = first_piece(m, pa.v, len);

		bis_ram_copy_out(to, p.host, p.len);
		to += p.len;
		pa.v += p.len;
		len -= p.len;
	}
	return err;
}

int bis_mem_write(struct bis_memory *m, bis_gpa pa, const void *src, size_t len)
{
	const uint8_t *from = src;
	int err = bis_mem_check_ram(m, pa, len);

	while (!err && len > 0) {
		struct piece p = first_piece(m, pa.v, len);

		bis_ram_copy_in(p.host, from, p.len);
		piece_written(m, &p);
		from += p.len;
		pa.v += p.len;
		len -= p.len;
	}
	return err;
}

int bis_mem_fill(struct bis_memory *m, bis_gpa pa, uint8_t byte, uint64_t len)
{
	int err = bis_mem_check_ram(m, pa, len);

	while (!err && len > 0) {
		struct piece p = first_piece(m, pa.v, len);

		bis_ram_fill(p.host, byte, p.len);
		piece_written(m, &p);
		pa.v += p.len;
		len -= p.len;
	}
	return err;
}

/* --- single words --- */

static int check_word(const struct bis_memory *m, bis_gpa pa, unsigned size)
{
	if (size == 0 || size > 8 || (size & (size - 1)) || pa.v % size)
		return bis_fail(EINVAL,
				"memory: a word of %u bytes at 0x%" PRIx64 " is not 1, 2, 4 or 8 bytes, aligned", size,
				pa.v);
	return bis_mem_check_ram(m, pa, size);
}

int bis_mem_load(const struct bis_memory *m, bis_gpa pa, unsigned size, uint64_t *out)
{
	int err = check_word(m, pa, size);
	const void *host;

	if (err)
		return err;
	host = first_piece(m, pa.v, size).host;
	if (size == 8)
		*out = __atomic_load_n((const uint64_t *)host, __ATOMIC_ACQUIRE);
	else if (size == 4)
		*out = __atomic_load_n((const uint32_t *)host, __ATOMIC_ACQUIRE);
	else if (size == 2)
		*out = __atomic_load_n((const uint16_t *)host, __ATOMIC_ACQUIRE);
	else
		*out = __atomic_load_n((const uint8_t *)host, __ATOMIC_ACQUIRE);
	return 0;
}

int bis_mem_store(struct bis_memory *m, bis_gpa pa, unsigned size, uint64_t value)
{
	int err = check_word(m, pa, size);
	struct piece p;
	void *host;

	if (err)
		return err;
	p = first_piece(m, pa.v, size);
	host = p.host;
	if (size == 8)
		__atomic_store_n((uint64_t *)host, value, __ATOMIC_RELEASE);
	else if (size == 4)
		__atomic_store_n((uint32_t *)host, (uint32_t)value, __ATOMIC_RELEASE);
	else if (size == 2)
		__atomic_store_n((uint16_t *)host, (uint16_t)value, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint8_t *)host, (uint8_t)value, __ATOMIC_RELEASE);
	piece_written(m, &p);
	return 0;
}

/* --- files --- */

ssize_t bis_mem_from_fd(struct bis_memory *m, bis_gpa pa, int fd, uint64_t offset, size_t len)
{
	return bis_mem_preadv(m, &(struct bis_mem_range){pa, len}, 1, fd, offset);
}

ssize_t bis_mem_to_fd(const struct bis_memory *m, bis_gpa pa, int fd, uint64_t offset, size_t len)
{
	return bis_mem_pwritev(m, &(struct bis_mem_range){pa, len}, 1, fd, offset);
}

/* --- spans --- */

int bis_mem_spans(struct bis_memory *m, bis_gpa pa, uint64_t len, bool write, bis_span_fn visit, void *arg)
{
	int result = bis_mem_check_ram(m, pa, len);

	while (!result && len > 0) {
		struct piece p = first_piece(m, pa.v, len);

		result = visit(arg, p.host, p.len);
		if (write)
			piece_written(m, &p);
		pa.v += p.len;
		len -= p.len;
	}
	return result;
}
