/* draw: moving pictures on the screen: curves, plasma, stars; one after the other if none is named. */
#include "../screen/screen.h"
#include "../shell.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES	  60  /* a second */
#define SCENE	  600 /* frames, before the next one's turn */
#define DARK	  0x0d1018
#define STARS	  300
#define STAR_FAR  1024
#define STAR_NEAR 32

static uint32_t chance = 12345;

static int random_below(int end)
{
	chance = chance * 1664525 + 1013904223;
	return (int)(chance >> 8) % end;
}

/* Colours in the order of the rainbow, 768 of them around. */
static uint32_t rainbow(int at)
{
	uint32_t rise = (uint32_t)at & 255, fall = 255 - rise;

	switch (at / 256 % 3) {
	case 0:
		return fall << 16 | rise << 8 | 0x40;
	case 1:
		return 0x400000 | fall << 8 | rise;
	default:
		return rise << 16 | 0x004000 | fall;
	}
}

/* --- Curves: a pen on a wheel that rolls inside another --- */

static struct {
	int inner, outer, pen; /* the wheels' teeth; how far out the pen is, in 64ths of the inner wheel */
	int angle, turns, colour;
} curve;

static void next_curve(void)
{
	static const int wheels[][3] = {{96, 36, 50},  {105, 45, 60}, {96, 40, 70},
					{105, 32, 40}, {96, 60, 58},  {100, 28, 80}};
	const int *w = wheels[random_below((int)(sizeof(wheels) / sizeof(wheels[0])))];
	int a = w[0], b = w[1];

	while (b) {
		int rest = a % b;

		a = b;
		b = rest;
	}
	curve.outer = w[0];
	curve.inner = w[1];
	curve.pen = w[2];
	curve.turns = w[1] / a;
	curve.angle = 0;
	curve.colour = random_below(768);
}

static int pen_at(int angle, bool vertical)
{
	int size = (background.height < background.width ? background.height : background.width) * UNITS * 9 / 20;
	int across = curve.outer - curve.inner, quarter = vertical ? 0 : 256;
	int rolled = angle * across / curve.inner;
	int arm = curve.inner * curve.pen / 64, whole = across + arm;
	int wheel = across * sine(angle + quarter), pen = arm * sine(vertical ? -rolled : rolled + quarter);
	int middle = (vertical ? background.height : background.width) * UNITS / 2;

	return middle + (wheel + pen) / whole * (size / UNITS) / (4096 / UNITS);
}

static void begin_curves(void)
{
	picture_fill(&background, (struct rect){0, 0, background.width, background.height}, DARK);
	next_curve();
}

static void step_curves(void)
{
	struct rect changed = {0};

	if (curve.angle >= curve.turns * 1024) {
		picture_tint(&background, (struct rect){0, 0, background.width, background.height}, DARK, 150);
		next_curve();
		screen_show_all();
	}
	for (int i = 0; i < 5; i++, curve.angle += 4) {
		int x0 = pen_at(curve.angle, false), y0 = pen_at(curve.angle, true);
		int x1 = pen_at(curve.angle + 4, false), y1 = pen_at(curve.angle + 4, true);
		struct rect part = {(x0 < x1 ? x0 : x1) / UNITS - 4, (y0 < y1 ? y0 : y1) / UNITS - 4,
				    abs(x1 - x0) / UNITS + 8, abs(y1 - y0) / UNITS + 8};

		picture_line(&background, x0, y0, x1, y1, 5 * UNITS / 2, rainbow(curve.colour + curve.angle / 8),
			     OPAQUE);
		changed = rect_around(changed, part);
	}
	screen_show(changed);
}

/* --- Plasma: waves that add up, in blocks of two times two pixels --- */

static int plasma_time;
static uint32_t plasma_colours[1024];
static int waves[1024];

static void begin_plasma(void)
{
	static const uint32_t marks[8] = {0x10142c, 0x1c4a6e, 0x2f9a94, 0xbfe0a8,
					  0xffe3a0, 0xf08a4b, 0xb83a5a, 0x4a1f58};

	for (int i = 0; i < 1024; i++) {
		plasma_colours[i] = colour_mix(marks[i / 128], marks[(i / 128 + 1) & 7], (unsigned)i % 128 * 2);
		waves[i] = sine(i) / 32;
	}
}

