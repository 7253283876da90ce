/*
 * The biscuit. It is drawn once, from discs: a rim of small ones, the surface, docking holes, a face. Only the eyes are
 * drawn anew; they look at the pointer, and blink. It flies as a stone does, and loses nothing when it bounces but a
 * few crumbs.
 *
 * Places are counted in 1/256 of a pixel, speeds in these a frame.
 */
#include "biscuit.h"
#include <string.h>

#define SIZE	   124
#define MIDDLE	   (SIZE / 2)
#define RADIUS	   (MIDDLE - 4)
#define SCALLOPS   22
#define HOLES	   16
#define CRUMBS	   14
#define CRUMB_SIZE 7
#define SHADOW	   16 /* lines */
#define GRAVITY	   56
#define BLINK	   200 /* frames from one to the next */
#define LOOK_FAR   54  /* UNITS that a pupil is away from the middle of its eye at most */

#define BAKED	0x9a5d26
#define GOLDEN	0xd99a4e
#define SURFACE 0xe6af66
#define LIGHT	0xf0c283
#define HOLE	0x9c6530
#define DARK	0x4a2c14

struct flying {
	struct sprite sprite;
	int x, y, right, down; /* of its middle, and its speed */
	int lasts;	       /* frames; a crumb that has none left is not shown */
};

static uint32_t pixels[SIZE * SIZE], shadow_pixels[SIZE * SHADOW], crumb_pixels[CRUMB_SIZE * CRUMB_SIZE];
static const struct picture face = {pixels, SIZE, SIZE, SIZE};

static struct flying biscuit, crumbs[CRUMBS];
static struct sprite shadow;
static int floor_width, floor_line, frame;
static uint32_t chance = 1;

static uint32_t random_number(void)
{
	chance = chance * 1664525 + 1013904223;
	return chance >> 16;
}

/* --- How it looks --- */

static void disc(const struct picture *p, int x, int y, int tenths, uint32_t colour, unsigned cover)
{
	picture_disc(p, x * UNITS, y * UNITS, tenths * UNITS / 10, colour, cover);
}

/* A disc on a circle around the middle, one of `count`. */
static void disc_around(const struct picture *p, int which, int count, int away, int tenths, uint32_t colour)
{
	int angle = which * 1024 / count;

	picture_disc(p, MIDDLE * UNITS + sine(angle + 256) * away * UNITS / 4096,
		     MIDDLE * UNITS + sine(angle) * away * UNITS / 4096, tenths * UNITS / 10, colour, OPAQUE);
}

static void draw_outline(const struct picture *p, uint32_t colour)
{
	disc(p, MIDDLE, MIDDLE, (RADIUS - 5) * 10, colour, OPAQUE);
	for (int i = 0; i < SCALLOPS; i++)
		disc_around(p, i, SCALLOPS, RADIUS - 8, 80, colour);
}

static void draw_surface(void)
{
	draw_outline(&face, BAKED);
	for (int i = 0; i < SCALLOPS; i++)
		disc_around(&face, i, SCALLOPS, RADIUS - 10, 72, GOLDEN);
	disc(&face, MIDDLE, MIDDLE, (RADIUS - 8) * 10, GOLDEN, OPAQUE);
	for (int i = 0; i < 9; i++) {
		disc(&face, MIDDLE, MIDDLE, (RADIUS - 11) * 10 - i * 10, SURFACE, 56);
		disc(&face, MIDDLE - 4 - i / 2, MIDDLE - 6 - i / 2, 390 - i * 38, LIGHT, 40);
	}
	for (int i = 0; i < HOLES; i++) {
		disc_around(&face, i, HOLES, RADIUS - 16, 26, LIGHT);
		disc_around(&face, i, HOLES, RADIUS - 16, 19, HOLE);
	}
}

static void draw_mouth(void)
{
	int x = 0, y = 0;

	for (int angle = 72; angle <= 440; angle += 16) {
		int next_x = MIDDLE * UNITS + sine(angle + 256) * 19 * UNITS / 4096;
		int next_y = (MIDDLE + 8) * UNITS + sine(angle) * 15 * UNITS / 4096;

		if (angle > 72)
			picture_line(&face, x, y, next_x, next_y, 4 * UNITS, DARK, OPAQUE);
		x = next_x;
		y = next_y;
	}
	disc(&face, MIDDLE - 29, MIDDLE + 11, 65, 0xe8806a, 110);
	disc(&face, MIDDLE + 29, MIDDLE + 11, 65, 0xe8806a, 110);
}

