/*
 * The screen: the native framebuffer (slot 5) with native input (slot 6).
 *
 * What the user sees is put together from a background, which whoever has the screen draws on, and sprites, which move
 * over it. One task at a time has the screen; it waits for what happens with screen_wait().
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "picture.h"
#include <input.h>

/* A picture that lies over the background. Those that were added later lie over those before. */
struct sprite {
	struct picture picture;
	int x, y;
	bool shown;
	struct sprite *next;
};

/* What is behind the sprites; without pixels while there is no screen. */
extern struct picture background;

struct task;

/* Looks for the devices. Called once. The task that has the screen when nobody else wants it, start(task), begins when
 * somebody looks for the first time, or sends the first key: until then there is none. */
void screen_start(void (*start)(struct task *task));
/* Are there a framebuffer to show something on, and keys and pointers? */
bool screen_has_picture(void);
bool screen_has_input(void);
/* Does anybody look, or has anybody? Who does not at present may come back, from the console for instance. */
bool screen_was_watched(void);
/* Memory that its pictures take, in pages. */
unsigned long screen_pages(void);

/* Gets the screen for the current task, without sprites; whoever has it is asked to give it. Who is `patient` waits
 * until nobody else wants it, and follows the size of the user's window. The background is drawn after SCREEN_DRAW. */
void screen_take(bool patient);
void screen_give(void);

enum screen_event {
	SCREEN_DRAW,  /* the background has to be drawn: it is new, or of another size */
	SCREEN_FRAME, /* 1/60 s is over; only while somebody looks */
	SCREEN_INPUT, /* *event */
	SCREEN_END,   /* the screen is wanted by somebody, or the task is to end */
};

/* Sleeps until there is one of these. `moving`: frames are wanted. The power key is dealt with here. */
enum screen_event screen_wait(bool moving, struct input_event *event);

/* Shows what has been drawn on this part of the background. */
void screen_show(struct rect r);
void screen_show_all(void);

void screen_add(struct sprite *s);
/* No sprites any more. */
void screen_clear(void);
/* Moves a sprite, or hides it. */
void screen_move(struct sprite *s, int x, int y);
void screen_hide(struct sprite *s);
/* Shows a sprite whose picture has changed. */
void screen_change(const struct sprite *s);

/* Where the pointer is, once there has been one. Its own sprite lies over all others. */
struct pointer {
	int x, y;
	bool known;
	unsigned buttons; /* bit 0 left, 1 right, 2 middle */
};
extern struct pointer pointer;

#endif
