/*
 * The monitor's description of itself that a virtio GPU gives: one block of VESA Enhanced EDID 1.4, section 3, with a
 * preferred timing by the rules of CVT with reduced blanking. Pure functions.
 */
#include <string.h>

#include "modules/virtio/gpu.h"

/* CVT 1.2, section 3.4.2: reduced blanking. */
enum {
	REFRESH = 60,
	H_BLANK = 160,
	H_FRONT = 48,
	H_SYNC = 32,
	V_FRONT = 3,
	V_SYNC = 6,
	V_BACK_MIN = 6,
	V_BLANK_MIN_US = 460,
	CLOCK_MAX = 65535, /* units of 10 kHz */
};

/* Lines of vertical blanking. */
static uint32_t v_blank(uint32_t height)
{
	uint32_t lines = V_BLANK_MIN_US * height * REFRESH / (1000000 - V_BLANK_MIN_US * REFRESH) + 1;

	return lines > V_FRONT + V_SYNC + V_BACK_MIN ? lines : V_FRONT + V_SYNC + V_BACK_MIN;
}

/* Pixels a second, in units of 10 kHz; what does not fit makes for fewer pictures a second. */
static uint32_t pixel_clock(uint32_t width, uint32_t height)
{
	uint64_t total = (uint64_t)(width + H_BLANK) * (height + v_blank(height)) * REFRESH / 10000;

	return total < CLOCK_MAX ? (uint32_t)total : CLOCK_MAX;
}

/* Millimetres of a monitor with 96 pixels an inch. */
static uint32_t millimetres(uint32_t pixels)
{
	return pixels * 254 / 960;
}

/* Section 3.10.2: a detailed timing. */
static void put_timing(uint8_t *d, uint32_t width, uint32_t height)
{
	uint32_t clock = pixel_clock(width, height), blank = v_blank(height);
	uint32_t wide = millimetres(width), high = millimetres(height);

	d[0] = (uint8_t)clock;
	d[1] = (uint8_t)(clock >> 8);
	d[2] = (uint8_t)width;
	d[3] = H_BLANK;
	d[4] = (uint8_t)(width >> 8 << 4);
	d[5] = (uint8_t)height;
	d[6] = (uint8_t)blank;
	d[7] = (uint8_t)(height >> 8 << 4 | blank >> 8);
	d[8] = H_FRONT;
	d[9] = H_SYNC;
	d[10] = V_FRONT << 4 | V_SYNC;
	d[12] = (uint8_t)wide;
	d[13] = (uint8_t)high;
	d[14] = (uint8_t)(wide >> 8 << 4 | high >> 8);
	d[17] = 0x1a; /* separate sync, horizontal positive */
}

/* Section 3.10.3.4: the product's name, ended by a line feed and filled up with spaces. */
static void put_name(uint8_t *d)
{
	static const char name[] = "Biscuit\n     ";

	d[3] = 0xfc;
	memcpy(d + 5, name, sizeof(name) - 1);
}

void gpu_edid(uint8_t edid[GPU_EDID_SIZE], uint32_t width, uint32_t height)
{
	static const uint8_t start[] = {
		0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, /* an EDID */
		0x09, 0x33, 1,	  0,	0,    0,    0,	  0, /* manufacturer BIS, product 1, no serial number */
		0xff, 34,				     /* model year 2024 */
		1,    4,				     /* EDID 1.4 */
		0xa0,					     /* digital, 8 bits a colour */
	};
	/* Chromaticity of sRGB. */
	static const uint8_t colours[] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
	uint8_t sum = 0;

	memset(edid, 0, GPU_EDID_SIZE);
	memcpy(edid, start, sizeof(start));
	edid[21] = (uint8_t)((millimetres(width) + 5) / 10);
	edid[22] = (uint8_t)((millimetres(height) + 5) / 10);
	edid[23] = 120;	 /* gamma 2.2 */
	edid[24] = 0x06; /* sRGB; the first timing is the panel's own */
	memcpy(edid + 25, colours, sizeof(colours));
	edid[35] = 0x21;	  /* 640x480 and 800x600 with 60 Hz */
	edid[36] = 0x08;	  /* 1024x768 with 60 Hz */
	memset(edid + 38, 1, 16); /* no other standard timings */
	put_timing(edid + 54, width, height);
	put_name(edid + 72);
	edid[90 + 3] = 0x10; /* unused descriptors */
	edid[108 + 3] = 0x10;
	for (unsigned i = 0; i < GPU_EDID_SIZE - 1; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[127] = (uint8_t)-sum;
}
