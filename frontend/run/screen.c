#include "screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/display.h>
#include <biscuit/error.h>

#include "frontend/run/drop.h"
#include "frontend/run/message.h"
#include "frontend/run/spec.h"
#include "frontend/vnc/vnc.h"
#include "frontend/window/window.h"

#define SIDE_MIN  64
#define SCALE_MAX 16.0

/* --- The options' values --- */

/* WIDTHxHEIGHT */
static int read_size(struct run_options *o, const struct spec_item *item)
{
	unsigned width, height;
	char text[32];
	int end = -1;

	snprintf(text, sizeof(text), "%.*s", item->key_length, item->key);
	if (text[0] < '0' || text[0] > '9' || sscanf(text, "%5ux%5u%n", &width, &height, &end) != 2 || text[end] ||
	    width < SIDE_MIN || width > BIS_DISPLAY_SIDE_MAX || height < SIDE_MIN || height > BIS_DISPLAY_SIDE_MAX)
		return bis_fail(EINVAL, "--window: '%s', expected WIDTHxHEIGHT from %dx%d to %ux%u", text, SIDE_MIN,
				SIDE_MIN, BIS_DISPLAY_SIDE_MAX, BIS_DISPLAY_SIDE_MAX);
	o->window_width = width;
	o->window_height = height;
	return 0;
}

static int read_scale(struct run_options *o, const struct spec_item *item)
{
	char text[32], *end;
	double scale;

	snprintf(text, sizeof(text), "%.*s", item->value_length, item->value ? item->value : "");
	scale = strtod(text, &end);
	if (end == text || *end || !(scale >= 1 / SCALE_MAX && scale <= SCALE_MAX))
		return bis_fail(EINVAL, "--window: scale is '%s', expected a number up to %g, such as 2", text,
				SCALE_MAX);
	o->window_scale = scale;
	return 0;
}

int screen_read_window(struct run_options *o, const char *value)
{
	static const char *const names[] = {"scale", "fullscreen"};
	const char *rest = value ? value : "";
	struct spec_item item;
	char word[32];
	int err = 0;

	o->window = true;
	while (!err && spec_next(&rest, &item)) {
		snprintf(word, sizeof(word), "%.*s", item.key_length, item.key);
		if (spec_is(&item, "scale"))
			err = read_scale(o, &item);
		else if (spec_is(&item, "fullscreen") && !item.value)
			o->window_fullscreen = true;
		else if (*word >= '0' && *word <= '9' && !item.value)
			err = read_size(o, &item);
		else
			err = spec_unknown("--window:", word, names, BIS_ARRAY_SIZE(names),
					   "[WIDTHxHEIGHT][,scale=N][,fullscreen]");
	}
	return err;
}

static int keep(struct run_options *o, const char *text, size_t len, const char **out)
{
	char *copy = spec_copy(text, len);

	*out = copy ? run_options_keep(o, copy) : NULL;
	return *out ? 0 : bis_fail(ENOMEM, "--vnc: out of memory");
}

int screen_read_vnc(struct run_options *o, const char *value)
{
	static const char *const names[] = {"password"};
	const char *rest = value;
	struct spec_item item;
	char word[32];
	int err = 0;

	while (!err && spec_next(&rest, &item)) {
		snprintf(word, sizeof(word), "%.*s", item.key_length, item.key);
		if (spec_is(&item, "password") && item.value_length)
			err = keep(o, item.value, (size_t)item.value_length, &o->vnc_password_file);
		else if (!item.value && !o->vnc)
			err = keep(o, item.key, (size_t)item.key_length, &o->vnc);
		else
			err = spec_unknown("--vnc:", word, names, BIS_ARRAY_SIZE(names), ":N[,password=FILE]");
	}
	if (!err && !o->vnc)
		err = bis_fail(EINVAL, "--vnc: '%s', expected :N[,password=FILE]", value);
	return err;
}

/* --- Showing --- */

/* What the title says runs. */
static const char *subject(const struct run_options *o, const struct guest *g)
{
	const char *path = o->linux_name ? o->linux_name : o->kernel ? o->kernel : g->firmware;
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		return o->restore ? "restored" : "crumb";
	return slash && slash[1] ? slash + 1 : path;
}

static int start_window(struct screen *s, const struct run_options *o, struct debug *d, const struct guest *g)
{
	const struct window_options options = {.width = o->window_width,
					       .height = o->window_height,
					       .scale = o->window_scale,
					       .fullscreen = o->window_fullscreen,
					       .title = subject(o, g),
					       .drop = drop_file,
					       .drop_arg = s->machine};
	int err = window_start(d, &options, &s->window);

	if (err != -ENODEV)
		return err ? bis_fail_prefix(err, "--window") : 0;
	message("warning: --window: %s; the guest runs without", bis_error_message());
	return 0;
}

int screen_start(struct screen *s, const struct run_options *o, struct debug *d, const struct guest *g)
{
	const struct vnc_options vnc = {
		.address = o->vnc, .password_file = o->vnc_password_file, .title = subject(o, g)};
	int err = 0;

	*s = (struct screen){.machine = debug_machine(d)};
	if (o->window)
		err = start_window(s, o, d, g);
	if (!err && o->vnc) {
		err = vnc_start(d, &vnc, &s->vnc);
		if (err)
			err = bis_fail_prefix(err, "--vnc");
	}
	return err;
}

void screen_stop(struct screen *s)
{
	window_stop(s->window);
	vnc_stop(s->vnc);
	*s = (struct screen){0};
}
