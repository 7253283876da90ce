/*
 * Devices in the machine view: what of the modules' field tables changes, and how fast the counters among them run.
 * Taken on the sampler's thread, drawn on the window's.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <biscuit/field.h>
#include <biscuit/module.h>

#include "frontend/window/machine_view_internal.h"

#define FIELD_BYTES 4096u /* of a longer field the rest is not looked at */

/* --- At the safepoint --- */

static uint32_t sum_of(const struct bis_field *f, const void *self)
{
	const uint8_t *data = (const uint8_t *)self + f->offset;
	size_t len = bis_field_unit(f->type) * f->count;
	uint32_t sum = 2166136261u;

	len = len < FIELD_BYTES ? len : FIELD_BYTES;
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ data[i]) * 16777619u;
	return sum;
}

/* The sum of a field's values. */
static uint64_t total_of(const struct bis_field *f, const void *self)
{
	const uint8_t *data = (const uint8_t *)self + f->offset;
	size_t unit = bis_field_unit(f->type);
	uint64_t total = 0;

	if (f->type == BIS_FIELD_BYTES || f->type == BIS_FIELD_TEXT)
		return 0;
	for (uint32_t i = 0; i < f->count; i++) {
		uint64_t value = 0;

		memcpy(&value, data + i * unit, unit); /* of the host's order, as the device has it */
		if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
			value >>= 64 - 8 * unit;
		total += value;
	}
	return total;
}

/* Without the name of the part that it lies in. */
static void copy_name(char *to, size_t size, const char *from)
{
	const char *last = strrchr(from, '.');

	snprintf(to, size, "%s", last ? last + 1 : from);
	for (; *to; to++)
		*to = *to == '_' ? ' ' : *to;
}

void devices_take(const struct bis_module *mod, struct sample *s)
{
	const struct bis_field *f = bis_module_class_of(mod)->fields;
	const void *self = bis_module_self(mod);
	struct device_sample *d = &s->devices[s->n_devices];

	if (!f || !f->name || s->n_devices == SAMPLE_DEVICES)
		return;
	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", bis_module_name(mod));
	for (; f->name && d->n_fields < SAMPLE_FIELDS; f++) {
		struct field_sample *to = &d->fields[d->n_fields++];

		copy_name(to->name, sizeof(to->name), f->name);
		to->sum = sum_of(f, self);
		to->counter = f->flags & BIS_FIELD_COUNTER;
		to->value = to->counter ? total_of(f, self) : 0;
	}
	s->n_devices++;
}

/* --- After it --- */

static const struct device_sample *find(const struct sample *s, const struct device_sample *d)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (!strcmp(s->devices[i].name, d->name) && s->devices[i].n_fields == d->n_fields)
			return &s->devices[i];
	return NULL;
}

void devices_compare(struct sample *s, const struct sample *last, double seconds)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		struct device_sample *d = &s->devices[i];
		const struct device_sample *old = find(last, d);

		if (!old)
			continue;
		d->changed_ms = old->changed_ms;
		d->changed = old->changed;
		for (unsigned k = 0; k < d->n_fields; k++) {
			struct field_sample *f = &d->fields[k];

			f->rate = sample_rate(f->value, old->fields[k].value, seconds, old->fields[k].rate);
			if (f->sum == old->fields[k].sum)
				continue;
			d->changed = k;
			d->changed_ms = s->ms;
		}
	}
}

/* --- The panel --- */

/* The counter that runs fastest; NULL: none runs. */
static const struct field_sample *fastest(const struct device_sample *d)
{
	const struct field_sample *best = NULL;

	for (unsigned i = 0; i < d->n_fields; i++)
		if (d->fields[i].rate > (best ? best->rate : 0))
			best = &d->fields[i];
	return best;
}

/* A lamp that is lit by any change, and what the change was. */
static void draw_device(const struct machine_view *v, const struct pen *p, const struct device_sample *d,
			const SDL_Rect *line)
{
	const struct field_sample *f = fastest(d);
	int lamp = p->ch * 2 / 5, x = line->x + lamp + p->cw, names = 15;
	int rest = x + (names + 1) * p->cw, cells = (line->x + line->w - rest) / p->cw - 8;

	pen_fill(p, line->x, line->y + (p->ch - lamp) / 2, lamp, lamp,
		 pen_fade(COLOR_AMBER, 0x2b313b, v->now.ms, d->changed_ms));
	pen_text(p, x, line->y, names, pen_fade(COLOR_BRIGHT, COLOR_TITLE, v->now.ms, d->changed_ms), d->name);
	if (f) {
		pen_text(p, rest, line->y, cells, COLOR_TEXT, f->name);
		pen_rate(p, line->x + line->w, line->y, f->rate);
	} else if (d->changed_ms) {
		pen_text(p, rest, line->y, cells + 8, pen_fade(COLOR_TEXT, COLOR_DIM, v->now.ms, d->changed_ms),
			 d->fields[d->changed].name);
	}
}

void panel_devices(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect)
{
	const struct sample *s = &v->now;
	SDL_Rect in = pen_card(p, rect, "Devices");
	int row = pen_row(p);
	size_t rows = (size_t)(in.h > 0 ? in.h / row : 0), n = s->n_devices;

	if (!n)
		pen_text(p, in.x, in.y, in.w / p->cw, COLOR_DIM, "none");
	for (size_t i = 0; i < n && i < rows; i++) {
		SDL_Rect line = {in.x, in.y + (int)i * row, in.w, row};

		if (i + 1 == rows && n > rows)
			pen_format(p, in.x, line.y, in.w / p->cw, COLOR_DIM, "and %zu more", n - i);
		else
			draw_device(v, p, &s->devices[i], &line);
	}
}
