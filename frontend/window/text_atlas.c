/* Glyphs that are kept in a texture; see text_internal.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/window/text_internal.h"

#define SLOTS_MAX 1024u
#define SIDE_MAX  2048 /* of the texture, in pixels: every renderer takes that */
#define BUCKETS	  1024u

struct slot {
	struct glyph_key key;
	uint32_t used; /* `clock` when it was last asked for */
	int next;      /* of its bucket; -1: the last */
};

struct atlas {
	SDL_Texture *texture;
	int width, height; /* of a slot */
	unsigned columns, count;
	unsigned filled; /* slots from there on were never used */
	uint32_t clock;
	int buckets[BUCKETS];
	struct slot slots[SLOTS_MAX];
};

int atlas_create(SDL_Renderer *r, int width, int height, struct atlas **out)
{
	struct atlas *a = calloc(1, sizeof(*a));
	unsigned rows;

	if (!a)
		return bis_fail(ENOMEM, "no memory for the letters of the window");
	a->width = width < SIDE_MAX ? width : SIDE_MAX;
	a->height = height < SIDE_MAX ? height : SIDE_MAX;
	a->columns = (unsigned)(SIDE_MAX / 2 > a->width ? SIDE_MAX / 2 / a->width : 1);
	rows = (SLOTS_MAX + a->columns - 1) / a->columns;
	rows = rows < (unsigned)(SIDE_MAX / a->height) ? rows : (unsigned)(SIDE_MAX / a->height);
	a->count = rows * a->columns < SLOTS_MAX ? rows * a->columns : SLOTS_MAX;
	memset(a->buckets, -1, sizeof(a->buckets));
	a->texture = SDL_CreateTexture(r, SDL_PIXELFORMAT_ARGB8888, SDL_TEXTUREACCESS_STATIC,
				       (int)a->columns * a->width, (int)rows * a->height);
	if (!a->texture) {
		free(a);
		return bis_fail(ENOMEM, "no texture for the letters of the window: %s", SDL_GetError());
	}
	SDL_SetTextureBlendMode(a->texture, SDL_BLENDMODE_BLEND);
	*out = a;
	return 0;
}

void atlas_destroy(struct atlas *a)
{
	if (!a)
		return;
	SDL_DestroyTexture(a->texture);
	free(a);
}

SDL_Texture *atlas_texture(const struct atlas *a)
{
	return a->texture;
}

static int *bucket_of(struct atlas *a, const struct glyph_key *key)
{
	uint32_t hash = key->style;

	for (unsigned i = 0; i < 1 + TEXT_MARKS; i++)
		hash = hash * 0x9e3779b1u + key->characters[i];
	hash *= 0x85ebca6bu;
	return &a->buckets[(hash >> 16) % BUCKETS];
}

static void unlink_slot(struct atlas *a, int slot)
{
	int *at = bucket_of(a, &a->slots[slot].key);

	while (*at != slot)
		at = &a->slots[*at].next;
	*at = a->slots[slot].next;
}

/* One that was never used, or the one longest unused. */
static int free_slot(struct atlas *a)
{
	int oldest = 0;

	if (a->filled < a->count)
		return (int)a->filled++;
	for (unsigned i = 1; i < a->count; i++)
		if (a->clock - a->slots[i].used > a->clock - a->slots[oldest].used)
			oldest = (int)i;
	unlink_slot(a, oldest);
	return oldest;
}

SDL_Rect atlas_find(struct atlas *a, const struct glyph_key *key, bool *fresh)
{
	int *bucket = bucket_of(a, key);
	int slot = *bucket;

	while (slot >= 0 && memcmp(&a->slots[slot].key, key, sizeof(*key)) != 0)
		slot = a->slots[slot].next;
	*fresh = slot < 0;
	if (slot < 0) {
		slot = free_slot(a);
		a->slots[slot].key = *key;
		a->slots[slot].next = *bucket;
		*bucket = slot;
	}
	a->slots[slot].used = ++a->clock;
	return (SDL_Rect){(int)((unsigned)slot % a->columns) * a->width, (int)((unsigned)slot / a->columns) * a->height,
			  a->width, a->height};
}

void atlas_put(struct atlas *a, const SDL_Rect *slot, const uint32_t *pixels)
{
	SDL_UpdateTexture(a->texture, slot, pixels, a->width * (int)sizeof(*pixels));
}