static int limit(int value, int most)
{
	return value > most ? most : value < -most ? -most : value;
}

/* Where to, in UNITS; the pupil stays in the white. */
static void find_look(int *x, int *y)
{
	int away;

	*x = pointer.known ? limit(pointer.x - biscuit.x / 256, 999) : limit(biscuit.right / 16, 999);
	*y = pointer.known ? limit(pointer.y - biscuit.y / 256, 999) : limit(biscuit.down / 32, 999);
	away = (int)square_root((uint32_t)(*x * *x + *y * *y));
	if (away > LOOK_FAR) {
		*x = *x * LOOK_FAR / away;
		*y = *y * LOOK_FAR / away;
	}
}

static void draw_eye(int x, int y, bool open)
{
	int look_x, look_y;

	find_look(&look_x, &look_y);
	look_x += x * UNITS;
	look_y += y * UNITS;
	disc(&face, x, y, 104, SURFACE, OPAQUE);
	if (!open) {
		picture_line(&face, (x - 8) * UNITS, y * UNITS, (x + 8) * UNITS, y * UNITS, 3 * UNITS, DARK, OPAQUE);
		return;
	}
	disc(&face, x, y, 92, 0xfffaf0, OPAQUE);
	picture_disc(&face, look_x, look_y, 54 * UNITS / 10, DARK, OPAQUE);
	picture_disc(&face, look_x - 2 * UNITS, look_y - 2 * UNITS, 17 * UNITS / 10, 0xffffff, OPAQUE);
}

/* Drawing leaves the upper byte 0: here all is covered. */
static void draw_eyes(void)
{
	bool open = frame % BLINK > 6;

	draw_eye(MIDDLE - 17, MIDDLE - 10, open);
	draw_eye(MIDDLE + 17, MIDDLE - 10, open);
	for (int y = MIDDLE - 22; y < MIDDLE + 2; y++) {
		for (int x = MIDDLE - 29; x < MIDDLE + 29; x++)
			pixels[y * SIZE + x] |= 0xff000000;
	}
}

/* What covers: the outline in white on black. Each pixel's upper byte takes it from there. */
static void cut_out(const struct picture *p, uint32_t *from)
{
	for (int i = 0; i < p->width * p->height; i++)
		p->pixels[i] = (p->pixels[i] & 0xffffff) | (from[i] & 0xff) << 24;
}

static void make_biscuit(void)
{
	static uint32_t cover[SIZE * SIZE];
	const struct picture outline = {cover, SIZE, SIZE, SIZE};

	memset(cover, 0, sizeof(cover));
	draw_outline(&outline, 0xffffff);
	for (int i = 0; i < SIZE * SIZE; i++)
		pixels[i] = BAKED;
	draw_surface();
	draw_mouth();
	cut_out(&face, cover);
	draw_eyes();
}

static void make_crumb(void)
{
	const struct picture p = {crumb_pixels, CRUMB_SIZE, CRUMB_SIZE, CRUMB_SIZE};
	uint32_t cover[CRUMB_SIZE * CRUMB_SIZE] = {0};
	const struct picture outline = {cover, CRUMB_SIZE, CRUMB_SIZE, CRUMB_SIZE};

	picture_fill(&p, (struct rect){0, 0, CRUMB_SIZE, CRUMB_SIZE}, GOLDEN);
	picture_fill(&p, (struct rect){0, CRUMB_SIZE / 2 + 1, CRUMB_SIZE, CRUMB_SIZE}, BAKED);
	picture_disc(&outline, 56, 56, 42, 0xffffff, OPAQUE);
	cut_out(&p, cover);
}

