/*
 * Pictures as files. A portable pixmap is three words of text and then the colours; a Windows bitmap has a header of 54
 * bytes, colours the other way round, and lines that are filled up to multiples of four bytes.
 */
#include "picture_file.h"
#include "../files.h"
#include "../layout.h"
#include "../pages.h"
#include <stdio.h>
#include <string.h>

#define BMP_HEADER 54

struct writer {
	uint32_t handle;
	int64_t error; /* what went wrong first */
	uint64_t offset;
	size_t used;
	unsigned char *page;
};

static void flush(struct writer *w)
{
	for (size_t done = 0; done < w->used && w->error >= 0;) {
		w->error = magicfs_write(w->handle, w->page + done, w->used - done, w->offset);
		if (w->error > 0) {
			done += (size_t)w->error;
			w->offset += (uint64_t)w->error;
		}
	}
	w->used = 0;
}

static void put(struct writer *w, uint32_t byte)
{
	if (w->used == PAGE_SIZE)
		flush(w);
	w->page[w->used++] = (unsigned char)byte;
}

static void put_number(struct writer *w, uint32_t number, int bytes)
{
	for (; bytes > 0; bytes--, number >>= 8)
		put(w, number);
}

static void write_ppm(struct writer *w, const struct picture *p)
{
	char header[32];

	snprintf(header, sizeof(header), "P6\n%d %d\n255\n", p->width, p->height);
	for (const char *c = header; *c; c++)
		put(w, (unsigned char)*c);
	for (int y = 0; y < p->height; y++) {
		const uint32_t *line = p->pixels + (size_t)y * (size_t)p->pitch;

		for (int x = 0; x < p->width; x++) {
			put(w, line[x] >> 16);
			put(w, line[x] >> 8);
			put(w, line[x]);
		}
	}
}

/* The height is negative, as the upper line comes first. */
static void write_bmp(struct writer *w, const struct picture *p)
{
	uint32_t fill = (uint32_t)p->width & 3, size = ((uint32_t)p->width * 3 + fill) * (uint32_t)p->height;

	put_number(w, 'B' | 'M' << 8, 2);
	put_number(w, BMP_HEADER + size, 4);
	put_number(w, 0, 4);
	put_number(w, BMP_HEADER, 4);
	put_number(w, BMP_HEADER - 14, 4);
	put_number(w, (uint32_t)p->width, 4);
	put_number(w, (uint32_t)-p->height, 4);
	put_number(w, 1 | 24 << 16, 4);
	put_number(w, 0, 4);
	put_number(w, size, 4);
	for (int i = 0; i < 4; i++)
		put_number(w, 0, 4);
	for (int y = 0; y < p->height; y++) {
		const uint32_t *line = p->pixels + (size_t)y * (size_t)p->pitch;

		for (int x = 0; x < p->width; x++)
			put_number(w, line[x], 3);
		put_number(w, 0, (int)fill);
	}
}

static bool ends_so(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

int64_t picture_save(const struct picture *p, const char *path)
{
	struct writer w = {.page = page_alloc()};
	int64_t handle = w.page ? files_open(path, MAGICFS_O_WRITE | MAGICFS_O_CREATE | MAGICFS_O_TRUNCATE, 0644)
				: -MAGICFS_ENOMEM;

	if (handle >= 0) {
		w.handle = (uint32_t)handle;
		if (ends_so(path, ".bmp"))
			write_bmp(&w, p);
		else
			write_ppm(&w, p);
		flush(&w);
		magicfs_close(w.handle);
		handle = w.error < 0 ? w.error : 0;
	}
	page_free(w.page);
	return handle;
}
