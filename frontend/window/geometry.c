/* Where a picture lies in a window; see geometry.h. */
#include "frontend/window/geometry.h"

#include <math.h>

#include <biscuit/input.h>

static int at_least_one(double length, int limit)
{
	double whole = floor(length + 0.5);

	if (whole < 1)
		return 1;
	return whole > limit ? limit : (int)whole;
}

/* Rounding must not make a picture that fits by its factor smaller: 1920 pixels at 1920/1366. */
static double largest_factor(struct box area, uint32_t width, uint32_t height)
{
	double across = (double)area.width / width, down = (double)area.height / height;

	return across < down ? across : down;
}

struct box geometry_place(struct box area, uint32_t width, uint32_t height, double factor, enum fit fit)
{
	struct box place = {area.x, area.y, 0, 0};
	double largest;

	if (!width || !height || area.width <= 0 || area.height <= 0)
		return place;
	largest = largest_factor(area, width, height);
	if (!(factor > 0) || factor > largest)
		factor = fit == FIT_WHOLE && largest >= 1 ? floor(largest) : largest;
	place.width = at_least_one(width * factor, area.width);
	place.height = at_least_one(height * factor, area.height);
	place.x += (area.width - place.width) / 2;
	place.y += (area.height - place.height) / 2;
	return place;
}

bool geometry_is_whole(struct box place, uint32_t width, uint32_t height)
{
	uint32_t w = (uint32_t)place.width, h = (uint32_t)place.height;

	return width && height && w >= width && w % width == 0 && h % height == 0 && w / width == h / height;
}

bool geometry_inside(struct box b, int x, int y)
{
	return x >= b.x && y >= b.y && x - b.x < b.width && y - b.y < b.height;
}

/* The middle of the window pixel counts, so that one to one every guest pixel is met in its middle. */
int32_t geometry_absolute(int at, int start, int length)
{
	int64_t range = BIS_INPUT_RANGE + 1, value;

	if (length <= 0 || at < start)
		return 0;
	value = (2 * ((int64_t)at - start) + 1) * range / (2 * (int64_t)length);
	return value > BIS_INPUT_RANGE ? BIS_INPUT_RANGE : (int32_t)value;
}

int geometry_to_pixels(int at, int units, int pixels)
{
	if (units <= 0 || units == pixels)
		return at;
	return (int)floor(((double)at + 0.5) * pixels / units);
}

int geometry_to_units(int length, int units, int pixels)
{
	if (pixels > 0 && units != pixels)
		length = (int)ceil((double)length * units / pixels);
	return length < 1 ? 1 : length;
}

uint32_t geometry_wish(int length, double factor, uint32_t max)
{
	double wish = floor(length / (factor > 0 ? factor : 1) + 1e-6);

	if (!(wish >= 1))
		return 1;
	return wish > max ? max : (uint32_t)wish;
}

void geometry_limit(int *width, int *height, int max_width, int max_height)
{
	struct box area = {0, 0, max_width, max_height};

	if (*width <= max_width && *height <= max_height)
		return;
	if (*width > 0 && *height > 0) {
		struct box b = geometry_place(area, (uint32_t)*width, (uint32_t)*height, 0, FIT_ALL);

		*width = b.width;
		*height = b.height;
	}
}
