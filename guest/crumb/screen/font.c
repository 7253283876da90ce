/*
 * Letters are not kept as pixels but as the way a pen goes, so one table gives every size.
 *
 * A stroke is a list of places, each a column (0 to 7) and a row (a to p) of the cell's pixels; its parts are straight.
 * After a ~ they are control points of a curve instead: it begins at the first, ends at the last, and on its way goes
 * round the others (a quadratic B-spline). Blanks separate strokes. Capitals stand on row m and reach up to row c.
 *
 * Letters of the smallest size are drawn once and remembered: how much of each pixel the pen covers.
 */
#include "font.h"
#include <string.h>

#define FIRST ' '
#define LAST  '~'
#define CELL  (FONT_WIDTH * FONT_HEIGHT)
#define PEN   21 /* width in UNITS */
#define FINE  64 /* that a large letter is round */
#define STEPS 6	 /* straight parts of a curve between two control points; a large letter has more */

static const char *const strokes[] = {
	"",				       /* blank */
	"3c3i 3l3m",			       /* ! */
	"2c2e 4c4e",			       /* " */
	"2d2l 5d5l 0g7g 0j7j",		       /* # */
	"~6e6c1c1h6h6m1m1k 3b3n",	       /* $ */
	"6c0m ~1c2c2f0f0c1c ~5j6j6m4m4j5j",    /* % */
	"~6m4k2g2c5c5f1i1m5m6i",	       /* & */
	"3c3e",				       /* ' */
	"~4b2d2l4n",			       /* ( */
	"~2b4d4l2n",			       /* ) */
	"3e3k 1f5j 5f1j",		       /* * */
	"3e3k 0h6h",			       /* + */
	"3l3m2o",			       /* , */
	"1h5h",				       /* - */
	"3l3m",				       /* . */
	"5b1n",				       /* / */
	"~3c6c6m1m1c3c 4g3i",		       /* 0 */
	"1e3c3m 1m5m",			       /* 1 */
	"~1e1c6c6g3j1m 1m6m",		       /* 2 */
	"~1d1c6c6h3h ~3h6h6m1m1l",	       /* 3 */
	"5m5c0j6j",			       /* 4 */
	"6c1c1g ~1g3f6f6m1m1l",		       /* 5 */
	"~5c1d1m6m6g1g1j",		       /* 6 */
	"1c6c3m",			       /* 7 */
	"~3c6c6h1h1c3c ~3h6h6m1m1h3h",	       /* 8 */
	"~2m6l6c1c1i6i6f",		       /* 9 */
	"3g3h 3l3m",			       /* : */
	"3g3h 3l3m2o",			       /* ; */
	"5d1h5l",			       /* < */
	"1g5g 1j5j",			       /* = */
	"1d5h1l",			       /* > */
	"~1e1c6c6g3g3j 3l3m",		       /* ? */
	"~5i5f2f2k5k5i 5f5j ~5j5k7k7c0c0m5m",  /* @ */
	"0m3c6m 1j5j",			       /* A */
	"3h1h1c3c ~3c6c6h3h 1h1m3m ~3m6m6h3h", /* B */
	"~6e6c1c1m6m6k",		       /* C */
	"3c1c1m3m ~3c6c6m3m",		       /* D */
	"6c1c1m6m 1h5h",		       /* E */
	"6c1c1m 1h5h",			       /* F */
	"~6e6c1c1m6m6i 6i4i",		       /* G */
	"1c1m 6c6m 1h6h",		       /* H */
	"1c5c 3c3m 1m5m",		       /* I */
	"~5c5j5m1m1k",			       /* J */
	"1c1m 6c1i 3g6m",		       /* K */
	"1c1m6m",			       /* L */
	"0m0c3h6c6m",			       /* M */
	"1m1c6m6c",			       /* N */
	"~3c6c6m1m1c3c",		       /* O */
	"1m1c3c ~3c6c6i3i 3i1i",	       /* P */
	"~3c6c6m1m1c3c 4j6n",		       /* Q */
	"1m1c3c ~3c6c6h3h 3h1h 3h6m",	       /* R */
	"~6e6c1c1h6h6m1m1k",		       /* S */
	"0c6c 3c3m",			       /* T */
	"~1c1i1m6m6i6c",		       /* U */
	"0c3m6c",			       /* V */
	"0c1m3g5m6c",			       /* W */
	"1c6m 6c1m",			       /* X */
	"0c3h6c 3h3m",			       /* Y */
	"1c6c1m6m",			       /* Z */
	"4b2b2n4n",			       /* [ */
	"1b5n",				       /* \ */
	"2b4b4n2n",			       /* ] */
	"1f3c5f",			       /* ^ */
	"0o6o",				       /* _ */
	"2b4d",				       /* ` */
	"~6i6f1f1m6m6i 6f6m",		       /* a */
	"1b1m ~1i1f6f6m1m1i",		       /* b */
	"~6h6f1f1m6m6k",		       /* c */
	"6b6m ~6i6f1f1m6m6i",		       /* d */
	"1i6i ~6i6f1f1m5m6l",		       /* e */
	"~6c6b3b3f 3f3m 1g5g",		       /* f */
	"~6i6f1f1m6m6i 6f6m ~6m6p1p1o",	       /* g */
	"1b1m ~1i1f6f6i 6i6m",		       /* h */
	"3b3c 1f3f3m 1m5m",		       /* i */
	"4b4c 2f4f4m ~4m4p1p1o",	       /* j */
	"1b1m 6f1j 3i6m",		       /* k */
	"1b3b3m 1m5m",			       /* l */
	"0f0m ~0h0f3f3i 3i3m ~3h3f6f6i 6i6m",  /* m */
	"1f1m ~1i1f6f6i 6i6m",		       /* n */
	"~3f6f6m1m1f3f",		       /* o */
	"1f1p ~1i1f6f6m1m1i",		       /* p */
	"6f6p ~6i6f1f1m6m6i",		       /* q */
	"1f1m ~1i1f5f6g",		       /* r */
	"~6g6f1f1i6i6m1m1l",		       /* s */
	"3c3k ~3k3m6m6l 1f5f",		       /* t */
	"~1f1j1m6m6j 6f6m",		       /* u */
	"0f3m6f",			       /* v */
	"0f1m3h5m6f",			       /* w */
	"1f6m 6f1m",			       /* x */
	"0f3m 6f2p",			       /* y */
	"1f6f1m6m",			       /* z */
	"~5b3b3h1h ~1h3h3n5n",		       /* { */
	"3b3o",				       /* | */
	"~1b3b3h5h ~5h3h3n1n",		       /* } */
	"~0i0g3g3i6i6g",		       /* ~ */
};

