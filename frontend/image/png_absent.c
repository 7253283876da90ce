/* A build without libpng; see png.h. */
#include "frontend/image/png.h"

#include <errno.h>

#include <biscuit/error.h>

int png_encode(const uint32_t *pixels, uint32_t width, uint32_t height, void **data, size_t *size)
{
	(void)pixels, (void)width, (void)height, (void)data, (void)size;
	return bis_fail(EOPNOTSUPP, "this biscuit-run was built without pictures (libpng)");
}

int png_of_display(struct bis_display *d, bool cursor, void **data, size_t *size)
{
	(void)d, (void)cursor;
	return png_encode(NULL, 0, 0, data, size);
}
