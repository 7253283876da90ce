/*
 * The screen. Two pictures are kept: the background, and what the framebuffer shows. A part of the one becomes part of
 * the other line by line, with the sprites laid over it on the way, so that nobody ever sees a sprite half drawn.
 *
 * Both interrupts only wake the task that waits. Without anybody who looks, the framebuffer interrupts for nothing but
 * somebody's beginning to.
 */
#include "screen.h"
#include "../interrupts.h"
#include "../layout.h"
#include "../pages.h"
#include "../task.h"
#include "../timer.h"
#include "arrow.h"
#include <framebuffer.h>
#include <native.h>
#include <power.h>
#include <stdio.h>
#include <string.h>

#define KINDS                                                                                                          \
	(INPUT_ENABLE_KEY | INPUT_ENABLE_TEXT | INPUT_ENABLE_BUTTON | INPUT_ENABLE_ABSOLUTE | INPUT_ENABLE_RELATIVE |  \
	 INPUT_ENABLE_WHEEL)
#define SIDE_MAX     4096
#define SMALL_WIDTH  640 /* what is tried where memory is short */
#define SMALL_HEIGHT 480

struct picture background;
struct pointer pointer;

static struct picture front; /* what the framebuffer shows */
static uint32_t *memory;     /* of both */
static unsigned long memory_pages;

static struct sprite *sprites; /* the pointer's, too, as the last one */
static struct sprite arrow;

static struct task *owner;
static bool follows_size;  /* does it draw for whatever size the user wants? */
static unsigned wanted_by; /* how many tasks wait for the screen */
static bool must_draw;

/* What interrupts have found. */
static bool frame_over, size_changed, was_watched;

/* The task that has the screen when nobody else wants it. */
static void (*desktop_start)(struct task *task);
static struct task *desktop;

/* --- Interrupts: they are disabled in here --- */

static void begin_desktop(void)
{
	if (!desktop)
		desktop = task_create_kernel("screen", desktop_start);
}

static bool is_watched(void)
{
	return screen_has_picture() && framebuffer_is_visible();
}

static void note_watched(void)
{
	if (!is_watched())
		return;
	was_watched = true;
	begin_desktop();
}

/* PREFERRED asks until it is read, the others until they are acknowledged. */
static void framebuffer_interrupt(void)
{
	uint32_t status = framebuffer_status_read();

	frame_over |= (status & FRAMEBUFFER_STATUS_VSYNC) != 0;
	if (status & FRAMEBUFFER_STATUS_PREFERRED) {
		framebuffer_preferred_read();
		size_changed = true;
	}
	framebuffer_status_write(NATIVE_STATUS_INTERRUPT);
	note_watched();
	task_wake(&owner);
}

/* Events wait in the device until the task takes them. */
static void input_interrupt(void)
{
	input_want(KINDS);
	begin_desktop();
	task_wake(&owner);
}

static void want_frames(bool want)
{
	framebuffer_enable_write(FRAMEBUFFER_ENABLE_VISIBLE | FRAMEBUFFER_ENABLE_PREFERRED |
				 (want ? FRAMEBUFFER_ENABLE_VSYNC : 0));
}

void screen_start(void (*start)(struct task *task))
{
	bool enabled = interrupts_disable();

	desktop_start = start;
	make_arrow(&arrow.picture);
	if (screen_has_picture()) {
		interrupts_attach_native(FRAMEBUFFER_SLOT, framebuffer_interrupt);
		want_frames(false);
	}
	if (screen_has_input()) {
		interrupts_attach_native(INPUT_SLOT, input_interrupt);
		input_want(KINDS | INPUT_ENABLE_INTERRUPT);
	}
	note_watched();
	interrupts_restore(enabled);
}

bool screen_has_picture(void)
{
	return native_present(FRAMEBUFFER_SLOT);
}

bool screen_has_input(void)
{
	return native_present(INPUT_SLOT);
}

bool screen_was_watched(void)
{
	return was_watched;
}

unsigned long screen_pages(void)
{
	return memory_pages;
}

/* --- Size --- */

static bool get_memory(unsigned long pages)
{
	if (pages <= memory_pages)
		return true;
	framebuffer_hide();
	if (memory)
		pages_give(memory, memory_pages);
	memory_pages = 0;
	memory = pages_take(pages);
	if (memory)
		memory_pages = pages;
	return memory;
}

/* Half of what is free stays for others. */
static bool set_size(unsigned width, unsigned height)
{
	unsigned long pixels = (unsigned long)width * height;
	unsigned long pages = ROUND_UP(2 * pixels * sizeof(uint32_t), PAGE_SIZE) / PAGE_SIZE;

	if (!pixels || pages > pages_free() / 2 + memory_pages || !get_memory(pages))
		return false;
	background = (struct picture){memory, (int)width, (int)height, (int)width};
	front = (struct picture){memory + pixels, (int)width, (int)height, (int)width};
	memset(memory, 0, 2 * pixels * sizeof(uint32_t));
	return framebuffer_show((uintptr_t)front.pixels, width, height, FRAMEBUFFER_FORMAT_XRGB8888, 0) ==
	       NATIVE_ERROR_NONE;
}

static void choose_size(void)
{
	unsigned width, height;

	size_changed = false;
	framebuffer_preferred(&width, &height);
	if ((int)width == background.width && (int)height == background.height)
		return;
	if (!set_size(width, height) && !set_size(SMALL_WIDTH, SMALL_HEIGHT))
		background = front = (struct picture){0};
	must_draw = background.pixels;
}

