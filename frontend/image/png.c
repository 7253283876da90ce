/*
 * Pictures as PNG files (Portable Network Graphics, third edition), by libpng: 8 bits a channel, no alpha, made for
 * speed rather than size. Any thread; nothing is kept.
 */
#include "frontend/image/png.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

enum { SIDE_MAX = 16384, GRAB_TRIES = 8 };

/* --- Encoding --- */

struct writer {
	png_structp png;
	png_infop info;
	uint8_t *row;
	uint8_t *data;
	size_t size, capacity;
	int error; /* a negative errno, with message */
};

static _Noreturn void fail(png_structp png, const char *message)
{
	struct writer *w = png_get_error_ptr(png);

	if (!w->error)
		w->error = bis_fail(EINVAL, "no picture: %s", message);
	longjmp(png_jmpbuf(png), 1);
}

static void ignore_warning(png_structp png, const char *message)
{
	(void)png;
	(void)message;
}

static void append(png_structp png, png_bytep bytes, size_t len)
{
	struct writer *w = png_get_io_ptr(png);
	size_t capacity = w->capacity ? w->capacity : 16384;
	uint8_t *data;

	while (capacity - w->size < len)
		capacity *= 2;
	if (capacity != w->capacity) {
		data = realloc(w->data, capacity);
		if (!data) {
			w->error = bis_fail(ENOMEM, "no memory for a picture");
			png_error(png, "no memory");
		}
		w->data = data;
		w->capacity = capacity;
	}
	memcpy(w->data + w->size, bytes, len);
	w->size += len;
}

static void flush_nothing(png_structp png)
{
	(void)png;
}

static void pack_row(uint8_t *to, const uint32_t *from, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++) {
		*to++ = (uint8_t)(from[x] >> 16);
		*to++ = (uint8_t)(from[x] >> 8);
		*to++ = (uint8_t)from[x];
	}
}

/* libpng comes back to the setjmp when something fails; all that must be known then is in *w. */
static void write_picture(struct writer *w, const uint32_t *pixels, uint32_t width, uint32_t height)
{
	if (setjmp(png_jmpbuf(w->png)))
		return;
	png_set_write_fn(w->png, w, append, flush_nothing);
	png_set_compression_level(w->png, 1);
	png_set_filter(w->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
	png_set_IHDR(w->png, w->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(w->png, w->info);
	for (uint32_t y = 0; y < height; y++) {
		pack_row(w->row, pixels + (size_t)y * width, width);
		png_write_row(w->png, w->row);
	}
	png_write_end(w->png, NULL);
}

int png_encode(const uint32_t *pixels, uint32_t width, uint32_t height, void **data, size_t *size)
{
	struct writer w = {0};

	if (!width || !height || width > SIDE_MAX || height > SIDE_MAX)
		return bis_fail(EINVAL, "no picture: %u times %u pixels", width, height);
	w.row = malloc((size_t)width * 3);
	w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, fail, ignore_warning);
	w.info = w.png ? png_create_info_struct(w.png) : NULL;
	if (w.row && w.info)
		write_picture(&w, pixels, width, height);
	else
		w.error = bis_fail(ENOMEM, "no memory for a picture");
	png_destroy_write_struct(&w.png, &w.info);
	free(w.row);
	if (w.error) {
		free(w.data);
		return w.error;
	}
	*data = w.data;
	*size = w.size;
	return 0;
}

/* --- A display --- */

/* All that is shown, in malloc'ed memory. It may become another size between looking and reading. */
static int grab(struct bis_viewer *v, struct bis_view *view, uint32_t **out)
{
	int err = -ERANGE;

	for (int i = 0; err == -ERANGE && i < GRAB_TRIES; i++) {
		uint32_t *pixels;

		bis_viewer_update(v, view);
		if (!view->width || !view->height)
			return bis_fail(ENODATA, "nothing is shown");
		pixels = malloc((size_t)view->width * view->height * sizeof(*pixels));
		if (!pixels)
			return bis_fail(ENOMEM, "no memory for a picture");
		err = bis_viewer_read(v, &(struct bis_rect){.width = view->width, .height = view->height}, pixels,
				      view->width * sizeof(*pixels));
		if (err)
			free(pixels);
		else
			*out = pixels;
	}
	return err == -ERANGE ? bis_fail(EAGAIN, "the size changes all the time") : err;
}

static uint32_t blend(uint32_t below, uint32_t above)
{
	uint32_t alpha = above >> 24, result = 0xff000000;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t a = above >> shift & 0xff, b = below >> shift & 0xff;

		result |= ((a * alpha + b * (255 - alpha) + 127) / 255) << shift;
	}
	return result;
}

/* Lays the pointer's image over the picture, as far as it lies inside. */
static void draw_cursor(const struct bis_view *view, const struct bis_cursor *c, uint32_t *pixels)
{
	int64_t left = (int64_t)view->cursor_x - c->hot_x, top = (int64_t)view->cursor_y - c->hot_y;

	for (uint32_t i = 0; i < c->width * c->height; i++) {
		int64_t x = left + i % c->width, y = top + i / c->width;

		if (x < 0 || y < 0 || x >= view->width || y >= view->height)
			continue;
		pixels[y * view->width + x] = blend(pixels[y * view->width + x], c->pixels[i]);
	}
}

static int grab_with_cursor(struct bis_viewer *v, struct bis_view *view, uint32_t **pixels)
{
	struct bis_cursor *cursor = malloc(sizeof(*cursor));
	int err;

	if (!cursor)
		return bis_fail(ENOMEM, "no memory for a pointer's image");
	err = grab(v, view, pixels);
	if (!err && view->cursor_shown) {
		bis_viewer_cursor(v, cursor);
		draw_cursor(view, cursor, *pixels);
	}
	free(cursor);
	return err;
}

int png_of_display(struct bis_display *d, bool cursor, void **data, size_t *size)
{
	uint32_t *pixels = NULL;
	struct bis_viewer *v;
	struct bis_view view;
	int err = bis_viewer_create(d, NULL, NULL, &v);

	if (err)
		return err;
	err = cursor ? grab_with_cursor(v, &view, &pixels) : grab(v, &view, &pixels);
	bis_viewer_destroy(v);
	if (!err)
		err = png_encode(pixels, view.width, view.height, data, size);
	free(pixels);
	return err;
}
