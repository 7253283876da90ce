/* How the machine looks: the panels' places, the machine itself, and the registers of one hart. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "frontend/window/machine_view_internal.h"

/* --- What is drawn with --- */

static SDL_Color color_of(uint32_t rgb)
{
	return (SDL_Color){(Uint8)(rgb >> 16), (Uint8)(rgb >> 8), (Uint8)rgb, 255};
}

int pen_points(const struct pen *p, double n)
{
	int px = (int)(n * p->scale + 0.5);

	return px > 0 ? px : 1;
}

void pen_fill(const struct pen *p, int x, int y, int w, int h, uint32_t rgb)
{
	SDL_Color c = color_of(rgb);
	SDL_Rect rect = {x, y, w, h};

	if (w <= 0 || h <= 0)
		return;
	SDL_SetRenderDrawColor(p->r, c.r, c.g, c.b, 255);
	SDL_RenderFillRect(p->r, &rect);
}

int pen_text(const struct pen *p, int x, int y, int cells, uint32_t rgb, const char *text)
{
	return cells > 0 ? x + text_line(p->text, x, y, text, cells, 0, color_of(rgb)) * p->cw : x;
}

int pen_format(const struct pen *p, int x, int y, int cells, uint32_t rgb, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return pen_text(p, x, y, cells, rgb, line);
}

SDL_Rect pen_card(const struct pen *p, const SDL_Rect *rect, const char *title)
{
	int edge = pen_points(p, 1), space = pen_points(p, 10), head = p->ch + pen_points(p, 11);
	SDL_Rect in = {rect->x + space, rect->y + head, rect->w - 2 * space, rect->h - head - pen_points(p, 8)};

	pen_fill(p, rect->x, rect->y, rect->w, rect->h, COLOR_EDGE);
	pen_fill(p, rect->x + edge, rect->y + edge, rect->w - 2 * edge, rect->h - 2 * edge, COLOR_CARD);
	text_line(p->text, in.x, rect->y + pen_points(p, 5), title, in.w / p->cw, TEXT_BOLD, color_of(COLOR_TITLE));
	return in;
}

uint32_t pen_mix(uint32_t a, uint32_t b, unsigned t)
{
	uint32_t out = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		unsigned x = a >> shift & 0xff, y = b >> shift & 0xff;

		out |= ((x * (255 - t) + y * t) / 255) << shift;
	}
	return out;
}

uint32_t pen_fade(uint32_t fresh, uint32_t calm, uint64_t now, uint64_t then)
{
	uint64_t age = now - then;

	return then && age < FADE_MS ? pen_mix(fresh, calm, (unsigned)(age * 255 / FADE_MS)) : calm;
}

int pen_row(const struct pen *p)
{
	return p->ch + pen_points(p, 2);
}

bool pen_over(const SDL_Rect *rect, int x, int y)
{
	return x >= rect->x && x < rect->x + rect->w && y >= rect->y && y < rect->y + rect->h;
}

/* --- Buttons --- */

static void add_button(struct machine_view *v, int what, const SDL_Rect *rect)
{
	if (v->n_buttons < BUTTONS_MAX)
		v->buttons[v->n_buttons++] = (struct machine_button_place){what, *rect};
}

/* Its left edge. */
static int draw_button(struct machine_view *v, const struct pen *p, int right, int y, int what, const char *label,
		       bool active)
{
	int w = ((int)strlen(label) + 2) * p->cw, edge = pen_points(p, 1);
	SDL_Rect rect = {right - w, y - pen_points(p, 2), w, p->ch + pen_points(p, 4)};
	bool over = active && pen_over(&rect, v->pointer_x, v->pointer_y);

	pen_fill(p, rect.x, rect.y, rect.w, rect.h, active ? 0x3a4454 : COLOR_EDGE);
	pen_fill(p, rect.x + edge, rect.y + edge, rect.w - 2 * edge, rect.h - 2 * edge,
		 over	  ? 0x35445a
		 : active ? 0x262d38
			  : COLOR_CARD);
	pen_text(p, rect.x + p->cw, y, w / p->cw, active ? COLOR_BRIGHT : COLOR_DIM, label);
	if (active)
		add_button(v, what, &rect);
	return rect.x;
}

/* --- The machine --- */

static void draw_spark(const struct pen *p, const struct hart_sample *h, int x, int y, int w, int height, double most)
{
	int n = (int)SAMPLE_SPARKS, bar = w / n > 1 ? w / n : 1, shown = w / bar < n ? w / bar : n;

	pen_fill(p, x, y + height - pen_points(p, 1), w, pen_points(p, 1), COLOR_EDGE);
	for (int i = 0; i < shown; i++) {
		double value = h->sparks[n - shown + i] / most;
		int top = (int)(value * height + 0.5);

		top = top < height ? top : height;
		if (h->sparks[n - shown + i] > 0 && top < 1)
			top = 1;
		pen_fill(p, x + w - (shown - i) * bar, y + height - top, bar - (bar > 2), top,
			 i + 1 == shown ? COLOR_BLUE : 0x3f6a94);
	}
}