static void step_plasma(void)
{
	int t = plasma_time++;

	if (t & 1) /* 30 frames a second do */
		return;
	for (int y = 0; y + 1 < background.height; y += 2) {
		uint32_t *line = background.pixels + (size_t)y * (size_t)background.pitch;
		int down = waves[(y * 3 + t * 5) & 1023] + waves[(y + t * 2) & 1023] + t * 4;

		for (int x = 0; x + 1 < background.width; x += 2) {
			int v = down + waves[(x * 2 - t * 3) & 1023] + waves[(x + y + t * 4) & 1023];
			uint32_t colour = plasma_colours[v & 1023];

			line[x] = line[x + 1] = colour;
			line[x + background.pitch] = line[x + background.pitch + 1] = colour;
		}
	}
	screen_show_all();
}

/* --- Stars that come towards us --- */

static struct star {
	int x, y, away;
} stars[STARS];

static void begin_stars(void)
{
	picture_fill(&background, (struct rect){0, 0, background.width, background.height}, 0x05060c);
	for (struct star *s = stars; s < stars + STARS; s++)
		*s = (struct star){random_below(65536) - 32768, random_below(65536) - 32768,
				   random_below(STAR_FAR) + STAR_NEAR};
}

/* Where it is drawn. */
static struct rect place_star(const struct star *s)
{
	int size = 1 + (STAR_FAR - s->away) / 300;

	return (struct rect){background.width / 2 + s->x / s->away * background.width / 512,
			     background.height / 2 + s->y / s->away * background.width / 512, size, size};
}

static void step_stars(void)
{
	for (struct star *s = stars; s < stars + STARS; s++) {
		struct rect before = place_star(s), now;

		picture_fill(&background, before, 0x05060c);
		screen_show(before);
		s->away -= 6;
		now = place_star(s);
		if (s->away < STAR_NEAR || !rect_cut(&now, &background)) {
			*s = (struct star){random_below(65536) - 32768, random_below(65536) - 32768, STAR_FAR};
			now = place_star(s);
		}
		picture_fill(&background, now,
			     colour_mix(0x303050, 0xfff4e0, (unsigned)((STAR_FAR + 6 - s->away) / 5) + 40));
		screen_show(now);
	}
}

/* --- The command --- */

static const struct scene {
	const char *name;
	void (*begin)(void), (*step)(void);
} scenes[] = {
	{"curves", begin_curves, step_curves},
	{"plasma", begin_plasma, step_plasma},
	{"stars", begin_stars, step_stars},
};
#define SCENES (int)(sizeof(scenes) / sizeof(scenes[0]))

static void begin(int scene)
{
	scenes[scene].begin();
	screen_show_all();
}

/* Until a key or a button is pressed. `only` is a scene, or SCENES: all of them. */
static void show_scenes(int only, long frames)
{
	int scene = only < SCENES ? only : 0;
	struct input_event event;
	bool going = true;

	for (long frame = 0; going && frame < frames;) {
		switch (screen_wait(true, &event)) {
		case SCREEN_DRAW:
			begin(scene);
			break;
		case SCREEN_FRAME:
			scenes[scene].step();
			if (++frame % SCENE == 0 && only == SCENES)
				begin(scene = (scene + 1) % SCENES);
			break;
		case SCREEN_INPUT:
			going = !event.value || (event.kind != INPUT_KIND_KEY && event.kind != INPUT_KIND_BUTTON);
			break;
		case SCREEN_END:
			going = false;
			break;
		}
	}
}

void command_draw(int argc, char **argv)
{
	long seconds = 1000000;
	char *end = "";
	int scene = 0;

	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		seconds = strtol(argv[2], &end, 10);
		argc -= 2;
		argv += 2;
	}
	while (argc == 2 && scene < SCENES && strcmp(argv[1], scenes[scene].name) != 0)
		scene++;
	if (argc < 2)
		scene = SCENES;
	else if (scene == SCENES)
		argc = 3;
	if (argc > 2 || *end || seconds <= 0 || seconds > 1000000) {
		shell_usage("draw");
		return;
	}
	if (!screen_was_watched()) {
		printf("draw: nobody looks at the screen: start biscuit-run with --window or --vnc :0\n");
		return;
	}
	printf("drawing, until a key is pressed there, or Ctrl-C\n");
	screen_take(false);
	show_scenes(scene, seconds * FRAMES);
	screen_give();
}
