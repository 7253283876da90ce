/*
 * Lines and blocks (Unicode 2500 to 259F), drawn as rectangles that reach the edges of their cell, so that they meet
 * those of the next one whatever the font.
 */
#include "frontend/window/text_internal.h"

#define BOX_FIRST   0x2500u
#define BLOCK_FIRST 0x2580u
#define BLOCK_LAST  0x259fu

enum { NONE, LIGHT, HEAVY, DOUBLE };

/* The arms of each character from 2500 on: up, right, down, left. Those without any are left to the font. */
static const char arms[] = "0101020210102020010102021010202001010202101020200110021001200220"
			   "0011001200210022110012002100220010011002200120021110121021101120"
			   "2120221012202220101110122011102120212012102220220111011202110212"
			   "0121012202210222110111021201120221012102220122021111111212111212"
			   "2111112121112212112221121221221212222122222122220101020210102020"
			   "0303303003100130033000130031003313003100330010033001300313103130"
			   "3330101330313033031301310333130331013303131331313333011000111001"
			   "1100000000000000000110000100001000022000020000200201102001022010";

/* The eight parts of 2596 to 259F: bit 0 upper left, 1 upper right, 2 lower left, 3 lower right. */
static const unsigned char quadrants[] = {4, 8, 1, 13, 9, 7, 11, 2, 6, 14};

static void fill(SDL_Renderer *r, int x, int y, int w, int h)
{
	SDL_Rect rect = {x, y, w, h};

	if (w > 0 && h > 0)
		SDL_RenderFillRect(r, &rect);
}

/* A stroke in the middle of [0, size): its first pixel. */
static int middle(int size, int thickness)
{
	return (size - thickness) / 2;
}

struct box {
	SDL_Renderer *r;
	const SDL_Rect *cell;
	int light; /* thickness */
	int arm[4];
};

static int thickness(const struct box *b, int arm)
{
	return arm == LIGHT ? b->light : arm == HEAVY ? b->light * 2 : arm == DOUBLE ? b->light * 3 : 0;
}

/* Along x from `from` to `to`, across the middle of the cell's height; double lines are two. */
static void horizontal(const struct box *b, int from, int to, int arm)
{
	int y = b->cell->y + middle(b->cell->h, thickness(b, arm));
	int x = b->cell->x + from;

	if (arm == DOUBLE) {
		fill(b->r, x, y, to - from, b->light);
		fill(b->r, x, y + 2 * b->light, to - from, b->light);
	} else {
		fill(b->r, x, y, to - from, thickness(b, arm));
	}
}

static void vertical(const struct box *b, int from, int to, int arm)
{
	int x = b->cell->x + middle(b->cell->w, thickness(b, arm));
	int y = b->cell->y + from;

	if (arm == DOUBLE) {
		fill(b->r, x, y, b->light, to - from);
		fill(b->r, x + 2 * b->light, y, b->light, to - from);
	} else {
		fill(b->r, x, y, thickness(b, arm), to - from);
	}
}

/* Each arm goes as far as the thickest of those across it. */
static void draw_arms(const struct box *b)
{
	int up = thickness(b, b->arm[0]), right = thickness(b, b->arm[1]);
	int down = thickness(b, b->arm[2]), left = thickness(b, b->arm[3]);
	int across = up > down ? up : down, along = left > right ? left : right;
	int w = b->cell->w, h = b->cell->h;
	int x = middle(w, across ? across : b->light), y = middle(h, along ? along : b->light);

	if (b->arm[0])
		vertical(b, 0, y + along, b->arm[0]);
	if (b->arm[1])
		horizontal(b, x, w, b->arm[1]);
	if (b->arm[2])
		vertical(b, y, h, b->arm[2]);
	if (b->arm[3])
		horizontal(b, 0, x + across, b->arm[3]);
}

static void draw_quadrants(SDL_Renderer *r, const SDL_Rect *c, unsigned bits)
{
	int w = c->w / 2, h = c->h / 2;

	if (bits & 1)
		fill(r, c->x, c->y, w, h);
	if (bits & 2)
		fill(r, c->x + w, c->y, c->w - w, h);
	if (bits & 4)
		fill(r, c->x, c->y + h, w, c->h - h);
	if (bits & 8)
		fill(r, c->x + w, c->y + h, c->w - w, c->h - h);
}

static void draw_block(SDL_Renderer *r, const SDL_Rect *c, uint32_t character, SDL_Color color)
{
	int n = (int)(character - BLOCK_FIRST);

	if (n == 0) /* upper half */
		fill(r, c->x, c->y, c->w, c->h / 2);
	else if (n <= 8) /* lower eighths */
		fill(r, c->x, c->y + c->h - c->h * n / 8, c->w, c->h * n / 8);
	else if (n < 16) /* left eighths, from seven of them down */
		fill(r, c->x, c->y, c->w * (16 - n) / 8, c->h);
	else if (n == 16) /* right half */
		fill(r, c->x + c->w / 2, c->y, c->w - c->w / 2, c->h);
	else if (n < 20) { /* shades */
		SDL_SetRenderDrawBlendMode(r, SDL_BLENDMODE_BLEND);
		SDL_SetRenderDrawColor(r, color.r, color.g, color.b, (Uint8)((n - 16) * 64));
		fill(r, c->x, c->y, c->w, c->h);
		SDL_SetRenderDrawBlendMode(r, SDL_BLENDMODE_NONE);
	} else if (n == 20) /* upper eighth */
		fill(r, c->x, c->y, c->w, c->h / 8);
	else if (n == 21) /* right eighth */
		fill(r, c->x + c->w - c->w / 8, c->y, c->w / 8, c->h);
	else
		draw_quadrants(r, c, quadrants[n - 22]);
}

bool text_box(SDL_Renderer *r, const SDL_Rect *cell, uint32_t character, SDL_Color color)
{
	struct box b = {.r = r, .cell = cell, .light = cell->h / 16 > 1 ? cell->h / 16 : 1};
	bool any = false;

	if (character < BOX_FIRST || character > BLOCK_LAST)
		return false;
	SDL_SetRenderDrawColor(r, color.r, color.g, color.b, color.a);
	if (character >= BLOCK_FIRST) {
		draw_block(r, cell, character, color);
		return true;
	}
	for (unsigned i = 0; i < 4; i++) {
		b.arm[i] = arms[(character - BOX_FIRST) * 4 + i] - '0';
		any = any || b.arm[i];
	}
	if (any)
		draw_arms(&b);
	return any;
}
