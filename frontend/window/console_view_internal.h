/*
 * A console in the window: console_view.c (what the window calls), console_view_bytes.c (to and from the character
 * device), console_view_draw.c, console_view_keys.c (keyboard and search), console_view_mouse.c. All on the window's
 * thread but console_heard.
 */
#ifndef BISCUIT_WINDOW_CONSOLE_VIEW_INTERNAL_H
#define BISCUIT_WINDOW_CONSOLE_VIEW_INTERNAL_H

#include <pthread.h>

#include <biscuit/chardev.h>

#include "frontend/window/term.h"
#include "frontend/window/text.h"
#include "frontend/window/view.h"

#define CONSOLE_HISTORY	  10000u
#define CONSOLE_QUERY_MAX 200u

/* Output on its way from the machine to the terminal. */
struct console_feed {
	pthread_mutex_t lock; /* no other lock is taken under it */
	char *data;
	size_t len, room;
	uint64_t dropped; /* lines that were before `data` */
};

struct console {
	const struct view_host *host;
	struct bis_machine *machine;
	struct bis_chardev *chardev;
	struct term *term;
	struct console_feed feed;

	/* What was taken from the feed; [done, len) is not written to the terminal yet. */
	char *taken;
	size_t taken_len, taken_room, done;

	/* Typed, and not taken by the character device yet. */
	char *typed;
	size_t typed_len, typed_room;

	bool focused, changed, paste_lost;
	bool reading;	     /* what the guest writes, which may be questions */
	uint64_t bell_until; /* ms: the frame is lit */

	/* Drawing: the rows are kept in a texture, and only those that look different are drawn anew. */
	SDL_Rect area; /* that the texture is for */
	SDL_Texture *texture;
	uint64_t *looks; /* of each row as it was drawn; NULL: draw all */
	unsigned n_looks;

	/* Mouse */
	bool dragging;
	int pointer_x, pointer_y;
	unsigned reported_row, reported_column;

	bool searching, found;
	char query[CONSOLE_QUERY_MAX];
};

/* --- console_view_bytes.c --- */

/* Character device's listener: any thread, device lock held. */
void console_heard(void *arg, const uint8_t *buf, size_t len);
/* Writes to the terminal what has come, for some milliseconds. True: there is more. */
bool console_take_output(struct console *c);
/* For the guest: what is typed, and answers to what it asks unless another terminal gives them. */
void console_type(void *arg, const char *bytes, size_t len);
/* Hands on what was typed. True: some of it has to wait. */
bool console_give_input(struct console *c);

/* --- console_view_draw.c --- */

void console_draw(struct console *c, SDL_Renderer *r, const SDL_Rect *area);
/* Textures are gone, or of the wrong size. */
void console_forget_drawn(struct console *c, bool destroy);
/* Cells that fit in the area. */
void console_cells(const struct console *c, const SDL_Rect *area, unsigned *columns, unsigned *rows);
/* Row and column of the screen below a pixel; outside, the nearest. */
void console_cell_at(const struct console *c, const SDL_Rect *area, int x, int y, unsigned *column, unsigned *row);

/* --- console_view_keys.c --- */

bool console_key(struct console *c, const SDL_KeyboardEvent *k);
void console_text(struct console *c, const char *utf8);
void console_copy(struct console *c, bool primary);
void console_paste(struct console *c, bool primary);
unsigned console_modifiers(void); /* of VTermModifier */

/* --- console_view_mouse.c --- */

bool console_mouse(struct console *c, const SDL_Event *e, const SDL_Rect *area);
/* While a selection is dragged beyond the edge, the text moves. True: it does. */
bool console_drag(struct console *c);

#endif
