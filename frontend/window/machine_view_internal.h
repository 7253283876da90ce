/*
 * The machine as a picture: machine_view.c (what the window calls), machine_view_sample.c (a thread that looks at the
 * machine while somebody looks at the picture), machine_view_memory.c and machine_view_tables.c (what of memory it
 * sees), machine_view_draw.c (layout, harts), machine_view_panels.c (traps, devices, memory, page tables).
 */
#ifndef BISCUIT_WINDOW_MACHINE_VIEW_INTERNAL_H
#define BISCUIT_WINDOW_MACHINE_VIEW_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "frontend/window/text.h"
#include "frontend/window/view.h"

#define SAMPLE_REGS    32u
#define SAMPLE_CAUSES  64u
#define SAMPLE_DEVICES 48u
#define SAMPLE_FIELDS  32u
#define SAMPLE_SPARKS  96u
#define SAMPLE_CELLS   2048u
#define SAMPLE_REGIONS 8u
#define SAMPLE_RUNS    512u

#define FADE_MS 1500u /* how long one sees that something has changed */

/* --- What is seen at one time. Plain data --- */

struct hart_sample {
	uint64_t pc;
	enum bis_priv priv;
	bool sleeping, halted;
	uint64_t regs[SAMPLE_REGS];
	uint64_t changed_ms[SAMPLE_REGS]; /* when another value was seen last; 0: never */
	struct bis_hart_counters counters;
	uint64_t satp;
	char where[96]; /* pc with its symbol */
	double mips;
	float sparks[SAMPLE_SPARKS]; /* MIPS; the latest is the last */
};

/* A row of a module's field table. */
struct field_sample {
	char name[20];
	bool counter;
	uint32_t sum; /* of its bytes */
	uint64_t value;
	double rate; /* a second */
};

struct device_sample {
	char name[20];
	unsigned n_fields, changed; /* the field that did so last */
	uint64_t changed_ms;	    /* 0: none was seen to */
	struct field_sample fields[SAMPLE_FIELDS];
};

/* A part of RAM that is one cell of the picture. */
struct memory_cell {
	uint8_t filled; /* how much of it is not zero: 0 to 255 */
	uint8_t heat;	/* 255: written just now */
};

struct region_sample {
	char name[16];
	uint64_t base, size;
	unsigned first, cells; /* in `cells` of the memory */
};

struct memory_sample {
	uint64_t cell_size;
	unsigned n_regions, n_cells;
	struct region_sample regions[SAMPLE_REGIONS];
	struct memory_cell cells[SAMPLE_CELLS];
};

/* Pages that lie side by side with the same rights. */
struct table_run {
	uint64_t va, size;
	uint8_t rights; /* bits as in a page-table entry */
};

struct tables_sample {
	const char *scheme; /* NULL: addresses are physical */
	unsigned va_bits;
	uint64_t root;
	size_t n_runs;
	uint64_t pages;
	bool more; /* than are kept */
	struct table_run runs[SAMPLE_RUNS];
};

struct sample {
	uint64_t ms; /* when it was taken */
	enum bis_run_state state;
	uint64_t uptime; /* ns */
	unsigned n_harts, xlen;
	struct hart_sample harts[BIS_MAX_HARTS];
	double traps[SAMPLE_CAUSES], interrupts[SAMPLE_CAUSES]; /* a second, of all harts */
	size_t n_devices;
	struct device_sample devices[SAMPLE_DEVICES];
	struct memory_sample memory;
	struct tables_sample tables;
};

/* --- Sampler --- */

struct sampler;

/* `news` is called from its thread. -ENOMEM, -EAGAIN, with message. */
BIS_MUST_CHECK int sampler_create(struct debug *d, void (*news)(void *arg), void *arg, struct sampler **out);
void sampler_destroy(struct sampler *s); /* NULL is allowed */
/* Asks for samples during the next seconds; without being asked it does nothing. `hart`: whose page tables are looked
 * at.
 */
void sampler_want(struct sampler *s, unsigned hart);
/* Copies the last sample if it was not taken before. */
bool sampler_take(struct sampler *s, struct sample *out);
/* A verb of debug_verb, carried out on the sampler's thread. */
void sampler_order(struct sampler *s, const char *verb);
/* What there is to say of the last order; false: nothing. */
bool sampler_reply(struct sampler *s, char *buf, size_t size);

