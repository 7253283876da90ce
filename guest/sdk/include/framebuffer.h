/*
 * The native framebuffer (slot 5): a picture in RAM that the user looks at. For M-mode and S-mode; docs/devices.md has
 * the registers. Call these only when native_present(FRAMEBUFFER_SLOT).
 *
 * Drawing is writing to the picture's memory, and nothing else: the host finds by itself what has changed.
 *
 *     static uint32_t pixels[HEIGHT][WIDTH];
 *
 *     framebuffer_show((uintptr_t)pixels, WIDTH, HEIGHT, FRAMEBUFFER_FORMAT_XRGB8888, 0);
 *     pixels[10][20] = framebuffer_rgb(255, 128, 0);
 */
#ifndef FRAMEBUFFER_H
#define FRAMEBUFFER_H

#include <biscuit.h>
#include <stdbool.h>
#include <stdint.h>

/* A pixel of FRAMEBUFFER_FORMAT_XRGB8888; of FRAMEBUFFER_FORMAT_RGB565. Each colour is 0 to 255. */
static inline uint32_t framebuffer_rgb(unsigned red, unsigned green, unsigned blue)
{
	return (red & 0xff) << 16 | (green & 0xff) << 8 | (blue & 0xff);
}

static inline uint16_t framebuffer_rgb565(unsigned red, unsigned green, unsigned blue)
{
	return (uint16_t)((red & 0xf8) << 8 | (green & 0xfc) << 3 | (blue & 0xff) >> 3);
}

/* Shows the picture at this physical address: lines of `width` pixels, `pitch` bytes from one to the next (0: without
 * gaps). Of the same size at another address it is a page flip. 0, or why not: NATIVE_ERROR_INVALID, _TOO_BIG (above
 * 4096 a side), _ADDRESS (not wholly RAM); then what was shown is shown still. */
static inline unsigned framebuffer_show(uint64_t address, unsigned width, unsigned height, unsigned format,
					unsigned pitch)
{
	framebuffer_mode_write((width << FRAMEBUFFER_MODE_WIDTH_SHIFT & FRAMEBUFFER_MODE_WIDTH_MASK) |
			       format << FRAMEBUFFER_MODE_FORMAT_SHIFT |
			       (height << FRAMEBUFFER_MODE_HEIGHT_SHIFT & FRAMEBUFFER_MODE_HEIGHT_MASK));
	framebuffer_pitch_write(pitch);
	framebuffer_address_write(address);
	return (framebuffer_status_read() & NATIVE_STATUS_ERROR_MASK) >> NATIVE_STATUS_ERROR_SHIFT;
}

/* Shows nothing any more. */
static inline void framebuffer_hide(void)
{
	framebuffer_address_write(0);
}

/* The size that fits where the user looks. It may change: FRAMEBUFFER_ENABLE_PREFERRED makes that an interrupt. */
static inline void framebuffer_preferred(unsigned *width, unsigned *height)
{
	uint32_t mode = framebuffer_preferred_read();

	*width = (mode & FRAMEBUFFER_MODE_WIDTH_MASK) >> FRAMEBUFFER_MODE_WIDTH_SHIFT;
	*height = (mode & FRAMEBUFFER_MODE_HEIGHT_MASK) >> FRAMEBUFFER_MODE_HEIGHT_SHIFT;
}

/* Does anybody look? That it changes can be an interrupt as well: FRAMEBUFFER_ENABLE_VISIBLE. */
static inline bool framebuffer_is_visible(void)
{
	return framebuffer_status_read() & FRAMEBUFFER_STATUS_VISIBLE;
}

/* Waits for the next 60th of a second, looking again and again: for a program that has nothing else to do. A kernel
 * sleeps instead, until the interrupt that FRAMEBUFFER_ENABLE_VSYNC asks for. */
static inline void framebuffer_wait(void)
{
	framebuffer_enable_write(framebuffer_enable_read() | FRAMEBUFFER_ENABLE_VSYNC);
	while (!(framebuffer_status_read() & FRAMEBUFFER_STATUS_VSYNC))
		;
	framebuffer_status_write(NATIVE_STATUS_INTERRUPT);
}

#endif
