/* The view of a guest's screen from the inside: picture (screen.c), pointer, keyboard and paste, the guest's cursor. */
#ifndef BISCUIT_WINDOW_SCREEN_INTERNAL_H
#define BISCUIT_WINDOW_SCREEN_INTERNAL_H

#include <stdatomic.h>

#include <biscuit/input.h>

#include "frontend/window/geometry.h"
#include "frontend/window/view.h"

#define KEY_CODES 0x300u /* codes of keys and buttons lie below */

/* The guest's keyboard (guest_keys.c). */
struct guest_keys {
	struct bis_machine *machine;
	uint64_t held[KEY_CODES / 64]; /* keys and buttons that the guest believes to be pressed */
	/* What is being pasted. */
	char *paste;
	const char *paste_at, *paste_end;
	uint64_t paste_due, paste_stuck; /* ms; stuck: when the guest last took something */
};

/* A key or button; presses that are no news and releases of what is not held are left out. */
void guest_keys_press(struct guest_keys *k, enum bis_input_kind kind, uint16_t code, bool repeated);
void guest_keys_release(struct guest_keys *k, enum bis_input_kind kind, uint16_t code);
bool guest_keys_held(const struct guest_keys *k, uint16_t code);
/* Releases everything that is held. */
void guest_keys_let_go(struct guest_keys *k);
void guest_keys_text(struct guest_keys *k, const char *utf8);
/* Begins to type `utf8`, which it takes (malloc'ed or SDL's: `utf8` is copied). Tells the user what it does. */
void guest_keys_paste(struct guest_keys *k, const struct view_host *host, const char *utf8);
/* Types some of it. Milliseconds until it goes on, -1: nothing is being pasted. */
int guest_keys_paste_on(struct guest_keys *k, const struct view_host *host, uint64_t now);
void guest_keys_paste_end(struct guest_keys *k);

/* The guest's cursor (guest_cursor.c). */
struct guest_cursor {
	struct bis_cursor image;
	unsigned number; /* of the image; struct bis_view */
	bool known;
	SDL_Cursor *sdl; /* made of the image at `scale` */
	double scale;
	bool in_use;  /* `sdl` is the host's pointer now */
	bool changed; /* it is to be drawn, or no longer */
	SDL_Texture *texture;
};

struct screen {
	const struct view_host *host;
	struct bis_machine *machine;
	struct bis_display *display;
	struct bis_viewer *viewer;
	atomic_bool noticed; /* by the viewer's notify */

	struct bis_view view;		 /* the last one */
	uint64_t next_look, next_polled; /* us: not before, and without notice at the latest */
	unsigned interval;		 /* us, of polling */
	bool shown;			 /* at the last update */
	bool watching;			 /* the viewer does */
	uint64_t leave;			 /* us: when it stops; UINT64_MAX: it does not, or has */

	SDL_Texture *texture;
	uint32_t texture_width, texture_height;
	bool stale; /* all of the texture is old */
	size_t n_pending;
	struct bis_rect pending[BIS_VIEW_RECTS];

	SDL_Rect area;
	double factor;
	enum fit fit;
	struct box place; /* of the picture in the window */

	struct guest_keys keys;
	struct guest_cursor cursor;
	bool focused, inside; /* inside: the host's pointer is over the picture */
	bool dragging;	      /* a button went down over the picture and is not up again */
	double wheel_x, wheel_y;
};

/* Pointer events; true: it was for the guest (screen_pointer.c). */
bool screen_pointer(struct screen *s, const SDL_Event *e);
/* Takes the mouse and the keyboard for the guest, or gives them back. */
void screen_grab(struct screen *s, bool grab);
/* Does the window have the mouse grabbed? */
bool screen_grabbed(void);

/* What the pointer looks like over the picture, after anything that matters to it has changed. */
void guest_cursor_update(struct screen *s);
void guest_cursor_draw(struct screen *s, SDL_Renderer *r);
/* The textures are gone. */
void guest_cursor_renew(struct guest_cursor *c);
void guest_cursor_destroy(struct guest_cursor *c);

#endif
