/*
 * The window from the inside. Everything belongs to the window's thread unless it says otherwise. window.c: thread and
 * loop; views.c: which views there are and which one is shown; events.c: what SDL tells; actions.c: what keys and
 * buttons of the window do; frame.c: renderer, letters, bar, drawing; size.c: how large the window and the guest's
 * picture are.
 */
#ifndef BISCUIT_WINDOW_INTERNAL_H
#define BISCUIT_WINDOW_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "frontend/window/bar.h"
#include "frontend/window/geometry.h"
#include "frontend/window/view.h"
#include "frontend/window/window.h"

#define VIEWS_MAX   16u
#define TITLE_MAX   256u
#define LETTERS	    13.0 /* points */
#define WINDOW_NAME "biscuit"

struct tab {
	struct view view;
	uint64_t due; /* ms: when to update it; UINT64_MAX: when woken */
};

struct window {
	struct debug *debug;
	struct bis_machine *machine;
	struct window_options options;
	char *title, *console; /* copies that options points to */

	/* Starting: set by the window's thread under the lock. */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool started; /* `error` says how */
	int error;
	char message[512];

	/* Any thread. */
	atomic_bool quit, woken;
	uint32_t wake_event; /* set before any view is made */

	SDL_Window *sdl;
	SDL_Renderer *renderer;
	SDL_Surface *nowhere; /* what is drawn to while `lost`; NULL: it never was */
	bool lost;	      /* the window has no renderer */
	uint64_t mend_due;    /* ms: when to make it another; UINT64_MAX: it works */
	uint64_t mended;      /* ms: when that was done last */
	struct text *text;
	struct view_host host;

	/* Size: units of the screen and pixels of the renderer. */
	int units_width, units_height, width, height;
	double scale; /* pixels a point takes */
	bool visible, fullscreen;
	bool own_size;			    /* the user's, not that of the guest's picture */
	int set_width, set_height;	    /* units: what this program made it last */
	uint32_t shown_width, shown_height; /* of the picture that the window was fitted to */
	uint32_t wish_width, wish_height;   /* the last wish; 0: none */
	uint64_t wish_due;		    /* ms; UINT64_MAX: none is open */
	enum fit fit;

	struct tab tabs[VIEWS_MAX];
	unsigned n_tabs, current;
	size_t n_displays; /* that have a tab */
	unsigned offered;  /* screens that show something */
	bool chosen;	   /* by the user; otherwise what the guest does decides */

	struct bar bar;
	bool bar_shown, bar_pressed; /* pressed: a button went down on it */
	char line[TITLE_MAX];	     /* the status line; "": none */
	uint64_t line_until;
	char caption[TITLE_MAX];	      /* the title that is set */
	uint64_t tick, instret, instret_time; /* ms; instructions then; ns of machine time then */
	double mips;
	enum bis_run_state state; /* that the title and the bar show */
	bool grabbed;

	SDL_Event motion;	/* that waits for more; type 0: none */
	SDL_Scancode taken_key; /* a key of the window's own that is still down */
	bool redraw;
	bool asked; /* the guest was asked to power off */
	unsigned shots;
};

/* window.c */
void window_wake(void *arg);
/* Shows a line for some seconds. */
void window_tell(void *arg, const char *line);
void window_told(struct window *w, const char *format, ...) BIS_PRINTF(2, 3);

/* views.c */
BIS_MUST_CHECK int views_create(struct window *w);
void views_destroy(struct window *w);
/* Looks for news where it is time, or everywhere. */
void views_update(struct window *w, uint64_t now, bool all);
/* When to look again, ms. */
uint64_t views_due(const struct window *w);
/* Displays that have come, what the guest shows now. */
void views_follow(struct window *w);
void views_show(struct window *w, unsigned index);
void views_next(struct window *w);
/* Is it one to choose now? */
bool views_offered(const struct window *w, unsigned index);
struct view *views_current(struct window *w);
/* What the bar calls it. */
const char *views_label(const struct window *w, unsigned index);
void views_resized(struct window *w);

/* events.c */
void events_handle(struct window *w, SDL_Event *e);
/* Delivers motion that was held back. */
void events_flush(struct window *w);

/* actions.c */
/* Keys of the window's own; true: it was one. */
bool actions_key(struct window *w, const SDL_KeyboardEvent *k);
void actions_bar(struct window *w, const struct bar_item *item);
void actions_close(struct window *w);
void actions_drop(struct window *w, const char *path);

/* frame.c */
BIS_MUST_CHECK int frame_create(struct window *w);
void frame_destroy(struct window *w);
/* The renderer has lost its textures. */
void frame_renew(struct window *w);
/* Makes another renderer if drawing has failed, and as long as there is none. */
void frame_mend(struct window *w, uint64_t now);
/* The window's size or scale may be another. */
void frame_measure(struct window *w);
/* Where the view is drawn. */
SDL_Rect frame_area(const struct window *w);
void frame_bar(struct window *w);
void frame_draw(struct window *w);

/* caption.c: the window's title. True: the machine's state is another. */
bool caption_tick(struct window *w, uint64_t now);

/* size.c */
/* Creates the window; -ENODEV with message. */
BIS_MUST_CHECK int size_create_window(struct window *w);
double size_scale_of(int units, int pixels);
/* Gives the window its size, once the bar's is known. */
void size_first(struct window *w);
/* After anything that has to do with size, and at wish_due. */
void size_follow(struct window *w, uint64_t now);
/* The user has another size in mind: the window's is now. */
void size_changed(struct window *w);

#endif
