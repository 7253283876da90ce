/* Pictures as PNG files. Any thread. Needs libpng; a build without it has the same functions, which give -EOPNOTSUPP.
 */
#ifndef BISCUIT_FRONTEND_PNG_H
#define BISCUIT_FRONTEND_PNG_H

#include <stddef.h>
#include <stdint.h>

#include <biscuit/display.h>
#include <biscuit/types.h>

/* XRGB8888 pixels, lines without gaps, as the bytes of a PNG file in malloc'ed memory. -ENOMEM, -EINVAL, with message.
 */
BIS_MUST_CHECK int png_encode(const uint32_t *pixels, uint32_t width, uint32_t height, void **data, size_t *size);
/* What a display shows now, with the pointer where `cursor`; -ENODATA where it shows nothing. */
BIS_MUST_CHECK int png_of_display(struct bis_display *d, bool cursor, void **data, size_t *size);

#endif
