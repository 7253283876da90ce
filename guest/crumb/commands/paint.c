/* paint: a sheet of paper and a brush, for the mouse. What is painted is saved as a picture file of the host. */
#include "../files.h"
#include "../screen/font.h"
#include "../screen/picture_file.h"
#include "../screen/screen.h"
#include "../shell.h"
#include <stdio.h>
#include <string.h>

#define BAR	48 /* lines of the bar at the top */
#define PAPER	0xfffdf6
#define INK	0x2b2320
#define BAR_TOP 0xe9dcc6
#define CHOSEN	0xd07a20
#define BOX	26
#define GAP	5
#define COLOURS 12
#define BRUSHES 4

static const uint32_t colours[COLOURS] = {0x1d1b1a, 0x7b7671, PAPER,	0xc62f2a, 0xe8792b, 0xf2c12e,
					  0x4f9e3a, 0x1f7a6d, 0x2f7fc4, 0x2c3e94, 0x7d3fa0, 0x8a5730};
static const int brushes[BRUSHES] = {2, 6, 14, 30}; /* pixels across */

enum button { CLEAR, SAVE, QUIT, BUTTONS };
static const char *const labels[BUTTONS] = {"Clear", "Save", "Quit"};

struct paint {
	const char *path;
	struct picture paper; /* part of the background; without pixels before the first look */
	int colour, brush;
	int x, y;      /* where the brush was last, on the paper */
	bool painting; /* with the brush down */
	bool done;
	char message[100];
};

/* --- The bar --- */

static struct rect colour_box(int i)
{
	return (struct rect){GAP + i * (BOX + GAP), (BAR - BOX) / 2, BOX, BOX};
}

static struct rect brush_box(int i)
{
	struct rect r = colour_box(COLOURS + i);

	r.x += 3 * GAP;
	return r;
}

static struct rect button_box(int i)
{
	struct rect r = brush_box(BRUSHES);

	r.x += 2 * GAP + i * (64 + GAP);
	r.width = 64;
	return r;
}

static struct rect around(struct rect r, int by)
{
	return (struct rect){r.x - by, r.y - by, r.width + 2 * by, r.height + 2 * by};
}

static void draw_bar(const struct paint *p)
{
	struct rect bar = {0, 0, background.width, BAR}, r;

	picture_fill(&background, bar, BAR_TOP);
	picture_fill(&background, (struct rect){0, BAR - 2, background.width, 2}, 0x8a5730);
	for (int i = 0; i < COLOURS; i++) {
		r = colour_box(i);
		picture_panel(&background, around(r, i == p->colour ? 3 : 1), 6, i == p->colour ? CHOSEN : 0xb8a488,
			      OPAQUE);
		picture_panel(&background, r, 5, colours[i], OPAQUE);
	}
	for (int i = 0; i < BRUSHES; i++) {
		r = brush_box(i);
		picture_panel(&background, around(r, 1), 6, i == p->brush ? CHOSEN : 0xd6c6aa, OPAQUE);
		picture_disc(&background, (2 * r.x + BOX) * UNITS / 2, (2 * r.y + BOX) * UNITS / 2,
			     (brushes[i] < BOX - 6 ? brushes[i] : BOX - 6) * UNITS / 2, INK, OPAQUE);
	}
	for (int i = 0; i < BUTTONS; i++) {
		r = button_box(i);
		picture_panel(&background, r, 7, 0x8a5730, OPAQUE);
		font_draw(&background, r.x + (r.width - FONT_WIDTH * (int)strlen(labels[i])) / 2, r.y + 5, 1, labels[i],
			  0xfff0d8);
	}
	r = button_box(BUTTONS);
	font_draw(&background, r.x + GAP, r.y + 5, 1, p->message, INK);
	screen_show(bar);
}

static void say(struct paint *p, const char *message)
{
	snprintf(p->message, sizeof(p->message), "%s", message);
	draw_bar(p);
}

/* --- The paper --- */

static void clear_paper(struct paint *p)
{
	picture_fill(&p->paper, (struct rect){0, 0, p->paper.width, p->paper.height}, PAPER);
	screen_show_all();
}

static void spread(struct paint *p)
{
	bool first = !p->paper.pixels;

	p->paper = picture_part(&background, (struct rect){0, BAR, background.width, background.height - BAR});
	if (first)
		clear_paper(p);
	draw_bar(p);
	screen_show_all();
}