/* What changes so much a second, calmed by what it was before. */
double sample_rate(uint64_t now, uint64_t before, double seconds, double old);
/* Is there anything to see in b that was not in a? */
bool sample_differs(const struct sample *a, const struct sample *b);

/* --- machine_view_devices.c: on the sampler's thread --- */

/* At a safepoint. */
void devices_take(const struct bis_module *mod, struct sample *s);
void devices_compare(struct sample *s, const struct sample *last, double seconds);

/* --- machine_view_memory.c: on the sampler's thread --- */

struct memory_watch;

/* NULL: no memory for it, or too many look at the machine's memory already. */
struct memory_watch *memory_watch_create(struct bis_memory *m);
void memory_watch_destroy(struct memory_watch *w); /* NULL is allowed */
void memory_watch_look(struct memory_watch *w, struct memory_sample *out);

/* --- machine_view_tables.c: any thread --- */

void tables_look(struct bis_memory *m, unsigned xlen, uint64_t satp, struct tables_sample *out);

/* --- The view --- */

enum machine_button { BUTTON_NONE, BUTTON_RUN, BUTTON_STEP, BUTTON_HART }; /* BUTTON_HART + n: hart n */

struct machine_button_place {
	int what;
	SDL_Rect rect;
};

#define BUTTONS_MAX (2 + BIS_MAX_HARTS)

struct machine_view {
	const struct view_host *host;
	struct bis_machine *machine;
	struct sampler *sampler;
	struct sample now;
	bool have;				/* `now` is valid */
	unsigned hart, first_hart, shown_harts; /* the chosen one; those that have a line */
	int pointer_x, pointer_y;
	struct machine_button_place buttons[BUTTONS_MAX];
	unsigned n_buttons;
	char engine[16];
};

/* What is drawn with. */
struct pen {
	SDL_Renderer *r;
	struct text *text;
	double scale;
	int cw, ch; /* of a character cell */
};

enum palette {
	COLOR_BACK = 0x14171c,
	COLOR_CARD = 0x1a1e25,
	COLOR_EDGE = 0x272d37,
	COLOR_TEXT = 0xc8cdd6,
	COLOR_BRIGHT = 0xf2f4f8,
	COLOR_TITLE = 0x8b95a5,
	COLOR_DIM = 0x5f6878,
	COLOR_BLUE = 0x61a8e8,
	COLOR_AMBER = 0xd9b46c,
	COLOR_GREEN = 0x8fbf7f,
	COLOR_RED = 0xe06c75,
	COLOR_VIOLET = 0xc080d8,
};

/* --- machine_view_draw.c --- */

void machine_draw(struct machine_view *v, SDL_Renderer *r, const SDL_Rect *area);

int pen_points(const struct pen *p, double n);
void pen_fill(const struct pen *p, int x, int y, int w, int h, uint32_t rgb);
/* Text from x, y on in at most `cells` cells; where it ends. */
int pen_text(const struct pen *p, int x, int y, int cells, uint32_t rgb, const char *text);
int pen_format(const struct pen *p, int x, int y, int cells, uint32_t rgb, const char *format, ...) BIS_PRINTF(6, 7);
/* A panel with a title; the room inside of it. */
SDL_Rect pen_card(const struct pen *p, const SDL_Rect *rect, const char *title);
/* From a to b, by t of 255. */
uint32_t pen_mix(uint32_t a, uint32_t b, unsigned t);
bool pen_over(const SDL_Rect *rect, int x, int y);

/* `fresh` where something changed at `then`, which fades to `calm`; 0: it never did. */
uint32_t pen_fade(uint32_t fresh, uint32_t calm, uint64_t now, uint64_t then);
/* Height of a line in a list. */
int pen_row(const struct pen *p);
/* A rate whose last letter ends at `right`. */
void pen_rate(const struct pen *p, int right, int y, double rate);

/* --- machine_view_panels.c, machine_view_devices.c --- */

/* How many lines there are to show. */
size_t panel_traps_lines(const struct machine_view *v);

void panel_traps(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect);
void panel_devices(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect);
void panel_memory(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect);
void panel_tables(const struct machine_view *v, const struct pen *p, const SDL_Rect *rect);

#endif