/* Where a letter is drawn, and how. */
struct pen {
	const struct picture *picture;
	int x, y, scale;
	uint32_t colour;
};

struct point {
	int x, y; /* FINE parts of a pixel of the smallest size */
};

static void draw_part(const struct pen *pen, struct point from, struct point to)
{
	int x = pen->x * UNITS, y = pen->y * UNITS, s = pen->scale * UNITS;

	picture_line(pen->picture, x + from.x * s / FINE, y + from.y * s / FINE, x + to.x * s / FINE,
		     y + to.y * s / FINE, PEN * pen->scale, pen->colour, OPAQUE);
}

static struct point between(struct point a, struct point b)
{
	return (struct point){(a.x + b.x) / 2, (a.y + b.y) / 2};
}

/* A parabola from a to c that sets out towards b, and arrives from there. */
static void draw_curve(const struct pen *pen, struct point a, struct point b, struct point c)
{
	int steps = STEPS + pen->scale;
	struct point last = a;

	for (int i = 1; i <= steps; i++) {
		int before = (steps - i) * (steps - i), at = 2 * i * (steps - i), behind = i * i;
		struct point next = {(a.x * before + b.x * at + c.x * behind) / (steps * steps),
				     (a.y * before + b.y * at + c.y * behind) / (steps * steps)};

		draw_part(pen, last, next);
		last = next;
	}
}

static struct point read_point(const char *text)
{
	return (struct point){(text[0] - '0') * FINE + FINE / 2, (text[1] - 'a') * FINE + FINE / 2};
}

/* One stroke; returns what comes behind it. */
static const char *draw_stroke(const struct pen *pen, const char *text)
{
	bool curved = *text == '~';
	struct point last, control;

	text += curved;
	last = control = read_point(text);
	for (text += 2; *text && *text != ' '; text += 2) {
		struct point next = read_point(text);
		bool is_end = !text[2] || text[2] == ' ';

		if (!curved) {
			draw_part(pen, last, next);
			last = next;
			continue;
		}
		/* `control` is the point before this one; the first one is where the curve begins. */
		if (control.x != last.x || control.y != last.y) {
			struct point to = is_end ? next : between(control, next);

			draw_curve(pen, last, control, to);
			last = to;
		}
		control = next;
	}
	return text + (*text == ' ');
}

static void draw_letter(const struct pen *pen, char letter)
{
	for (const char *text = strokes[letter - FIRST]; *text;)
		text = draw_stroke(pen, text);
}

/* The smallest size of a letter: how much of each pixel is covered, 0 to 255. */
static const uint8_t *cell_of(char letter)
{
	static uint8_t cells[LAST - FIRST + 1][CELL];
	static bool drawn[LAST - FIRST + 1];
	uint8_t *cell = cells[letter - FIRST];
	uint32_t pixels[CELL] = {0};
	struct picture p = {pixels, FONT_WIDTH, FONT_HEIGHT, FONT_WIDTH};

	if (!drawn[letter - FIRST]) {
		draw_letter(&(struct pen){&p, 0, 0, 1, 0x0000ff}, letter);
		for (int i = 0; i < CELL; i++)
			cell[i] = (uint8_t)pixels[i];
		drawn[letter - FIRST] = true;
	}
	return cell;
}

static void draw_small(const struct picture *p, int x, int y, char letter, uint32_t colour)
{
	uint32_t pixels[CELL];
	struct picture cell = {pixels, FONT_WIDTH, FONT_HEIGHT, FONT_WIDTH};
	const uint8_t *cover = cell_of(letter);

	for (int i = 0; i < CELL; i++)
		pixels[i] = (uint32_t)cover[i] << 24 | colour;
	picture_lay(p, x, y, &cell);
}

int font_draw(const struct picture *p, int x, int y, int scale, const char *text, uint32_t colour)
{
	for (; *text; text++, x += FONT_WIDTH * scale) {
		if (*text <= FIRST || *text > LAST)
			continue;
		if (scale == 1)
			draw_small(p, x, y, *text, colour);
		else
			draw_letter(&(struct pen){p, x, y, scale, colour}, *text);
	}
	return x;
}