/* --- From the background to the screen --- */

static struct rect place_of(const struct sprite *s)
{
	return (struct rect){s->x, s->y, s->picture.width, s->picture.height};
}

void screen_show(struct rect r)
{
	static uint32_t pixels[SIDE_MAX];

	if (!background.pixels || !rect_cut(&r, &background))
		return;
	for (int y = r.y; y < r.y + r.height; y++) {
		struct picture line = {pixels, r.width, 1, r.width};
		size_t at = (size_t)y * (size_t)background.pitch + (size_t)r.x;

		memcpy(pixels, background.pixels + at, (size_t)r.width * sizeof(uint32_t));
		for (const struct sprite *s = sprites; s; s = s->next) {
			if (s->shown && y >= s->y && y < s->y + s->picture.height)
				picture_lay(&line, s->x - r.x, s->y - y, &s->picture);
		}
		memcpy(front.pixels + at, pixels, (size_t)r.width * sizeof(uint32_t));
	}
}

void screen_show_all(void)
{
	screen_show((struct rect){0, 0, background.width, background.height});
}

void screen_add(struct sprite *s)
{
	struct sprite **at = &sprites;

	while (*at && *at != &arrow)
		at = &(*at)->next;
	s->next = *at;
	*at = s;
}

void screen_clear(void)
{
	arrow.next = NULL;
	sprites = &arrow;
}

void screen_move(struct sprite *s, int x, int y)
{
	struct rect before = place_of(s), after;

	if (!s->shown)
		before.width = 0;
	s->x = x;
	s->y = y;
	s->shown = true;
	after = place_of(s);
	/* What is far from where it was is not worth drawing all that is between. */
	if (x - before.x < before.width && before.x - x < before.width && y - before.y < before.height &&
	    before.y - y < before.height) {
		screen_show(rect_around(before, after));
	} else {
		screen_show(before);
		screen_show(after);
	}
}

void screen_hide(struct sprite *s)
{
	s->shown = false;
	screen_show(place_of(s));
}

void screen_change(const struct sprite *s)
{
	screen_show(place_of(s));
}

/* --- Who has it --- */

void screen_take(bool patient)
{
	bool enabled = interrupts_disable();

	wanted_by += !patient;
	task_wake(&owner);
	while (owner || (patient && wanted_by))
		task_wait(&wanted_by, NEVER);
	wanted_by -= !patient;
	owner = current;
	follows_size = patient;
	interrupts_restore(enabled);
	screen_clear();
	must_draw = background.pixels;
}

void screen_give(void)
{
	bool enabled = interrupts_disable();

	if (screen_has_picture())
		want_frames(false);
	owner = NULL;
	task_wake(&wanted_by);
	interrupts_restore(enabled);
}

/* --- Waiting --- */

static int clamp(int value, int end)
{
	return value < 0 ? 0 : value >= end ? end - 1 : value;
}

static void move_pointer(int x, int y)
{
	pointer.x = clamp(x, background.width);
	pointer.y = clamp(y, background.height);
	pointer.known = true;
	screen_move(&arrow, pointer.x, pointer.y);
}

static void note_button(const struct input_event *e)
{
	unsigned bit = e->code == INPUT_BUTTON_LEFT ? 1 : e->code == INPUT_BUTTON_RIGHT ? 2 : 4;

	pointer.buttons = e->value ? pointer.buttons | bit : pointer.buttons & ~bit;
}

static void note_event(const struct input_event *e)
{
	switch (e->kind) {
	case INPUT_KIND_KEY:
		if (e->code == INPUT_KEY_POWER && e->value) {
			printf("\npower key\n");
			machine_power_off(0);
		}
		break;
	case INPUT_KIND_ABSOLUTE:
		if (background.pixels)
			move_pointer((int)((int64_t)e->x * (background.width - 1) / INPUT_RANGE),
				     (int)((int64_t)e->y * (background.height - 1) / INPUT_RANGE));
		break;
	case INPUT_KIND_RELATIVE:
		if (background.pixels)
			move_pointer(pointer.x + e->x, pointer.y + e->y);
		break;
	case INPUT_KIND_BUTTON:
		note_button(e);
		break;
	}
}

/* When the queue is empty, the device may interrupt again; what came just before that is still there. */
static bool next_event(struct input_event *e)
{
	if (!screen_has_input())
		return false;
	if (input_take(e))
		return true;
	input_want(KINDS | INPUT_ENABLE_INTERRUPT);
	return input_take(e);
}

enum screen_event screen_wait(bool moving, struct input_event *event)
{
	enum screen_event found = SCREEN_END;
	bool enabled = interrupts_disable(), searching = true;

	while (searching) {
		bool watched = is_watched();

		searching = false;
		if (watched && (!background.pixels || (size_changed && follows_size)))
			choose_size();
		if (current->killed || wanted_by) {
			found = SCREEN_END;
		} else if (must_draw && watched) {
			must_draw = false;
			found = SCREEN_DRAW;
		} else if (next_event(event)) {
			found = SCREEN_INPUT;
		} else if (frame_over && moving && watched) {
			frame_over = false;
			found = SCREEN_FRAME;
		} else {
			searching = true;
			if (screen_has_picture())
				want_frames(moving && watched);
			frame_over &= moving && watched;
			task_wait(&owner, NEVER);
		}
	}
	interrupts_restore(enabled);
	if (found == SCREEN_INPUT)
		note_event(event);
	return found;
}