static double most_mips(const struct sample *s)
{
	double most = 1;

	for (unsigned i = 0; i < s->n_harts; i++)
		for (unsigned k = 0; k < SAMPLE_SPARKS; k++)
			most = s->harts[i].sparks[k] > most ? s->harts[i].sparks[k] : most;
	return most;
}

static uint32_t priv_color(enum bis_priv priv)
{
	return priv == BIS_PRIV_M ? COLOR_VIOLET : priv == BIS_PRIV_S ? COLOR_BLUE : COLOR_GREEN;
}

static const char *doing(const struct sample *s, const struct hart_sample *h)
{
	return h->halted ? "halted" : h->sleeping ? "sleeps" : s->state == BIS_RUNNING ? "runs" : "stands";
}

static void draw_hart_line(struct machine_view *v, const struct pen *p, unsigned hart, const SDL_Rect *line)
{
	const struct sample *s = &v->now;
	const struct hart_sample *h = &s->harts[hart];
	int text_y = line->y + (line->h - p->ch) / 2, spark = line->w / 4, x = line->x;
	int end = line->x + line->w - spark - 13 * p->cw;
	bool chosen = s->n_harts > 1 && hart == v->hart;

	if (s->n_harts > 1)
		add_button(v, BUTTON_HART + (int)hart, line);
	if (chosen || (s->n_harts > 1 && pen_over(line, v->pointer_x, v->pointer_y)))
		pen_fill(p, line->x - pen_points(p, 4), line->y, line->w + pen_points(p, 8), line->h,
			 chosen ? 0x232a35 : 0x1e232b);
	x = pen_format(p, x, text_y, 8, chosen ? COLOR_BRIGHT : COLOR_TITLE, "hart %u ", hart);
	x = pen_text(p, x, text_y, 2, priv_color(h->priv), h->priv == BIS_PRIV_M ? "M " : h->priv ? "S " : "U ");
	pen_text(p, x, text_y, 7, h->sleeping || h->halted ? COLOR_DIM : COLOR_GREEN, doing(s, h));
	x += 7 * p->cw;
	pen_text(p, x, text_y, (end - x) / p->cw, COLOR_TEXT, h->where);
	pen_format(p, end, text_y, 12, h->mips > 0 ? COLOR_BRIGHT : COLOR_DIM, "%7.*f MIPS", h->mips < 100 ? 1 : 0,
		   h->mips);
	draw_spark(p, h, line->x + line->w - spark, line->y + pen_points(p, 2), spark, line->h - pen_points(p, 4),
		   most_mips(s));
}

static const char *const states[] = {"created", "running", "paused", "stopped"};
static const uint32_t state_colors[] = {COLOR_DIM, COLOR_GREEN, COLOR_AMBER, COLOR_RED};

static int hart_line_height(const struct pen *p)
{
	return p->ch + pen_points(p, 6);
}

/* Which harts have a line: all, or those about the chosen one. */
static void choose_harts(struct machine_view *v, const struct pen *p, int room)
{
	int fit = room / hart_line_height(p);
	unsigned n = v->now.n_harts, shown = fit < 1 ? 1 : (unsigned)fit < n ? (unsigned)fit : n;
	unsigned first = v->hart > shown / 2 ? v->hart - shown / 2 : 0;

	v->shown_harts = shown;
	v->first_hart = first < n - shown ? first : n - shown;
}

static int machine_height(const struct machine_view *v, const struct pen *p)
{
	return p->ch * 2 + pen_points(p, 29) + (int)v->shown_harts * hart_line_height(p);
}

static void draw_machine(struct machine_view *v, const struct pen *p, const SDL_Rect *rect)
{
	const struct sample *s = &v->now;
	SDL_Rect in = pen_card(p, rect, "Machine");
	int y = in.y, x = in.x, right = in.x + in.w, dot = p->ch / 2;
	uint64_t instret = 0, seconds = s->uptime / 1000000000;

	pen_fill(p, x, y + (p->ch - dot) / 2, dot, dot, state_colors[s->state]);
	x = pen_text(p, x + dot + p->cw, y, 9, state_colors[s->state], states[s->state]) + p->cw;
	right = draw_button(v, p, right, y, BUTTON_STEP, "step", s->state == BIS_PAUSED) - p->cw;
	right = draw_button(v, p, right, y, BUTTON_RUN, s->state == BIS_PAUSED ? "resume" : "pause",
			    s->state == BIS_PAUSED || s->state == BIS_RUNNING) -
		p->cw;
	for (unsigned i = 0; i < s->n_harts; i++)
		instret += s->harts[i].counters.instret;
	pen_format(p, x, y, (right - x) / p->cw, COLOR_TITLE,
		   "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "  %.*f %s instructions  %s", seconds / 3600,
		   seconds / 60 % 60, seconds % 60, instret < 10000000000 && instret >= 1000000000 ? 2 : 0,
		   (double)instret / (instret < 1000000000 ? 1e6 : 1e9), instret < 1000000000 ? "M" : "G", v->engine);
	in.y += p->ch + pen_points(p, 8);
	for (unsigned i = 0; i < v->shown_harts; i++) {
		SDL_Rect line = {in.x, in.y + (int)i * hart_line_height(p), in.w, hart_line_height(p)};

		draw_hart_line(v, p, v->first_hart + i, &line);
	}
}