/* A flat disc, darkest in the middle. */
static void make_shadow(void)
{
	for (int y = 0; y < SHADOW; y++) {
		for (int x = 0; x < SIZE; x++) {
			int across = (2 * x - SIZE) * 64 / SIZE, down = (2 * y - SHADOW) * 64 / SHADOW;
			int left = 64 * 64 - across * across - down * down;

			shadow_pixels[y * SIZE + x] = left > 0 ? (uint32_t)(left / 36) << 24 : 0;
		}
	}
}

/* --- How it moves --- */

static void place(struct flying *f)
{
	int half = f->sprite.picture.width / 2;

	screen_move(&f->sprite, f->x / 256 - half, f->y / 256 - half);
}

/* It stays on the floor. */
static void place_shadow(void)
{
	screen_move(&shadow, biscuit.x / 256 - SIZE / 2, floor_line - SHADOW / 2);
}

static void lose_crumbs(int x, int y, int count)
{
	for (struct flying *c = crumbs; c < crumbs + CRUMBS && count; c++) {
		if (c->lasts)
			continue;
		c->x = x + ((int)(random_number() % 80) - 40) * 256;
		c->y = y;
		c->right = (int)(random_number() % 1400) - 700;
		c->down = -(int)(random_number() % 1200) - 300;
		c->lasts = 50 + (int)(random_number() % 40);
		count--;
	}
}

static void step_crumb(struct flying *c)
{
	if (!c->lasts)
		return;
	c->lasts--;
	c->x += c->right;
	c->y += c->down;
	c->down += GRAVITY;
	if (c->y > (floor_line - 2) * 256) {
		c->y = (floor_line - 2) * 256;
		c->down = 0;
		c->right = c->right * 3 / 4;
	}
	if (c->lasts)
		place(c);
	else
		screen_hide(&c->sprite);
}

/* The speed with which it leaves the floor takes it up five eighths of the way to the ceiling. */
static int leap(void)
{
	int height = (floor_line - SIZE) * 256 * 5 / 8;

	return -(int)square_root((uint32_t)(2 * GRAVITY) * (uint32_t)(height > 0 ? height : 0));
}

static void fly(void)
{
	int half = SIZE / 2 * 256, bottom = floor_line * 256 - half + 4 * 256;

	biscuit.x += biscuit.right;
	biscuit.y += biscuit.down;
	biscuit.down += GRAVITY;
	if (biscuit.y >= bottom) {
		biscuit.y = bottom;
		biscuit.down = leap();
		lose_crumbs(biscuit.x, bottom + half - 6 * 256, 5);
	}
	if (biscuit.x < half || biscuit.x > floor_width * 256 - half) {
		biscuit.right = biscuit.x < half ? 420 : -420;
		lose_crumbs(biscuit.x, biscuit.y, 3);
	}
}

void biscuit_step(void)
{
	frame++;
	for (int i = 0; i < CRUMBS; i++)
		step_crumb(&crumbs[i]);
	fly();
	draw_eyes();
	place_shadow();
	place(&biscuit);
}

bool biscuit_poke(int x, int y)
{
	int dx = x - biscuit.x / 256, dy = y - biscuit.y / 256;

	if (!biscuit.sprite.shown || dx * dx + dy * dy > RADIUS * RADIUS)
		return false;
	biscuit.right = limit(-dx * 24, 900);
	biscuit.down = leap() / 2;
	lose_crumbs(biscuit.x, biscuit.y, CRUMBS);
	return true;
}

void biscuit_start(int width, int floor)
{
	floor_width = width;
	floor_line = floor;
	make_biscuit();
	make_crumb();
	make_shadow();
	shadow = (struct sprite){.picture = {shadow_pixels, SIZE, SHADOW, SIZE}};
	biscuit = (struct flying){
		.sprite.picture = face, .x = width * 256 * 3 / 4, .y = (floor - SIZE) * 256 / 2, .right = -420};
	screen_add(&shadow);
	for (int i = 0; i < CRUMBS; i++) {
		crumbs[i] = (struct flying){.sprite.picture = {crumb_pixels, CRUMB_SIZE, CRUMB_SIZE, CRUMB_SIZE}};
		screen_add(&crumbs[i].sprite);
	}
	screen_add(&biscuit.sprite);
	place_shadow();
	place(&biscuit);
}