static void save(struct paint *p)
{
	int64_t error = p->paper.pixels ? picture_save(&p->paper, p->path) : 0;

	if (error < 0)
		snprintf(p->message, sizeof(p->message), "%.40s: %s", p->path, files_describe(error));
	else
		snprintf(p->message, sizeof(p->message), "saved as %.60s", p->path);
	draw_bar(p);
}

/* The right button paints with paper. */
static void paint_to(struct paint *p, int x, int y)
{
	uint32_t colour = pointer.buttons & 1 ? colours[p->colour] : PAPER;
	int width = brushes[p->brush], reach = width / 2 + 2;
	struct rect changed = {(x < p->x ? x : p->x) - reach, (y < p->y ? y : p->y) - reach + BAR,
			       (x > p->x ? x - p->x : p->x - x) + 2 * reach,
			       (y > p->y ? y - p->y : p->y - y) + 2 * reach};

	picture_line(&p->paper, p->x * UNITS + UNITS / 2, p->y * UNITS + UNITS / 2, x * UNITS + UNITS / 2,
		     y * UNITS + UNITS / 2, width * UNITS, colour, OPAQUE);
	p->x = x;
	p->y = y;
	screen_show(changed);
}

/* --- What the user does --- */

static void choose_brush(struct paint *p, int brush)
{
	p->brush = brush < 0 ? 0 : brush >= BRUSHES ? BRUSHES - 1 : brush;
	say(p, "");
}

static void press_button(struct paint *p, enum button b)
{
	if (b == SAVE)
		save(p);
	else if (b == QUIT)
		p->done = true;
	else
		clear_paper(p);
}

static void press_bar(struct paint *p, int x, int y)
{
	for (int i = 0; i < COLOURS; i++) {
		if (rect_has(around(colour_box(i), 2), x, y)) {
			p->colour = i;
			say(p, "");
		}
	}
	for (int i = 0; i < BRUSHES; i++) {
		if (rect_has(around(brush_box(i), 2), x, y))
			choose_brush(p, i);
	}
	for (int i = 0; i < BUTTONS; i++) {
		if (rect_has(button_box(i), x, y))
			press_button(p, (enum button)i);
	}
}

static void on_button(struct paint *p)
{
	bool down = pointer.buttons & 3;

	if (down && !p->painting && pointer.y < BAR) {
		press_bar(p, pointer.x, pointer.y);
	} else if (down && !p->painting) {
		p->x = pointer.x;
		p->y = pointer.y - BAR;
		p->painting = true;
		paint_to(p, p->x, p->y);
	} else if (!down) {
		p->painting = false;
	}
}

static void on_text(struct paint *p, uint32_t c)
{
	if (c >= '1' && c < '1' + BRUSHES)
		choose_brush(p, (int)c - '1');
	else if (c == 'c')
		press_button(p, CLEAR);
	else if (c == 's')
		press_button(p, SAVE);
	else if (c == 'q')
		press_button(p, QUIT);
}

static void on_input(struct paint *p, const struct input_event *e)
{
	if (!p->paper.pixels)
		return;
	if (e->kind == INPUT_KIND_BUTTON)
		on_button(p);
	else if ((e->kind == INPUT_KIND_ABSOLUTE || e->kind == INPUT_KIND_RELATIVE) && p->painting)
		paint_to(p, pointer.x, pointer.y - BAR);
	else if (e->kind == INPUT_KIND_WHEEL && e->y)
		choose_brush(p, p->brush + (e->y > 0 ? 1 : -1));
	else if (e->kind == INPUT_KIND_TEXT)
		on_text(p, e->value);
}

void command_paint(int argc, char **argv)
{
	struct paint p = {.path = argc == 2 ? argv[1] : "painting.ppm", .brush = 1, .colour = 3};
	struct input_event event;

	if (argc > 2) {
		shell_usage("paint");
		return;
	}
	if (!screen_has_picture() || !screen_has_input()) {
		printf("paint: this machine has no screen and no pointer\n");
		return;
	}
	if (!screen_was_watched())
		printf("paint: nobody looks at the screen yet: start biscuit-run with --window or --vnc :0\n");
	printf("painting; keys there: 1-4 brush, c clear, s save, q quit; or Ctrl-C here\n");
	snprintf(p.message, sizeof(p.message), "1-4 brush  c clear  s save  q quit");
	screen_take(false);
	while (!p.done) {
		enum screen_event what = screen_wait(false, &event);

		if (what == SCREEN_DRAW)
			spread(&p);
		else if (what == SCREEN_INPUT)
			on_input(&p, &event);
		else if (what == SCREEN_END)
			break;
	}
	screen_give();
}