/* --- Registers --- */

/* Of a panel with so many lines. */
static int card_height(const struct pen *p, size_t lines)
{
	return p->ch + pen_points(p, 11) + (int)lines * pen_row(p) + pen_points(p, 8);
}

/* Registers that lie above each other: four columns of them, two where that is too wide. */
static int registers_lines(const struct machine_view *v, const struct pen *p, int width)
{
	int digits = (int)v->now.xlen / 4;

	return (width - 2 * pen_points(p, 10)) / p->cw >= 4 * (5 + digits + 1) ? 8 : 16;
}

static void draw_registers(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect)
{
	const struct sample *s = &v->now;
	const struct hart_sample *h = &s->harts[v->hart];
	struct bis_hart *hart = bis_machine_hart(v->machine, v->hart);
	int digits = (int)s->xlen / 4, row = pen_row(p), lines = registers_lines(v, p, rect->w);
	char title[32];
	SDL_Rect in;

	snprintf(title, sizeof(title), s->n_harts > 1 ? "Registers of hart %u" : "Registers", v->hart);
	in = pen_card(p, rect, title);
	for (unsigned i = 0; i < SAMPLE_REGS; i++) {
		const struct bis_reg_desc *d = bis_hart_reg_desc(hart, i);
		int column = in.w * lines / 32, x = in.x + (int)i / lines * column, y = in.y + (int)i % lines * row;

		if (!d)
			break;
		pen_format(p, x, y, 5, COLOR_TITLE, "%-4s", d->alias);
		pen_format(p, x + 5 * p->cw, y, column / p->cw - 5,
			   pen_fade(COLOR_AMBER, h->regs[i] ? COLOR_TEXT : COLOR_DIM, s->ms, h->changed_ms[i]),
			   "%0*" PRIx64, digits, digits == 8 ? h->regs[i] & 0xffffffff : h->regs[i]);
	}
}

/* --- All of it --- */

/* Two columns; the registers should fit into the left one side by side. */
static void place(struct machine_view *v, const struct pen *p, const SDL_Rect *area, SDL_Rect cards[6])
{
	int gap = pen_points(p, 8), left = (area->w - 3 * gap) * 62 / 100, right = area->w - 3 * gap - left;
	int need = 4 * (v->now.xlen == 32 ? 14 : 22) * p->cw + pen_points(p, 20);
	int x = area->x + gap, y = area->y + gap, bottom = area->y + area->h - gap;
	size_t traps = panel_traps_lines(v);
	int least;

	if (left < need && right - (need - left) > 34 * p->cw) {
		right -= need - left;
		left = need;
	}
	choose_harts(v, p, area->h * 2 / 5);
	cards[0] = (SDL_Rect){x, y, left, machine_height(v, p)};
	y += cards[0].h + gap;
	cards[1] = (SDL_Rect){x, y, left, card_height(p, (size_t)registers_lines(v, p, left))};
	y += cards[1].h + gap;
	cards[2] = (SDL_Rect){x, y, left, bottom - y};
	x += left + gap;
	y = area->y + gap;
	traps = traps < 4 ? 4 : traps > 9 ? 9 : traps;
	cards[3] = (SDL_Rect){x, y, right, card_height(p, traps)};
	y += cards[3].h + gap;
	cards[4] = (SDL_Rect){x, y, right, card_height(p, v->now.n_devices > 4 ? v->now.n_devices : 4)};
	/* The page tables get what is left, but a fourth of it all at least. */
	least = (bottom - area->y) / 4;
	if (cards[4].h > bottom - least - gap - y)
		cards[4].h = bottom - least - gap - y;
	y += cards[4].h + gap;
	cards[5] = (SDL_Rect){x, y, right, bottom - y};
}

void machine_draw(struct machine_view *v, SDL_Renderer *r, const SDL_Rect *area)
{
	struct pen p = {.r = r, .text = v->host->text, .scale = v->host->scale};
	SDL_Rect cards[6];

	p.cw = text_width(p.text);
	p.ch = text_height(p.text);
	v->n_buttons = 0;
	pen_fill(&p, area->x, area->y, area->w, area->h, COLOR_BACK);
	if (!v->have) {
		pen_text(&p, area->x + 2 * p.cw, area->y + p.ch, 40, COLOR_DIM, "looking at the machine…");
		return;
	}
	place(v, &p, area, cards);
	draw_machine(v, &p, &cards[0]);
	draw_registers(v, &p, &cards[1]);
	panel_memory(v, &p, &cards[2]);
	panel_traps(v, &p, &cards[3]);
	panel_devices(v, &p, &cards[4]);
	panel_tables(v, &p, &cards[5]);
}
