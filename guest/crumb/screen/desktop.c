/*
 * The greeting on the screen: a wall, a table, what machine this is and what to try; and a biscuit that bounces on the
 * table. A task of its own, which sleeps from one frame to the next, and altogether while nobody looks.
 */
#include "desktop.h"
#include "../board.h"
#include "biscuit.h"
#include "font.h"
#include "screen.h"
#include <stdio.h>

#define CREAM 0xfff0d8
#define AMBER 0xf3b562
#define DIM   0xb8a894

/* From one colour to another, with a pattern that hides the steps between. */
static void shade(const struct picture *p, uint32_t top, uint32_t bottom)
{
	static const unsigned char pattern[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};

	for (int y = 0; y < p->height; y++) {
		uint32_t *line = p->pixels + (size_t)y * (size_t)p->pitch;
		uint32_t four[4];

		for (int x = 0; x < 4; x++) {
			int at = y * 4096 / p->height + pattern[y & 3][x] * 6;
			uint32_t fine =
				colour_mix(top, bottom, (unsigned)at >> 4 > OPAQUE ? OPAQUE : (unsigned)at >> 4);

			four[x] = fine;
		}
		for (int x = 0; x < p->width; x++)
			line[x] = four[x & 3];
	}
}

/* Always the same dots, wherever they come from. */
static void draw_stars(const struct picture *p)
{
	uint32_t seed = 7;

	for (int i = 0; i < p->width * p->height / 4000; i++) {
		uint32_t x = (seed = seed * 1664525 + 1013904223) >> 8, y = (seed = seed * 1664525 + 1013904223) >> 8;

		picture_disc(p, (int)(x % (uint32_t)p->width) * UNITS, (int)(y % (uint32_t)p->height) * UNITS,
			     (int)(x % 11) + 5, CREAM, 20 + x % 90);
	}
}

static void draw_table(const struct picture *p, int from)
{
	struct picture table = picture_part(p, (struct rect){0, from, p->width, p->height - from});
	uint32_t seed = 3;

	shade(&table, 0x8a5730, 0x3e2313);
	picture_fill(&table, (struct rect){0, 0, p->width, 3}, 0xc08a52);
	for (int i = 0; i < table.height * 2 / 3; i++) {
		uint32_t r = (seed = seed * 1664525 + 1013904223) >> 8;
		int y = 6 + (int)(r % (uint32_t)table.height), x = (int)(r / 512 % (uint32_t)p->width);

		picture_tint(&table, (struct rect){x, y, 60 + (int)(r % 300), 1}, i & 1 ? 0x2a160a : 0xc08a52, 36);
	}
}

/* --- Text --- */

struct layout {
	const struct picture *page; /* NULL: only `y` moves */
	int x, y;
	int large, text; /* scales of the title and the rest */
};

static void put(struct layout *l, int scale, const char *text, uint32_t colour)
{
	int aside = (scale + 1) / 2;

	if (l->page) {
		font_draw(l->page, l->x + aside, l->y + aside, scale, text, 0x0a0c14);
		font_draw(l->page, l->x, l->y, scale, text, colour);
	}
	l->y += FONT_HEIGHT * scale + 2 * scale;
}

static void put_all(struct layout *l)
{
	int text = l->text;
	char line[96];

	put(l, l->large, "crumb", AMBER);
	put(l, text, "a small operating system, there to be read", CREAM);
	l->y += 4 * text;
	snprintf(line, sizeof(line), "%d-bit RISC-V, %lu MiB of memory, %u hart%s", __riscv_xlen, board.ram >> 20,
		 board.harts, board.harts == 1 ? "" : "s");
	put(l, text, line, DIM);
	snprintf(line, sizeof(line), "%d x %d pixels, drawn by the kernel", background.width, background.height);
	put(l, text, line, DIM);
	l->y += 20 * text;
	put(l, text, "On the console:", CREAM);
	put(l, text, "  help    what there is", DIM);
	put(l, text, "  draw    curves and colours", DIM);
	put(l, text, "  paint   a brush for your mouse", DIM);
	put(l, text, "  edit    a text editor", DIM);
	l->y += 8 * text;
	put(l, text, screen_has_input() ? "Poke the biscuit." : "", AMBER);
}

static bool fits(struct layout l, int height)
{
	put_all(&l);
	return l.y <= height;
}

/* As large as the width allows; smaller, the title first, where the height does not. */
static void draw_text(const struct picture *p)
{
	struct layout l = {.x = p->width / 16, .y = p->height / 14, .text = p->width >= 1000 ? 2 : 1};

	l.large = p->width / 110;
	l.large = l.large < 2 ? 2 : l.large > 12 ? 12 : l.large;
	while (l.large > 2 && !fits(l, p->height))
		l.large--;
	if (!fits(l, p->height))
		l.text = 1;
	l.page = p;
	put_all(&l);
}

static void draw_all(void)
{
	int floor = background.height * 5 / 6;
	struct picture wall = picture_part(&background, (struct rect){0, 0, background.width, floor});

	shade(&wall, 0x141a30, 0x5b3f55);
	draw_stars(&wall);
	draw_table(&background, floor);
	draw_text(&wall);
	screen_clear();
	biscuit_start(background.width, floor + (background.height - floor) / 3);
	screen_show_all();
}

/* --- The task --- */

static void live(void)
{
	struct input_event event;

	for (bool drawn = false;;) {
		switch (screen_wait(drawn, &event)) {
		case SCREEN_DRAW:
			draw_all();
			drawn = true;
			break;
		case SCREEN_FRAME:
			biscuit_step();
			break;
		case SCREEN_INPUT:
			if (drawn && event.kind == INPUT_KIND_BUTTON && event.value)
				biscuit_poke(pointer.x, pointer.y);
			break;
		case SCREEN_END:
			return;
		}
	}
}

void desktop_run(struct task *task)
{
	(void)task;
	for (;;) {
		screen_take(true);
		live();
		screen_give();
	}
}
